import { fileURLToPath } from "node:url";
import { z } from "zod";
import { Refusal } from "../../../core/reasons.ts";
import { readYaml } from "../../../core/yaml.ts";

const seconds = (what: string) => z.number().positive().describe(`${what}, s`);
const share = (what: string) => z.number().positive().max(1).describe(what);
const hourOfDay = z.int().min(0).max(24);

const groups = {
  silence: z.strictObject({ openAfter: seconds("without any reading, where a device speaks more often") }),
  cargo: z.strictObject({
    limit: z.number().describe("warmest that goods may be, Cel"),
    hysteresis: z.number().positive().describe("below the limit at which the breach has ended, Cel"),
    openAfter: seconds("above the limit before it is told"),
    closeAfter: seconds("below it before it has ended"),
  }),
  vibrationPeak: z.strictObject({
    limit: z.number().positive().describe("peak acceleration, [g]"),
    closeAfter: seconds("below the limit before it has ended"),
  }),
  anomaly: z.strictObject({
    quiet: seconds("learned from before anything is said"),
    step: seconds("grid on which a channel is looked at"),
    returnBlocks: z
      .number()
      .min(10)
      .describe("blocks, each 1/24 of what is remembered, in which a quiet channel passes a limit once"),
  }),
  stoppage: z.strictObject({
    openAfter: seconds("at rest before it is told"),
    shift: z.tuple([hourOfDay, hourOfDay]).describe("local hours in which work is expected"),
    weekend: z.boolean().describe("work is expected at weekends too"),
  }),
  stop: z.strictObject({
    openAfter: seconds("standing before it is told"),
    slow: z.number().positive().describe("below it a vehicle stands, km/h"),
    jam: z.number().positive().describe("below it a neighbour is in a jam, km/h"),
    jamVehicles: z.int().positive().describe("neighbours that make a jam"),
    jamMetres: z.number().positive().describe("how far a neighbour may be, m"),
  }),
  route: z.strictObject({
    openAfter: seconds("outside of the corridor before it is told"),
    closeAfter: seconds("inside before it has ended"),
  }),
  fence: z.strictObject({
    marginMetres: z.number().positive().describe("beyond the radius that proves an exit, m"),
    enterAfter: seconds("inside before it has entered"),
    exitAfter: seconds("outside before it has left"),
  }),
  operatingRate: z.strictObject({ fall: share("fall below the site's own usual rate") }),
  idle: z.strictObject({
    idleRatio: share("time that machines turn and make nothing"),
    capacityFall: share("absolute, of full capacity"),
  }),
  utilities: z.strictObject({
    low: share("of the norm: low"),
    normal: share("of the norm: still normal"),
    nearZero: share("of the norm: next to nothing"),
  }),
  revenue: z.strictObject({
    fall: share("fall below such a day's usual revenue"),
    declaredGap: share("declared revenue that receipts do not show"),
  }),
  orders: z.strictObject({
    delayRise: share("rise of late orders, absolute"),
    turnoverFall: share("fall of the inventory's turnover"),
  }),
  conversion: z.strictObject({ fall: share("fall below the usual conversion") }),
};

const profileSchema = z.strictObject(groups).refine(({ anomaly }) => anomaly.quiet >= 100 * anomaly.step, {
  message: "quiet must hold at least 100 steps",
  path: ["anomaly", "quiet"],
});

/** What one industry has otherwise: any value of any group. */
const someOf = z.strictObject({
  silence: groups.silence.partial().optional().describe("a device that says nothing"),
  cargo: groups.cargo.partial().optional().describe("goods that are too warm"),
  vibrationPeak: groups.vibrationPeak.partial().optional().describe("single peaks of vibration"),
  anomaly: groups.anomaly.partial().optional().describe("any gauge that is unlike its own past"),
  stoppage: groups.stoppage.partial().optional().describe("machines at rest"),
  stop: groups.stop.partial().optional().describe("vehicles that stand at no known place"),
  route: groups.route.partial().optional().describe("vehicles that leave their route"),
  fence: groups.fence.partial().optional().describe("entering and leaving a fence"),
  operatingRate: groups.operatingRate.partial().optional().describe("share of time at work"),
  idle: groups.idle.partial().optional().describe("machines that turn and make nothing"),
  utilities: groups.utilities.partial().optional().describe("electricity, water and gas together"),
  revenue: groups.revenue.partial().optional().describe("receipts"),
  orders: groups.orders.partial().optional().describe("orders and stock"),
  conversion: groups.conversion.partial().optional().describe("who enters and who buys"),
});

/** Thresholds by industry, as node.yaml has them. */
export const thresholdsSchema = z.record(z.string().min(1), someOf);
type Some = z.infer<typeof someOf>;

export type Profile = z.infer<typeof profileSchema>;
export interface Profiles {
  /** The industry's profile; `default` for an industry without one. */
  of(industry: string): Profile;
}

/**
 * @param own - the enterprise's own, from node.yaml: `default` before the industries that ship, an industry after.
 * @param file - the profiles that ship with the node where absent.
 * @throws Refusal file_missing, file_malformed, config_invalid
 */
export function readProfiles(
  own: Readonly<Record<string, Some>> = {},
  file = fileURLToPath(new URL("profiles.yaml", import.meta.url)),
): Profiles {
  const schema = z.looseObject({ default: profileSchema }).catchall(someOf);
  const shipped = readYaml(file, schema) as { default: Profile } & Record<string, Some>;
  const whole = (industry: string): Profile => {
    const parsed = profileSchema.safeParse(
      [shipped.default, own.default, shipped[industry], own[industry]].reduce<object>(over, {}),
    );
    if (parsed.success) return parsed.data;
    const { message, path } = parsed.error.issues[0]!;
    throw new Refusal("config_invalid", `thresholds.${industry}.${path.join(".")}: ${message}`);
  };
  const profiles = new Map(
    [...Object.keys(shipped), ...Object.keys(own), "default"].map((industry) => [industry, whole(industry)]),
  );
  return { of: (industry) => profiles.get(industry) ?? profiles.get("default")! };
}

/** Group by group, value by value. */
function over(base: object, more: object | undefined): object {
  const known = new Map<string, object>(Object.entries(base));
  for (const [group, values] of Object.entries(more ?? {}))
    known.set(group, { ...known.get(group), ...(values as object) });
  return Object.fromEntries(known);
}
