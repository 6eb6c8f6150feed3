import test from "ava";
import { digestOf } from "../../../../core/canonical.ts";
import type { Bfv } from "../../../../privacy/sum/encryption/bfv.ts";
import {
  type ComplaintEvidence,
  encodeEvidence,
  parseEvidence,
  settleComplaint,
} from "../../../../privacy/sum/epoch/complaints.ts";
import type { PartyEpochMessage } from "../../../../privacy/sum/epoch/messages.ts";
import { sealedKeyDigest } from "../../../../privacy/sum/epoch/transcript.ts";
import type { PartyId } from "../../../../privacy/sum/graph.ts";
import type { Consortium } from "../../../../privacy/sum/simulation.ts";
import {
  anyDigest,
  complaintOf,
  dealSignedBy,
  failureOf,
  Listener,
  named,
  opening,
  sharesSignedBy,
  signAs,
} from "../../../support/key-epoch.ts";
import { closeBfv, consortiumOf, sharedBfv } from "../../../support/sealed-sum.ts";

const [holder, sharer] = ["party-001", "party-003"];
let bfv: Bfv;
let four: Consortium;
test.before(async () => {
  bfv = await sharedBfv();
  four = await consortiumOf(4, bfv);
});
test.after.always(closeBfv);

/** Runs an opening in which somebody lies; the liar's changes see what a listener knows. */
async function lied(
  change: (from: PartyId, message: PartyEpochMessage, known: Listener) => PartyEpochMessage[],
) {
  const known = new Listener();
  const run = await opening(four, {
    onWayDown: (_, message) => {
      known.hear(message);
      return [message];
    },
    onWayUp: (from, message) => change(from, message, known),
  });
  checkEnd(run);
  return { run, dealer: known.dealer, view: known.view };
}
/** Nobody has an epoch, and every member that was told evidence finds the same one guilty. */
function checkEnd(run: Awaited<ReturnType<typeof opening>>): void {
  const { evidence, leftOut } = failureOf(run);
  if (run.secrets.size > 0) throw new Error("an epoch opened");
  for (const state of run.parties.values())
    if (
      state.phase !== "failed" ||
      (evidence.length > 0 && (!state.proven || state.party !== leftOut[0]!.party))
    )
      throw new Error("a member does not see who is guilty");
}

const evidenceOf = (run: Awaited<ReturnType<typeof opening>>): ComplaintEvidence =>
  parseEvidence(failureOf(run).evidence);

const wrongShare = (from: PartyId, message: PartyEpochMessage, { view }: Listener): PartyEpochMessage =>
  from === sharer && message.type === "shareEpoch"
    ? sharesSignedBy(four, sharer, view, message, (to, one) =>
        to === holder ? { ...one, hashes: one.hashes.map((byte) => byte ^ 1) } : one,
      )
    : message;

/** The holder complains instead of confirming. */
const complains =
  (about: (known: Listener) => PartyId, kind: "key" | "share") =>
  (from: PartyId, message: PartyEpochMessage, known: Listener): PartyEpochMessage[] =>
    from === holder && message.type === "confirmEpoch"
      ? [complaintOf(four, holder, about(known), kind, { opening: message.opening, view: known.view })]
      : [message];

test("shares that are not what their sharer signed name the sharer", async (t) => {
  const { run } = await lied((...said) => [wrongShare(...said)]);
  t.deepEqual(named(run), ["share_invalid", sharer]);
  t.is(settleComplaint(evidenceOf(run), four.roster), sharer);
});

test("shares that do not open at all name the sharer", async (t) => {
  const { run } = await lied((from, message, { view }) => [
    from === sharer && message.type === "shareEpoch"
      ? sharesSignedBy(four, sharer, view, message, (to, one) =>
          to === holder ? { ...one, ciphertext: one.ciphertext.map((byte) => byte ^ 1) } : one,
        )
      : message,
  ]);
  t.deepEqual(named(run), ["share_invalid", sharer]);
});

test("an ephemeral key that gives no secret names the sharer", async (t) => {
  const { run } = await lied((from, message, { view }) => [
    from === sharer && message.type === "shareEpoch"
      ? sharesSignedBy(four, sharer, view, message, (_, one) => ({ ...one, ephemeral: new Uint8Array(32) }))
      : message,
  ]);
  t.deepEqual(named(run), ["share_invalid", sharer]);
});

test("a complaint about right shares names who complained", async (t) => {
  const { run } = await lied(complains(() => sharer, "share"));
  t.deepEqual(named(run), ["complaint_false", holder]);
  t.is(settleComplaint(evidenceOf(run), four.roster), holder);
});

