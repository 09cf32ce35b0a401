#!/usr/bin/python3
"""QEMU's monitor.

    qmp.py SOCKET COMMAND [JSON-ARGUMENTS]    prints what is returned; fails, and prints why, if QEMU refuses
    qmp.py SOCKET hmp WORDS...                the same for a line of the human monitor, printed as text
    qmp.py SOCKET record FILE                 appends every event to FILE, one JSON line each, until QEMU ends
"""
import json
import socket
import sys


class Monitor:
    def __init__(self, path):
        self.peer = socket.socket(socket.AF_UNIX)
        self.peer.settimeout(20)
        self.peer.connect(path)
        self.lines = self.peer.makefile("rw")
        self.lines.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, arguments=None):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self.lines.write(json.dumps(request) + "\n")
        self.lines.flush()
        while True:
            answer = json.loads(self.lines.readline())
            if "event" not in answer:
                return answer


def main():
    path, verb, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    monitor = Monitor(path)
    if verb == "record":
        monitor.peer.settimeout(None)
        with open(rest[0], "a", encoding="utf-8") as file:
            for line in monitor.lines:
                file.write(line)
                file.flush()
        return 0
    if verb == "hmp":
        answer = monitor.ask("human-monitor-command", {"command-line": " ".join(rest)})
    else:
        answer = monitor.ask(verb, json.loads(rest[0]) if rest else None)
    if "error" in answer:
        print(answer["error"]["desc"])
        return 1
    print(answer["return"].replace("\r\n", "\n") if verb == "hmp" else json.dumps(answer["return"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
