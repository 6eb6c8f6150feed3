import { z } from "zod";
import { fileConfig } from "./file/config.ts";
import { meterConfig } from "./meter/config.ts";
import { modbusConfig } from "./modbus/config.ts";
import { mqttConfig } from "./mqtt/config.ts";
import { opcuaConfig } from "./opcua/config.ts";
import { sqlConfig } from "./sql/config.ts";
import { terminalConfig } from "./terminal/config.ts";

/**
 * One entry of `collectors:` in node.yaml: the protocol's name, and under it what that protocol needs. Secrets
 * are named by file or environment variable and never written, so a configuration can be shown as it is.
 */
export const collectorEntry = z
  .strictObject({
    modbus: modbusConfig.optional().describe("Modbus TCP, RTU over TCP, RTU on a serial line"),
    opcua: opcuaConfig.optional().describe("OPC UA subscriptions, with history where the server has it"),
    mqtt: mqttConfig.optional().describe("MQTT 3.1.1 or 5: JSON, CSV, plain text, Sparkplug B"),
    terminal: terminalConfig
      .optional()
      .describe("vehicle terminals that dial this node: JT/T 808, NMEA 0183"),
    meter: meterConfig.optional().describe("electricity, water and gas meters: DL/T 645-2007"),
    file: fileConfig.optional().describe("tables that other systems export: CSV, JSON lines, Parquet"),
    sql: sqlConfig.optional().describe("rows of a PostgreSQL, MySQL or MariaDB database"),
  })
  .refine((entry) => Object.keys(entry).length === 1, "one protocol per entry");

export const collectorEntries = z.array(collectorEntry);

export type CollectorEntry = z.output<typeof collectorEntry>;
/** As users write it. */
export type CollectorInput = z.input<typeof collectorEntry>;
