#!/usr/bin/env bash
# What TLS costs, on the C server and this one in turn: the same scene to viewers with and without it. Prints a Markdown
# table, and leaves it in target/versus-c/tls.md.
# Needs Debian's libspice-server-dev, libglib2.0-dev, pkg-config, gcc and openssl.
#   benches/versus-c/tls.sh [seconds per measurement, default 8]
set -euo pipefail
seconds=${1:-8}
cd "$(dirname "$0")"
work=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT

gcc -O2 -w -o "$work/drive" drive.c $(pkg-config --cflags --libs spice-server glib-2.0) -lpthread
cargo build --quiet --release -p spice-cli --manifest-path ../../Cargo.toml
target=${CARGO_TARGET_DIR:-../../target}
cli=$target/release/spice-cli
mkdir -p "$target/versus-c"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=bench \
    -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
chmod 600 "$work/key.pem"
port=5981

start() { # c or here, plain or tls
    port=$((port + 1))
    while (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do port=$((port + 1)); done
    case $1-$2 in
    c-plain) "$work/drive" --port $port --fps 30 --scene mixed --seconds 600 ;;
    c-tls) "$work/drive" --port $port --fps 30 --scene mixed --seconds 600 --tls "$work" ;;
    here-plain) "$cli" server --listen 127.0.0.1:$port --guest 'bench:mixed?fps=30&size=1280x720' ;;
    here-tls)
        "$cli" server --tls-listen 127.0.0.1:$port --tls-cert "$work/cert.pem" --tls-key "$work/key.pem" \
            --guest 'bench:mixed?fps=30&size=1280x720'
        ;;
    esac >/dev/null 2>&1 &
    server=$!
    for _ in $(seq 200); do
        if (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; then return; fi
        sleep 0.05
    done
    echo "server $1 $2 does not listen" >&2
    exit 1
}

cpu() { # processor seconds of the server so far; it is a child of the shell that chose it
    local pid
    pid=$(pgrep -P $server || echo $server)
    awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) / hz }' "/proc/$pid/stat"
}

field() { # name: of the last load
    sed -n "s/.*\"kind\":\"fast\".*\"$1\":\([0-9.]*\|null\).*/\1/p" "$work/load"
}

{
    echo "| fast viewers | server | | slowest viewer's frames/s | age of its frames p50 / p99, ms | first picture, last, ms | kB/s each | cores |"
    echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for viewers in 1 20 50; do
        for which in c here; do
            for how in plain tls; do
                start $which $how
                sleep 1
                trust=()
                if [ $how = tls ]; then trust=(--tls-ca "$work/cert.pem"); fi
                before=$(cpu) from=$(date +%s.%N)
                "$cli" load 127.0.0.1:$port --viewers $viewers --seconds "$seconds" --json "${trust[@]}" >"$work/load" 2>/dev/null
                used=$(awk -v a="$before" -v b="$(cpu)" -v s="$from" -v e="$(date +%s.%N)" 'BEGIN { printf "%.3f", (b - a) / (e - s) }')
                echo "| $viewers | $which | $how | $(field fps_min) | $(field stale_p50_ms) / $(field stale_p99_ms) | $(field first_ms_max) | $(field kB_per_s_each) | $used |"
                pkill -P $server 2>/dev/null || true
                kill $server 2>/dev/null || true
                wait $server 2>/dev/null || true
                server=
            done
        done
    done
} | tee "$target/versus-c/tls.md"
