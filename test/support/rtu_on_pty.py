"""A Modbus RTU unit on a pseudo-terminal: prints the terminal's path, then answers reads of holding registers
with 100 + address. Every tenth answer comes late, 250 ms after its request."""

import os
import pty
import struct
import time
import tty

master, slave = pty.openpty()
tty.setraw(master)
tty.setraw(slave)
print(os.ttyname(slave), flush=True)


def crc(frame: bytes) -> bytes:
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


pending = b""
requests = 0
while True:
    pending += os.read(master, 256)
    while len(pending) >= 8:
        request, pending = pending[:8], pending[8:]
        unit, function, address, count = struct.unpack(">BBHH", request[:6])
        requests += 1
        if requests % 10 == 5:
            time.sleep(0.25)
        body = bytes([unit, function, 2 * count])
        body += b"".join(struct.pack(">H", 100 + address + i) for i in range(count))
        os.write(master, body + crc(body))
