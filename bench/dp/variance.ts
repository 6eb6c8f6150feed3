/** How much noise released sums have, of whole sealed sums: with nobody missing, one, and the most that may. */
import { digestOf } from "../../core/canonical.ts";
import { seededRandom } from "../../core/random.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import { dequantizeSum, quantize } from "../../privacy/sum/layout.ts";
import { addNoiseFrom, type NoisePart, splitNoise } from "../../privacy/sum/noise.ts";
import { type NoiseTerms, packingOf } from "../../privacy/sum/noise-terms.ts";
import { foundConsortium, simulateAttempt, simulatedHeader } from "../../privacy/sum/simulation.ts";
import { atLeast, type Figure } from "../bench.ts";

const parties = 8;
/** T = 6 of 8. */
const mostMissing = 2;
const terms: NoiseTerms = {
  colluding: 1,
  dropOuts: mostMissing,
  samplingRate: 1,
  sensitivity: 0.1,
  variances: [100_000],
};
const [variance] = terms.variances as [number];

/** @param sums - for each number of missing members. @param entries - of each sum. */
export async function varianceFigures(sums: number, entries: number): Promise<Figure[]> {
  const bfv = await openBfv();
  try {
    const ids = Array.from({ length: parties }, (_, i) => `party-${i}`);
    const members = new Map(ids.map((id) => [id, `${id} Ltd`]));
    const consortium = await foundConsortium(
      "variance",
      members,
      bfv,
      seededRandom("variance"),
      terms.colluding,
    );
    const layout = { blocks: [{ name: "noise", length: entries, bound: 4, step: 1 }] };
    const friend = ids.at(-1)!;
    const figures: Figure[] = [];
    for (let missing = 0; missing <= mostMissing; missing++) {
      const gone = ids.slice(0, missing);
      let [squares, honestSquares] = [0, 0];
      for (let sum = 0; sum < sums; sum++) {
        const study = digestOf(`variance ${missing} ${sum}`);
        const header = simulatedHeader(
          consortium,
          { layout, noise: terms, minCohort: 3, round: 1, study },
          ids,
        );
        const drawn = new Map<PartyId, readonly NoisePart[]>();
        const done = await simulateAttempt(header, consortium, {
          bfv,
          contribute: () => new Float64Array(entries),
          dropsBefore: (id) => (gone.includes(id) ? "submit" : undefined),
          async onPartyEffect(party, effect) {
            if (effect.type === "seal") drawn.set(party, effect.noise);
            return undefined;
          },
        });
        const values = done.sum?.sum.values;
        if (values === undefined) throw new Error(`no sum with ${missing} missing`);
        // A friend of the bank knows what it added: what honest members added is left.
        const packing = packingOf(header);
        const { kept } = splitNoise(header, { parts: drawn.get(friend)!, commitment: "" }, parties - missing);
        const slots = quantize(new Float64Array(entries), packing);
        addNoiseFrom(0, slots, packing, kept);
        const own = dequantizeSum(slots, packing, 1);
        for (let i = 0; i < entries; i++) {
          squares += values[i]! ** 2;
          honestSquares += (values[i]! - own[i]!) ** 2;
        }
      }
      const [total, honest] = [squares, honestSquares].map((all) => all / (sums * entries));
      const survivors = parties - missing;
      const expected = (survivors * variance) / (survivors - terms.colluding);
      const said = `variance with ${missing} of ${parties} missing, ${sums} sums`;
      const off = 100 * (total! / expected - 1);
      figures.push(
        {
          name: `${said}, from s·σ²/(s − c)`,
          value: Number(off.toFixed(2)),
          unit: "%",
          target: "|x| <= 2",
          holds: Math.abs(off) <= 2,
        },
        // Three standard errors of a variance below it.
        atLeast(
          `${said}, honest survivors' own of σ²`,
          Number((honest! / variance).toFixed(4)),
          "",
          Number((1 - 3 * Math.sqrt(2 / (sums * entries))).toFixed(4)),
        ),
      );
    }
    return figures;
  } finally {
    await bfv.close();
  }
}
