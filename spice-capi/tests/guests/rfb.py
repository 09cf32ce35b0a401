#!/usr/bin/python3
"""The picture of a VNC server without authentication, as a viewer gets it.

    rfb.py PORT FILE.ppm
"""
import socket
import struct
import sys


def exactly(peer, count):
    data = bytearray()
    while len(data) < count:
        more = peer.recv(min(count - len(data), 1 << 16))
        if not more:
            raise EOFError("the server has closed the connection")
        data += more
    return bytes(data)


def main():
    port, path = int(sys.argv[1]), sys.argv[2]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        peer.sendall(exactly(peer, 12))  # its version of the protocol suits
        kinds = exactly(peer, exactly(peer, 1)[0])
        if 1 not in kinds:
            raise ValueError(f"the server wants authentication: {list(kinds)}")
        peer.sendall(b"\1")
        if exactly(peer, 4) != bytes(4):
            raise ValueError("the server refuses")
        peer.sendall(b"\1")  # others may stay
        width, height = struct.unpack(">HH", exactly(peer, 4))
        exactly(peer, 16)
        exactly(peer, struct.unpack(">I", exactly(peer, 4))[0])
        # 32 bits a pixel, depth 24, little endian, true colour: blue, green, red, nothing
        peer.sendall(struct.pack(">BxxxBBBBHHHBBBxxx", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        peer.sendall(struct.pack(">BxHi", 2, 1, 0))  # raw
        peer.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
        picture = bytearray(width * height * 3)
        missing = width * height
        while missing > 0:
            kind = exactly(peer, 1)[0]
            if kind == 2:  # bell
                continue
            if kind == 3:  # clipboard
                exactly(peer, struct.unpack(">xxxI", exactly(peer, 7))[0])
                continue
            if kind != 0:
                raise ValueError(f"message {kind} is not expected")
            for _ in range(struct.unpack(">xH", exactly(peer, 3))[0]):
                x, y, w, h, encoding = struct.unpack(">HHHHi", exactly(peer, 12))
                if encoding != 0:
                    raise ValueError(f"encoding {encoding} was not asked for")
                raw = exactly(peer, w * h * 4)
                for row in range(h):
                    line = raw[row * w * 4 : (row + 1) * w * 4]
                    at = ((y + row) * width + x) * 3
                    rgb = bytearray(w * 3)
                    rgb[0::3], rgb[1::3], rgb[2::3] = line[2::4], line[1::4], line[0::4]
                    picture[at : at + w * 3] = rgb
                missing -= w * h
    with open(path, "wb") as file:
        file.write(b"P6\n%d %d\n255\n" % (width, height) + picture)


if __name__ == "__main__":
    main()
