/** The bank attacks: each defence is met by an attack, and the attack succeeds where the defence is taken out. */
import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import { seededRandom } from "../../../core/random.ts";
import { type Bfv, chunkCount } from "../../../privacy/sum/encryption/bfv.ts";
import type { EpochSecrets } from "../../../privacy/sum/epoch/secrets.ts";
import type { RoundHeader } from "../../../privacy/sum/header.ts";
import { planPacking, quantize, T } from "../../../privacy/sum/layout.ts";
import { addMasks } from "../../../privacy/sum/mask.ts";
import type {
  Aggregate,
  CoordinatorRoundMessage,
  PartyRoundMessage,
  PartySignature,
} from "../../../privacy/sum/messages.ts";
import { checkAggregate } from "../../../privacy/sum/party/checks.ts";
import type { LocalFacts, PartyState } from "../../../privacy/sum/party/party.ts";
import { maskKeyOf, pairMask, partnersOf, selfMask } from "../../../privacy/sum/round-masks.ts";
import {
  type Consortium,
  renewEpoch,
  simulateAttempt,
  simulatedHeader,
  willingFacts,
} from "../../../privacy/sum/simulation.ts";
import { honestCheckers, spotCheck } from "../../../privacy/sum/spot-check.ts";
import { signStatement, submissionDigest, sumDigest, sumSalt } from "../../../privacy/sum/statements.ts";
import {
  attempt,
  closeBfv,
  consortiumOf,
  endings,
  partyIds,
  sharedBfv,
  smallLayout,
  smallOptions,
  smallSubject,
  smallSum,
  smallVector,
} from "../../support/sealed-sum.ts";

test.after.always(closeBfv);

let bfv: Bfv;
let consortium: Consortium;
test.before(async () => {
  bfv = await sharedBfv();
  // T = 3 of 4
  consortium = await consortiumOf(4, bfv);
});
const ids = partyIds(4);
const [a, b, c, d] = ids as [string, string, string, string];

type Down<Type> = Extract<CoordinatorRoundMessage, { readonly type: Type }>;

/** Rewrites one kind of the coordinator's messages. */
const tampering =
  <Type extends CoordinatorRoundMessage["type"]>(
    type: Type,
    rewrite: (message: Down<Type>, to: string) => readonly CoordinatorRoundMessage[],
  ) =>
  (to: string, message: CoordinatorRoundMessage): readonly CoordinatorRoundMessage[] =>
    message.type === type ? rewrite(message as Down<Type>, to) : [message];

const valuesOf = (done: {
  readonly sum?: { readonly sum: { readonly values: Float64Array } } | undefined;
}) => [...(done.sum?.sum.values ?? [])];

test.serial(
  "a second sum of a step, without the victim, would be its vector: the step is spent",
  async (t) => {
    const study = digestOf("summed twice");
    const first = await attempt({ consortium, bfv, subject: { study } });
    const again = { consortium, bfv, subject: { study }, cohort: [a, b, c], attempt: 2 };
    const second = await attempt(again);
    t.deepEqual(
      [a, b, c, d].map((id) => endings(second)[id]),
      new Array(4).fill("step_spent"),
    );
    t.is(second.sum, undefined);

    // the control: nodes that remember nothing
    const forgetful = (party: string, header: RoundHeader): LocalFacts => ({
      ...willingFacts(header, consortium, party),
      step: { locked: undefined, spent: undefined },
    });
    const third = await attempt({ ...again, options: { facts: forgetful } });
    const victim = valuesOf(first).map((x, i) => x - valuesOf(third)[i]!);
    t.deepEqual(victim, [...smallVector(3)]);
  },
);

test.serial("a sum that was unmasked and never released is spent all the same", async (t) => {
  const study = digestOf("unmasked only");
  const first = await attempt({
    consortium,
    bfv,
    subject: { study },
    options: { onWayDown: tampering("aggregate", () => []) },
  });
  t.is(first.sum, undefined);
  const second = await attempt({ consortium, bfv, subject: { study }, cohort: [a, b, c], attempt: 2 });
  t.is(endings(second)[a], "step_spent");
});

/** Nodes that take the header's word for T. */
const credulous = (party: string, header: RoundHeader): LocalFacts => {
  const facts = willingFacts(header, consortium, party);
  const secrets = facts.epoch!;
  const epoch = { ...secrets.epoch, header: { ...secrets.epoch.header, threshold: header.threshold } };
  const take: EpochSecrets["take"] = (slot, roundId) => secrets.take(slot, roundId);
  return { ...facts, epoch: { epoch, bfvKey: secrets.bfvKey, take } as EpochSecrets };
};

