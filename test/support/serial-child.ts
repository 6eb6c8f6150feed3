/**
 * Reads two meters on the serial port named as argument, one of which is dead, and prints what came. A process of
 * its own, because the serial port's native part does not bear the worker threads that tests run in.
 */
import { meterConfig } from "../../collectors/meter/config.ts";
import { meterCollector } from "../../collectors/meter.ts";

const config = meterConfig.parse({
  serial: process.argv[2],
  timeout: "60ms",
  meters: ["1", "2"].map((address) => ({
    address,
    registers: [{ identifier: "00 01 00 00", metric: "active_energy", unit: "kW.h", every: "5ms" }],
  })),
});
const context = { now: Date.now, random: Math.random, log() {} };
const collector = meterCollector(config, context, { backoff: { baseMillis: 10, capMillis: 50 } });
const found: [string, unknown, string][] = [];
await collector.start();
for await (const { readings, stored } of collector) {
  for (const { device, value, status } of readings) found.push([device, value, status]);
  stored();
  if (
    found.filter(([device]) => device.endsWith("1")).length >= 10 &&
    found.some(([device]) => device.endsWith("2"))
  )
    break;
}
await collector.stop();
console.log(JSON.stringify({ found, reconnects: collector.health().reconnects }));
process.exit(0);
