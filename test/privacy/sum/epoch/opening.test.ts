import test from "ava";
import { digestOf } from "../../../../core/canonical.ts";
import { x25519Pair } from "../../../../privacy/identity.ts";
import type { Bfv } from "../../../../privacy/sum/encryption/bfv.ts";
import { openingIdOf } from "../../../../privacy/sum/epoch/header.ts";
import { keyOfSlot, keysBySlot } from "../../../../privacy/sum/epoch/secrets.ts";
import { combineSlot, shareHash } from "../../../../privacy/sum/epoch/sharing.ts";
import { foundEpoch } from "../../../../privacy/sum/epoch/simulation.ts";
import { epochDigestOf, isConfirmedByAll, viewOf } from "../../../../privacy/sum/epoch/transcript.ts";
import type { Consortium } from "../../../../privacy/sum/simulation.ts";
import { failureOf, Listener, opening, proposalOf } from "../../../support/key-epoch.ts";
import { closeBfv, consortiumOf, sharedBfv } from "../../../support/sealed-sum.ts";

let bfv: Bfv;
let five: Consortium;
test.before(async () => {
  bfv = await sharedBfv();
  five = await consortiumOf(5, bfv);
});
test.after.always(closeBfv);

// above 64 members the graph is no longer complete
for (const n of process.env.SLOW ? [3, 5, 66] : [3, 5])
  test(`${n} members open one epoch: digest, graph and key are everyone's, secrets each one's own`, async (t) => {
    const { roster, parties } = await consortiumOf(n, bfv);
    const { open, secrets, hashes } = await foundEpoch({ roster, parties, maxColluding: 1, bfv });
    t.is(secrets.size, n);
    t.is(open.digest, epochDigestOf(open.transcript));
    t.is(open.transcript.opening, openingIdOf(open.header));
    t.true(isConfirmedByAll(open.digest, open.header.members, open.confirmations, roster));
    const slot = 63;
    const taken = new Map([...secrets].map(([id, mine]) => [id, mine.take(slot, digestOf("round"))]));
    for (const [id, mine] of secrets) {
      t.is(mine.epoch.digest, open.digest);
      t.deepEqual(mine.epoch.neighbours, open.neighbours);
      t.is(digestOf(mine.bfvKey), open.commitment);
      const { maskSecret, selfMaskSeed, held } = taken.get(id)!;
      t.deepEqual(
        Buffer.from(x25519Pair(maskSecret).publicKey),
        Buffer.from(keyOfSlot(open.maskKeys.get(id)!, slot)),
      );
      t.deepEqual([...held.keys()], [...open.neighbours.get(id)!]);
      for (const [sharer, shares] of held)
        for (const kind of ["maskSecret", "selfMask"] as const) {
          const place = { view: viewOf(open.transcript), sharer, holder: id };
          const signed = hashes.hashOf(sharer, id, slot, kind)!;
          t.deepEqual(Buffer.from(shareHash(place, slot, kind, shares[kind])), Buffer.from(signed));
        }
      const from = open.neighbours.get(id)!.map((holder) => taken.get(holder)!.held.get(id)!);
      const { threshold } = open.header;
      if (from.length < threshold) continue;
      const last = from.slice(-threshold);
      t.deepEqual(
        Buffer.from(
          await combineSlot(
            last.map((s) => s.maskSecret),
            threshold,
          ),
        ),
        Buffer.from(maskSecret),
      );
      t.deepEqual(
        Buffer.from(
          await combineSlot(
            last.map((s) => s.selfMask),
            threshold,
          ),
        ),
        Buffer.from(selfMaskSeed),
      );
      const few = last.slice(1).map((s) => s.selfMask);
      t.like(await t.throwsAsync(combineSlot(few, threshold)), { reason: "share_invalid" });
    }
  });

test("every secret of every member is its own, slot by slot", async (t) => {
  const { roster, parties } = five;
  const { open } = await foundEpoch({ roster, parties, maxColluding: 1, bfv });
  const keys = [...open.maskKeys.values()].flatMap(keysBySlot).map((key) => Buffer.from(key).toString("hex"));
  t.is(keys.length, 5 * 64);
  t.is(new Set(keys).size, keys.length);
});

