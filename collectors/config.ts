import { z } from "zod";
import { bacnetConfig } from "./bacnet/config.ts";
import { fileConfig } from "./file/config.ts";
import { gb32960Config } from "./gb32960/config.ts";
import { hj212Config } from "./hj212/config.ts";
import { httpConfig } from "./http/config.ts";
import { iec104Config } from "./iec104/config.ts";
import { meterConfig } from "./meter/config.ts";
import { modbusConfig } from "./modbus/config.ts";
import { mqttConfig } from "./mqtt/config.ts";
import { opcuaConfig } from "./opcua/config.ts";
import { s7Config } from "./s7/config.ts";
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
    hj212: hj212Config.optional().describe("emission monitors that dial this node: HJ 212-2017 and -2005"),
    gb32960: gb32960Config.optional().describe("electric vehicles that dial this node: GB/T 32960.3-2016"),
    s7: s7Config.optional().describe("Siemens S7 controllers over ISO on TCP"),
    iec104: iec104Config.optional().describe("substations and switchgear: IEC 60870-5-104"),
    bacnet: bacnetConfig.optional().describe("controllers of buildings and plants: BACnet/IP"),
    http: httpConfig.optional().describe("values asked for at an address, or posted to this node"),
    sql: sqlConfig.optional().describe("rows of a PostgreSQL, MySQL or MariaDB database"),
  })
  .refine((entry) => Object.keys(entry).length === 1, "one protocol per entry");

export const collectorEntries = z.array(collectorEntry);

export type CollectorEntry = z.output<typeof collectorEntry>;
/** As users write it. */
export type CollectorInput = z.input<typeof collectorEntry>;
