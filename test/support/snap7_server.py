"""A controller of snap7: python3 snap7_server.py PORT"""
import ctypes
import struct
import sys
import time

import snap7
from snap7.type import SrvArea

db = (ctypes.c_uint8 * 16)()
struct.pack_into(">fhB", db, 0, 61.5, -412, 0b1000)
struct.pack_into(">i", db, 8, 100_000)
flags = (ctypes.c_uint8 * 16)()
struct.pack_into(">H", flags, 10, 0x1234)
server = snap7.server.Server(log=False)
server.register_area(SrvArea.DB, 1, db)
server.register_area(SrvArea.MK, 0, flags)
server.start(tcp_port=int(sys.argv[1]))
print("ready", flush=True)
while True:
    time.sleep(1)
