# What the trials share: options, a directory for what they leave, processes that end with the script, pictures, counts.
# Sourced, not run. A trial calls `begin "$@"` first and `finish` last.

set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=/usr/bin/python3 # Debian's, which finds Debian's GObject bindings
library=''              # a directory; empty is the system's C library
out=''                  # where screenshots and logs go
minutes=10              # of a soak
mode=''                 # a word after the options: `compare`
passed=0
failed=0
sessions=()             # one for each process started by `spawn`: its id is its first process's
began=$SECONDS
on_library=()           # what stands before a command that is to run on the library under trial

begin() { # options: fills in the variables above
    while [ $# -gt 0 ]; do
        case $1 in
        --lib) library=$(cd "$2" && pwd) || exit 2; shift 2 ;;
        --out) mkdir -p "$2" && out=$(cd "$2" && pwd) || exit 2; shift 2 ;;
        --minutes) minutes=$2; shift 2 ;;
        compare) mode=compare; shift ;;
        *)
            echo "usage: $0 [compare] [--lib DIRECTORY] [--out DIRECTORY] [--minutes N]" >&2
            exit 2
            ;;
        esac
    done
    if [ -n "$library" ] && [ ! -e "$library/libspice-server.so.1" ]; then
        echo "there is no libspice-server.so.1 in $library" >&2
        exit 2
    fi
    [ -n "$out" ] || out=$(mktemp -d)
    if [ -n "$library" ]; then
        on_library=(env LD_LIBRARY_PATH="$library")
    else
        on_library=(env SPICE_DEBUG_ALLOW_MC=1) # without it the C library has one viewer at a time
    fi
    trap 'end_all' EXIT
    trap 'exit 130' INT TERM HUP PIPE
    echo "# $(basename "$0"): $(library_name), results in $out"
}

library_name() { if [ -n "$library" ]; then echo "library of $library"; else echo "system's library"; fi; }

finish() { # says what came of it, and is the script's exit code
    echo "# $((SECONDS - began)) s"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

note() { echo "     $*"; }
pass() { passed=$((passed + 1)); echo "ok   $*"; }
fail() { failed=$((failed + 1)); echo "FAIL $*"; }
check() { # a sentence, then the command that has to succeed for it to be true
    local sentence=$1
    shift
    if "$@"; then pass "$sentence"; else fail "$sentence"; fi
}
# The same for what the C library is known not to do: on the system's library it is told, and not counted.
check_beyond_c() { # a sentence, command...
    local sentence=$1
    shift
    if [ -n "$library" ]; then
        check "$sentence" "$@"
    elif "$@"; then
        note "on the system's library, too: $sentence"
    else
        note "not on the system's library, as known: $sentence"
    fi
}
give_up() { # nothing that follows would mean anything
    fail "$*"
    finish
}

# --- processes ---

# Starts a command in a session of its own, its output in $out/NAME.log; `spawned` is its id. It ends with the script,
# however that ends, and after 40 minutes at the latest.
spawn() { # name, command...
    local name=$1
    shift
    setsid setpriv --pdeathsig TERM timeout 2400 "$@" >"$out/$name.log" 2>&1 </dev/null &
    spawned=$!
    disown
    sessions+=("$spawned")
}

members() { ps -o pid= -s "$1"; } # of a session

end_session() { # politely, then not; stopped ones, too
    local session=$1 pids
    for signal in TERM KILL; do
        pids=$(members "$session")
        [ -n "$pids" ] || return 0
        # shellcheck disable=SC2086
        kill -$signal $pids 2>/dev/null
        # shellcheck disable=SC2086
        kill -CONT $pids 2>/dev/null
        for _ in $(seq 30); do
            [ -n "$(members "$session")" ] || return 0
            sleep 0.1
        done
    done
}

end_all() {
    local each
    for each in ${sessions[@]+"${sessions[@]}"}; do end_session "$each"; done
}

alive() { kill -0 "$1" 2>/dev/null; }

until_true() { # seconds, command...: asks again and again
    local limit=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $limit ] || return 1
        sleep 0.2
    done
}

free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

free_display() { # of X
    local number=60
    while [ -e /tmp/.X$number-lock ] || [ -e /tmp/.X11-unix/X$number ]; do number=$((number + 1)); done
    echo $number
}

listens() { ss -Hltn "sport = :$1" | grep -q .; } # port

# The name of the file that a running program has loaded as libspice-server.
loaded_library() { awk '/libspice-server/ { print $6; exit }' "/proc/$1/maps"; }

runs_on_the_library() { # id of a process
    local file
    file=$(loaded_library "$1")
    note "it has loaded ${file:-nothing}"
    if [ -n "$library" ]; then
        [ -n "$file" ] && [ "$(readlink -f "$file")" = "$(readlink -f "$library/libspice-server.so.1")" ]
    else
        [ -n "$file" ]
    fi
}

# --- pictures ---

screenshot() { # port, file.ppm: as spicy-screenshot, a viewer that comes and goes, sees the display
    rm -f "$2"
    timeout 30 spicy-screenshot -h 127.0.0.1 -p "$1" -o "$2" >>"$out/spicy-screenshot.log" 2>&1
    [ -s "$2" ]
}

pixels_that_differ() { # file, file: their number, or words if they cannot be compared
    local said
    said=$(compare -metric AE "$1" "$2" null: 2>&1)
    case $said in
    *[!0-9.e+]* | '') echo "not comparable: ${said:-no answer}" ;;
    *) awk -v n="$said" 'BEGIN { printf "%d\n", n }' ;;
    esac
}

same_picture() { # file, file
    [ -s "$1" ] && [ -s "$2" ] && [ "$(pixels_that_differ "$1" "$2")" = 0 ]
}

# Takes screenshots until two that follow each other are equal, and show what is waited for.
still_picture() { # port, file.ppm, seconds, command that takes a file and judges it
    local port=$1 file=$2 limit=$((SECONDS + $3)) judge=$4
    rm -f "$file" "$file.before"
    while [ $SECONDS -lt $limit ]; do
        if screenshot "$port" "$file"; then
            if [ -e "$file.before" ] && cmp -s "$file" "$file.before" && $judge "$file"; then
                rm -f "$file.before"
                return 0
            fi
            mv "$file" "$file.before"
        fi
        sleep 0.5
    done
    [ -e "$file.before" ] && mv "$file.before" "$file"
    return 1
}

keep_png() { convert "$1" "${1%.ppm}.png"; } # beside a .ppm, for eyes

anything() { true; } # judges a picture

# Runs the trial that asks on the system's library and on the one given, and compares the pictures that both left. Without
# --lib it is the system's library twice, which shows whether the pictures are repeatable at all.
compare_runs() { # names of pictures, without .ppm
    local name count
    for side in system given; do
        echo "# on the $side library"
        if [ $side = given ] && [ -n "$library" ]; then
            "$0" --out "$out/$side" --lib "$library"
        else
            "$0" --out "$out/$side"
        fi && pass "the trial passes on the $side library" || fail "the trial does not pass on the $side library"
    done
    for name in "$@"; do
        count=$(pixels_that_differ "$out/system/$name.ppm" "$out/given/$name.ppm")
        note "$name: pixels that differ: $count"
        check "$name looks the same on both" test "$count" = 0
    done
    finish
}
