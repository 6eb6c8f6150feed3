import { seededRandom } from "../core/random.ts";
import { partyName, runPlain } from "../models/plain.ts";
import { DropOuts } from "./drop-outs.ts";
import { modelOf, type Step, type Transport } from "./transport.ts";

/** Sums in memory without any protection: the reference. */
export const plain: Transport = async ({ manifest, tables }, { drop, seed, onRound }) => {
  const drops = new DropOuts(drop, seededRandom(`drop ${seed}`), modelOf(manifest));
  const everyone = tables.map((_, party) => partyName(party));
  let leaving: ReadonlyMap<string, Step> = new Map();
  const run = await runPlain(manifest, tables, {
    randomOf: (party) => seededRandom(`party ${party} ${seed}`),
    isPresent: (party) => !leaving.has(everyone[party]!) && !drops.gone.has(everyone[party]!),
    onRound: ({ algorithm }, round) => {
      leaving = drops.inAttempt(everyone, algorithm!);
      onRound(algorithm!, round + 1);
    },
  });
  return {
    results: run.results,
    rounds: run.rounds,
    protection: {
      masks: false,
      encryption: "none",
      noise: manifest.privacy.noise === undefined ? "none" : "discrete-gaussian",
      minCohort: 1,
    },
    bytes: { up: 0, down: 0 },
    log: { size: 0, root: null, verified: null },
  };
};
