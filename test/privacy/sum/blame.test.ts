/** A party attacks: it is named by evidence, or nobody is, and the sum is what it would have been. */
import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import type { CoordinatorState } from "../../../privacy/sum/coordinator/coordinator.ts";
import type { Bfv } from "../../../privacy/sum/encryption/bfv.ts";
import type { PartyRoundMessage, Released, Unmask } from "../../../privacy/sum/messages.ts";
import type { Consortium, SimulationOptions } from "../../../privacy/sum/simulation.ts";
import {
  revealedDigest,
  type Statement,
  signStatement,
  survivorsDigest,
  unmaskingDigest,
} from "../../../privacy/sum/statements.ts";
import { attempt, closeBfv, consortiumOf, partyIds, sharedBfv, smallSum } from "../../support/sealed-sum.ts";

test.after.always(closeBfv);

let bfv: Bfv;
/** T = 6 of 8: two may drop out. */
let consortium: Consortium;
test.before(async () => {
  bfv = await sharedBfv();
  consortium = await consortiumOf(8, bfv);
});
const ids = partyIds(8);
const [a, b, c] = ids as [string, string, string];
const all = smallSum([0, 1, 2, 3, 4, 5, 6, 7]);
const without = (index: number) => smallSum([0, 1, 2, 3, 4, 5, 6, 7].filter((i) => i !== index));

type Up<Type> = Extract<PartyRoundMessage, { readonly type: Type }>;

/** Rewrites one kind of one party's messages. */
const lying =
  <Type extends PartyRoundMessage["type"]>(
    party: string,
    type: Type,
    rewrite: (message: Up<Type>) => readonly PartyRoundMessage[],
  ) =>
  (from: string, message: PartyRoundMessage): readonly PartyRoundMessage[] =>
    from === party && message.type === type ? rewrite(message as Up<Type>) : [message];

const sign = (roundId: string, party: string, statement: Statement): Uint8Array =>
  signStatement(roundId, party, statement, consortium.parties.get(party)!.identity);

const faultsOf = (state: CoordinatorState): string[] =>
  ("round" in state ? state.round.faults : state.faults).map(({ party, reason }) => `${party} ${reason}`);

const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte));

/** Runs one attempt over eight. */
async function play(options: Partial<SimulationOptions>) {
  const done = await attempt({ consortium, bfv, options });
  return { values: [...(done.sum?.sum.values ?? [])], faults: faultsOf(done.coordinator), done };
}

test.serial("a submission that is not signed, or not what it says, costs its party its place", async (t) => {
  for (const [reason, rewrite] of [
    ["signature_invalid", (m: Up<"submit">) => ({ ...m, signature: flipped(m.signature) })],
    ["signature_invalid", (m: Up<"submit">) => ({ ...m, commitment: digestOf("x") })],
    ["digest_mismatch", (m: Up<"submit">) => ({ ...m, chunks: [digestOf("x")] })],
  ] as const) {
    const { values, faults } = await play({ onWayUp: lying(b, "submit", (m) => [rewrite(m)]) });
    t.is(faults[0], `${b} ${reason}`);
    t.deepEqual(values, without(1));
  }
  const uploads = await play({ onUpload: (from, blob) => (from === b ? flipped(blob) : blob) });
  t.is(uploads.faults[0], `${b} not_found`);
  t.deepEqual(uploads.values, without(1));
});

test.serial(
  "silence at any step costs one deadline, and the party its place where it did not submit",
  async (t) => {
    for (const type of ["submit", "agree", "unmask", "released"] as const) {
      const { values, faults } = await play({ onWayUp: lying(b, type, () => []) });
      t.deepEqual(values, type === "submit" ? without(1) : all, type);
      t.is(faults[0], type === "released" ? undefined : `${b} party_late`, type);
      t.true(
        faults.every((fault) => fault.startsWith(b)),
        type,
      );
    }
    const first = await play({ onWayUp: lying(a, "released", () => []) });
    t.deepEqual(first.faults, [`${a} party_late`]);
    t.deepEqual(first.values, all);
  },
);

/** Signs again what it changed. */
const resigned = (party: string, message: Unmask, change: Partial<Unmask>): Unmask => {
  const next = { ...message, ...change };
  const revealed = revealedDigest(next);
  return { ...next, signature: sign(message.roundId, party, { purpose: "unmask", revealed }) };
};

test.serial(
  "a wrong share names the holder that signed it, and the others' rebuild the secret",
  async (t) => {
    const { values, faults } = await play({
      dropsBefore: (id) => (id === c ? "unmask" : undefined),
      onWayUp: lying(b, "unmask", (m) => [
        resigned(b, m, { selfMask: m.selfMask.map((s) => ({ ...s, share: flipped(s.share) })) }),
      ]),
    });
    t.deepEqual(values, all);
    t.true(faults.includes(`${b} share_invalid`));
    t.false(faults.includes(`${c} share_invalid`));

    const seed = await play({
      onWayUp: lying(b, "unmask", (m) => [resigned(b, m, { selfMaskSeed: flipped(m.selfMaskSeed) })]),
    });
    t.deepEqual(seed.values, all);
    t.deepEqual(seed.faults, [`${b} share_invalid`]);
  },
);