test("another epoch of the same members has other keys", async (t) => {
  const { roster, parties } = five;
  const first = await foundEpoch({ roster, parties, maxColluding: 1, bfv, epoch: 1 });
  const second = await foundEpoch({ roster, parties, maxColluding: 1, bfv, epoch: 2 });
  const keys = [first, second].flatMap(({ open }) => [...open.maskKeys.values()].flatMap(keysBySlot));
  t.is(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size, 2 * 5 * 64);
  t.not(first.open.digest, second.open.digest);
  t.not(first.open.commitment, second.open.commitment);
});

test("with seeded members all up to the graph is a vector", async (t) => {
  const listener = new Listener();
  const consortium = await consortiumOf(5, bfv, "vector");
  const run = await opening(consortium, {
    onWayDown: (_, message) => {
      listener.hear(message);
      return [message];
    },
  });
  t.is(run.coordinator.phase, "ready");
  t.deepEqual(
    [run.coordinator.opening, listener.view, listener.dealer],
    [
      "500ee8967f401a3a060708ae95667f9f4c06669a20d4fa7fb999dfde3d83822e",
      "63f388997226c789ea89f3e69d1b995daf8ad33cb1ce0e8e8c2ee6a944c7f2cd",
      "party-003",
    ],
  );
});

test("who is silent at any step is left out, not named; the others are told", async (t) => {
  const silentAt = ["joinEpoch", "epochNonce", "shareEpoch", "confirmEpoch"] as const;
  for (const type of silentAt) {
    const run = await opening(five, {
      onWayUp: (from, message) => (from === "party-003" && message.type === type ? [] : [message]),
    });
    const { reason, leftOut } = failureOf(run);
    t.is(reason, "party_late", type);
    t.like(leftOut, [{ party: "party-003", named: false }], type);
    t.is(leftOut.length, 1);
    t.is(run.secrets.size, 0);
    for (const state of run.parties.values()) t.like(state, { phase: "failed", reason: "party_late" }, type);
  }
});

test("who goes at any step is left out at once", async (t) => {
  for (const type of ["joinEpoch", "epochNonce", "shareEpoch", "confirmEpoch"] as const) {
    const run = await opening(five, { dropsBefore: (id) => (id === "party-001" ? type : undefined) });
    const { reason, leftOut } = failureOf(run);
    t.is(reason, "party_gone", type);
    t.like(leftOut, [{ party: "party-001", named: false }], type);
  }
});

test("a member that refuses is left out, with its reason told", async (t) => {
  const run = await opening(five, {
    facts: (id) => ({ maxColluding: id === "party-002" ? 2 : 1, lastEpoch: 0 }),
  });
  const { reason, detail, leftOut } = failureOf(run);
  t.is(reason, "party_refused");
  t.regex(detail, /policy_refuses: maxColluding is at least 2/);
  t.like(leftOut, [{ party: "party-002", named: false }]);
});

test("a member gives up an opening of which it hears nothing more", async (t) => {
  const run = await opening(five, {
    onWayDown: (to, message) =>
      to === "party-004" && (message.type === "epochReady" || message.type === "epochFailed")
        ? []
        : [message],
  });
  t.is(run.coordinator.phase, "ready");
  t.like(run.parties.get("party-004"), { phase: "failed", reason: "deadline" });
  t.is(run.secrets.size, 4);
});

test("after a failure the next epoch opens without who is left out, and nothing of the first is used", async (t) => {
  const first = await opening(five, { dropsBefore: (id) => (id === "party-001" ? "shareEpoch" : undefined) });
  const [{ party } = { party: "" }] = failureOf(first).leftOut;
  const members = [...five.parties.keys()].filter((id) => id !== party);
  const second = await opening(five, { header: proposalOf(five, { epoch: 2, members }) });
  t.is(second.coordinator.phase, "ready");
  t.deepEqual([...second.secrets.keys()].sort(), members);
});
