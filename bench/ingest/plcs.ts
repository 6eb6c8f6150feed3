/** The process of `plantRate`: a plant's controllers, each with a port of its own. */
import { type ModbusServer, startModbusServer } from "../../collectors/simulators/modbus-server.ts";

const servers: ModbusServer[] = [];

/** Every register tells how often it was asked for, so that what was read and is not there shows. */
async function startController(): Promise<ModbusServer> {
  const asked = new Map<number, number>();
  return startModbusServer(
    new Map([
      [
        1,
        (_, address: number, count: number) => {
          const nth = (asked.get(address) ?? 0) + 1;
          asked.set(address, nth);
          const bytes = Buffer.alloc(2 * count);
          for (let i = 0; i < count; i += 2) bytes.writeUInt32BE(nth, 2 * i);
          return bytes;
        },
      ],
    ]),
  );
}

process.once("message", async ({ controllers }: { controllers: number }) => {
  for (let i = 0; i < controllers; i++) servers.push(await startController());
  process.send!({ ports: servers.map(({ port }) => port) });
});
process.once("disconnect", () => process.exit());