test.serial("a share that was not asked for, or no signature, takes the whole message out", async (t) => {
  for (const [reason, rewrite] of [
    ["signature_invalid", (m: Unmask) => ({ ...m, signature: flipped(m.signature) })],
    ["share_conflict", (m: Unmask) => resigned(b, m, { maskSecret: m.selfMask })],
    ["share_conflict", (m: Unmask) => resigned(b, m, { selfMask: [...m.selfMask, ...m.selfMask] })],
  ] as const) {
    const { values, faults } = await play({ onWayUp: lying(b, "unmask", (m) => [rewrite(m)]) });
    t.deepEqual(faults, [`${b} ${reason}`]);
    t.deepEqual(values, all);
  }
});

test.serial("a lying first releaser is named, and another gives the sum in the same attempt", async (t) => {
  for (const [name, rewrite] of Object.entries({
    "another sum than signed": (m: Released) => ({ ...m, sum: flipped(m.sum) }),
    "a sum cut short": (m: Released) => ({ ...m, sum: m.sum.subarray(6) }),
    "no sum": (m: Released) => ({ ...m, sum: new Uint8Array() }),
    "no signature": (m: Released) => ({ ...m, signature: flipped(m.signature) }),
  })) {
    const { values, faults } = await play({ onWayUp: lying(a, "released", (m) => [rewrite(m)]) });
    t.deepEqual(values, all, name);
    t.regex(faults.join(), new RegExp(a), name);
  }
});

/** Everything that a release of these says, to be said of another digest. */
async function otherRelease(liars: readonly string[]) {
  const { done, values, faults } = await play({
    onWayUp: (from, message) => {
      if (message.type !== "released" || !liars.includes(from)) return [message];
      const node = consortium.nodes.get(from)!.state;
      if (node.phase !== "released") throw new Error(node.phase);
      const digest = digestOf("another sum");
      const said = {
        survivors: survivorsDigest(node.spent.survivors),
        unmasking: unmaskingDigest(node.aggregate),
        aggregate: message.aggregate,
      };
      const signature = sign(message.roundId, from, { purpose: "release", ...said, digest });
      return [{ ...message, digest, signature, sum: new Uint8Array() }];
    },
  });
  return { done, values, faults };
}

test.serial(
  "a digest of another sum is named; without a quorum the sum is lost, and nobody is believed",
  async (t) => {
    const one = await otherRelease([b]);
    t.deepEqual(one.values, all);
    t.deepEqual(one.faults, [`${b} digest_mismatch`]);
    // quorum is 5 of 8
    const four = await otherRelease(ids.slice(0, 4));
    t.is(four.done.sum, undefined);
    t.like(four.done.coordinator, { phase: "lost", reason: "round_lost" });
  },
);

test.serial("duplicate: the same again changes nothing, another submission is named", async (t) => {
  const same = await play({ onWayUp: (_, m) => [m, m] });
  t.deepEqual(same.values, all);
  t.deepEqual(same.faults, []);
  const other = await play({
    onWayUp: lying(b, "submit", (m) => {
      const commitment = digestOf("another seed");
      const signature = sign(m.roundId, b, { purpose: "submit", digest: m.digest, commitment });
      return [m, { ...m, commitment, signature }];
    }),
  });
  t.is(other.faults[0], `${b} message_unexpected`);
  t.deepEqual(other.values, all);
});

test.serial("a step ahead is named; an accusation without evidence costs the accuser alone", async (t) => {
  const ahead = await play({
    onWayUp: lying(b, "submit", (m) => [{ type: "agree", roundId: m.roundId, signature: m.signature }]),
  });
  t.is(ahead.faults[0], `${b} message_unexpected`);
  t.deepEqual(ahead.values, without(1));
  const accusers = [a, b];
  const accused = await play({
    onWayUp: (from, m) => {
      if (m.type !== "submit" || !accusers.includes(from)) return [m];
      const said = { reason: "share_invalid", detail: "" } as const;
      const signature = sign(m.roundId, from, { purpose: "refuse", accused: c, ...said });
      return [{ type: "refuse", roundId: m.roundId, party: c, ...said, signature }];
    },
  });
  t.deepEqual(accused.faults, [`${a} party_refused`, `${b} party_refused`]);
  t.deepEqual(accused.values, smallSum([2, 3, 4, 5, 6, 7]));
});

test.serial("the coordinator's messages said twice get the same answer twice", async (t) => {
  const said = new Map<string, Set<string>>();
  const { values } = await play({
    onWayDown: (_, m) => [m, m],
    onWayUp: (from, m) => {
      const key = `${from} ${m.type}`;
      said.set(key, (said.get(key) ?? new Set()).add(JSON.stringify(m)));
      return [m];
    },
  });
  t.deepEqual(values, all);
  t.true([...said.values()].every((answers) => answers.size === 1));
});
