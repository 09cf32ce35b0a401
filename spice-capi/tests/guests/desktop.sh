# An X server that is a SPICE server: Debian's Xspice, headless. Sourced after common.sh.

# Starts it; `desktop` is its session, `xorg` the process of the server, `port` its SPICE port, and DISPLAY leads there.
# Everything is given a size: without sizes Debian's build has buffers of none, and ends.
start_xspice() { # name
    local name=$1 number
    number=$(free_display)
    port=$(free_port)
    cat >"$out/$name.conf" <<EOF
Section "Device"
    Identifier "spice"
    Driver "spiceqxl"
    Option "SpiceAddr" "127.0.0.1"
    Option "NumHeads" "1"
    Option "SurfaceBufferSize" "128"
    Option "CommandBufferSize" "128"
    Option "FrameBufferSize" "32"
    Option "EnableSurfaces" "True"
    Option "EnableImageCache" "True"
    Option "EnableFallbackCache" "True"
EndSection
Section "InputDevice"
    Identifier "pointer"
    Driver "xspice pointer"
EndSection
Section "InputDevice"
    Identifier "keyboard"
    Driver "xspice keyboard"
EndSection
Section "Monitor"
    Identifier "monitor"
    HorizSync 10-200
    VertRefresh 30-100
EndSection
Section "Screen"
    Identifier "screen"
    Monitor "monitor"
    Device "spice"
    DefaultDepth 24
    SubSection "Display"
        Depth 24
        Modes "1024x768"
    EndSubSection
EndSection
Section "ServerLayout"
    Identifier "layout"
    Screen "screen"
    InputDevice "keyboard"
    InputDevice "pointer"
EndSection
Section "ServerFlags"
    Option "AutoAddDevices" "False"
    Option "BlankTime" "0"
EndSection
EOF
    spawn "$name" "${on_library[@]}" Xspice --port "$port" --disable-ticketing --config "$out/$name.conf" \
        -logfile "$out/$name.Xorg.log" -novtswitch -sharevts -nolisten tcp ":$number"
    desktop=$spawned
    export DISPLAY=:$number
    unset WAYLAND_DISPLAY XAUTHORITY
    until_true 40 answers || give_up "Xspice does not start: $(tail -n 3 "$out/$name.log" "$out/$name.Xorg.log")"
    xorg=$(pgrep -s "$desktop" -x Xorg)
    # Nothing of this user's settings, no bus that would be started on the way, and nothing that blinks or moves by itself.
    export HOME=$out/home XDG_CONFIG_HOME=$out/home/.config XDG_CACHE_HOME=$out/home/.cache XDG_RUNTIME_DIR=$out/home/run
    export DBUS_SESSION_BUS_ADDRESS=disabled: GSETTINGS_BACKEND=memory NO_AT_BRIDGE=1 GTK_A11Y=none GSK_RENDERER=cairo LC_ALL=C.UTF-8
    mkdir -p "$XDG_CONFIG_HOME/gtk-3.0" "$XDG_CONFIG_HOME/gtk-4.0" "$XDG_CACHE_HOME" "$XDG_RUNTIME_DIR"
    chmod 700 "$XDG_RUNTIME_DIR"
    printf '[Settings]\ngtk-cursor-blink=false\ngtk-enable-animations=false\ngtk-theme-name=Adwaita\n' |
        tee "$XDG_CONFIG_HOME/gtk-3.0/settings.ini" >"$XDG_CONFIG_HOME/gtk-4.0/settings.ini"
    # The driver has the X server draw its pointer into the picture, where viewers see it and root_window does not: over
    # the background it is given no pixels.
    printf '#define blank_width 8\n#define blank_height 1\n#define blank_x_hot 0\n#define blank_y_hot 0\nstatic char blank_bits[] = {\n0x00 };\n' >"$out/blank.xbm"
    xsetroot -solid '#336699' -cursor "$out/blank.xbm" "$out/blank.xbm" || give_up "the background cannot be set"
    park_pointer
}

park_pointer() { xdotool mousemove 1010 755; } # where the trials leave the background free

answers() { timeout 10 xdpyinfo >/dev/null 2>&1; } # the X server

# What the X server itself says that its screen shows.
root_window() { timeout 30 import -silent -window root "$1"; } # file.ppm
