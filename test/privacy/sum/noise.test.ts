/** Noise under the sum: what is released has the variance it should, whoever drops out, lies, or is summed again. */
import test from "ava";
import fc from "fast-check";
import type { Bfv } from "../../../privacy/sum/encryption/bfv.ts";
import { roundIdOf } from "../../../privacy/sum/header.ts";
import { quantize } from "../../../privacy/sum/layout.ts";
import { addMasks } from "../../../privacy/sum/mask.ts";
import type { PartyRoundMessage, Submit, Unmask } from "../../../privacy/sum/messages.ts";
import type { NoisePart } from "../../../privacy/sum/noise.ts";
import { eventOf, leastSurvivors, type NoiseTerms, partVariances } from "../../../privacy/sum/noise-terms.ts";
import {
  type Consortium,
  type SimulationOptions,
  simulateAttempt,
  simulatedHeader,
  simulateStep,
  willingFacts,
} from "../../../privacy/sum/simulation.ts";
import { revealedDigest, signStatement } from "../../../privacy/sum/statements.ts";
import { closeBfv, consortiumOf, partyIds, sharedBfv, smallSubject } from "../../support/sealed-sum.ts";

test.after.always(closeBfv);

let bfv: Bfv;
/** T = 6 of 8: two may drop out. */
let consortium: Consortium;
test.before(async () => {
  bfv = await sharedBfv();
  consortium = await consortiumOf(8, bfv);
});
const ids = partyIds(8);
const [a, b] = ids as [string, string];

const entries = 2000;
const layout = {
  blocks: [
    { name: "coarse", length: entries, bound: 4, step: 1 },
    { name: "fine", length: entries, bound: 4, step: 2 ** -4 },
  ],
};
/** More than the epoch counts on, so that what a share is of shows in few values. */
const terms: NoiseTerms = {
  colluding: 4,
  dropOuts: 2,
  samplingRate: 1,
  sensitivity: 0.1,
  variances: [3000, 700_000],
};
const subject = () => ({ ...smallSubject(), layout, noise: terms });
const zeros: Pick<SimulationOptions, "contribute"> = { contribute: () => new Float64Array(2 * entries) };

/** Of a block's entries, in squared steps; their mean is known to be zero. */
const variance = (values: Float64Array, step: number): number =>
  values.reduce((sum, x) => sum + (x / step) ** 2, 0) / values.length;

/** @returns how far a variance may lie from its expectation by chance: five standard deviations. */
const chance = 4.5 * Math.sqrt(2 / entries);

const faultsOf = (done: Awaited<ReturnType<typeof simulateAttempt>>): string[] =>
  ("round" in done.coordinator ? done.coordinator.round.faults : done.coordinator.faults).map(
    ({ party, reason }) => `${party} ${reason}`,
  );

async function play(options: Partial<SimulationOptions>, of = subject()) {
  const header = simulatedHeader(consortium, of, ids);
  const done = await simulateAttempt(header, consortium, { bfv, ...zeros, ...options });
  const values = done.sum?.sum.values;
  const variances = values && [
    variance(values.subarray(0, entries), 1),
    variance(values.subarray(entries), 2 ** -4),
  ];
  return { done, header, variances };
}

test.serial(
  "released noise has the variance s·σ²/(s − c), with nobody missing, one, and the most",
  async (t) => {
    for (const gone of [[], [a], [a, b]]) {
      const { variances, done } = await play({
        dropsBefore: (id) => (gone.includes(id) ? "submit" : undefined),
      });
      const s = ids.length - gone.length;
      t.is(done.coordinator.phase, "closed");
      for (const [i, of] of terms.variances.entries()) {
        const expected = (s * of) / (s - terms.colluding);
        const ratio = variances![i]! / expected;
        t.true(Math.abs(ratio - 1) < chance, `${gone.length} missing: ${ratio}`);
      }
    }
  },
);

