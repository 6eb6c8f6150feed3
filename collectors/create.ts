import type { Collector, CollectorContext } from "./collector.ts";
import type { CollectorEntry } from "./config.ts";
import type { SuperviseLimits } from "./runtime/supervise.ts";

/** Makes the collector of one entry; a protocol's library is loaded only where it is used. */
export async function createCollector(
  entry: CollectorEntry,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Promise<Collector> {
  const { modbus, opcua, mqtt, terminal, meter, file, sql, http, hj212, gb32960, s7, iec104, bacnet } = entry;
  if (modbus) return (await import("./modbus.ts")).modbusCollector(modbus, context, limits);
  if (opcua) return (await import("./opcua.ts")).opcuaCollector(opcua, context, limits);
  if (mqtt) return (await import("./mqtt.ts")).mqttCollector(mqtt, context, limits);
  if (terminal) return (await import("./terminal.ts")).terminalCollector(terminal, context, limits);
  if (meter) return (await import("./meter.ts")).meterCollector(meter, context, limits);
  if (file) return (await import("./file.ts")).fileCollector(file, context, limits);
  if (sql) return (await import("./sql.ts")).sqlCollector(sql, context, limits);
  if (http) return (await import("./http.ts")).httpCollector(http, context, limits);
  if (hj212) return (await import("./hj212/collector.ts")).hj212Collector(hj212, context, limits);
  if (gb32960) return (await import("./gb32960/collector.ts")).gb32960Collector(gb32960, context, limits);
  if (s7) return (await import("./s7.ts")).s7Collector(s7, context, limits);
  if (iec104) return (await import("./iec104.ts")).iec104Collector(iec104, context, limits);
  if (bacnet) return (await import("./bacnet.ts")).bacnetCollector(bacnet, context, limits);
  throw new TypeError("an entry names one protocol");
}