/** Shows c and d another survivor list than a and b, and everyone all signatures. */
function splitView() {
  const signatures: PartySignature[] = [];
  const kinds = new Set<string>();
  const asked = new Set<string>();
  return {
    kinds,
    onWayUp: (from: string, message: PartyRoundMessage) => {
      if (message.type === "agree") signatures.push({ party: from, signature: message.signature });
      if (message.type === "unmask") {
        if (message.selfMask.some(({ party }) => party === d)) kinds.add("selfMask");
        if (message.maskSecret.some(({ party }) => party === d)) kinds.add("maskSecret");
      }
      return [message];
    },
    onWayDown: (to: string, message: CoordinatorRoundMessage): readonly CoordinatorRoundMessage[] => {
      if ((message.type === "renounce" || message.type === "closed") && !asked.has(to)) {
        asked.add(to);
        return [{ type: "agreed", roundId: message.roundId, signatures }];
      }
      if (message.type !== "survivors" || to === a || to === b) return [message];
      return [{ ...message, survivors: message.survivors.filter(({ party }) => party !== d) }];
    },
  };
}

test.serial("two survivor lists: all signatures together are too few for either", async (t) => {
  const { kinds, ...bank } = splitView();
  const done = await attempt({ consortium, bfv, options: bank });
  t.deepEqual(Object.values(endings(done)), new Array(4).fill("agreement_missing"));
  t.deepEqual([...kinds], []);

  // the control: T of the header's own choice, and both kinds of share of one party leave
  const header = { ...simulatedHeader(consortium, smallSubject(), ids), threshold: 2 };
  const { kinds: shown, ...again } = splitView();
  const options = { ...smallOptions(consortium, bfv), ...again, facts: credulous };
  // the coordinator's own machine counts on T = 2, too
  await simulateAttempt(header, consortium, options);
  t.deepEqual([...shown].sort(), ["maskSecret", "selfMask"]);
});

test.serial("T, members, minCohort and epoch are those that all members signed", async (t) => {
  const of = async (change: Partial<RoundHeader>, facts?: (id: string, h: RoundHeader) => LocalFacts) => {
    const header = { ...simulatedHeader(consortium, smallSubject(), ids), ...change };
    const options = { ...smallOptions(consortium, bfv), ...(facts && { facts }) };
    return endings(await simulateAttempt(header, consortium, options))[a];
  };
  t.is(await of({ threshold: 2 }), "threshold_mismatch");
  t.is(await of({ minCohort: 2 }), "cohort_too_small");
  // a is in the epoch that all signed, b is shown another: neither can be told that it is the other's
  const other = await renewEpoch(consortium, bfv);
  const elsewhere = (id: string, header: RoundHeader): LocalFacts => ({
    ...willingFacts(header, consortium, id),
    epoch: id === a ? other.epoch.secrets.get(a) : consortium.epoch.secrets.get(id),
  });
  t.is(await of({}, elsewhere), "epoch_mismatch");
  t.is(await of({}), "closed");
});

test.serial(
  "forged drop-out: without its self mask's shares, what a party submitted stays uniform",
  async (t) => {
    const { open, secrets } = consortium.epoch;
    const header = simulatedHeader(consortium, smallSubject(), ids);
    const before = new Map(ids.map((id) => [id, secrets.get(id)!]));
    let victim: { chunks: readonly string[]; roundId: string } | undefined;
    let revealed: Aggregate | undefined;
    let seed: Uint8Array | undefined;
    const done = await simulateAttempt(header, consortium, {
      ...smallOptions(consortium, bfv),
      facts(id, of) {
        const facts = willingFacts(of, consortium, id);
        const take: EpochSecrets["take"] = (slot, roundId) => {
          const taken = before.get(id)!.take(slot, roundId);
          if (id === d) seed = taken.selfMaskSeed.slice();
          return taken;
        };
        return { ...facts, epoch: { epoch: open, bfvKey: before.get(id)!.bfvKey, take } as EpochSecrets };
      },
      onWayUp: (from, message) => {
        if (from !== d || message.type !== "submit") return [message];
        victim = message;
        return [];
      },
      onWayDown: (_, message) => {
        if (message.type === "aggregate") revealed = message;
        return [message];
      },
    });
    t.deepEqual(valuesOf(done), smallSum([0, 1, 2]));
    // the bank has a friend with the key, the mask secret of the "missing", and its ciphertext
    const { roundId, chunks } = victim!;
    const packing = planPacking(smallLayout, 4);
    const slots = await bfv.decrypt(
      before.get(a)!.bfvKey,
      chunks.map((digest) => done.blobs.get(digest)!),
      packing.slots,
    );
    const { maskSecret } = revealed!.secrets.find(({ party }) => party === d)!;
    const pairs = partnersOf(open, header, d).map((party) =>
      pairMask(roundId, { party: d, maskSecret }, { party, maskKey: maskKeyOf(open, header, party) }),
    );
    const negative = (terms: typeof pairs) => terms.map((term) => ({ ...term, sign: -term.sign as 1 | -1 }));
    addMasks(slots, negative(pairs));
    const vector = quantize(smallVector(3), packing);
    t.true(slots.every((slot, i) => slot !== vector[i]));
    t.true(Math.max(...slots) > T / 2 ** 10);

    // the control: with the other kind of share as well, it is the vector
    addMasks(slots, negative([selfMask(roundId, seed!)]));
    t.deepEqual([...slots], [...vector]);
  },
);