test("honest survivors reach σ² without the colluding, however many are missing, and all of them little more", (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 200 }),
      fc.nat(20),
      fc.nat(20),
      fc.integer({ min: 18, max: 2 ** 40 }),
      (n, missing, c, of) => {
        const dropOuts = Math.min(missing, n - 3);
        const colluding = Math.min(c, n - dropOuts - 1);
        const cohort = partyIds(n);
        const noise = { ...terms, colluding, dropOuts, variances: [of] };
        const parts = partVariances({ cohort, minCohort: 3, follows: null, noise });
        t.is(parts.length, dropOuts + 1);
        let kept = 0;
        for (const [gone, part] of parts.entries()) {
          kept += part[0]!;
          const survivors = n - gone;
          t.true((survivors - colluding) * kept >= of);
          // Parts are whole numbers, and large enough to be added to others.
          if (of > 1e6) t.true(kept * (survivors - colluding) <= 1.02 * of);
        }
      },
    ),
  );
});

test.serial("who falls silent after agreeing keeps all its noise, and the sum is released", async (t) => {
  const { variances, done } = await play({ dropsBefore: (id) => (id === a ? "unmask" : undefined) });
  t.is(done.coordinator.phase, "closed");
  const parts = partVariances(done.header as never);
  const extra = parts.slice(1).reduce((sum, of) => sum + of[0]!, 0);
  const expected = 8 * parts[0]![0]! + extra;
  t.true(Math.abs(variances![0]! / expected - 1) < chance, `${variances![0]} of ${expected}`);
});

test.serial("fewer survivors than the noise is for: no sum", async (t) => {
  const of = { ...subject(), noise: { ...terms, dropOuts: 1 } };
  const { done } = await play({ dropsBefore: (id) => (id === a || id === b ? "submit" : undefined) }, of);
  t.is(done.coordinator.phase, "aborted");
  t.is(leastSurvivors(done.header), 7);
  // a bank that asks for agreement all the same is refused by the parties
  const header = simulatedHeader(consortium, of, ids);
  const lying = await simulateAttempt(header, consortium, {
    bfv,
    ...zeros,
    onWayDown: (_, message) =>
      message.type === "survivors" ? [{ ...message, survivors: message.survivors.slice(2) }] : [message],
  });
  const { faults } = lying.coordinator as Extract<typeof lying.coordinator, { readonly faults: unknown }>;
  t.is(faults.length, 8);
  t.true(faults.every(({ detail }) => detail === "too_few_survivors"));
  t.is(lying.sum, undefined);
});

test.serial("a member that reveals another seed is named, and its noise stays", async (t) => {
  const { identity } = consortium.parties.get(a)!;
  const { done, header, variances } = await play({
    onWayUp(from, message): readonly PartyRoundMessage[] {
      if (from !== a || message.type !== "unmask") return [message];
      const lie: Unmask = { ...message, noise: new Uint8Array(32).fill(7) };
      const { roundId } = message;
      const statement = { purpose: "unmask", revealed: revealedDigest(lie) } as const;
      return [{ ...lie, signature: signStatement(roundId, a, statement, identity) }];
    },
  });
  t.deepEqual(faultsOf(done), [`${a} share_invalid`]);
  t.is(done.coordinator.phase, "closed");
  const parts = partVariances(header as never);
  const expected = 8 * parts[0]![0]! + parts[1]![0]! + parts[2]![0]!;
  t.true(Math.abs(variances![0]! / expected - 1) < chance);
});

test.serial("a submission without the commitment that noise asks for is no submission", async (t) => {
  const { done } = await play({
    onWayUp: (from, message) =>
      from === a && message.type === "submit" ? [{ ...(message as Submit), noiseCommitment: "" }] : [message],
  });
  t.true(faultsOf(done).includes(`${a} signature_invalid`));
});

