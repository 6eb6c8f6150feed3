/**
 * Reads 45 registers from the serial line named on the command line and prints how they compare with the truth.
 * A process of its own: the serial library's native part does not survive in a worker thread, where tests run.
 */
import { modbusConfig } from "../../collectors/modbus/config.ts";
import { modbusCollector } from "../../collectors/modbus.ts";

const collector = modbusCollector(
  modbusConfig.parse({
    serial: process.argv[2],
    timeout: "200ms",
    unit: 7,
    registers: [0, 10, 20].map((address) => ({
      table: "holding",
      address,
      type: "u16",
      metric: String(100 + address),
      unit: "1",
      every: "1ms",
    })),
  }),
  { now: Date.now, random: () => 0, log() {} },
);
await collector.start();
let good = 0;
let wrong = 0;
for await (const batch of collector) {
  for (const { metric, value, quality } of batch.readings) {
    if (quality !== "good") continue;
    good++;
    if (String(value) !== metric) wrong++;
  }
  batch.stored();
  if (good >= 45) break;
}
await collector.stop();
process.stdout.write(JSON.stringify({ wrong, errors: collector.health().errors }));
