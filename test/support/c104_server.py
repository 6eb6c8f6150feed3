"""A station of lib60870: python3 c104_server.py PORT; a number on a line is told as a value with its time."""
import datetime
import sys

import c104

server = c104.Server(ip="127.0.0.1", port=int(sys.argv[1]))
station = server.add_station(common_address=47)
measured = station.add_point(io_address=11, type=c104.Type.M_ME_NC_1)
single = station.add_point(io_address=12, type=c104.Type.M_SP_NA_1)
scaled = station.add_point(io_address=13, type=c104.Type.M_ME_NB_1)
measured.value = 12.5
told = station.add_point(io_address=14, type=c104.Type.M_ME_TF_1)
single.value = True
scaled.value = c104.Int16(-7)
server.start()
print("ready", flush=True)
for line in sys.stdin:
    told.value = float(line)
    told.transmit(cause=c104.Cot.SPONTANEOUS)
