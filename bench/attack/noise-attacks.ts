/** Attacks on the noise under a sum, and on what it may cost. */
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { NoiseTerms } from "../../privacy/sum/noise-terms.ts";
import { type Attack, counted, onStage } from "./attack.ts";
import type { Weakness } from "./local-party.ts";
import { manifestOf, type Stage } from "./stage.ts";

const multiplier = 10;
const { privacy } = manifestOf("noise");
const noisy = {
  privacy: { ...privacy, noise: { multiplier, delta: 1e-6, dropOuts: 0 } },
  unprotected: [],
};

async function noisyHeader(
  stage: Stage,
  change: (noise: NoiseTerms) => NoiseTerms = (noise) => noise,
): Promise<RoundHeader> {
  const header = await stage.header(await stage.study(noisy));
  return { ...header, noise: change(header.noise!) };
}

/** Takes the header's word for how much noise there is, and counts nothing. */
const gullible: Weakness = {};

/** One sum with this much noise costs ε = 0.33: of two the second is too much. */
const budget = { maxEpsilon: { lifetime: 0.4, delta: 1e-6 } };

export const noiseAttacks: readonly Attack[] = [
  {
    name: "a header with less noise than was consented to",
    ...counted("honest submissions", 3),
    play: onStage({ honest: 3, friends: 1 }, gullible, async (stage) => {
      const header = await noisyHeader(stage, (noise) => ({
        ...noise,
        variances: noise.variances.map((variance) => Math.ceil(variance / 100)),
      }));
      const round = await stage.round(header).open();
      stage.metBy("header_mismatch", round);
      return stage.honest.filter((id) => round.submissions.has(id)).length;
    }),
  },
  {
    name: "a sum beyond the budget of a table, in a study that fitted when it was consented to",
    ...counted("honest submissions", 3),
    play: onStage({ honest: 3, friends: 1, policy: budget }, gullible, async (stage) => {
      // Both are consented to while nothing is spent.
      const [first, second] = [await noisyHeader(stage), await noisyHeader(stage)];
      await (await stage.round(first).sum()).release(stage.bfv);
      const round = await stage.round(second).open();
      stage.metBy("budget_exhausted", round);
      return stage.honest.filter((id) => round.submissions.has(id)).length;
    }),
  },
];