test.serial(
  "both kinds of share: a second survivor list is refused, before and after unmasking",
  async (t) => {
    for (const when of ["survivors", "agreed"] as const) {
      let list: Down<"survivors"> | undefined;
      const done = await attempt({
        consortium,
        bfv,
        options: {
          onWayDown: (to, message) => {
            if (message.type === "survivors") list = message;
            if (message.type !== when || to !== a || list === undefined) return [message];
            const other = { ...list, survivors: list.survivors.filter(({ party }) => party !== b) };
            return [message, other];
          },
        },
      });
      t.is(endings(done)[a], "share_conflict", when);
    }
  },
);

/** What a bank can add to a ciphertext without a key: 1 to the first entry. */
async function plusOne(blob: Uint8Array): Promise<Uint8Array> {
  const sum = bfv.openSum(1);
  await sum.add([{ index: 0, ciphertext: blob }]);
  await sum.subtract(Float64Array.from([0, T - 1]));
  const [altered] = await sum.finish();
  return altered!;
}

test.serial("an aggregate with something added is refused, and is what the node writes down", async (t) => {
  const done = await attempt({ consortium, bfv, options: { onAggregate: plusOne } });
  t.deepEqual(Object.values(endings(done)), new Array(4).fill("aggregate_invalid"));
  t.is(done.sum, undefined);
  t.like(done.partyRecords.get(a)?.at(-1), { kind: "altered", altered: [0] });

  // the control: whoever does not recompute releases it, and the count fits
  const blind = await attempt({
    consortium,
    bfv,
    options: {
      onAggregate: plusOne,
      onPartyEffect: (_, effect) =>
        effect.type === "verify" ? { type: "verified", roundId: effect.roundId, altered: [] } : undefined,
    },
  });
  const [n, ...rest] = smallSum([0, 1, 2, 3]);
  t.deepEqual(valuesOf(blind), [n! + 1, ...rest]);
});

test.serial(
  "a survivor that was cut off cannot be given another ciphertext: its signature is looked at",
  async (t) => {
    let aggregate: Aggregate | undefined;
    let state: PartyState | undefined;
    await attempt({
      consortium,
      bfv,
      options: {
        dropsBefore: (id) => (id === d ? "agree" : undefined),
        onWayDown: (to, message) => {
          if (message.type === "aggregate" && to === a) {
            aggregate = message;
            state = consortium.nodes.get(a)!.state;
          }
          return [message];
        },
      },
    });
    if (state?.phase !== "unmasked" || aggregate === undefined) return t.fail();
    const { attempt: of, spent, agreed } = state;
    const context = consortium.parties.get(a)!;
    const chunks = [digestOf("a ciphertext of the bank's")];
    const digest = submissionDigest(chunks);
    const survivors = spent.survivors.map((entry) => (entry.party === d ? { ...entry, digest } : entry));
    const { commitment } = survivors.at(-1)!;
    const shown = (signature: Uint8Array): Aggregate => ({
      ...aggregate!,
      submissions: aggregate!.submissions.map((entry) =>
        entry.party === d ? { party: d, chunks, signature } : entry,
      ),
    });
    const own = aggregate.submissions.at(-1)!.signature;
    t.notThrows(() => checkAggregate(aggregate!, spent.survivors, agreed, of, context));
    t.like(
      t.throws(() => checkAggregate(shown(own), survivors, agreed, of, context)),
      { reason: "aggregate_invalid" },
    );
    // the control: its own signature over it
    const statement = { purpose: "submit", digest, commitment } as const;
    const signed = signStatement(of.roundId, d, statement, consortium.parties.get(d)!.identity);
    t.notThrows(() => checkAggregate(shown(signed), survivors, agreed, of, context));
    // those who signed the list signed for their own ciphertexts in it; the one that was cut off did not
    t.deepEqual([...agreed].sort(), [a, b, c]);
    const unsigned = (who: string): Aggregate => ({
      ...aggregate!,
      submissions: aggregate!.submissions.map((entry) =>
        entry.party === who ? { ...entry, signature: new Uint8Array(64) } : entry,
      ),
    });
    t.notThrows(() => checkAggregate(unsigned(b), spent.survivors, agreed, of, context));
    t.throws(() => checkAggregate(unsigned(d), spent.survivors, agreed, of, context));
  },
);

