import type { Collector, CollectorContext } from "./collector.ts";
import type { CollectorEntry } from "./config.ts";
import type { SuperviseLimits } from "./runtime/supervise.ts";

/** Makes the collector of one entry; a protocol's library is loaded only where it is used. */
export async function createCollector(
  entry: CollectorEntry,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Promise<Collector> {
  const { modbus, opcua, mqtt, terminal, meter, file, sql } = entry;
  if (modbus) return (await import("./modbus.ts")).modbusCollector(modbus, context, limits);
  if (opcua) return (await import("./opcua.ts")).opcuaCollector(opcua, context, limits);
  if (mqtt) return (await import("./mqtt.ts")).mqttCollector(mqtt, context, limits);
  if (terminal) return (await import("./terminal.ts")).terminalCollector(terminal, context, limits);
  if (meter) return (await import("./meter.ts")).meterCollector(meter, context, limits);
  if (file) return (await import("./file.ts")).fileCollector(file, context, limits);
  if (sql) return (await import("./sql.ts")).sqlCollector(sql, context, limits);
  throw new TypeError("an entry names one protocol");
}