test("an accused that does not answer, goes, or refuses is named", async (t) => {
  const answers: ((message: PartyEpochMessage) => PartyEpochMessage[])[] = [
    () => [],
    ({ opening: id }) => [
      { type: "refuseEpoch", opening: id, reason: "internal", party: "", detail: "not today" },
    ],
  ];
  for (const answer of answers) {
    const { run } = await lied((from, message, known) =>
      from === sharer && message.type === "answerComplaint"
        ? answer(message)
        : [wrongShare(from, message, known)],
    );
    t.deepEqual(named(run), ["complaint_unanswered", sharer]);
    t.is(failureOf(run).evidence.length, 0);
  }
  const gone = new Listener();
  const run = await opening(four, {
    onWayDown: (_, message) => {
      gone.hear(message);
      return [message];
    },
    onWayUp: (from, message) => [wrongShare(from, message, gone)],
    dropsBefore: (id) => (id === sharer ? "answerComplaint" : undefined),
  });
  t.deepEqual(named(run), ["complaint_unanswered", sharer]);
});

test("an accused that opens another secret is guilty; one that does not sign it, silent", async (t) => {
  const answered = (signs: boolean) =>
    lied((from, message, known) => {
      if (from !== sharer || message.type !== "answerComplaint") return [wrongShare(from, message, known)];
      const secret = new Uint8Array(32).fill(7);
      const statement = {
        purpose: "epoch-answer",
        view: known.view,
        to: holder,
        kind: "share",
        secret,
      } as const;
      return [{ ...message, secret, signature: signs ? signAs(four, sharer, statement) : message.signature }];
    });
  const wrong = await answered(true);
  t.deepEqual(named(wrong.run), ["share_invalid", sharer]);
  t.is(settleComplaint(evidenceOf(wrong.run), four.roster), sharer);
  t.deepEqual(named((await answered(false)).run), ["complaint_unanswered", sharer]);
});

test("an accused that is right cannot be made guilty by another's answer", async (t) => {
  const complain = complains(() => sharer, "share");
  const { run } = await lied((from, message, known) =>
    from === sharer && message.type === "answerComplaint"
      ? [message, message]
      : complain(from, message, known),
  );
  const evidence = evidenceOf(run);
  const { accused } = evidence;
  const forged = { ...evidence, accused: { ...accused, secret: Buffer.alloc(32, 7).toString("base64") } };
  t.like(
    t.throws(() => settleComplaint(forged, four.roster)),
    { reason: "signature_invalid" },
  );
});

/** A dealer that lies does not complain of itself. */
const isOwnComplaint = (from: PartyId, message: PartyEpochMessage, { dealer }: Listener): boolean =>
  message.type === "complainEpoch" && from === dealer;

test("a dealer that seals something else, to one or to all, is named", async (t) => {
  const { run, dealer } = await lied((from, message, known) => {
    if (isOwnComplaint(from, message, known)) return [];
    if (message.type !== "shareEpoch" || message.dealt === null) return [message];
    const { view } = known;
    const sealed = message.dealt.sealed.map((one) => ({
      ...one,
      ciphertext: one.ciphertext.map((byte) => byte ^ 1),
    }));
    const sealedDigests = sealed.map(sealedKeyDigest);
    return [
      { ...message, dealt: dealSignedBy(four, from, view, { ...message.dealt, sealed, sealedDigests }) },
    ];
  });
  t.deepEqual(named(run), ["key_mismatch", dealer]);
  t.is(settleComplaint(evidenceOf(run), four.roster), dealer);
});

test("a dealer that commits to another key than it seals is named", async (t) => {
  const { run, dealer } = await lied((from, message, known) => {
    if (isOwnComplaint(from, message, known)) return [];
    if (message.type !== "shareEpoch" || message.dealt === null) return [message];
    const dealt = dealSignedBy(four, from, known.view, { ...message.dealt, commitment: anyDigest });
    return [{ ...message, dealt }];
  });
  t.deepEqual(named(run), ["key_mismatch", dealer]);
});

test("a dealer that deals no BFV key is named", async (t) => {
  const known = new Listener();
  const run = await opening(four, {
    onWayDown: (_, message) => {
      known.hear(message);
      return [message];
    },
    onWayUp: (from, message) => (isOwnComplaint(from, message, known) ? [] : [message]),
    onPrepared: (_, event) => (event.bfvKey ? { ...event, bfvKey: new Uint8Array(100) } : event),
  });
  t.deepEqual(named(run), ["key_mismatch", known.dealer]);
});

