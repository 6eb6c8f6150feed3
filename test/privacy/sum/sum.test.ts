import test from "ava";
import fc from "fast-check";
import type { RoundPoint } from "../../../privacy/sum/coordinator/coordinator.ts";
import { readStored } from "../../../privacy/sum/coordinator/point.ts";
import type { Bfv } from "../../../privacy/sum/encryption/bfv.ts";
import type { PartyId } from "../../../privacy/sum/graph.ts";
import { planPacking, vectorLength } from "../../../privacy/sum/layout.ts";
import {
  type Consortium,
  renewEpoch,
  simulateAttempt,
  simulatedHeader,
} from "../../../privacy/sum/simulation.ts";
import { chiSquared, chiSquaredLimit } from "../../support/chi-squared.ts";
import { attempt, closeBfv, consortiumOf, partyIds, sharedBfv, smallSum } from "../../support/sealed-sum.ts";

test.after.always(closeBfv);

let bfv: Bfv;
let eight: Consortium;
let four: Consortium;
test.before(async () => {
  bfv = await sharedBfv();
  eight = await consortiumOf(8, bfv);
  four = await consortiumOf(4, bfv);
});

const slow = process.env.SLOW === "1";

/** Random layouts with integer entries, some so wide that an entry takes several slots. */
const layouts = fc
  .array(
    fc.record({
      length: fc.integer({ min: 1, max: 40 }),
      bits: fc.integer({ min: 0, max: 50 }),
      exponent: fc.integer({ min: -30, max: 0 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((blocks) => ({
    blocks: blocks.map(({ length, bits, exponent }, i) => ({
      name: `block ${i}`,
      length,
      bound: 2 ** (bits + exponent),
      step: 2 ** exponent,
    })),
  }));

const steps = ["submit", "agree", "unmask", "released"] as const;

test.serial(
  "a released sum is the integer sum over its survivors, whoever drops out at whatever step",
  async (t) => {
    let consortium = await renewEpoch(eight, bfv);
    const ids = partyIds(8);
    let released = 0;
    let round = 0;
    const scenarios = fc.record({
      layout: layouts,
      size: fc.integer({ min: 3, max: 8 }),
      seed: fc.integer(),
      drops: fc.array(fc.tuple(fc.nat(7), fc.constantFrom(...steps)), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(scenarios, async ({ layout, size, seed, drops }) => {
        const cohort = ids.slice(0, size);
        const dropped = new Map<PartyId, (typeof steps)[number]>(
          drops.filter(([i]) => i < size).map(([i, step]) => [ids[i]!, step]),
        );
        const length = vectorLength(layout);
        const integers = new Map<PartyId, bigint[]>();
        const random = new Math32(seed);
        const vectors = new Map(
          cohort.map((id) => {
            const entries = layout.blocks.flatMap(({ bound, step, length: n }) =>
              Array.from({ length: n }, () => {
                const most = bound / step;
                // a third of the entries lie on a bound
                const integer =
                  random.below(3) === 0 ? (random.below(2) ? most : -most) : random.within(most);
                return { integer: BigInt(integer), value: integer * step };
              }),
            );
            integers.set(
              id,
              entries.map(({ integer }) => integer),
            );
            return [id, Float64Array.from(entries, ({ value }) => value)];
          }),
        );
        if (consortium.slots.next === 64) consortium = await renewEpoch(consortium, bfv);
        const header = simulatedHeader(consortium, { layout, minCohort: 3, round: ++round }, cohort);
        const done = await simulateAttempt(header, consortium, {
          bfv,
          contribute: (party) => vectors.get(party)!,
          dropsBefore: (party) => dropped.get(party),
        });
        if (done.sum === undefined) {
          t.true(["aborted", "lost"].includes(done.coordinator.phase));
          return;
        }
        released++;
        const stepOf = layout.blocks.flatMap((block) => new Array<number>(block.length).fill(block.step));
        const expected = Array.from({ length }, (_, entry) => {
          const total = done.sum!.survivors.reduce((sum, id) => sum + integers.get(id)![entry]!, 0n);
          return Number(total) * stepOf[entry]!;
        });
        t.deepEqual([...done.sum.sum.values], expected);
        const submitted = cohort.filter((id) => {
          const step = dropped.get(id);
          return step === undefined || steps.indexOf(step) > steps.indexOf("submit");
        });
        t.deepEqual(done.sum.survivors, submitted);
        t.is(done.sum.sum.parties, submitted.length);
      }),
      { numRuns: slow ? 400 : 25, seed: 20 },
    );
    t.true(released > 5);
  },
);

/** A small generator whose runs fast-check repeats by its seed. */
class Math32 {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 1;
  }
  #next(): number {
    // Marsaglia's xorshift, period 2^32 - 1
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 0;
  }
  below(n: number): number {
    return this.#next() % n;
  }
  /** An integer of magnitude at most `most`. */
  within(most: number): number {
    const share = this.#next() / 2 ** 32 + this.#next() / 2 ** 64;
    return Math.trunc((2 * share - 1) * most);
  }
}

for (const step of steps)
  test.serial(`two of eight parties that drop out before ${step} cost nothing but their rows`, async (t) => {
    const [, gone, , , , alsoGone] = partyIds(8);
    const done = await attempt({
      consortium: eight,
      bfv,
      options: { dropsBefore: (party) => (party === gone || party === alsoGone ? step : undefined) },
    });
    const isIn = steps.indexOf(step) > steps.indexOf("submit");
    const survivors = isIn ? [0, 1, 2, 3, 4, 5, 6, 7] : [0, 2, 3, 4, 6, 7];
    t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum(survivors));
    t.is(done.sum?.sum.parties, survivors.length);
    t.is(done.coordinator.phase, "closed");
  });

/** How it ends where two of four leave before a step, one more than the four can do without. */
const tooMany = {
  submit: { phase: "aborted", reason: "too_few_survivors" },
  // nobody unmasked: the two that are left wait for one of the others, for as long as the coordinator will
  agree: { phase: "lost", reason: "deadline" },
  unmask: { phase: "lost", reason: "round_lost" },
  released: { phase: "lost", reason: "round_lost" },
} as const;

for (const step of steps)
  test.serial(`too many gone before ${step}: the attempt ends with a reason and its causes`, async (t) => {
    const leaving = partyIds(2);
    const done = await attempt({
      consortium: four,
      bfv,
      options: { dropsBefore: (party) => (leaving.includes(party) ? step : undefined) },
    });
    t.is(done.sum, undefined);
    t.like(done.coordinator, tooMany[step]);
    const { coordinator } = done;
    const faults = "faults" in coordinator ? coordinator.faults : [];
    t.true(faults.every(({ reason }) => reason === "party_gone" || reason === "party_late"));
    t.true(step === "released" || leaving.every((id) => faults.some(({ party }) => party === id)));
  });

test.serial(
  "a member outside the cohort agrees and unmasks: the cohort survives without one of its own",
  async (t) => {
    const consortium = await renewEpoch(eight, bfv, partyIds(5));
    const [, b, , , e] = partyIds(5) as [string, string, string, string, string];
    // T = 4 of 5: of the cohort's four, three are left to unmask
    const done = await attempt({
      consortium,
      bfv,
      cohort: partyIds(4),
      options: { dropsBefore: (party) => (party === b ? "unmask" : undefined) },
    });
    t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum([0, 1, 2, 3]));
    t.deepEqual(done.partyEffects.get(e), ["record", "lock", "send", "spend", "send"]);
  },
);

test.serial("the epoch's key opens no submission: it is uniform, whatever was contributed", async (t) => {
  const consortium = await renewEpoch(four, bfv, partyIds(3));
  const [first = ""] = partyIds(3);
  const layout = { blocks: [{ name: "zero", length: 8000, bound: 1000, step: 1 }] };
  const header = simulatedHeader(consortium, { layout, minCohort: 3, round: 1 }, partyIds(3));
  const done = await simulateAttempt(header, consortium, { bfv, contribute: () => new Float64Array(8000) });
  const record = done.partyRecords.get(first)?.find(({ kind }) => kind === "submission");
  const chunks = record?.kind === "submission" ? record.chunks : [];
  const open = (digests: readonly string[]) =>
    bfv.decrypt(
      consortium.epoch.secrets.get(first)!.bfvKey,
      digests.map((digest) => done.blobs.get(digest)!),
      planPacking(layout, 3).slots,
    );
  const bucket = (x: number) => Math.floor(x / 2 ** 36);
  t.true(chiSquared(await open(chunks), bucket, 64) < chiSquaredLimit(63));
  // the control: the unmasked aggregate is not
  const point = readStored<RoundPoint>(done.stored.point!);
  t.true(
    chiSquared(await open(point.at === "releasing" ? point.chunks : []), bucket, 64) > chiSquaredLimit(63),
  );
});

test.serial("above 64 parties a regular graph masks and survives drop-outs", async (t) => {
  t.timeout(600_000);
  const count = slow ? 200 : 66;
  const consortium = await consortiumOf(count, bfv);
  const ids = partyIds(count);
  const done = await attempt({
    consortium,
    bfv,
    options: {
      dropsBefore: (party) =>
        party === ids[3] || party === ids[5] ? "submit" : party === ids[40] ? "unmask" : undefined,
    },
  });
  const survivors = ids.flatMap((_, i) => (i === 3 || i === 5 ? [] : [i]));
  t.deepEqual([...(done.sum?.sum.values ?? [])], smallSum(survivors));
});
