#!/usr/bin/python3
"""A viewer without a window, made of spice-gtk's GObject bindings: it opens the channels that a server offers, shows
display 0, types and points, and does what it is told over a Unix socket, one line a request, one line of answer.

    viewer.py run SOCKET --port PORT [--password WORD]     until `quit`, or its session ends and 60 s have gone
    viewer.py ask SOCKET WORDS...                          prints the answer; fails if it begins with `error`

    status              JSON: state, error, channels, invalidates, mouse, size, primaries
    shot FILE.ppm       what it has of the display
    key CODE...         scan codes, pressed and released
    type TEXT           small letters, digits, spaces; `\\n` is Enter
    point X Y           absolute if the server has a tablet
    click X Y           point there, then the left button
    quit
"""
import argparse
import ctypes
import json
import os
import socket
import sys
import time

SCAN = dict(zip("1234567890", range(2, 12)))
SCAN.update(zip("qwertyuiop", range(16, 26)))
SCAN.update(zip("asdfghjkl", range(30, 39)))
SCAN.update(zip("zxcvbnm", range(44, 51)))
SCAN.update({"\n": 28, " ": 57, "-": 12, ".": 52, "/": 53})


def ask(path, words, limit=20):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(limit)
        peer.connect(path)
        peer.sendall((" ".join(words) + "\n").encode())
        with peer.makefile() as lines:
            return lines.readline().rstrip("\n")


def run(options):
    import gi

    gi.require_version("SpiceClientGLib", "2.0")
    from gi.repository import GLib, GObject, SpiceClientGLib as Spice

    on = GObject.Object.connect  # Session.connect and Channel.connect are SPICE's own calls
    loop = GLib.MainLoop()
    channels = {}  # name -> channel
    seen = {"state": "connecting", "error": "", "invalidates": 0, "primaries": 0}
    primary = {}

    def name_of(channel):
        return f"{Spice.Channel.type_to_string(channel.get_property('channel-type'))}:{channel.get_property('channel-id')}"

    def on_event(channel, event):
        event = Spice.ChannelEvent(event)
        name = name_of(channel)
        print(time.strftime("%H:%M:%S"), name, event.value_nick, flush=True)
        if event == Spice.ChannelEvent.OPENED:
            channels[name] = channel
            if name.startswith("main"):
                seen["state"] = "connected"
        else:
            channels.pop(name, None)
            if event.value_nick.startswith("error"):
                seen["error"] = f"{name} {event.value_nick}"
            if name.startswith("main"):
                # A viewer with a window would end the session now; what it had of the display can still be asked for.
                seen["state"] = "disconnected"
                GLib.timeout_add_seconds(60, loop.quit)

    def on_primary(_channel, form, width, height, stride, _shm, data):
        primary.update(form=form, width=width, height=height, stride=stride, data=data)
        seen["primaries"] += 1

    def on_invalidate(*_):
        seen["invalidates"] += 1

    def on_new(_session, channel):
        on(channel, "channel-event", on_event)
        if isinstance(channel, Spice.DisplayChannel):
            on(channel, "display-primary-create", on_primary)
            on(channel, "display-primary-destroy", lambda *_: primary.clear())
            on(channel, "display-invalidate", on_invalidate)
        if not isinstance(channel, Spice.MainChannel):
            Spice.Channel.connect(channel)

    session = Spice.Session()
    session.set_property("host", "127.0.0.1")
    session.set_property("port", options.port)
    session.set_property("enable-audio", False)
    if options.password:
        session.set_property("password", options.password)
    on(session, "channel-new", on_new)

    def channel_of(kind):
        return next((each for each in channels.values() if isinstance(each, kind)), None)

    def status():
        main = channel_of(Spice.MainChannel)
        mouse = {1: "server", 2: "client"}.get(main.get_property("mouse-mode"), "") if main else ""
        size = f"{primary['width']}x{primary['height']}" if primary else ""
        return json.dumps({**seen, "channels": sorted(channels), "mouse": mouse, "size": size})

    def shot(path):
        if not primary:
            return "error no display"
        if primary["form"] != 32:
            return f"error surface format {primary['form']}"
        width, height, stride = primary["width"], primary["height"], primary["stride"]
        raw = ctypes.string_at(primary["data"], stride * height)
        rows = bytearray()
        for y in range(height):
            row = raw[y * stride : y * stride + width * 4]
            rgb = bytearray(width * 3)
            rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
            rows += rgb
        with open(path, "wb") as file:
            file.write(b"P6\n%d %d\n255\n" % (width, height) + rows)
        return "ok"

    def press(codes):
        inputs = channel_of(Spice.InputsChannel)
        if inputs is None:
            return "error no inputs channel"
        for code in codes:
            Spice.InputsChannel.key_press_and_release(inputs, code)
        return "ok"

    def point(x, y, click):
        inputs, main = channel_of(Spice.InputsChannel), channel_of(Spice.MainChannel)
        if inputs is None or main is None:
            return "error no inputs channel"
        if main.get_property("mouse-mode") == 2:
            inputs.position(x, y, 0, 0)
        else:
            inputs.motion(x, y, 0)
        if click:
            # Time for the host to see the pointer there before the button goes down, and the button before it is up.
            GLib.timeout_add(150, lambda: inputs.button_press(1, 1) and False)
            GLib.timeout_add(300, lambda: inputs.button_release(1, 0) and False)
        return "ok"

    def answer(line):
        verb, _, rest = line.partition(" ")
        words = rest.split()
        if verb == "status":
            return status()
        if verb == "shot":
            return shot(rest)
        if verb == "key":
            return press([int(word, 0) for word in words])
        if verb == "type":
            return press([SCAN[letter] for letter in rest.replace("\\n", "\n")])
        if verb in ("point", "click"):
            return point(int(words[0]), int(words[1]), verb == "click")
        if verb == "quit":
            GLib.idle_add(loop.quit)
            return "ok"
        return "error unknown request"

    def on_request(listener, _condition):
        peer, _ = listener.accept()
        with peer, peer.makefile("rw") as lines:
            peer.settimeout(5)
            try:
                text = answer(lines.readline().rstrip("\n"))
            except (ValueError, KeyError, IndexError, OSError) as error:
                text = f"error {error!r}"
            lines.write(text + "\n")
        return True

    listener = socket.socket(socket.AF_UNIX)
    if os.path.exists(options.socket):
        os.unlink(options.socket)
    listener.bind(options.socket)
    listener.listen(4)
    GLib.io_add_watch(listener, GLib.IO_IN, on_request)
    if not Spice.Session.connect(session):
        seen["error"] = "connect failed"
    loop.run()
    Spice.Session.disconnect(session)
    os.unlink(options.socket)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(dest="mode", required=True)
    running = modes.add_parser("run")
    running.add_argument("socket")
    running.add_argument("--port", required=True)
    running.add_argument("--password")
    asking = modes.add_parser("ask")
    asking.add_argument("socket")
    asking.add_argument("words", nargs="+")
    options = parser.parse_args()
    if options.mode == "run":
        run(options)
        return 0
    try:
        text = ask(options.socket, options.words)
    except OSError as error:
        text = f"error {error}"
    print(text)
    return 1 if text.startswith("error") or not text else 0


if __name__ == "__main__":
    sys.exit(main())
