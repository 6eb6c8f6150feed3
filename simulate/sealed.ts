import { canonicalBytes, digestOf } from "../core/canonical.ts";
import { secureRandom, seededRandom } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { StudyMemory } from "../models/memory.ts";
import { partyName } from "../models/plain.ts";
import {
  advanceStudy,
  type StudyState,
  startStudy,
  studyContribute,
  studyNext,
} from "../models/study-loop.ts";
import { type Bfv, openBfv } from "../privacy/sum/encryption/bfv.ts";
import { protectionOf } from "../privacy/sum/protection.ts";
import {
  type Consortium,
  foundConsortium,
  renewEpoch,
  type SimulatedAttempt,
  simulateStep,
} from "../privacy/sum/simulation.ts";
import type { Problem } from "./data.ts";
import { DropOuts } from "./drop-outs.ts";
import { modelOf, type Transport, type TransportOptions } from "./transport.ts";

/** Attempts that one step may take of an epoch's slots before the next is opened. */
const slotsKept = 24;

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
  const { minCohort, maxColluding } = manifest.privacy;
  let consortium: Consortium = await foundConsortium(
    manifest.consortium,
    new Map([...tableOf.keys()].map((id) => [id, id])),
    bfv,
    secureRandom,
    Math.max(1, maxColluding),
  );
  let present = [...tableOf.keys()];
  let state = startStudy(manifest);
  let round = 0;
  while (state.algorithm !== null) {
    round++;
    options.onRound(state.algorithm, round);
    const sum = await sumOf(state, round);
    state = await advanceStudy(manifest, state, sum);
  }
  return {
    results: state.results,
    rounds: round,
    protection: { ...protectionOf(manifest.privacy.noise), minCohort },
    bytes,
    log: { size: 0, root: null, verified: null },
  };

  async function sumOf(of: StudyState, number: number): Promise<NonNullable<SimulatedAttempt["sum"]>["sum"]> {
    const everybody = present.filter((id) => !drops.gone.has(id));
    const { header } = consortium.epoch.open;
    // who left for good is of no epoch, and a slot serves once
    if (everybody.length < header.members.length || consortium.slots.next > header.slots - slotsKept)
      consortium = await renewEpoch(consortium, bfv, everybody);
    present = everybody;
    const { layout, noise, among } = studyNext(manifest, of);
    const here = everybody.filter((id) => among?.includes(id) !== false);
    const subject = {
      layout,
      ...(noise === undefined ? {} : { noise }),
      minCohort,
      round: number,
      study,
      algorithm: { index: of.index, name: of.algorithm!, step: of.step },
      state: digestOf(canonicalBytes(of)),
    };
    const step = await simulateStep(consortium, subject, here, (_, cohort) => {
      const dropsBefore = drops.inAttempt(cohort, of.algorithm!);
      return {
        bfv,
        contribute: (id) => studyContribute(manifest, of, tableOf.get(id)!, meansOf.get(id)!),
        dropsBefore: (id) => dropsBefore.get(id),
      };
    });
    present = present.filter((id) => !step.out.includes(id));
    for (const done of step.attempts) {
      bytes.up += done.bytes.up;
      bytes.down += done.bytes.down;
    }
    const last = step.attempts.at(-1)!;
    if (last.sum !== undefined) return last.sum.sum;
    const cause = [...last.parties.values()].find((party) => party.phase === "refused");
    if (cause?.phase === "refused") throw new Refusal(cause.reason, cause.detail);
    throw new Refusal("round_lost", `round ${number}: no sum in ${step.attempts.length} attempts`, {
      hint: "lower --drop or take more parties",
    });
  }
}
