/** Killed coordinators, locks and what lifts them, sums that are tried again. */
import { inspect } from "node:util";
import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import { Refusal } from "../../../core/reasons.ts";
import type { Bfv } from "../../../privacy/sum/encryption/bfv.ts";
import { proposeEpoch } from "../../../privacy/sum/epoch/header.ts";
import { splitSlots } from "../../../privacy/sum/epoch/sharing.ts";
import { simulateOpening } from "../../../privacy/sum/epoch/simulation.ts";
import { halvesOf, judgeEvidence } from "../../../privacy/sum/evidence.ts";
import { quantize } from "../../../privacy/sum/layout.ts";
import { addMasks } from "../../../privacy/sum/mask.ts";
import type { PartyRoundMessage } from "../../../privacy/sum/messages.ts";
import { type SpentAttempt, spentIn } from "../../../privacy/sum/party/party.ts";
import {
  type Consortium,
  restartNode,
  type SimulatedAttempt,
  type SimulationOptions,
  simulateAttempt,
  simulatedHeader,
  simulateResume,
  simulateStep,
} from "../../../privacy/sum/simulation.ts";
import {
  attempt,
  closeBfv,
  consortiumOf,
  endings,
  partyIds,
  sharedBfv,
  smallOptions,
  smallSubject,
  smallSum,
  smallVector,
} from "../../support/sealed-sum.ts";

test.after.always(closeBfv);

let bfv: Bfv;
/** T = 6 of 8. */
let consortium: Consortium;
let options: SimulationOptions;
const ids = partyIds(8);
const [a, b, c] = ids as [string, string, string];
test.before(async () => {
  bfv = await sharedBfv();
  consortium = await consortiumOf(8, bfv);
  options = smallOptions(consortium, bfv);
});

const all = smallSum([0, 1, 2, 3, 4, 5, 6, 7]);
const valuesOf = (done: SimulatedAttempt | undefined) => [...(done?.sum?.sum.values ?? [])];

for (const [name, kind, nth] of [
  ["agreeing", "persist", 1],
  ["unmasking", "persist", 2],
  ["the third unmask message", "store", 3],
  ["the last unmask message", "store", 8],
  ["the aggregate", "persist", 3],
] as const)
  test.serial(`a coordinator killed once it stored ${name} goes on to the same sum`, async (t) => {
    let seen = 0;
    const killed = await attempt({
      consortium,
      bfv,
      options: { killedAfter: ({ type }) => type === kind && ++seen === nth },
    });
    t.true(killed.isKilled);
    t.is(killed.sum, undefined);
    const resumed = await simulateResume(killed, consortium, options);
    t.deepEqual(valuesOf(resumed), all);
    t.is(resumed.coordinator.phase, "closed");
  });

test.serial(
  "a coordinator that is away while ciphertexts are fetched is asked for the same ones again",
  async (t) => {
    const asked = new Map<string, string[]>();
    const done = await attempt({
      consortium,
      bfv,
      options: {
        onPartyEffect: (id, effect) => {
          if (effect.type !== "verify" && effect.type !== "decrypt") return undefined;
          const work = inspect(effect, { depth: 6, maxArrayLength: null });
          const before = asked.get(`${id} ${effect.type}`) ?? [];
          asked.set(`${id} ${effect.type}`, [...before, work]);
          // Of half of them before they looked, of the others before they decrypted.
          const first = ids.indexOf(id) < 4 ? "verify" : "decrypt";
          if (effect.type === first && before.length === 0)
            throw new Refusal("unavailable", "cannot be reached");
          return undefined;
        },
      },
    });
    t.deepEqual(valuesOf(done), all);
    t.is(done.coordinator.phase, "closed");
    t.is([...asked.values()].filter((works) => works.length === 2).length, 8);
    for (const works of asked.values()) t.is(new Set(works).size, 1);
  },
);

test.serial(
  "a coordinator that stays away while ciphertexts are fetched loses the sum, and nobody else is blamed",
  async (t) => {
    const done = await attempt({
      consortium,
      bfv,
      options: {
        onPartyEffect: (_, effect) => {
          if (effect.type === "verify") throw new Refusal("unavailable", "cannot be reached");
          return undefined;
        },
      },
    });
    t.is(done.sum, undefined);
    t.is(done.coordinator.phase, "lost");
  },
);

