#!/usr/bin/python3
"""A viewer without a window that waits until it has seen enough of a server, for the C project's test servers.

    watch.py PORT [--primaries N] [--invalidates N] [--sound BYTES] [--within SECONDS]

Prints what it has seen, and fails if that is less.
"""
import argparse
import ctypes
import json
import sys

import gi

gi.require_version("SpiceClientGLib", "2.0")
from gi.repository import GLib, GObject, SpiceClientGLib as Spice  # noqa: E402

on = GObject.Object.connect  # Session.connect and Channel.connect are SPICE's own calls


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("--primaries", type=int, default=0)
    parser.add_argument("--invalidates", type=int, default=0)
    parser.add_argument("--sound", type=int, default=0)
    parser.add_argument("--within", type=int, default=20)
    wanted = parser.parse_args()
    loop = GLib.MainLoop()
    seen = {"primaries": 0, "invalidates": 0, "sound": 0, "error": ""}

    def count(what, many=1):
        seen[what] += many
        if all(seen[each] >= getattr(wanted, each) for each in ("primaries", "invalidates", "sound")):
            loop.quit()

    def on_event(channel, event):
        event = Spice.ChannelEvent(event)
        if event != Spice.ChannelEvent.OPENED:
            seen["error"] = f"{Spice.Channel.type_to_string(channel.get_property('channel-type'))} {event.value_nick}"
            loop.quit()

    def on_sound(_channel, data, size):
        # A tone: not all of it is silence.
        count("sound", size if any(ctypes.string_at(data, size)) else 0)

    def on_new(_session, channel):
        on(channel, "channel-event", on_event)
        if isinstance(channel, Spice.DisplayChannel):
            on(channel, "display-primary-create", lambda *_: count("primaries"))
            on(channel, "display-invalidate", lambda *_: count("invalidates"))
        if isinstance(channel, Spice.PlaybackChannel):
            on(channel, "playback-data", on_sound)
        if not isinstance(channel, Spice.MainChannel):
            Spice.Channel.connect(channel)

    session = Spice.Session()
    session.set_property("host", "127.0.0.1")
    session.set_property("port", wanted.port)
    session.set_property("enable-audio", bool(wanted.sound))
    on(session, "channel-new", on_new)
    GLib.timeout_add_seconds(wanted.within, loop.quit)
    Spice.Session.connect(session)
    loop.run()
    print(json.dumps(seen))
    enough = all(seen[each] >= getattr(wanted, each) for each in ("primaries", "invalidates", "sound"))
    return 0 if enough and not seen["error"] else 1


if __name__ == "__main__":
    sys.exit(main())
