# A guest that everybody has: QEMU boots the Debian installer's graphical kernel to its first page, the list of languages.
# Sourced after common.sh.

images=${INSTALLER_IMAGES:-/usr/lib/debian-installer/images/12/amd64/gtk/debian-installer/amd64}

# Boots it; what is given comes after the machine's own options. `guest` is its session, `guest_process` QEMU; its monitor
# is at $out/NAME.qmp, and another that tells events at $out/NAME.events.qmp: each has one peer at a time.
# The kernel has no qxl driver, and drives that device as a VESA frame buffer, 800x600 with 16 bits a pixel; a standard VGA
# has a driver, 1280x800 with 32. QEMU turns what changes in either into drawing commands.
# Below 1.5 GB the installer falls back to a text page.
boot_installer() { # name, QEMU's options...
    local name=$1
    shift
    [ -r "$images/linux" ] || give_up "there is no $images/linux (package debian-installer-12-netboot-amd64)"
    boot "$name" -cpu max -m 1536 -kernel "$images/linux" -initrd "$images/initrd.gz" -append "vga=788 quiet ---" "$@"
}

boot() { # name, QEMU's options...: the same for any machine
    local name=$1
    shift
    rm -f "$out/$name.qmp" "$out/$name.events.qmp"
    spawn "$name" "${on_library[@]}" qemu-system-x86_64 -machine pc,accel=tcg -smp 1 -nic none -monitor none -serial none \
        -display none -qmp "unix:$out/$name.qmp,server=on,wait=off" -qmp "unix:$out/$name.events.qmp,server=on,wait=off" "$@"
    guest=$spawned
    until_true 30 test -S "$out/$name.events.qmp" || give_up "QEMU does not start: $(tail -n 3 "$out/$name.log")"
    guest_process=$(pgrep -s "$guest" -x qemu-system-x86 | head -n 1)
}

# The page is there if one row of its list has the colour of the selection, from its top to its bottom.
language_page() { [ -n "$(selected_row "$1")" ]; } # file.ppm

# The height, in pixels from the top, of the middle of the selected row of the list: nothing if no row is selected.
selected_row() { # file.ppm
    local width height
    read -r width height < <(identify -format '%w %h\n' "$1" 2>/dev/null) || return 0
    [ "$width" -ge 800 ] && [ "$height" -ge 600 ] || return 0
    convert "$1" -crop "1x$((height - 250))+$((width - 100))+185" -depth 8 txt:- | awk -F'[,:() ]+' '
        /^[0-9]/ && $3 < 64 && $4 > 100 && $5 > 100 { rows++; sum += $2; if (rows > 1 && $2 != last + 1) torn = 1; last = $2 }
        END { if (!torn && rows >= 18 && rows <= 30) printf "%d\n", 185 + sum / rows }'
}
