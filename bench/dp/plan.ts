/** How a study's ε is shared out over the sums of a private algorithm and of what it reads. */
import { entryOf } from "../../models/results.ts";
import type { StudyManifest } from "../../models/study.ts";
import { studyEvents } from "../../models/study-loop.ts";
import { epsilonOf } from "../../privacy/noise/accountant.ts";
import { gaussianMu } from "../../privacy/noise/analytic.ts";

type Entry = StudyManifest["algorithms"][number];

/** An entry, and the share of μ² that its sums take; of the last, what is left. */
export interface Share {
  readonly entry: Entry;
  readonly share: number;
}

/**
 * @param shares - the last may draw rows: its noise is then found by trying.
 * @returns the manifest with a multiplier for each entry, such that all sums together cost ε and no more.
 */
export function sharedOut(
  manifest: StudyManifest,
  shares: readonly Share[],
  {
    epsilon,
    delta,
    dropOuts,
  }: { readonly epsilon: number; readonly delta: number; readonly dropOuts: number },
): StudyManifest {
  const mu = gaussianMu(epsilon, delta);
  const multiplierOf = ({ entry, share }: Share): number => {
    const { algorithm, params } = entryOf(entry);
    return Math.sqrt(algorithm.configure(params).maxSteps / share) / mu;
  };
  const withLast = (last: number): StudyManifest => ({
    ...manifest,
    algorithms: shares.map((one, i) => ({
      ...one.entry,
      noise: i === shares.length - 1 ? last : multiplierOf(one),
    })),
    privacy: { ...manifest.privacy, noise: { multiplier: last, delta, dropOuts } },
    unprotected: [],
  });
  const last = shares.at(-1)!;
  const { algorithm, params } = entryOf(last.entry);
  if (algorithm.configure(params).samplingRate === 1) return withLast(multiplierOf(last));
  let [low, high] = [0.3, multiplierOf(last)];
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2;
    if (epsilonOf(studyEvents(withLast(middle)), delta) <= epsilon) high = middle;
    else low = middle;
  }
  return withLast(high);
}
