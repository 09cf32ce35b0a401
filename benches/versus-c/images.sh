#!/usr/bin/env bash
# The C server and this one with one viewer, in turn, on recordings, with each way to pack images: bytes of the display
# channel, processor time of the server's threads, peak memory of its process. Prints Markdown tables.
# Needs what run.sh needs, and zstd.
#   benches/versus-c/images.sh FOLDER [rounds, default 1]     the folder holds *.rec.zst
#   benches/versus-c/images.sh --kinds FOLDER METHOD...       messages and bytes of each kind of message and image
# The viewer (spice-client's example wire) reads all that comes, and keeps as much as spice-gtk does. It is there before the
# first command, and both guests are in step with it (--step, --in-step): it is sent every command, as on a desktop that
# is not overloaded, rather than pictures of what many of them drew. Neither server makes video or packs with loss.
# The C server is woken for each command, as it is where commands come one by one, and this one is not: how much time goes
# into packing is what a method takes more than `off`.
set -euo pipefail
kinds=
if [ "$1" = --kinds ]; then kinds=1 && shift; fi
folder=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")"
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT

gcc -O2 -w -o "$work/replay" replay.c $(pkg-config --cflags --libs spice-server glib-2.0) -lpthread
cargo build --quiet --release -p spice-cli -p spice-client --bins --examples --manifest-path ../../Cargo.toml
target=${CARGO_TARGET_DIR:-../../target}/release
port=5973

# Server c or here, method: what the viewer has counted goes to $work/wire; prints processor seconds, KiB, bytes, draws.
measured() {
    port=$((port < 6990 ? port + 1 : 5974))
    if [ "$1" = c ]; then
        "$work/replay" --file "$work/recording.rec" --port $port --compress "$2" --wait 1 --step 60 --hold 1 >"$work/out" 2>"$work/err" &
    else
        "$target/spice-cli" server --listen 127.0.0.1:$port --guest "replay:$work/recording.rec" --speed 1e9 \
            --image-compression "$2" --jpeg-wan-compression never --zlib-glz-wan-compression never \
            --wait --in-step --hold >"$work/out" 2>"$work/err" &
    fi
    server=$!
    for _ in $(seq 200); do
        if (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; then break; fi
        sleep 0.05
    done
    "$target/examples/wire" 127.0.0.1:$port --kinds --quiet 2000 >"$work/wire"
    local time memory
    # The thread that has read the recording is gone by now, and does not count.
    time=$(cat /proc/$server/task/*/schedstat | awk '{ ns += $1 } END { printf "%.3f", ns / 1e9 }')
    memory=$(awk '/^VmHWM/ { print $2 }' "/proc/$server/status")
    kill $server
    wait $server 2>/dev/null || true
    server=
    sed -n '1s/.*"bytes":\([0-9]*\).*"draws":\([0-9]*\).*/\1 \2/p' "$work/wire" | sed "s/^/$time $memory /"
}

# The measurement of the least processor time among some.
least() {
    sort -n | head -n 1
}

if [ -n "$kinds" ]; then
    for file in "$folder"/*.rec.zst; do
        zstd -qdfc --long=27 "$file" >"$work/recording.rec"
        for method in "$@"; do
            for which in c here; do
                measured $which "$method" >"$work/$which"
                tail -n +2 "$work/wire" >"$work/$which.kinds"
            done
            printf '\n### %s, %s\n\n' "$(basename "$file" .rec.zst)" "$method"
            echo "| messages | C, count | here | C, bytes | here | C, Mpixel | here |"
            echo "| --- | --- | --- | --- | --- | --- | --- |"
            join -a 1 -a 2 -e 0 -o 0,1.2,2.2,1.3,2.3,1.4,2.4 "$work/c.kinds" "$work/here.kinds" |
                awk '{ printf "| %s | %d | %d | %d | %d | %.2f | %.2f |\n", $1, $2, $3, $4, $5, $6 / 1e6, $7 / 1e6
                       c += $2; h += $3; cb += $4; hb += $5 }
                     END { printf "| all | %d | %d | %d | %d | | |\n", c, h, cb, hb }'
        done
    done
    exit
fi

rounds=${1:-1}
for file in "$folder"/*.rec.zst; do
    name=$(basename "$file" .rec.zst)
    zstd -qdfc --long=27 "$file" >"$work/recording.rec"
    for method in auto_glz auto_lz off quic lz glz; do
        for which in c here; do
            for _ in $(seq "$rounds"); do measured $which $method; done | least >"$work/least"
            echo "$name $method $which $(cat "$work/least")" | tee -a "$work/all" >&2
        done
    done
done

# Recording, method, server, processor seconds, KiB, bytes, draws.
echo "| recording | draws, C / here | auto_glz: C, kB | here | ratio | auto_lz: C, kB | here | ratio |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
awk '{ b[$1, $2, $3] = $6; d[$1, $3] = $7; if (!seen[$1]++) names[++n] = $1 }
    function pair(m, name) { c = b[name, m, "c"]; h = b[name, m, "here"]; tc[m] += c; th[m] += h
        return sprintf("%.0f | %.0f | %.2f", c / 1000, h / 1000, h / c) }
    END {
        for (i = 1; i <= n; i++) { name = names[i]
            printf "| %s | %d / %d | %s | %s |\n", name, d[name, "c"], d[name, "here"], pair("auto_glz", name), pair("auto_lz", name) }
        g = "auto_glz"; l = "auto_lz"
        printf "| all | | %.0f | %.0f | %.2f | %.0f | %.0f | %.2f |\n", tc[g] / 1000, th[g] / 1000, th[g] / tc[g],
            tc[l] / 1000, th[l] / 1000, th[l] / tc[l]
    }' "$work/all"
echo
echo "Processor seconds without the thread that reads the recording, C / here:"
echo
echo "| recording | off | quic | lz | glz | auto_lz | auto_glz | auto_glz: peak MiB, C / here |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
awk '{ t[$1, $2, $3] = $4; m[$1, $3] = $2 == "auto_glz" ? $5 / 1024 : m[$1, $3]; if (!seen[$1]++) names[++n] = $1 }
    function pair(x) { c = t[name, x, "c"]; h = t[name, x, "here"]; tc[x] += c; th[x] += h; return sprintf("%.2f / %.2f", c, h) }
    END {
        k = split("off quic lz glz auto_lz auto_glz", methods, " ")
        for (i = 1; i <= n; i++) { name = names[i]; printf "| %s", name
            for (j = 1; j <= k; j++) printf " | %s", pair(methods[j])
            printf " | %.0f / %.0f |\n", m[name, "c"], m[name, "here"] }
        printf "| all"
        for (j = 1; j <= k; j++) printf " | %.2f / %.2f", tc[methods[j]], th[methods[j]]
        print " | |"
    }' "$work/all"
