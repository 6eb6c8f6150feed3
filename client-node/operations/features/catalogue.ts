import { fileURLToPath } from "node:url";
import { z } from "zod";
import { Refusal } from "../../../core/reasons.ts";
import { readYaml } from "../../../core/yaml.ts";
import { type Metric, metricName, metricSchema, range } from "./metric.ts";
import { isUcum } from "./units.ts";

export type { Metric } from "./metric.ts";

const windowKinds = ["day", "week", "month"] as const;
export const families = [
  "production",
  "energy",
  "vibration",
  "logistics",
  "cold-chain",
  "retail",
  "supply-chain",
  "environment",
  "credit",
] as const;

const featureSchema = z.strictObject({
  family: z.enum(families),
  unit: z.string().describe("UCUM code"),
  range,
  window: z.array(z.enum(windowKinds)).min(1),
  meaning: z.string().min(1),
});

const catalogueSchema = z.strictObject({
  metrics: z.record(metricName, metricSchema),
  features: z.record(metricName, featureSchema),
});

export type WindowKind = (typeof windowKinds)[number];
export type Feature = z.infer<typeof featureSchema>;
export interface Catalogue {
  readonly metrics: ReadonlyMap<string, Metric>;
  readonly features: ReadonlyMap<string, Feature>;
}

/**
 * @param own - metrics of the enterprise's own, from node.yaml: added to those that ship, or in place of one.
 * @param file - the catalogue that ships with the node where absent.
 * @throws Refusal file_missing, file_malformed, config_invalid (a unit that is not UCUM is named)
 */
export function readCatalogue(
  own: Readonly<Record<string, Metric>> = {},
  file = fileURLToPath(new URL("catalogue.yaml", import.meta.url)),
): Catalogue {
  const shipped = readYaml(file, catalogueSchema);
  const metrics = { ...shipped.metrics, ...own };
  for (const [name, { unit }] of [...Object.entries(metrics), ...Object.entries(shipped.features)])
    if (!isUcum(unit))
      throw new Refusal(
        "config_invalid",
        `${Object.hasOwn(own, name) ? "metrics" : file}: ${name}: "${unit}" is not a UCUM unit`,
        { hint: "kWh is kW.h, °C is Cel, a count is 1" },
      );
  return { metrics: new Map(Object.entries(metrics)), features: new Map(Object.entries(shipped.features)) };
}