test.serial("survivors that die while unmasking are made up for by the shares of the others", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: { dropsBefore: (id) => (id === a || id === b ? "unmask" : undefined) },
  });
  t.deepEqual(valuesOf(done), all);
});

for (const missed of ["survivors", "agreed"] as const)
  test.serial(`survivors that were away for "${missed}" are told, and release the sum`, async (t) => {
    const told = new Set<string>();
    const done = await attempt({
      consortium,
      bfv,
      options: {
        onWayDown(to, message) {
          const isLost = (to === a || to === b) && message.type === missed && !told.has(to);
          if (isLost) told.add(to);
          return isLost ? [] : [message];
        },
        // Five of eight are a quorum, and without those two there are four.
        onWayUp: (from, message) =>
          message.type === "released" && (from === c || from === ids[3]) ? [] : [message],
      },
    });
    t.is(told.size, 2);
    t.deepEqual(valuesOf(done), all);
    t.is(done.coordinator.phase, "closed");
  });

/** Two members' agreement never arrives, though they locked the step. */
const withoutAgreement =
  (...silent: readonly string[]) =>
  (from: string, message: PartyRoundMessage): readonly PartyRoundMessage[] =>
    message.type === "agree" && silent.includes(from) ? [] : [message];

test.serial(
  "a step agreed on in vain is lifted by T renounced, not by T − 1, and then has its one sum",
  async (t) => {
    const subject = smallSubject();
    const header = simulatedHeader(consortium, subject, ids);
    const onWayUp = withoutAgreement(a, b, c);
    const first = await simulateAttempt(header, consortium, { ...options, onWayUp });
    const end = first.coordinator;
    if (end.phase !== "aborted" || end.lift === undefined) return t.fail(end.phase);
    t.is(end.reason, "agreement_missing");
    const { lift } = end;
    t.is(new Set(lift.signatures.map(({ party }) => party)).size, 6);

    const opening = (signatures: typeof lift.signatures) => ({
      lifts: [{ ...lift, signatures }],
      evidence: new Uint8Array(),
    });
    const next = (lifts: typeof lift.signatures, number: number) =>
      simulateAttempt(simulatedHeader(consortium, subject, ids, number), consortium, {
        ...options,
        opening: opening(lifts),
      });
    for (const few of [[], lift.signatures.slice(1), [...lift.signatures.slice(1), lift.signatures[1]!]])
      t.is(endings(await next(few, 2))[a], "step_locked");
    const done = await next(lift.signatures, 3);
    t.deepEqual(valuesOf(done), all);
    // what was renounced is never unmasked: neither by those who said so
    const late = await simulateAttempt(header, consortium, options);
    t.is(endings(late)[lift.signatures[0]!.party], "round_replayed");
  },
);

test.serial(
  "nothing lifts a spent step: who unmasked does not renounce, after a restart either",
  async (t) => {
    const fresh = await consortiumOf(4, bfv, "spent");
    const subject = smallSubject();
    const own = smallOptions(fresh, bfv);
    // one of four unmasks, the other three never see that T agreed
    const first = await simulateAttempt(simulatedHeader(fresh, subject, partyIds(4)), fresh, {
      ...own,
      onWayDown: (to, message) => (message.type === "agreed" && to !== a ? [] : [message]),
    });
    const end = first.coordinator;
    if (end.phase !== "aborted" || end.lift === undefined) return t.fail(end.phase);
    t.false(end.lift.signatures.some(({ party }) => party === a));
    const opening = { lifts: [end.lift], evidence: new Uint8Array() };
    const header = simulatedHeader(fresh, subject, partyIds(4), 2);
    const second = await simulateAttempt(header, fresh, { ...own, opening });
    t.is(endings(second)[a], "step_spent");
    // T = 3 others may sum the step
    t.deepEqual(valuesOf(second), smallSum([1, 2, 3]));

    restartNode(fresh, a);
    const reasons: string[] = [];
    const third = await simulateAttempt(simulatedHeader(fresh, smallSubject(), partyIds(4)), fresh, {
      ...own,
      onWayDown: (to, message) =>
        to === a && message.type === "open" ? [{ type: "renounce", roundId: end.roundId }] : [message],
      onWayUp: (from, message) => {
        if (from === a && message.type === "refuse") reasons.push(message.reason);
        return [message];
      },
    });
    t.is(reasons[0], "step_spent");
    t.deepEqual(valuesOf(third), smallSum([1, 2, 3]));
  },
);

