"""A controller of bacpypes3: python3 bacpypes_server.py PORT"""
import asyncio
import sys

from bacpypes3.app import Application
from bacpypes3.local.analog import AnalogValueObject
from bacpypes3.local.binary import BinaryValueObject
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject


async def main() -> None:
    device = DeviceObject(objectIdentifier=("device", 1), objectName="chiller", vendorIdentifier=999)
    port = NetworkPortObject(f"127.0.0.1/24:{sys.argv[1]}", objectIdentifier=("network-port", 1), objectName="port")
    app = Application.from_object_list([device, port])
    app.add_object(
        AnalogValueObject(objectIdentifier=("analog-value", 1), objectName="temperature", presentValue=21.5)
    )
    app.add_object(BinaryValueObject(objectIdentifier=("binary-value", 1), objectName="running", presentValue="active"))
    print("ready", flush=True)
    await asyncio.Future()


asyncio.run(main())
