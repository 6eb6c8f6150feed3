import { z } from "zod";
import { fileConfig } from "./file/config.ts";
import { meterConfig } from "./meter/config.ts";
import { modbusConfig } from "./modbus/config.ts";
import { mqttConfig } from "./mqtt/config.ts";
import { opcuaConfig } from "./opcua/config.ts";
import { terminalConfig } from "./terminal/config.ts";

/**
 * One entry of `collectors:` in node.yaml: the protocol's name, and under it what that protocol needs. Secrets
 * are named by file or environment variable and never written, so a configuration can be shown as it is.
 */
export const collectorEntry = z
  .strictObject({
    modbus: modbusConfig.optional(),
    opcua: opcuaConfig.optional(),
    mqtt: mqttConfig.optional(),
    terminal: terminalConfig.optional(),
    meter: meterConfig.optional(),
    file: fileConfig.optional(),
  })
  .refine((entry) => Object.keys(entry).length === 1, "one protocol per entry");

export const collectorEntries = z.array(collectorEntry);

export type CollectorEntry = z.output<typeof collectorEntry>;
/** As users write it. */
export type CollectorInput = z.input<typeof collectorEntry>;
