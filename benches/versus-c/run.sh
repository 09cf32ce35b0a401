#!/usr/bin/env bash
# The C server and this one on the same work, in turn, on this machine: who slows whom, and what each viewer costs. Prints a
# Markdown table, and leaves it with all figures as JSON in target/versus-c/isolation.{md,json}.
# Needs Debian's libspice-server-dev, libglib2.0-dev, pkg-config, gcc, and zstd for the recording.
#   benches/versus-c/run.sh [seconds per measurement, default 8] [recording, *.rec.zst]
# With a recording, 1 and 50 viewers are sent every command of it, too.
# SERVERS names who is measured: c, here (spice-cli), drop-in (the C server's host, the same program, on this library);
# `c here` if nothing is said.
set -euo pipefail
seconds=${1:-8}
recording=${2:+$(realpath "$2")}
cd "$(dirname "$0")"
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT

flags=$(pkg-config --cflags --libs spice-server glib-2.0)
for host in drive replay; do gcc -O2 -w -o "$work/$host" $host.c $flags -lpthread; done
servers=${SERVERS:-c here}
cargo build --quiet --release -p spice-cli -p spice-capi --manifest-path ../../Cargo.toml
target=${CARGO_TARGET_DIR:-../../target}
cli=$target/release/spice-cli
results=$target/versus-c
mkdir -p "$work/lib"
ln -s "$(realpath "$target")/release/libspice_capi.so" "$work/lib/libspice-server.so.1"
mkdir -p "$results"
exec 5>"$work/json" > >(tee "$results/isolation.md")
port=5961