test.serial("seeds, secrets and ciphertexts other than those agreed on are refused", async (t) => {
  const shown = async (rewrite: (message: Aggregate) => Aggregate) =>
    endings(
      await attempt({
        consortium,
        bfv,
        options: {
          dropsBefore: (id) => (id === d ? "submit" : undefined),
          onWayDown: tampering("aggregate", (message, to) => [to === a ? rewrite(message) : message]),
        },
      }),
    )[a];
  const zeros = new Uint8Array(32);
  for (const rewrite of [
    (m: Aggregate) => ({ ...m, seeds: m.seeds.map((s) => (s.party === b ? { ...s, seed: zeros } : s)) }),
    (m: Aggregate) => ({ ...m, seeds: m.seeds.slice(1) }),
    (m: Aggregate) => ({ ...m, secrets: [] }),
    (m: Aggregate) => ({ ...m, secrets: [{ party: d, maskSecret: zeros }] }),
    (m: Aggregate) => ({ ...m, submissions: m.submissions.slice(1) }),
    (m: Aggregate) => ({ ...m, chunks: [...m.chunks, ...m.chunks] }),
    (m: Aggregate) => ({
      ...m,
      submissions: m.submissions.map((s, i) => (i === 1 ? { ...s, chunks: m.chunks } : s)),
    }),
  ])
    t.is(await shown(rewrite), "aggregate_invalid");
  t.is(await shown((m) => m), "closed");
});

test("an altered chunk escapes everybody that must sign with probability at most 2^-20", (t) => {
  const random = seededRandom("spot checks");
  for (const [survivors, colluding] of [
    [10, 1],
    [100, 1],
    [1000, 250],
  ] as const) {
    const honest = honestCheckers(survivors, colluding);
    const chunks = 20_000;
    const p = spotCheck(chunks, 0, honest, random).length / chunks;
    const expected = 1 - 2 ** (-20 / honest);
    t.true(Math.abs(p - expected) < 5 * Math.sqrt((expected * (1 - expected)) / chunks) + 1e-9);
    t.true((1 - expected) ** honest <= 2 ** -20 * (1 + 1e-9));
  }
  t.deepEqual(spotCheck(5, 5, 1000, random), [0, 1, 2, 3, 4]);
});

test.serial(
  "replay: neither an attempt that the ledger knows, nor a slot under another roundId",
  async (t) => {
    const header = simulatedHeader(consortium, smallSubject(), ids);
    const options = smallOptions(consortium, bfv);
    const first = await simulateAttempt(header, consortium, options);
    t.is(endings(first)[a], "closed");
    for (const id of ids) consortium.nodes.get(id)!.state = { phase: "idle" };
    t.is(endings(await simulateAttempt(header, consortium, options))[a], "round_replayed");
    const reused = { ...header, study: digestOf("another"), attempt: 2 };
    t.is(endings(await simulateAttempt(reused, consortium, options))[a], "slot_spent");
    // the control: the next slot
    const fresh = simulatedHeader(consortium, { ...smallSubject(), study: digestOf("another") }, ids);
    t.is(endings(await simulateAttempt(fresh, consortium, options))[a], "closed");
  },
);

test.serial("subset sum: a survivor list below minCohort is refused", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: {
      onWayDown: tampering("survivors", (message) => [
        { ...message, survivors: message.survivors.slice(0, 2) },
      ]),
    },
  });
  t.is(done.sum, undefined);
  for (const id of [a, b]) t.false(done.partyEffects.get(id)!.includes("lock"));
  const { coordinator } = done;
  const faults = "faults" in coordinator ? coordinator.faults : [];
  t.true(faults.some(({ party, detail }) => party === a && detail === "too_few_survivors"));
});

test("digests of a sum cannot be tried without the salt", (t) => {
  const sum = new Uint8Array([1, 0, 0, 0, 0, 0]);
  const seeds = (byte: number) => ({ seeds: [{ party: a, seed: new Uint8Array(32).fill(byte) }] });
  const roundId = digestOf("round");
  const salt = sumSalt(roundId, seeds(1));
  t.is(sumDigest(salt, sum), sumDigest(sumSalt(roundId, seeds(1)), sum));
  t.not(sumDigest(salt, sum), sumDigest(sumSalt(roundId, seeds(2)), sum));
  t.not(sumDigest(salt, sum), sumDigest(sumSalt(digestOf("x"), seeds(1)), sum));
  t.is(chunkCount(planPacking(smallLayout, 4).slots), 1);
});
