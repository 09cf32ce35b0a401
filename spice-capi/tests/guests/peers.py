#!/usr/bin/python3
"""Holds what QEMU says of its SPICE channels against the connections that the system knows.

    peers.py PORT QUERY-SPICE.json     prints a line for each viewer; fails if the two disagree

QEMU is right if every channel that it lists is an established connection to its port from the address and port that it
tells, none is left out, and the channels of one viewer carry one connection id.
"""
import collections
import json
import subprocess
import sys

KINDS = {1: "main", 2: "display", 3: "inputs", 4: "cursor", 5: "playback", 6: "record", 7: "tunnel", 8: "smartcard",
         9: "usbredir", 10: "port", 11: "webdav"}


def main():
    port, path = int(sys.argv[1]), sys.argv[2]
    with open(path, encoding="utf-8") as file:
        said = json.load(file)
    text = subprocess.run(["ss", "-Htnp", "state", "established", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout
    connected = {int(line.split()[3].rsplit(":", 1)[1]) for line in text.splitlines()}
    wrong = []
    viewers = collections.defaultdict(list)
    listed = []
    for channel in said.get("channels", []):
        viewers[channel["connection-id"]].append(KINDS.get(channel["channel-type"], str(channel["channel-type"])))
        listed.append(int(channel["port"]))
        if channel["host"] != "127.0.0.1" or channel["family"] != "ipv4" or channel["tls"]:
            wrong.append(f"channel {channel}")
    if sorted(listed) != sorted(connected):
        wrong.append(f"it lists peers {sorted(listed)}, connected are {sorted(connected)}")
    for identity, kinds in viewers.items():
        if kinds.count("main") != 1:
            wrong.append(f"viewer {identity} has {kinds.count('main')} main channels")
    if said.get("host") != "127.0.0.1" or said.get("port") != port or not said.get("enabled"):
        wrong.append(f"server {said}")
    for identity, kinds in sorted(viewers.items()):
        print(f"{len(kinds)} {' '.join(sorted(kinds))}")
    for each in wrong:
        print("wrong:", each, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
