import { canonicalBytes, digestOf } from "../core/canonical.ts";
import { secureRandom, seededRandom } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { StudyMemory } from "../models/memory.ts";
import {
  advanceStudy,
  type StudyState,
  startStudy,
  studyContribute,
  studyLayout,
} from "../models/study-loop.ts";
import { type Bfv, openBfv } from "../privacy/sum/encryption/bfv.ts";
import {
  type Consortium,
  foundConsortium,
  type SimulatedAttempt,
  simulateAttempt,
  simulatedHeader,
} from "../privacy/sum/simulation.ts";
import type { Problem } from "./data.ts";
import { DropOuts } from "./drop-outs.ts";
import { modelOf, partyName, type Transport, type TransportOptions } from "./transport.ts";

const roundsPerEpoch = 64;
const maxAttempts = 20;

/** Both state machines with masks and encryption, in one process without a network. */
export const sealed: Transport = async (problem, options) => {
  const bfv = await openBfv();
  try {
    return await run(problem, options, bfv);
  } finally {
    await bfv.close();
  }
};

async function run({ manifest, tables }: Problem, options: TransportOptions, bfv: Bfv) {
  const tableOf = new Map(tables.map((table, i) => [partyName(i), table]));
  const meansOf = new Map(
    [...tableOf.keys()].map((id) => [
      id,
      { random: seededRandom(`${id} ${options.seed}`), memory: new StudyMemory() },
    ]),
  );
  const drops = new DropOuts(options.drop, seededRandom(`drop ${options.seed}`), modelOf(manifest));
  const study = digestOf(canonicalBytes(manifest));
  const bytes = { up: 0, down: 0 };
  let consortium!: Consortium;
  let state = startStudy(manifest);
  let round = 0;
  while (state.algorithm !== null) {
    if (round % roundsPerEpoch === 0)
      consortium = await foundConsortium(
        manifest.consortium,
        new Map([...tableOf.keys()].map((id) => [id, id])),
        bfv,
        secureRandom,
      );
    round++;
    options.onRound(state.algorithm, round);
    const sum = await sumOf(state, round);
    state = await advanceStudy(manifest, state, sum);
  }
  const { minCohort } = manifest.privacy;
  return {
    results: state.results,
    rounds: round,
    protection: {
      ...simulatedHeader(consortium, { layout: { blocks: [] }, minCohort, round }, []).protection,
      minCohort,
    },
    bytes,
    log: { size: 0, root: null, verified: null },
  };

  async function sumOf(
    state: StudyState,
    round: number,
  ): Promise<NonNullable<SimulatedAttempt["sum"]>["sum"]> {
    const subject = {
      layout: studyLayout(manifest, state),
      minCohort: manifest.privacy.minCohort,
      round,
      study,
      algorithm: { index: state.index, name: state.algorithm!, step: state.step },
      state: digestOf(canonicalBytes(state)),
    };
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const cohort = [...tableOf.keys()].filter((id) => !drops.gone.has(id));
      const dropsBefore = drops.inAttempt(cohort, state.algorithm!);
      const done = await simulateAttempt(simulatedHeader(consortium, subject, cohort, attempt), consortium, {
        bfv,
        contribute: (id) => studyContribute(manifest, state, tableOf.get(id)!, meansOf.get(id)!),
        dropsBefore: (id) => dropsBefore.get(id),
      });
      bytes.up += done.bytes.up;
      bytes.down += done.bytes.down;
      if (done.sum !== undefined) return done.sum.sum;
      const cause = [...done.parties.values()].find((party) => party.phase === "refused");
      if (cause?.phase === "refused") throw new Refusal(cause.reason, cause.detail);
    }
    throw new Refusal("too_few_survivors", `round ${round}: no sum in ${maxAttempts} attempts`, {
      hint: "lower --drop or take more parties",
    });
  }
}
