import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Refusal } from "../proto/reasons.ts";
import { readCatalogue } from "./features/catalogue.ts";
import { Pipeline } from "./pipeline.ts";
import { type Binding, Registry } from "./registry.ts";
import { Spool } from "./spool.ts";
import { FeatureWatch } from "./warnings/feature-watch.ts";
import { readProfiles } from "./warnings/profiles.ts";
import { WarningStream } from "./warnings/stream.ts";
import type { Warning } from "./warnings/warning.ts";

const id = z.string().min(1);
const pathPart = z.string().regex(/^[a-z0-9_-]+$/, "lowercase letters, digits, _ and -");
const instant = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text) * 1000)
  .describe("ISO 8601 with offset, e.g. 2026-03-02T08:00:00+08:00");
const spanFields = { from: instant, until: instant };
const inOrder = ({ from, until }: { from: number; until: number }): boolean => from < until;
const date = z.iso.date();
const point = z.strictObject({ lat: z.number().min(-90).max(90), lon: z.number().min(-180).max(180) });

/** What the enterprise says about its plant: `plant:` in node.yaml. */
export const plantSchema = z
  .strictObject({
    sites: z
      .array(
        z.strictObject({
          id,
          industry: id.describe("name of a threshold profile"),
          utcOffsetHours: z.int().min(-12).max(14).describe("hours east of UTC"),
          norms: z
            .record(z.string(), z.number().positive())
            .default({})
            .describe("amounts a day, or levels, by metric: what is normal at this site"),
        }),
      )
      .min(1),
    devices: z.array(
      z.strictObject({
        id,
        site: id,
        class: pathPart.describe("kind of device; part of the segments' path"),
        source: id.default("configuration").describe("name of its collector"),
        role: z.enum(["office", "shop"]).optional(),
        tag: id.optional().describe("identity of its NFC tag"),
      }),
    ),
    maintenance: z
      .array(
        z.strictObject({ device: id, ...spanFields, reason: id }).refine(inOrder, "from is before until"),
      )
      .default([]),
    maintenanceStatuses: z
      .array(id)
      .default([])
      .describe("status texts by which devices say that they are in maintenance"),
    calibrations: z
      .array(
        z
          .strictObject({
            device: id,
            metric: id,
            ...spanFields,
            relativeError: z.number().min(-0.9).max(10).describe("found at `until`; none at `from`"),
          })
          .refine(inOrder, "from is before until"),
      )
      .default([]),
    declarations: z
      .array(
        z
          .strictObject({ site: id, measure: z.literal("revenue"), ...spanFields, amount: z.number().min(0) })
          .refine(inOrder, "from is before until"),
      )
      .default([]),
    specialDays: z
      .array(
        z
          .strictObject({ name: id, from: date, until: date, site: id.optional() })
          .refine(({ from, until }) => from <= until, "from is not after until"),
      )
      .default([])
      .describe("days that are like no others, first and last inclusive"),
    fences: z
      .array(
        z.strictObject({
          id,
          ...point.shape,
          radiusMetres: z.number().positive(),
          dwellLimitHours: z.number().positive().optional(),
        }),
      )
      .default([]),
    routes: z
      .array(
        z.strictObject({
          devices: z.array(id).min(1),
          line: z.array(point).min(2),
          corridorMetres: z.number().positive(),
        }),
      )
      .default([]),
    spool: z
      .strictObject({
        maxBytes: z.int().positive().default(4_000_000_000).describe("bytes; the oldest batches go first"),
        maxAgeSeconds: z.number().positive().default(604_800).describe("seconds an uncut batch is kept"),
      })
      .prefault({}),
  })
  .superRefine((plant, context) => {
    const problem = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    const sites = new Set(plant.sites.map((site) => site.id));
    const devices = new Set<string>();
    for (const [i, device] of plant.devices.entries()) {
      if (devices.has(device.id)) problem(["devices", i, "id"], `${device.id} is listed twice`);
      if (!sites.has(device.site)) problem(["devices", i, "site"], `no site ${device.site}`);
      devices.add(device.id);
    }
    for (const field of ["maintenance", "calibrations"] as const) {
      for (const [i, one] of plant[field].entries()) {
        if (!devices.has(one.device)) problem([field, i, "device"], `no device ${one.device}`);
      }
    }
    for (const [i, one] of plant.declarations.entries()) {
      if (!sites.has(one.site)) problem(["declarations", i, "site"], `no site ${one.site}`);
    }
  });

