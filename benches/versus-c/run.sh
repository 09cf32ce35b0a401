#!/usr/bin/env bash
# The C server and this one on the same work, in turn, on this machine: prints a Markdown table.
# Needs Debian's libspice-server-dev, libglib2.0-dev, libssl-dev, pkg-config and gcc.
#   benches/versus-c/run.sh [seconds per measurement, default 8]
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-8}
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT

gcc -O2 -w -o "$work/drive" drive.c $(pkg-config --cflags --libs spice-server glib-2.0) -lpthread
gcc -O2 -w -o "$work/load" load.c -lcrypto
cargo build --quiet --release -p spice-cli --manifest-path ../../Cargo.toml
cli=../../target/release/spice-cli
port=5961

start() { # c or here
    if [ "$1" = c ]; then
        "$work/drive" --port $port --fps 30 --scene mixed --seconds 120 >"$work/out" 2>/dev/null &
    else
        "$cli" server --listen 127.0.0.1:$port --guest 'bench:mixed?fps=30&size=1280x720' >"$work/out" 2>/dev/null &
    fi
    server=$!
    for _ in $(seq 100); do
        if (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; then return; fi
        sleep 0.05
    done
    echo "server $1 does not listen" >&2
    exit 1
}

cpu() { # processor seconds of the server so far
    awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$server/stat"
}

field() { # kind, name
    sed -n "s/.*\"kind\":\"$1\".*\"$2\":\([0-9.]*\).*/\1/p" "$work/load.out"
}

echo "| viewers | server | frames/s, slowest fast viewer | frame age p50 / p99, ms | first picture, last, ms | kB/s each | cores |"
echo "| --- | --- | --- | --- | --- | --- | --- |"
measure() { # label, load's arguments
    local label=$1
    shift
    for which in c here; do
        start $which
        local before after
        before=$(cpu)
        "$work/load" --port $port --seconds "$seconds" "$@" >"$work/load.out"
        after=$(cpu)
        kill $server
        wait $server 2>/dev/null || true
        port=$((port + 1))
        printf '| %s | %s | %s | %s / %s | %s | %s | %s |\n' "$label" "$which" \
            "$(field fast fps_min)" "$(field fast stale_p50_ms)" "$(field fast stale_p99_ms)" \
            "$(field fast first_ms_max)" "$(field fast kB_per_s_each)" \
            "$(awk -v a="$before" -v b="$after" -v s="$seconds" 'BEGIN { printf "%.3f", (b - a) / (s + 2) }')"
    done
}
measure "1 fast" --fast 1
measure "1 fast + 1 stalled" --fast 1 --stalled 1
measure "1 fast + 1 at 200 kB/s" --fast 1 --throttled 1 --rate 200000
measure "20 fast" --fast 20
measure "50 fast" --fast 50
