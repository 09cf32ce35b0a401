# Viewers without windows, told what to do: viewer.py, for shell scripts. Sourced after common.sh.

# Starts one; its session is in viewer_session[NAME], its process in viewer_process[NAME].
declare -A viewer_session viewer_process
start_viewer() { # name, port, viewer.py's other options...
    local name=$1 port=$2
    shift 2
    rm -f "$out/$name.socket"
    spawn "viewer-$name" "$python" "$here/viewer.py" run "$out/$name.socket" --port "$port" "$@"
    viewer_session[$name]=$spawned
    until_true 20 test -S "$out/$name.socket"
    viewer_process[$name]=$(pgrep -s "$spawned" -f viewer.py | tail -n 1)
}

tell() { timeout 30 "$python" "$here/viewer.py" ask "$out/$1.socket" "${@:2}"; } # name, words of a request

field() { # name, key of its status
    tell "$1" status | "$python" -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2" 2>/dev/null
}

field_is() { [ "$(field "$1" "$2")" = "$3" ]; } # name, key, value

# It has main, display, inputs and cursor, and has been shown something.
viewer_is_in() { # name
    local status
    status=$(tell "$1" status 2>/dev/null) || return 1
    for each in main:0 display:0 inputs:0 cursor:0; do
        case $status in *"\"$each\""*) ;; *) return 1 ;; esac
    done
    ! field_is "$1" size ''
}

viewer_ends() { # name: as somebody closes a window
    tell "$1" quit >/dev/null
    until_true 10 eval '! alive '"${viewer_process[$1]}"
}