export type PlantConfig = z.output<typeof plantSchema>;
/** As users write it. */
export type PlantInput = z.input<typeof plantSchema>;

export interface PlantHooks {
  /** Milliseconds since the epoch. */
  now(): number;
  wait(milliseconds: number): Promise<void>;
  onWarning(warning: Warning): void;
  log(level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>): void;
}

export interface Plant {
  readonly pipeline: Pipeline;
  readonly spool: Spool;
  readonly registry: Registry;
  readonly stream: WarningStream;
  readonly watch: FeatureWatch;
  close(): void;
}

/**
 * Everything between the collectors and the training rows, in one folder: `spool.db`, `segments/`, and
 * `bindings.jsonl`, one line for each device that was moved.
 *
 * @throws Refusal file_malformed, disk_full, config_invalid
 */
export function openPlant(config: PlantConfig, folder: string, hooks: PlantHooks): Plant {
  const segments = join(folder, "segments");
  mkdirSync(segments, { recursive: true, mode: 0o700 });
  const spool = new Spool({ path: join(folder, "spool.db"), ...config.spool, now: () => hooks.now() });
  const devices = config.devices.map(({ tag, role, ...device }) => ({
    ...device,
    ...(role === undefined ? {} : { role }),
  }));
  const tags = new Map(config.devices.flatMap(({ id, tag }) => (tag === undefined ? [] : [[tag, id]])));
  const bindingsFile = join(folder, "bindings.jsonl");
  const registry = new Registry(devices, tags, (binding) => {
    appendDurably(bindingsFile, `${JSON.stringify(binding)}\n`);
    hooks.log("info", "device bound", { ...binding });
  });
  for (const binding of readBindings(bindingsFile)) registry.restore(binding);
  const profiles = readProfiles();
  const shared = {
    catalogue: readCatalogue(),
    sites: config.sites,
    exclusions: config.maintenance,
    excludedStatuses: config.maintenanceStatuses,
  };
  const stream = new WarningStream({
    ...shared,
    registry,
    profiles,
    fences: config.fences.map(({ dwellLimitHours, ...fence }) => ({
      ...fence,
      ...(dwellLimitHours === undefined ? {} : { dwellLimitHours }),
    })),
    routes: new Map(config.routes.flatMap(({ devices: ids, ...route }) => ids.map((one) => [one, route]))),
  });
  const watch = new FeatureWatch({
    profiles,
    sites: config.sites,
    specialDays: config.specialDays.map(({ site, ...days }) => ({
      ...days,
      ...(site === undefined ? {} : { site }),
    })),
  });
  const pipeline = new Pipeline({
    spool,
    segments,
    registry,
    reference: { ...shared, calibrations: config.calibrations, declarations: config.declarations },
    stream,
    watch,
    ...hooks,
  });
  return { pipeline, spool, registry, stream, watch, close: () => spool.close() };
}

function appendDurably(file: string, line: string): void {
  const handle = openSync(file, "a", 0o600);
  try {
    writeSync(handle, line);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const bindingSchema = z.strictObject({ device: id, site: id, from: z.number(), by: id });

/** A last line without its end was being written when the process died: the tag will be read again. */
function readBindings(file: string): Binding[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const whole = text.lastIndexOf("\n") + 1;
  if (whole < text.length) truncateSync(file, Buffer.byteLength(text.slice(0, whole)));
  return text
    .slice(0, whole)
    .split("\n")
    .slice(0, -1)
    .map((line, i) => {
      try {
        return bindingSchema.parse(JSON.parse(line));
      } catch (error) {
        throw new Refusal("file_malformed", `${file}:${i + 1}: not a binding`, { cause: error });
      }
    });
}
