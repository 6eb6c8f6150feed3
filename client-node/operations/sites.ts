import { z } from "zod";
import type { Calibration, Declaration, Device, Exclusion, Site } from "./device-registry.ts";
import { metricName, metricSchema } from "./features/metric.ts";
import type { Reference } from "./quality/reference.ts";
import type { SpecialDays } from "./warnings/baseline.ts";
import { thresholdsSchema } from "./warnings/profiles.ts";
import type { Fence, OwnLimit, Route } from "./warnings/rule.ts";

const id = z
  .string()
  .regex(/^[^/]+$/, "no slash")
  .describe("id, unique within the enterprise; no slash");
const date = z.iso.date("write a date as 2026-03-01");
const instant = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$/,
    "write 2026-03-01 or 2026-03-01T08:00",
  )
  .refine((text) => Number.isFinite(Date.parse(text)), "no such day or hour")
  .describe("a date, or date and time; local to the site unless it ends in Z or an offset");
const span = { from: instant, until: instant.describe("exclusive") };
const inOrder = <T extends { from: string; until: string }>({ from, until }: T): boolean =>
  Date.parse(from) < Date.parse(until);
const orderMessage = { message: "until comes after from" };

const site = z.strictObject({
  id,
  industry: z.string().min(1).describe("threshold profile; the default one where the name is not known"),
  utcOffsetHours: z.number().min(-12).max(14).describe("hours east of UTC: days and weeks are local"),
  norms: z
    .record(z.string(), z.number())
    .default({})
    .describe("usual amount a day of a metric that adds up, usual level of any other"),
  declared: z
    .array(
      z
        .strictObject({
          measure: z.literal("revenue").describe("what was declared"),
          ...span,
          amount: z.number().positive().describe("over the whole period, in the metric's unit"),
        })
        .refine(inOrder, orderMessage),
    )
    .default([])
    .describe("what was declared to others over a period, in the metric's unit"),
});

const device = z.strictObject({
  id,
  site: id.describe("where it is, until a tag says otherwise"),
  class: z
    .string()
    .regex(/^[a-z0-9_-]+$/, "lowercase letters, digits, _ and -")
    .describe("kind of device: machine, meter, till, truck"),
  source: z.string().min(1).optional().describe("name of its collector; needed where there are several"),
  role: z
    .enum(["office", "shop"])
    .optional()
    .describe("office: a meter kept out of production; shop: stands for one shop"),
  tag: z.string().min(1).optional().describe("NFC tag by which terminals know it"),
  installed: instant.optional().describe("nothing is expected of the device before"),
  maintenance: z
    .array(
      z
        .strictObject({ ...span, reason: z.string().min(1).describe("shown on the page") })
        .refine(inOrder, orderMessage),
    )
    .default([])
    .describe("planned work: nothing that happens then is a stoppage or a fault"),
  calibrations: z
    .array(
      z
        .strictObject({
          metric: z.string().describe("metric id from the catalogue"),
          ...span,
          relativeError: z.number().describe("at `until`: 0.04 reads 4 % high"),
        })
        .refine(inOrder, orderMessage),
    )
    .default([])
    .describe("found off by relativeError at `until` (0.04 reads 4 % high), right at `from`"),
  route: z
    .strictObject({
      corridorMetres: z
        .number()
        .positive()
        .describe("farther from the line than this is off the route, metres"),
      line: z
        .array(z.tuple([z.number().min(-90).max(90), z.number().min(-180).max(180)]))
        .min(2)
        .describe("latitude and longitude of the corners, WGS-84 degrees"),
    })
    .optional()
    .describe("way a vehicle is expected to take"),
});