/** A new epoch of the consortium in which b shares other secrets than its own. */
async function dealtWrongBy(sharer: string): Promise<Consortium> {
  const { roster, parties, maxColluding } = consortium;
  const header = proposeEpoch(roster, { epoch: 2, members: ids, maxColluding, stepSeconds: 1 });
  const wrong = await splitSlots(
    {
      maskSecrets: Array.from({ length: 64 }, () => new Uint8Array(32).fill(7)),
      selfMaskSeeds: Array.from({ length: 64 }, () => new Uint8Array(32).fill(9)),
    },
    8,
    header.threshold,
  );
  const opened = await simulateOpening({
    roster,
    parties,
    header,
    bfv,
    onPrepared: (party, event) =>
      party === sharer ? { ...event, bundles: wrong.slice(0, event.bundles.length) } : event,
  });
  if (opened.coordinator.phase !== "ready") throw new Error(opened.coordinator.phase);
  const { epoch: open, hashes } = opened.coordinator;
  const { secrets, transcript } = opened;
  return { ...consortium, number: 2, epoch: { open, hashes, secrets, transcript }, slots: { next: 0 } };
}

test.serial(
  "a sharer that dealt wrong is named by its own signatures, and the others are summed again",
  async (t) => {
    const spoiled = await dealtWrongBy(b);
    for (const [when, survivors] of [
      ["submit", [0, 2, 3, 4, 5, 6, 7]],
      ["unmask", [0, 2, 3, 4, 5, 6, 7]],
    ] as const) {
      const contributed: string[] = [];
      const { attempts } = await simulateStep(spoiled, smallSubject(), ids, (number) => ({
        ...options,
        contribute(id) {
          contributed.push(id);
          return smallVector(ids.indexOf(id));
        },
        dropsBefore: (id) => (id === b && number === 1 ? when : undefined),
      }));
      const [first, second] = attempts;
      t.is(attempts.length, 2, when);
      t.like(first!.coordinator, { phase: "rerun", without: [b] });
      t.deepEqual(valuesOf(second), smallSum(survivors));
      // the vectors are those of the first attempt
      t.is(contributed.length, 8);

      const end = first!.coordinator;
      if (end.phase !== "rerun") return t.fail();
      const of = second!.parties.get(a)!;
      const spent = spentIn(of)[0]!;
      const judge = (text: string, by: SpentAttempt = spent) =>
        judgeEvidence("rerun", by, Buffer.from(text), consortium.roster).then(
          ([cohort]) => cohort!.includes(b),
          (error: unknown) => (error instanceof Refusal ? error.reason : "other"),
        );
      const text = Buffer.from(end.evidence).toString();
      t.false(await judge(text));
      // an innocent is named by nothing that the bank can make up
      t.is(await judge(text.replace(`"party":"${b}"`, `"party":"${c}"`)), "evidence_invalid");
      const forged = JSON.parse(text);
      const [sharer] = forged.sharers;
      if (when === "unmask") {
        const other = { ...sharer, commitment: digestOf("the bank says so") };
        t.is(await judge(JSON.stringify({ ...forged, sharers: [other] })), "evidence_invalid");
      }
      const fewer = { ...sharer, shares: sharer.shares.slice(1) };
      t.is(await judge(JSON.stringify({ ...forged, sharers: [fewer] })), "evidence_invalid");
      const [share, ...rest] = sharer.shares;
      const swapped = { ...sharer, shares: [{ ...share, share: rest[0].share }, ...rest] };
      t.is(await judge(JSON.stringify({ ...forged, sharers: [swapped] })), "evidence_invalid");
      t.is(await judge("{}"), "evidence_invalid");
    }
  },
);

/** Counts twice. */
const spoiling =
  (spoilers: readonly string[]) =>
  async (id: string, effect: Parameters<NonNullable<SimulationOptions["onPartyEffect"]>>[1]) => {
    if (effect.type !== "seal" || !spoilers.includes(id)) return undefined;
    const slots = quantize(effect.values, effect.packing);
    slots[0] = 2;
    addMasks(slots, effect.masks);
    const key = consortium.epoch.secrets.get(id)!.bfvKey;
    return { type: "sealed", roundId: effect.roundId, ciphertexts: await bfv.encrypt(key, slots) } as const;
  };

