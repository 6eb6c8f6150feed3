/** What a sum cost, as logs and ledgers record it. */
import type { z } from "zod";
import { epsilonOf } from "../noise/accountant.ts";
import type { PrivacyEvent } from "../noise/event.ts";
import { eventOf, type NoisyHeader } from "../sum/noise-terms.ts";
import type { EntryOf } from "./entry.ts";
import type { spendShape } from "./spend-shape.ts";

type Spend = z.infer<z.ZodObject<typeof spendShape, z.core.$strict>>;

/** @returns what an entry says of a sum with this header. */
export function spendOf(
  { noise, follows }: Pick<NoisyHeader, "noise" | "follows">,
  unit: PrivacyEvent["unit"],
): Spend {
  if (noise === undefined) return { mechanism: "none", unit };
  const { count: _, ...spend } = eventOf({ noise, follows }, unit);
  return spend;
}

/** @returns the event that an entry records. */
export const spentEvent = ({
  mechanism,
  unit,
  steps,
  sensitivity = 1,
  sigma = 0,
  samplingRate = 1,
}: Pick<EntryOf<"privacy.spent">, keyof Spend | "steps">): PrivacyEvent => ({
  mechanism,
  unit,
  sensitivity,
  sigma,
  samplingRate,
  count: steps,
});

/**
 * @returns what an attempt cost that was unmasked and came to no released sum: who holds the key of its epoch knows what it
 *   came to all the same. Undefined where it had no noise.
 */
export const unreleasedEvent = (
  { noise, follows }: Pick<NoisyHeader, "noise" | "follows">,
  unit: PrivacyEvent["unit"],
): PrivacyEvent | undefined => noise && eventOf({ noise, follows }, unit);

/** One sum's cost, and the enterprises whose rows it was of. */
export interface Spent {
  readonly event: PrivacyEvent;
  readonly members: readonly string[];
  /** Of an attempt that was unmasked without a sum: no model counts it. */
  readonly unreleased?: true;
}

/** A study of a log, as far as its cost goes. */
interface Accounted {
  readonly manifest:
    | {
        readonly name: string;
        readonly privacy: {
          readonly unit: PrivacyEvent["unit"];
          readonly noise?: { readonly delta: number } | undefined;
        };
      }
    | undefined;
  readonly spends: readonly Spent[];
}

/** @returns by enterprise, what the sums cost that its rows were in; those of whom it was the same once. */
function costsByEnterprise(spends: readonly Spent[]): PrivacyEvent[][] {
  const members = [...new Set(spends.flatMap((spent) => spent.members))];
  const listsOf = new Map(
    members.map((member) => {
      const own = [...spends.keys()].filter((i) => spends[i]!.members.includes(member));
      return [own.join(), own.map((i) => spends[i]!.event)];
    }),
  );
  return [...listsOf.values()];
}

/** @returns ε of sums, as far as they cost a unit of some enterprise most. */
export const epsilonOfSpends = (
  spends: readonly Spent[],
  delta: number,
  unit: PrivacyEvent["unit"],
): number => Math.max(...costsByEnterprise(spends).map((events) => epsilonOf(events, delta, unit)));

/**
 * @returns what the released sums of each study with noise cost together, by the log alone, where they cost a unit of some
 *   enterprise most; "" where none had noise.
 */
export const costInWords = ({ studies }: { readonly studies: ReadonlyMap<string, Accounted> }): string =>
  [...studies.values()]
    .flatMap(({ manifest, spends }) => {
      const delta = manifest?.privacy.noise?.delta;
      if (manifest === undefined || delta === undefined || spends.length === 0) return [];
      const epsilon = epsilonOfSpends(spends, delta, manifest.privacy.unit);
      return [
        `${manifest.name}: ${spends.length} sums, ε = ${(Math.ceil(epsilon * 1e4) / 1e4).toFixed(4)} at δ = ${delta}`,
      ];
    })
    .join("; ");