const limit = z
  .strictObject({
    name: z.string().min(1).describe("shown with the warning; one name, one limit"),
    metric: z.string().describe("metric id from the catalogue, or of your own"),
    above: z.number().optional().describe("a value above is told, in the metric's unit"),
    below: z.number().optional().describe("a value below is told, in the metric's unit"),
    hysteresis: z
      .number()
      .min(0)
      .default(0)
      .describe("how far back inside it has ended, in the metric's unit"),
    openAfterSeconds: z.number().min(0).default(0).describe("outside before it is told, seconds"),
    closeAfterSeconds: z.number().min(0).default(0).describe("inside before it has ended, seconds"),
    severity: z.enum(["notice", "warning", "alarm"]).default("warning").describe("how grave it is"),
    device: id.optional().describe("of this device only"),
    class: z.string().min(1).optional().describe("of devices of this class only"),
    site: id.optional().describe("of devices at this site only"),
  })
  .refine(({ above, below }) => above !== undefined || below !== undefined, "give above, or below, or both")
  .refine(
    ({ above = Number.POSITIVE_INFINITY, below = Number.NEGATIVE_INFINITY }) => below < above,
    "below is less than above",
  );

/** What an enterprise writes in node.yaml about its sites and what stands there. */
export const sitesSchema = z
  .strictObject({
    sites: z
      .array(site)
      .default([])
      .describe("places where devices stand, or borrowers are; needed where anything is collected"),
    devices: z.array(device).default([]).describe("what is read, and where it stands"),
    fences: z
      .array(
        z.strictObject({
          id,
          lat: z.number().min(-90).max(90).describe("latitude of the middle, WGS-84 degrees"),
          lon: z.number().min(-180).max(180).describe("longitude of the middle, WGS-84 degrees"),
          radiusMetres: z.number().positive().describe("of the circle, metres"),
          dwellLimitHours: z
            .number()
            .positive()
            .optional()
            .describe("a stay longer than this is a warning, hours"),
        }),
      )
      .default([])
      .describe("places where a stop is no surprise"),
    specialDays: z
      .array(
        z.strictObject({
          name: z.string().min(1).describe("days of one name are compared with each other"),
          from: date.describe("first day"),
          until: date.describe("last day"),
          site: id.optional().describe("every site when absent"),
        }),
      )
      .default([])
      .describe("festivals and promotions, compared only with their like; days inclusive"),
    metrics: z
      .record(metricName, metricSchema)
      .default({})
      .describe("quantities of your own, beside those of the catalogue, or in place of one"),
    thresholds: thresholdsSchema
      .default({})
      .describe("by industry, or default: what the rules go by, where it is not what ships with the node"),
    limits: z.array(limit).default([]).describe("limits of your own: a value outside is a warning"),
    maintenanceStatuses: z
      .array(z.string().min(1))
      .default([])
      .describe("status texts of a device that mean planned maintenance"),
  })
  .superRefine(checkSites);

type Whole = z.infer<typeof sitesSchema>;
/** What has a default may be left out by whoever writes it in a program. */
export type SitesConfig = Omit<Whole, "limits" | "metrics" | "thresholds"> &
  Partial<Pick<Whole, "limits" | "metrics" | "thresholds">>;