test.serial("an aggregate with noise taken away that nobody revealed is refused", async (t) => {
  for (const change of [
    (noise: { party: string; seed: Uint8Array }[]) =>
      noise.map((one, i) => (i === 0 ? { ...one, seed: new Uint8Array(32) } : one)),
    (noise: { party: string; seed: Uint8Array }[]) => [...noise, noise[0]!],
    // truly revealed, and the ciphertexts are those of a sum without all of it
    (noise: { party: string; seed: Uint8Array }[]) => noise.slice(1),
  ]) {
    const { done } = await play({
      onWayDown: (_, message) =>
        message.type === "aggregate" ? [{ ...message, noise: change([...message.noise]) }] : [message],
    });
    const reasons = [...done.parties.values()].map((state) =>
      state.phase === "refused" ? state.reason : "",
    );
    t.true(
      reasons.every((reason) => reason === "aggregate_invalid"),
      reasons.join(),
    );
    t.is(done.sum, undefined);
  }
});

test.serial("a header with less noise than the manifest's is refused by every party", async (t) => {
  const of = { ...subject(), noise: { ...terms, variances: [2999, 700_000] } };
  const { done } = await play(
    {
      facts: (id, header) => {
        const facts = willingFacts(header, consortium, id);
        return { ...facts, next: { ...facts.next!, noise: terms } };
      },
    },
    of,
  );
  const reasons = [...done.parties.values()].map((state) => (state.phase === "refused" ? state.reason : ""));
  t.deepEqual(
    reasons,
    ids.map(() => "header_mismatch"),
  );
  // no budget left, no sum
  const spent = await play({
    facts: (id, header) => ({ ...willingFacts(header, consortium, id), withinBudget: false }),
  });
  t.is(spent.done.sum, undefined);
});

test.serial("vectors that are summed again keep the noise that stayed in the sum before", async (t) => {
  const drawn = new Map<string, readonly NoisePart[]>();
  const of = { ...subject(), noise: { ...terms, colluding: 1 } };
  // one member counts itself twice: the survivors are split
  const { attempts } = await simulateStep(consortium, of, ids, () => ({
    bfv,
    ...zeros,
    async onPartyEffect(party, effect) {
      if (effect.type !== "seal") return undefined;
      drawn.set(`${effect.roundId} ${party}`, effect.noise);
      if (party !== b) return undefined;
      const slots = quantize(effect.values, effect.packing);
      slots[0] = 2;
      addMasks(slots, effect.masks);
      const key = consortium.epoch.secrets.get(party)!.bfvKey;
      return { type: "sealed", roundId: effect.roundId, ciphertexts: await bfv.encrypt(key, slots) };
    },
  }));
  const [first, last] = [attempts[0]!, attempts.at(-1)!];
  t.is(first.coordinator.phase, "split");
  t.is(last.coordinator.phase, "closed");
  for (const party of last.header.cohort) {
    const before = drawn.get(`${roundIdOf(first.header)} ${party}`)!;
    const now = drawn.get(`${roundIdOf(last.header)} ${party}`)!;
    // all eight survived, so that of three parts the first stayed; what four need more is drawn beside it
    t.is(before.length, 3);
    t.is(now.length, 2);
    t.deepEqual(now[0], before[0]);
  }
  const values = last.sum!.sum.values;
  const ratio = variance(values.subarray(0, entries), 1) / ((4 * terms.variances[0]!) / 3);
  t.true(Math.abs(ratio - 1) < chance + 0.02, `${ratio}`);
});

test("what a sum costs is in its header", (t) => {
  const sampled = { ...terms, samplingRate: 0.05 };
  t.is(eventOf({ noise: sampled, follows: null }, "record").samplingRate, 0.05);
  // who was drawn may be known from the sum before
  t.is(eventOf({ noise: sampled, follows: { of: "00" } }, "record").samplingRate, 1);
  t.deepEqual(eventOf({ noise: terms, follows: null }, "record"), {
    mechanism: "gaussian",
    unit: "record",
    sensitivity: 0.1,
    sigma: 1,
    samplingRate: 1,
    count: 1,
  });
});
