#!/usr/bin/env bash
# The C server and this one without a viewer, in turn, on recordings: commands for each second of processor time and
# peak memory of the whole process. Prints a Markdown table.
# Needs what run.sh needs, and zstd.
#   benches/versus-c/replay.sh FOLDER [rounds, default 3]     the folder holds *.rec.zst
set -euo pipefail
folder=$(cd "$1" && pwd)
rounds=${2:-3}
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

gcc -O2 -w -o "$work/replay" replay.c $(pkg-config --cflags --libs spice-server glib-2.0) -lpthread
cargo build --quiet --release -p spice-cli --manifest-path ../../Cargo.toml
cli=../../target/release/spice-cli

# Processor seconds and KiB of a command that ends by itself.
measured() {
    /usr/bin/time -o "$work/time" -f '%U %S %M' "$@" >"$work/out" 2>"$work/err"
    awk '{ print $1 + $2, $3 }' "$work/time"
}

# The least processor time of all rounds, and the memory of that one.
least() {
    sort -n | head -n 1
}

echo "| recording | commands | C, commands/CPU s | here | ratio | C, peak MiB | here |"
echo "| --- | --- | --- | --- | --- | --- | --- |"
for file in "$folder"/*.rec.zst; do
    name=$(basename "$file" .rec.zst)
    zstd -qdc --long=27 "$file" >"$work/recording.rec"
    : >"$work/c" && : >"$work/here"
    for _ in $(seq "$rounds"); do
        measured "$work/replay" --file "$work/recording.rec" --port 5971 >>"$work/c"
        commands=$(sed -n 's/.*"commands":\([0-9]*\).*/\1/p' "$work/out" | tail -n 1)
        measured "$cli" server --listen 127.0.0.1:5972 --speed 1e9 --guest "replay:$work/recording.rec" >>"$work/here"
    done
    read -r c_cpu c_mem < <(least <"$work/c")
    read -r cpu mem < <(least <"$work/here")
    awk -v name="$name" -v n="$commands" -v c="$c_cpu" -v h="$cpu" -v cm="$c_mem" -v hm="$mem" 'BEGIN {
        printf "| %s | %d | %.0f | %.0f | %.1f | %.0f | %.0f |\n", name, n, n / c, n / h, c / h, cm / 1024, hm / 1024
    }'
done
