import { fileURLToPath } from "node:url";
import { z } from "zod";
import { Refusal } from "../../../core/reasons.ts";
import { readYaml } from "../../../core/yaml.ts";
import { conversion } from "./units.ts";

const range = z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high, "low end first");
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

const metricSchema = z
  .strictObject({
    kind: z.enum(["gauge", "counter", "delta", "state"]),
    unit: z.string().describe("UCUM code"),
    step: z.int().positive().describe("grid, seconds"),
    range,
    rate: z.number().positive().optional().describe("largest plausible change, unit per second"),
    stuck: z.int().positive().optional().describe("longest believable constant value, seconds"),
    spike: z.number().positive().optional().describe("deviation that is never a spike, unit"),
    event: z.literal(true).optional().describe("comes when something happens: its absence is no gap"),
    fill: z.tuple([z.int().min(0), z.int().min(0)]).describe("interpolated, then seasonal, seconds"),
    meaning: z.string().min(1),
  })
  .refine((metric) => metric.stuck === undefined || metric.stuck >= 2 * metric.step, {
    message: "stuck must span at least two steps",
  });

const featureSchema = z.strictObject({
  family: z.enum(families),
  unit: z.string().describe("UCUM code"),
  range,
  window: z.array(z.enum(windowKinds)).min(1),
  meaning: z.string().min(1),
});

const id = z.string().regex(/^[a-z][a-z0-9_]*$/);
const catalogueSchema = z.strictObject({
  metrics: z.record(id, metricSchema),
  features: z.record(id, featureSchema),
});

export type WindowKind = (typeof windowKinds)[number];
export type Metric = z.infer<typeof metricSchema>;
export type Feature = z.infer<typeof featureSchema>;
export interface Catalogue {
  readonly metrics: ReadonlyMap<string, Metric>;
  readonly features: ReadonlyMap<string, Feature>;
}

/**
 * @param file - the catalogue that ships with the node where absent.
 * @throws Refusal file_missing, file_malformed, config_invalid (a unit that is not UCUM is named)
 */
export function readCatalogue(file = fileURLToPath(new URL("catalogue.yaml", import.meta.url))): Catalogue {
  const { metrics, features } = readYaml(file, catalogueSchema);
  for (const [name, { unit }] of [...Object.entries(metrics), ...Object.entries(features)]) {
    // Compared with a prefixed form of itself, because converting a unit to itself checks nothing.
    if (conversion(unit, `10*3.(${unit})`) === undefined) {
      throw new Refusal("config_invalid", `${file}: ${name}: "${unit}" is not a UCUM unit`);
    }
  }
  return { metrics: new Map(Object.entries(metrics)), features: new Map(Object.entries(features)) };
}
