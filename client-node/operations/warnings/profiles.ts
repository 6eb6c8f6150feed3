import { fileURLToPath } from "node:url";
import { z } from "zod";
import { readYaml } from "../../../core/yaml.ts";

const seconds = z.number().positive();
const share = z.number().positive().max(1);
const hourOfDay = z.int().min(0).max(24);

const profileSchema = z.strictObject({
  silence: z.strictObject({ openAfter: seconds }),
  cargo: z.strictObject({
    limit: z.number().describe("Cel"),
    hysteresis: z.number().positive().describe("Cel below the limit at which the breach has ended"),
    openAfter: seconds,
    closeAfter: seconds,
  }),
  vibrationPeak: z.strictObject({ limit: z.number().positive().describe("[g]"), closeAfter: seconds }),
  anomaly: z
    .strictObject({
      quiet: seconds.describe("learned from before anything is said, s"),
      step: seconds.describe("grid on which a channel is looked at, s"),
      returnBlocks: z
        .number()
        .min(10)
        .describe("blocks, each 1/24 of what is remembered, in which a quiet channel passes a limit once"),
    })
    .refine(({ quiet, step }) => quiet >= 100 * step, "quiet must hold at least 100 steps"),
  stoppage: z.strictObject({
    openAfter: seconds,
    shift: z.tuple([hourOfDay, hourOfDay]).describe("local hours in which work is expected"),
    weekend: z.boolean().describe("work is expected at weekends too"),
  }),
  stop: z.strictObject({
    openAfter: seconds,
    slow: z.number().positive().describe("km/h below which a vehicle stands"),
    jam: z.number().positive().describe("km/h below which a neighbour is in a jam"),
    jamVehicles: z.int().positive(),
    jamMetres: z.number().positive(),
  }),
  route: z.strictObject({ openAfter: seconds, closeAfter: seconds }),
  fence: z.strictObject({ marginMetres: z.number().positive(), enterAfter: seconds, exitAfter: seconds }),
  operatingRate: z.strictObject({ fall: share }),
  idle: z.strictObject({ idleRatio: share, capacityFall: share }),
  utilities: z.strictObject({ low: share, normal: share, nearZero: share }),
  revenue: z.strictObject({ fall: share, declaredGap: share }),
  orders: z.strictObject({ delayRise: share, turnoverFall: share }),
  conversion: z.strictObject({ fall: share }),
});

export type Profile = z.infer<typeof profileSchema>;
export interface Profiles {
  /** The industry's profile; `default` for an industry without one. */
  of(industry: string): Profile;
}

/**
 * @param file - the profiles that ship with the node where absent.
 * @throws Refusal file_missing, file_malformed, config_invalid
 */
export function readProfiles(file = fileURLToPath(new URL("profiles.yaml", import.meta.url))): Profiles {
  const schema = z.looseObject({ default: profileSchema }).catchall(profileSchema.partial());
  const parsed = readYaml(file, schema) as { default: Profile } & Record<string, Partial<Profile>>;
  const profiles = new Map(
    Object.entries(parsed).map(([name, own]) => [name, { ...parsed.default, ...own } as Profile]),
  );
  return { of: (industry) => profiles.get(industry) ?? parsed.default };
}