test("a complaint about the right key names who complained; a silent dealer is named", async (t) => {
  // the dealer itself cannot complain of what it sent: another member does
  const { run, dealer } = await lied((from, message, known) =>
    message.type === "confirmEpoch" && from === other(known.dealer)
      ? [complaintOf(four, from, known.dealer, "key", { opening: message.opening, view: known.view })]
      : [message],
  );
  t.deepEqual(named(run), ["complaint_false", other(dealer)]);
  t.is(settleComplaint(evidenceOf(run), four.roster), other(dealer));
  const silent = await lied((from, message, known) => {
    if (message.type === "answerComplaint") return [];
    return message.type === "confirmEpoch" && from === other(known.dealer)
      ? [complaintOf(four, from, known.dealer, "key", { opening: message.opening, view: known.view })]
      : [message];
  });
  t.deepEqual(named(silent.run), ["complaint_unanswered", silent.dealer]);
});

const other = (dealer: PartyId): PartyId => (dealer === holder ? sharer : holder);

test("a complaint about what was not sent, of itself or unsigned names who complained", async (t) => {
  const notDealer = (known: Listener) => (known.dealer === sharer ? "party-000" : sharer);
  t.deepEqual(named((await lied(complains(notDealer, "key"))).run), ["complaint_false", holder]);
  t.deepEqual(named((await lied(complains(() => holder, "share"))).run), ["complaint_false", holder]);
  t.deepEqual(named((await lied(complains(() => "nobody", "share"))).run), ["complaint_false", holder]);
  const unsigned = await lied((from, message, known) =>
    complains(() => sharer, "share")(from, message, known).map((said) =>
      said.type === "complainEpoch" ? { ...said, signature: new Uint8Array(64) } : said,
    ),
  );
  t.deepEqual(named(unsigned.run), ["signature_invalid", holder]);
});

test("evidence of which any part is another's shows nothing of anyone", async (t) => {
  const { run } = await lied((...said) => [wrongShare(...said)]);
  const evidence = evidenceOf(run);
  const { accuser, accused, message } = evidence;
  if (message.kind !== "share") throw new Error("not about a share");
  const flipped = (text: string) => {
    const bytes = Buffer.from(text, "base64");
    bytes[0]! ^= 1;
    return bytes.toString("base64");
  };
  const header = JSON.parse(evidence.header) as { threshold: number };
  const changes: [string, ComplaintEvidence][] = [
    [
      "signature_invalid",
      { ...evidence, accuser: { ...accuser, joinSignature: flipped(accuser.joinSignature) } },
    ],
    [
      "signature_invalid",
      { ...evidence, accuser: { ...accuser, complaintSignature: flipped(accuser.complaintSignature) } },
    ],
    [
      "signature_invalid",
      { ...evidence, accused: { ...accused, answerSignature: flipped(accused.answerSignature) } },
    ],
    ["signature_invalid", { ...evidence, accused: { ...accused, party: "party-000" } }],
    ["signature_invalid", { ...evidence, message: { ...message, hashes: flipped(message.hashes) } }],
    ["signature_invalid", { ...evidence, message: { ...message, ciphertext: flipped(message.ciphertext) } }],
    ["signature_invalid", { ...evidence, nonces: anyDigest }],
    ["digest_mismatch", { ...evidence, accuser: { ...accuser, shareKey: digestOf("key") } }],
    ["digest_mismatch", { ...evidence, accuser: { ...accuser, party: "party-000" } }],
    ["threshold_mismatch", { ...evidence, header: JSON.stringify({ ...header, threshold: 2 }) }],
  ];
  for (const [reason, changed] of changes)
    t.like(
      t.throws(() => settleComplaint(changed, four.roster)),
      { reason },
    );
  t.like(
    t.throws(() => settleComplaint(evidence, { ...four.roster, digest: anyDigest })),
    { reason: "roster_mismatch" },
  );
  t.is(settleComplaint(parseEvidence(encodeEvidence(evidence)), four.roster), sharer);
  for (const bytes of [Buffer.from("{"), Buffer.from("{}"), Buffer.alloc(2_000_000)])
    t.like(
      t.throws(() => parseEvidence(bytes)),
      { reason: "message_malformed" },
    );
});

test("a sealed key that was not dealt to the accuser shows nothing of the dealer", async (t) => {
  const { run, dealer } = await lied((from, message, known) =>
    message.type === "confirmEpoch" && from === other(known.dealer)
      ? [complaintOf(four, from, known.dealer, "key", { opening: message.opening, view: known.view })]
      : [message],
  );
  t.not(dealer, "");
  const evidence = evidenceOf(run);
  const swapped = {
    ...evidence,
    message: { ...evidence.message, ephemeral: Buffer.alloc(32, 9).toString("base64") },
  };
  t.like(
    t.throws(() => settleComplaint(swapped, four.roster)),
    { reason: "digest_mismatch" },
  );
});
