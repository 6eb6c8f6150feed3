/** Whom two models would approve: the applicants that would be swapped in and out. */
import { z } from "zod";
import { binOf, scoreAt } from "./numerics/metrics.ts";

/** Bands of scores of about equally many rows, of each model. */
export const swapBands = 20;
export const bandCells = swapBands * swapBands;

const share = z.number().min(0).max(1);

const group = z.strictObject({ n: z.int().min(0), bad: z.int().min(0) });

export const swapSchema = z.strictObject({
  champion: z.string(),
  challenger: z.string(),
  /** For each of the champion's cut-offs, the challenger's with the nearest approval rate. */
  cutOffs: z
    .array(
      z.strictObject({
        /** Of the champion; rows that score less are approved. */
        approvalRate: share,
        championScore: share,
        challengerScore: share,
        approvedByBoth: group,
        /** Approved by the challenger alone. */
        swappedIn: group,
        /** Approved by the champion alone. */
        swappedOut: group,
        declinedByBoth: group,
      }),
    )
    .max(swapBands - 1),
});

/** @param firsts - the first bins of all bands but the first. @returns the band of a score. */
export const bandOf = (firsts: readonly number[], score: number): number =>
  firsts.findLastIndex((first) => first <= binOf(score)) + 1;

interface SwapCounts {
  readonly champion: readonly number[];
  readonly challenger: readonly number[];
  /** Rows by the champion's band and the challenger's, shape [swapBands, swapBands]. */
  readonly counts: { readonly good: Float64Array; readonly bad: Float64Array };
}

/** @param models - names of the two. */
export function swapFrom(
  models: { readonly champion: string; readonly challenger: string },
  { champion, challenger, counts }: SwapCounts,
): z.output<typeof swapSchema> {
  const within = (approves: (old: number, young: number) => boolean) => {
    let n = 0;
    let bad = 0;
    for (let old = 0; old < swapBands; old++)
      for (let young = 0; young < swapBands; young++)
        if (approves(old, young)) {
          bad += counts.bad[old * swapBands + young]!;
          n += counts.bad[old * swapBands + young]! + counts.good[old * swapBands + young]!;
        }
    return { n, bad };
  };
  const all = within(() => true).n;
  const cutOffs = champion.map((first, i) => {
    const approved = within((old) => old <= i).n;
    const apart = (j: number) => Math.abs(within((_, young) => young <= j).n - approved);
    const j = challenger.reduce((best, _, at) => (apart(at) < apart(best) ? at : best), 0);
    return {
      approvalRate: approved / all,
      championScore: scoreAt(first),
      challengerScore: scoreAt(challenger[j] ?? 0),
      approvedByBoth: within((old, young) => old <= i && young <= j),
      swappedIn: within((old, young) => old > i && young <= j),
      swappedOut: within((old, young) => old <= i && young > j),
      declinedByBoth: within((old, young) => old > i && young > j),
    };
  });
  return { ...models, cutOffs: challenger.length === 0 ? [] : cutOffs };
}