/** Names that are given once, and used only where they were given. */
export function checkSites(
  {
    sites,
    devices,
    limits = [],
    specialDays,
  }: Pick<SitesConfig, "sites" | "devices" | "limits" | "specialDays">,
  context: z.RefinementCtx,
): void {
  const problem = (path: PropertyKey[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const known = new Set(sites.map((one) => one.id));
  if (known.size < sites.length) problem(["sites"], "one id stands for two sites");
  const seen = new Set<string>();
  for (const [i, one] of devices.entries()) {
    if (seen.has(one.id)) problem(["devices", i, "id"], `${one.id} is listed twice`);
    seen.add(one.id);
    if (!known.has(one.site)) problem(["devices", i, "site"], `no site ${one.site}`);
  }
  const names = new Set<string>();
  for (const [i, one] of limits.entries()) {
    if (names.has(one.name)) problem(["limits", i, "name"], `${one.name} is listed twice`);
    names.add(one.name);
    if (one.site !== undefined && !known.has(one.site)) problem(["limits", i, "site"], `no site ${one.site}`);
    if (one.device !== undefined && !seen.has(one.device))
      problem(["limits", i, "device"], `no device ${one.device}`);
  }
  for (const [i, one] of specialDays.entries())
    if (one.site !== undefined && !known.has(one.site))
      problem(["specialDays", i, "site"], `no site ${one.site}`);
}

/** The configuration as quality, features and warnings take it. */
export interface Sites {
  readonly sites: readonly Site[];
  readonly devices: readonly Device[];
  readonly tags: ReadonlyMap<string, string>;
  readonly exclusions: readonly Exclusion[];
  readonly excludedStatuses: readonly string[];
  readonly calibrations: readonly Calibration[];
  readonly declarations: readonly Declaration[];
  readonly fences: readonly Fence[];
  readonly routes: ReadonlyMap<string, Route>;
  readonly specialDays: readonly SpecialDays[];
  readonly limits: readonly OwnLimit[];
}

/** @param source - of devices that name none. */
export function sitesOf(config: SitesConfig, source = ""): Sites {
  const offsets = new Map(config.sites.map((one) => [one.id, one.utcOffsetHours]));
  const micros = (text: string, siteId: string): number => localMicros(text, offsets.get(siteId) ?? 0);
  const { sites, devices } = config;
  return {
    sites: sites.map(({ declared: _, ...one }) => one),
    devices: devices.map((one) => ({
      id: one.id,
      site: one.site,
      class: one.class,
      source: one.source ?? source,
      ...(one.role === undefined ? {} : { role: one.role }),
    })),
    tags: new Map(devices.flatMap((one) => (one.tag === undefined ? [] : [[one.tag, one.id] as const]))),
    exclusions: devices.flatMap((one) => [
      ...(one.installed === undefined
        ? []
        : [{ device: one.id, from: 0, until: micros(one.installed, one.site), reason: "not yet installed" }]),
      ...one.maintenance.map(({ from, until, reason }) => ({
        device: one.id,
        from: micros(from, one.site),
        until: micros(until, one.site),
        reason,
      })),
    ]),
    excludedStatuses: config.maintenanceStatuses,
    calibrations: devices.flatMap((one) =>
      one.calibrations.map(({ from, until, ...rest }) => ({
        device: one.id,
        from: micros(from, one.site),
        until: micros(until, one.site),
        ...rest,
      })),
    ),
    declarations: sites.flatMap((one) =>
      one.declared.map(({ from, until, ...rest }) => ({
        site: one.id,
        from: micros(from, one.id),
        until: micros(until, one.id),
        ...rest,
      })),
    ),
    fences: config.fences.map(({ dwellLimitHours, ...fence }) => ({
      ...fence,
      ...(dwellLimitHours === undefined ? {} : { dwellLimitHours }),
    })),
    routes: new Map(
      devices.flatMap(({ id: name, route }) =>
        route === undefined
          ? []
          : [
              [
                name,
                {
                  corridorMetres: route.corridorMetres,
                  line: route.line.map(([lat, lon]) => ({ lat, lon })),
                },
              ] as const,
            ],
      ),
    ),
    limits: config.limits ?? [],
    specialDays: config.specialDays.map(({ site: where, ...days }) => ({
      ...days,
      ...(where === undefined ? {} : { site: where }),
    })),
  };
}

/** What the quality steps are told beside devices and bindings. */
export const referenceOf = ({
  sites,
  exclusions,
  excludedStatuses,
  calibrations,
  declarations,
}: Sites): Omit<Reference, "catalogue" | "devices" | "bindings"> => ({
  sites,
  exclusions,
  excludedStatuses,
  calibrations,
  declarations,
});

/** @returns µs UTC of a local date or time; an offset in the text wins. */
export function localMicros(text: string, utcOffsetHours: number): number {
  if (/(Z|[+-]\d{2}:\d{2})$/.test(text) && text.includes("T")) return Date.parse(text) * 1000;
  const utc = Date.parse(text.includes("T") ? `${text}Z` : `${text}T00:00Z`);
  return (utc - utcOffsetHours * 3_600_000) * 1000;
}
