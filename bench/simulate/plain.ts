import { runPlain } from "../../models/plain.ts";
import { seededRandom, uniform } from "../../privacy/random.ts";
import type { Transport } from "./transport.ts";

/** Sums in memory without any protection: the reference. */
export const plain: Transport = async ({ manifest, tables }, { drop, seed, onRound }) => {
  const chance = seededRandom(`drop ${seed}`);
  const probability = drop.kind === "chance" ? drop.probability : 0;
  const remaining = drop.kind === "at" ? tables.slice(drop.parties) : tables;
  const run = await runPlain(manifest, remaining, {
    randomOf: (party) => seededRandom(`party ${party} ${seed}`),
    isPresent: () => uniform(chance) >= probability,
    onRound: (state, round) => onRound(state.algorithm ?? "", round),
  });
  return {
    results: run.results,
    rounds: run.rounds,
    protection: { masks: false, encryption: "none", noise: "none", minCohort: 1 },
    bytes: { up: 0, down: 0 },
    log: { size: 0, root: null, verified: null },
  };
};
