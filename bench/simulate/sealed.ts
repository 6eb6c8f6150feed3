import {
  advanceStudy,
  type StudyState,
  startStudy,
  studyContribute,
  studyLayout,
} from "../../models/study-loop.ts";
import { canonicalBytes, digestOf } from "../../privacy/canonical.ts";
import { type Random, secureRandom, seededRandom, uniform, uniformInteger } from "../../privacy/random.ts";
import { type Bfv, openBfv } from "../../privacy/sum/bfv.ts";
import {
  type Consortium,
  foundConsortium,
  type SimulatedAttempt,
  simulateAttempt,
  simulatedHeader,
} from "../../privacy/sum/simulation.ts";
import { Refusal } from "../../proto/reasons.ts";
import type { Problem } from "./data.ts";
import {
  type DropOut,
  partyName,
  type Step,
  steps,
  type Transport,
  type TransportOptions,
} from "./transport.ts";

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
  const randomOf = new Map([...tableOf.keys()].map((id) => [id, seededRandom(`${id} ${options.seed}`)]));
  const drops = new DropOuts(
    options.drop,
    seededRandom(`drop ${options.seed}`),
    manifest.algorithms[2]?.name,
  );
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
      layout: studyLayout(state),
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
        contribute: (id) => studyContribute(manifest, state, tableOf.get(id)!, randomOf.get(id)!),
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

/** Decides who leaves, before which message. */
class DropOuts {
  readonly gone = new Set<string>();
  readonly #drop: DropOut;
  readonly #random: Random;
  readonly #model: string | undefined;

  constructor(drop: DropOut, random: Random, model: string | undefined) {
    this.#drop = drop;
    this.#random = random;
    this.#model = model;
  }

  /** @returns the step at which each party that leaves this attempt leaves. */
  inAttempt(cohort: readonly string[], algorithm: string): ReadonlyMap<string, Step> {
    const drop = this.#drop;
    if (drop.kind === "chance")
      return new Map(
        cohort
          .filter(() => uniform(this.#random) < drop.probability)
          .map((id) => [id, steps[uniformInteger(this.#random, steps.length)]!]),
      );
    if (algorithm !== this.#model || this.gone.size > 0) return new Map();
    const leaving = cohort.slice(0, drop.parties);
    for (const id of leaving) this.gone.add(id);
    return new Map(leaving.map((id) => [id, drop.step]));
  }
}
