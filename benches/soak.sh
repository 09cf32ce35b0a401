#!/usr/bin/env bash
# A server for minutes with viewers of every kind: what it holds on to. Prints a line every 10 s and a verdict, and ends
# with 1 where memory grows, descriptors are left, a viewer is, or a viewer that reads was ended.
#   benches/soak.sh [minutes, default 10] [recording to loop; without it a synthetic scene]
set -euo pipefail
cd "$(dirname "$0")"
minutes=${1:-10}
guest=(--guest 'bench:mixed?fps=30&size=1280x720')
if [ $# -gt 1 ]; then guest=(--guest "replay:$(realpath -- "$2")" --loop); fi
step=10       # seconds between lines
stalled_for=8 # seconds until one that takes nothing is ended
warm=60       # seconds until all that is kept on purpose is full: the dictionary, tiles, what viewers keep
growth=5      # per cent that memory may grow afterwards, from the first third of the time to the last

work=$(mktemp -d)
server= load= stalled=
trap 'kill $stalled $load $server 2>/dev/null || true; rm -rf "$work"' EXIT
# The build is put aside, so that another may follow meanwhile.
cargo build --quiet --release -p spice-cli --manifest-path ../Cargo.toml
cp "${CARGO_TARGET_DIR:-../target}/release/spice-cli" "$work/spice-cli"
cli=$work/spice-cli

"$cli" server --listen 127.0.0.1:0 "${guest[@]}" --viewer-timeout $stalled_for --stats-socket "$work/stats" \
    2>"$work/server.err" &
server=$!
for _ in $(seq 100); do
    address=$(sed -n 's,.*remote-viewer spice://,,p' "$work/server.err")
    if [ -n "$address" ] && [ -S "$work/stats" ]; then break; fi
    sleep 0.05
done
[ -n "$address" ] || { cat "$work/server.err" >&2; exit 1; }

status() { sed -n "s/^$1:[[:space:]]*\([0-9]*\).*/\1/p" "/proc/$server/status"; }
descriptors() { find "/proc/$server/fd" -mindepth 1 | wc -l; }
of_server() { "$cli" top --once --json "$work/stats" | sed -n "s/.*\"server\":{[^}]*\"$1\":\([0-9.]*\).*/\1/p"; }

# What is made at the first viewer, and kept, is no leak.
"$cli" load "$address" --viewers 1 --warm 0 --seconds 1 >/dev/null 2>&1
sleep 1
before=$(descriptors)

seconds=$(awk -v m="$minutes" 'BEGIN { print m * 60 }')
"$cli" load "$address" --viewers 3 --throttled 1 --flapping 2 --seconds "$seconds" >"$work/load.out" 2>&1 &
load=$!
# Each is ended by the server; the next one comes.
while :; do "$cli" load "$address" --viewers 0 --stalled 1 --warm 0 --seconds $((stalled_for + 4)); done \
    >"$work/stalled.out" 2>&1 &
stalled=$!

echo "| s | RSS, kB | threads | descriptors | viewers | processor, s |"
echo "| --- | --- | --- | --- | --- | --- |"
start=$SECONDS
next=$((start + step))
while kill -0 $load 2>/dev/null; do
    sleep 0.2
    if [ $SECONDS -lt $next ]; then continue; fi
    next=$((next + step))
    sample=("$((SECONDS - start))" "$(status VmRSS)" "$(status Threads)" "$(descriptors)" "$(of_server viewers)" \
        "$(of_server cpu)")
    echo "${sample[*]}" >>"$work/samples"
    printf '|'
    printf ' %s |' "${sample[@]}"
    echo
done
wait $load
load=
kill $stalled 2>/dev/null || true
wait $stalled 2>/dev/null || true
# The one whose turn it was has not been told.
sleep $((stalled_for + 2))
stalled=

echo
cat "$work/load.out"
echo
after=$(descriptors)
left=$(of_server viewers)
dead=$(awk '$1 == "dead" { for (i = 2; i <= NF; i++) sum += $i } END { print sum + 0 }' "$work/load.out")
turns=$(grep -c '^dead' "$work/stalled.out" || true)
ended=$(awk '$1 == "dead" { sum += $2 } END { print sum + 0 }' "$work/stalled.out")
echo "stalled viewers: $turns, ended by the server: $ended"
echo "after all have left: RSS $(status VmRSS) kB, threads $(status Threads), viewers $left, descriptors $after (before: $before)"
awk -v growth=$growth -v warm=$warm -v before="$before" -v after="$after" -v left="$left" -v dead="$dead" \
    -v turns="$turns" -v ended="$ended" '
    $1 > warm { rss[++n] = $2 }
    END {
        third = int(n / 3)
        if (third < 1) { print "too short for a verdict"; exit 1 }
        for (i = 1; i <= third; i++) { first += rss[i] / third; last += rss[n + 1 - i] / third }
        grown = last - first
        printf "RSS after %d s, mean: %.0f kB in the first third, %.0f kB in the last: %+.1f %%\n", warm, first, last, 100 * grown / first
        if (grown > first * growth / 100) fail = fail " memory grows;"
        if (after != before) fail = fail " descriptors are left;"
        if (left != 0) fail = fail " viewers are left;"
        if (dead > 0) fail = fail " a viewer that reads was ended;"
        if (turns > 0 && ended < turns) fail = fail " a stalled viewer was not ended;"
        print fail == "" ? "verdict: good" : "verdict: bad:" fail
        exit fail != ""
    }' "$work/samples"