test.serial(
  "an invalid sum blames nobody: halves that nobody chose, same vectors, the failing half sits out",
  async (t) => {
    const places = new Set<boolean>();
    for (const spoiler of [a, b, c, ids[3]!, ids[4]!, ids[5]!]) {
      const contributed: string[] = [];
      const { attempts, out } = await simulateStep(consortium, smallSubject(), ids, () => ({
        ...options,
        contribute(id) {
          contributed.push(id);
          return smallVector(ids.indexOf(id));
        },
        onPartyEffect: spoiling([spoiler]),
      }));
      const split = attempts[0]!.coordinator;
      if (split.phase !== "split") return t.fail(split.phase);
      t.deepEqual(split.faults, []);
      t.deepEqual([...split.halves[0], ...split.halves[1]].sort(), ids);
      t.true(out.includes(spoiler));
      t.is(out.length, 4);
      t.is(contributed.length, 8);
      const last = attempts.at(-1)!;
      const good = ids.filter((id) => !out.includes(id));
      t.deepEqual(last.sum?.survivors, good);
      t.deepEqual(valuesOf(last), smallSum(good.map((id) => ids.indexOf(id))));
      places.add(split.halves[0].includes(spoiler));
      t.is(attempts.length, split.halves[0].includes(spoiler) ? 3 : 2);
      if (places.size === 2) break;
    }
  },
);

test.serial("halves: only those, only once, only for what a quorum found invalid", async (t) => {
  const subject = smallSubject();
  const header = simulatedHeader(consortium, subject, ids);
  const first = await simulateAttempt(header, consortium, { ...options, onPartyEffect: spoiling([a]) });
  const end = first.coordinator;
  if (end.phase !== "split") return t.fail(end.phase);
  const [half, other] = end.halves;
  const of = { kind: "half", of: end.roundId } as const;
  const next = async (cohort: readonly string[], evidence: Uint8Array, witness: string) =>
    endings(
      await simulateAttempt(simulatedHeader(consortium, subject, cohort, 2, of), consortium, {
        ...options,
        opening: { lifts: [], evidence },
        onPartyEffect: spoiling([a]),
      }),
    )[witness];
  const mixed = [...half.slice(0, 3), other[0]!].sort();
  t.is(await next(mixed, end.evidence, half[0]!), "evidence_invalid");
  const evidence = JSON.parse(Buffer.from(end.evidence).toString());
  const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
  t.is(
    await next(half, bytes({ ...evidence, invalid: evidence.invalid.slice(0, 4) }), half[0]!),
    "evidence_invalid",
  );
  t.is(
    await next(half, bytes({ ...evidence, seeds: evidence.seeds.slice(1) }), half[0]!),
    "evidence_invalid",
  );
  const [one, two, ...more] = evidence.seeds;
  const exchanged = [{ ...one, seed: two.seed }, { ...two, seed: one.seed }, ...more];
  t.is(await next(half, bytes({ ...evidence, seeds: exchanged }), half[0]!), "evidence_invalid");
  const good = half.includes(a) ? other : half;
  t.is(await next(good, end.evidence, good[0]!), "closed");
  t.is(await next(good, end.evidence, good[0]!), "step_spent");
});

test.serial("two spoilers, one a half, end it; so do too few to split", async (t) => {
  const subject = smallSubject();
  const seeds = ids.map((party) => ({ party, seed: new Uint8Array(32) }));
  t.is(halvesOf(seeds, 5), undefined);
  t.is(halvesOf(seeds, 4)?.[0].length, 4);
  const { attempts } = await simulateStep(consortium, { ...subject, minCohort: 5 }, ids, () => ({
    ...options,
    onPartyEffect: spoiling([a]),
  }));
  t.like(attempts.at(-1)!.coordinator, { phase: "lost", reason: "sum_invalid" });
  t.is(attempts.length, 1);

  const everyone = await simulateStep(consortium, smallSubject(), ids, () => ({
    ...options,
    onPartyEffect: spoiling(ids),
  }));
  t.is(everyone.attempts.length, 3);
  t.like(everyone.attempts.at(-1)!.coordinator, { phase: "lost", reason: "sum_invalid" });
});
