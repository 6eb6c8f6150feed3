import { digestOf } from "../../core/canonical.ts";
import { seededRandom } from "../../core/random.ts";
import { type Bfv, openBfv } from "../../privacy/sum/encryption/bfv.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { VectorLayout } from "../../privacy/sum/layout.ts";
import {
  type Consortium,
  foundConsortium,
  type RoundSubject,
  type SimulatedAttempt,
  type SimulationOptions,
  simulateAttempt,
  simulatedHeader,
} from "../../privacy/sum/simulation.ts";

export const partyIds = (count: number): PartyId[] =>
  Array.from({ length: count }, (_, i) => `party-${String(i).padStart(3, "0")}`);

/** A consortium of `count` parties, each its own organisation. */
export const consortiumOf = (
  count: number,
  bfv: Bfv,
  seed = "consortium",
  maxColluding = 1,
): Promise<Consortium> =>
  foundConsortium(
    "test",
    new Map(partyIds(count).map((id) => [id, `${id} Ltd`])),
    bfv,
    seededRandom(seed),
    maxColluding,
  );

/** Integers up to 1,000 in magnitude, and a count. */
export const smallLayout: VectorLayout = {
  blocks: [
    { name: "n", length: 1, bound: 100, step: 1 },
    { name: "x", length: 5, bound: 1000, step: 1 },
  ],
};

/** What party number i contributes to `smallLayout`: powers tell every subset's sum from every other's. */
export const smallVector = (i: number): Float64Array =>
  Float64Array.from([1, i < 9 ? 2 ** i : -(2 ** (i % 9)), -i, 1000, -1000, i % 7]);

export interface Scenario {
  readonly consortium: Consortium;
  readonly bfv: Bfv;
  readonly subject?: Partial<RoundSubject>;
  readonly options?: Partial<SimulationOptions>;
  readonly cohort?: readonly PartyId[];
  readonly attempt?: number;
}

let studies = 0;

/** Another study each time: a step is summed once. */
export const smallSubject = (): RoundSubject => ({
  layout: smallLayout,
  minCohort: 3,
  round: 1,
  study: digestOf(`study ${++studies}`),
});

export const smallOptions = ({ parties }: Consortium, bfv: Bfv): SimulationOptions => {
  const ids = [...parties.keys()];
  return { bfv, contribute: (party) => smallVector(ids.indexOf(party)) };
};

/** One attempt over `smallLayout`. */
export async function attempt({ consortium, bfv, subject, options, cohort, attempt: number }: Scenario) {
  const ids = [...consortium.parties.keys()];
  const header = simulatedHeader(consortium, { ...smallSubject(), ...subject }, cohort ?? ids, number);
  return simulateAttempt(header, consortium, { ...smallOptions(consortium, bfv), ...options });
}

/** The integer sum of what some parties contribute to `smallLayout`. */
export const smallSum = (indices: readonly number[]): number[] =>
  indices
    .map((i) => [...smallVector(i)])
    .reduce((sum, vector) => sum.map((x, entry) => x + vector[entry]!), new Array<number>(6).fill(0));

/** How each party ended: `released`, or the reason of its refusal. */
export const endings = ({ parties }: SimulatedAttempt): Record<PartyId, string> =>
  Object.fromEntries(
    [...parties].map(([party, state]) => [party, state.phase === "refused" ? state.reason : state.phase]),
  );

let shared: Promise<Bfv> | undefined;

/** SEAL's thread of a test file. */
export const sharedBfv = (): Promise<Bfv> => {
  shared ??= openBfv();
  return shared;
};
export const closeBfv = async (): Promise<void> => (await shared)?.close();
