import test from "ava";
import { canonicalBytes, digestOf } from "../../../core/canonical.ts";
import { signFor } from "../../../privacy/identity.ts";
import type { Bfv } from "../../../privacy/sum/encryption/bfv.ts";
import {
  acceptEpochKey,
  checkConfirmation,
  dealEpoch,
  epochDealer,
  relayEpoch,
} from "../../../privacy/sum/key-epoch.ts";
import type { EpochDealt, EpochKey } from "../../../privacy/sum/messages.ts";
import type { Consortium } from "../../../privacy/sum/simulation.ts";
import { closeBfv, consortiumOf, sharedBfv } from "../../support/sealed-sum.ts";

const epoch = 7;
let bfv: Bfv;
let consortium: Consortium;
let key: Uint8Array;
let dealer: string;
let member: string;
let dealt: EpochDealt;
test.before(async () => {
  bfv = await sharedBfv();
  consortium = await consortiumOf(4, bfv);
  key = await bfv.generateKey();
  dealer = epochDealer(consortium.roster, epoch);
  member = [...consortium.parties.keys()].find((id) => id !== dealer)!;
  dealt = await dealEpoch(epoch, key, contextOf(dealer));
});
test.after.always(closeBfv);

const contextOf = (id: string) => consortium.parties.get(id)!;
const relay = (message: EpochDealt, from = dealer) => relayEpoch(message, from, epoch, consortium.roster);

test("every member opens the same key and confirms it", async (t) => {
  const messages = relay(dealt);
  t.is(messages.size, 4);
  for (const [id, message] of messages) {
    const { keep, send } = await acceptEpochKey(message, undefined, contextOf(id));
    t.deepEqual(Buffer.from(keep), Buffer.from(key));
    t.notThrows(() => checkConfirmation(send, id, dealt, consortium.roster));
  }
  t.is(dealt.commitment, digestOf(key));
});

test("the dealer follows from roster and epoch, and changes with them", (t) => {
  const dealers = Array.from({ length: 64 }, (_, i) => epochDealer(consortium.roster, i + 1));
  t.is(new Set(dealers).size, 4);
  t.is(epochDealer(consortium.roster, epoch), dealer);
});

test("the coordinator refuses a deal that is not the dealer's", async (t) => {
  const other = await dealEpoch(epoch, key, contextOf(member));
  t.like(
    t.throws(() => relay(other, member)),
    { reason: "message_unexpected", party: member },
  );
  t.like(
    t.throws(() => relay(other)),
    { reason: "signature_invalid", party: dealer },
  );
  t.like(
    t.throws(() => relay({ ...dealt, epoch: 8 })),
    { reason: "message_unexpected" },
  );
  t.like(
    t.throws(() => relay({ ...dealt, roster: digestOf("x") })),
    { reason: "roster_mismatch" },
  );
  t.like(
    t.throws(() => relay({ ...dealt, commitment: digestOf("x") })),
    { reason: "signature_invalid" },
  );
  t.like(
    t.throws(() => relay({ ...dealt, sealed: dealt.sealed.slice(1) })),
    { reason: "message_malformed" },
  );
  t.like(
    t.throws(() => relay({ ...dealt, sealed: dealt.sealed.toReversed() })),
    { reason: "message_malformed" },
  );
});

test("a member refuses what the dealer did not sign for it", async (t) => {
  const message = relay(dealt).get(member)!;
  const sealed = message.sealed!;
  const refused = async (changes: Partial<EpochKey>, last?: { epoch: number; commitment: string }) => {
    const error = await t.throwsAsync(acceptEpochKey({ ...message, ...changes }, last, contextOf(member)));
    return (error as { reason?: string }).reason;
  };
  t.is(await refused({ dealer: member }), "message_unexpected");
  t.is(await refused({ roster: digestOf("x") }), "roster_mismatch");
  t.is(await refused({ commitment: digestOf("x") }), "signature_invalid");
  t.is(await refused({ signature: new Uint8Array(64) }), "signature_invalid");
  t.is(await refused({ sealed: { ...sealed, ciphertext: sealed.ciphertext.slice(1) } }), "key_mismatch");
  t.is(await refused({ sealed: relay(dealt).get(dealer)!.sealed }), "key_mismatch");
  t.is(await refused({ sealed: null }), "key_mismatch");
  t.is(await refused({}, { epoch: epoch + 1, commitment: digestOf("x") }), "epoch_mismatch");
  t.is(await refused({}, { epoch, commitment: digestOf("x") }), "epoch_mismatch");
  await t.notThrowsAsync(acceptEpochKey(message, { epoch, commitment: dealt.commitment }, contextOf(member)));
});

test("a dealer that commits to another key than it seals is caught by every member, and named", async (t) => {
  const honest = relay(dealt).get(member)!;
  const { epoch: e, roster, sealedDigests } = honest;
  const commitment = digestOf("another key");
  const signature = signFor(
    "epoch-dealt",
    contextOf(dealer).identity,
    canonicalBytes({ epoch: e, roster, commitment, dealer, sealedDigests }),
  );
  const forged = relay({ ...dealt, commitment, signature }).get(member)!;
  t.like(await t.throwsAsync(acceptEpochKey(forged, undefined, contextOf(member))), {
    reason: "key_mismatch",
    message: "the dealt key does not open its commitment",
    party: dealer,
  });
});

test("a dealt key that is not a BFV key is refused", async (t) => {
  const junk = await dealEpoch(epoch, new Uint8Array(100), contextOf(dealer));
  const message = relay(junk).get(member)!;
  t.like(await t.throwsAsync(acceptEpochKey(message, undefined, contextOf(member))), {
    reason: "key_mismatch",
  });
});

test("a confirmation of another epoch or key, or unsigned, is refused by name", async (t) => {
  const { send } = await acceptEpochKey(relay(dealt).get(member)!, undefined, contextOf(member));
  const check = (changes: Partial<typeof send>, from = member) =>
    t.throws(() => checkConfirmation({ ...send, ...changes }, from, dealt, consortium.roster));
  t.like(check({ epoch: 8 }), { reason: "epoch_mismatch", party: member });
  t.like(check({ commitment: digestOf("x") }), { reason: "key_mismatch", party: member });
  t.like(check({ signature: new Uint8Array(64) }), { reason: "signature_invalid", party: member });
  t.like(check({}, dealer), { reason: "signature_invalid", party: dealer });
  t.like(check({}, "nobody"), { reason: "signature_invalid", party: "nobody" });
});