start() { # who, and then the C server's host or this one's arguments
    port=$((port + 1))
    while (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do port=$((port + 1)); done
    if [ "$1" = c ]; then
        "$work/$2" --port $port "${@:3}" >"$work/out" 2>/dev/null &
    elif [ "$1" = drop-in ]; then
        LD_LIBRARY_PATH=$work/lib "$work/$2" --port $port "${@:3}" >"$work/out" 2>/dev/null &
    else
        "$cli" server --listen 127.0.0.1:$port --stats "${@:2}" >"$work/out" 2>/dev/null &
    fi
    server=$!
    for _ in $(seq 200); do
        if (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; then return; fi
        sleep 0.05
    done
    echo "server $1 does not listen" >&2
    exit 1
}

stop() {
    kill $server
    wait $server 2>/dev/null || true
    server=
}

cpu() { # processor seconds of the server so far
    awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$server/stat"
}

field() { # kind, name: of the last load
    local value
    value=$(sed -n "s/.*\"kind\":\"$1\".*\"$2\":\([0-9.]*\|null\).*/\1/p" "$work/load")
    if [ "$value" = null ]; then echo -; else echo "${value:--}"; fi
}

guest() { # who: frames a second that the guest drew; here a frame has 10.2 commands
    local key=frames per=1
    if [ "$1" = here ]; then key=commands per=10.2; fi
    sed -n "s/{\"t\":\([0-9]*\).*\"$key\":\([0-9]*\).*/\1 \2/p" "$work/out" |
        awk -v per=$per 'NR == 2 { t = $1; n = $2 } NR > 2 { last = ($2 - n) / ($1 - t) / per } END { printf "%.1f", last }'
}

declare -A cores memory
measure() { # label, load's arguments
    local label=$1 which before after used
    shift
    for which in $servers; do
        if [ $which != here ]; then
            start $which drive --fps 30 --scene mixed --seconds 600
        else
            start here --guest 'bench:mixed?fps=30&size=1280x720'
        fi
        sleep 1
        if [[ $label = *joining* ]]; then
            # The one that was there tells of its longest gap, the others of their first pictures.
            "$cli" load 127.0.0.1:$port --seconds "$seconds" --warm 1 --json >"$work/there" 2>/dev/null &
            local there=$!
            sleep 2
        fi
        before=$(cpu)
        local begun=$EPOCHREALTIME
        "$cli" load 127.0.0.1:$port --seconds "$seconds" --json "$@" >"$work/load" 2>/dev/null || true
        after=$(cpu)
        used=$(awk -v a="$before" -v b="$after" -v s="$begun" -v e="$EPOCHREALTIME" 'BEGIN { printf "%.3f", (b - a) / (e - s) }')
        cores[$label,$which]=$used
        memory[$label,$which]=$(awk '/^VmHWM/ { print $2 }' "/proc/$server/status")
        local first gap
        first=$(field fast first_ms_max) gap=$(field fast gap_max_ms)
        if [[ $label = *joining* ]]; then
            wait "$there" || true
            gap=$(sed -n 's/.*"gap_max_ms":\([0-9]*\).*/\1/p' "$work/there")
        fi
        stop
        printf '| %s | %s | %s | %s | %s / %s | %s / %s | %s | %s | %s | %s | %s |\n' "$label" $which "$(guest $which)" \
            "$(field fast fps_min)" "$(field fast stale_p50_ms)" "$(field fast stale_p99_ms)" \
            "$(field throttled shown_p50_ms)" "$(field throttled shown_p99_ms)" \
            "$first" "${gap:--}" "$(field fast kB_per_s_each)" "$used" "$((memory[$label,$which] / 1024))"
        printf '{"scene":"%s","server":"%s","guest_fps":%s,"cores":%s,"peak_kib":%s,"viewers":[%s]}\n' "$label" $which \
            "$(guest $which)" "$used" "${memory[$label,$which]}" "$(paste -sd, "$work/load")" >&5
    done
}

echo "| viewers | server | guest's frames/s | slowest fast viewer's | age of its frames p50 / p99, ms | shown by the throttled p50 / p99, ms | first picture, last, ms | longest gap, ms | kB/s each | cores | peak MiB |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
measure "1 fast"
measure "1 fast + 1 stalled" --stalled 1
measure "1 fast + 20 stalled" --stalled 20
measure "1 fast + 1 at 200 kB/s" --throttled 1 --rate 200000
measure "20 fast" --viewers 20
measure "50 fast" --viewers 50
measure "200 fast" --viewers 200
measure "1 fast, and 100 joining within 1 s" --viewers 100 --join-within 1

echo
for which in $servers; do
    awk -v which=$which -v one="${cores["1 fast",$which]}" -v fifty="${cores["50 fast",$which]}" \
        -v m1="${memory["1 fast",$which]}" -v m200="${memory["200 fast",$which]}" \
        -v s1="${memory["1 fast + 1 stalled",$which]}" -v s20="${memory["1 fast + 20 stalled",$which]}" 'BEGIN {
        printf "- %s: 50 viewers take %.1f times the processor time of one; each more takes %d KiB, each stalled one %d KiB\n",
            which, fifty / one, (m200 - m1) / 199, (s20 - s1) / 19 }'
done

if [ -n "$recording" ]; then
    zstd -qdfc --long=27 "$recording" >"$work/recording.rec"
    printf '\n| %s, every command | server | kB each | processor seconds |\n| --- | --- | --- | --- |\n' "$(basename "$recording" .rec.zst)"
    for count in 1 50; do
        for which in $servers; do
            if [ $which != here ]; then
                start $which replay --file "$work/recording.rec" --compress auto_glz --wait $count --step 60 --hold 1
            else
                start here --guest "replay:$work/recording.rec" --speed 1e9 --jpeg-wan-compression never \
                    --zlib-glz-wan-compression never --wait=$count --in-step --hold
            fi
            "$cli" load 127.0.0.1:$port --viewers $count --warm 0 --seconds 30 --json >"$work/load" 2>/dev/null
            # The thread that has read the recording is gone by now, and does not count.
            used=$(cat /proc/$server/task/*/schedstat | awk '{ ns += $1 } END { printf "%.2f", ns / 1e9 }')
            stop
            each=$(awk -v rate="$(field fast kB_per_s_each)" 'BEGIN { printf "%d", rate * 30 }')
            echo "| $count fast | $which | $each | $used |"
            printf '{"recording":"%s","server":"%s","cpu_s":%s,"viewers":[%s]}\n' "$(basename "$recording" .rec.zst)" $which \
                "$used" "$(paste -sd, "$work/load")" >&5
        done
    done
fi
exec 5>&-
paste -sd, "$work/json" | sed 's/^/[/; s/$/]/' >"$results/isolation.json"
