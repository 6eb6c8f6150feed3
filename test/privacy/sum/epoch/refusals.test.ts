import test from "ava";
import type { Bfv } from "../../../../privacy/sum/encryption/bfv.ts";
import { encodeEpochHeader } from "../../../../privacy/sum/epoch/header.ts";
import type {
  CoordinatorEpochMessage,
  EpochShares,
  PartyEpochMessage,
} from "../../../../privacy/sum/epoch/messages.ts";
import { epochPartyStep, idleEpochParty } from "../../../../privacy/sum/epoch/party.ts";
import type { Consortium } from "../../../../privacy/sum/simulation.ts";
import {
  anyDigest,
  complaintOf,
  dealSignedBy,
  failureOf,
  joinSignedBy,
  Listener,
  named,
  opening,
  proposalOf,
  sharesSignedBy,
  signAs,
} from "../../../support/key-epoch.ts";
import { closeBfv, consortiumOf, sharedBfv } from "../../../support/sealed-sum.ts";

let bfv: Bfv;
let three: Consortium;
test.before(async () => {
  bfv = await sharedBfv();
  three = await consortiumOf(3, bfv);
});
test.after.always(closeBfv);

const [first, second, third] = ["party-000", "party-001", "party-002"];
const zeros = (length: number) => new Uint8Array(length);

/** What the coordinator does about one member's message. */
async function upward(
  change: (message: PartyEpochMessage, known: Listener) => PartyEpochMessage,
  from = second,
) {
  const known = new Listener();
  const run = await opening(three, {
    onWayDown: (_, message) => {
      known.hear(message);
      return [message];
    },
    onWayUp: (party, message) => [party === from ? change(message, known) : message],
  });
  return { run, known };
}

/** The reason with which one member refuses what it is told. */
async function downward(
  change: (message: CoordinatorEpochMessage) => CoordinatorEpochMessage,
): Promise<string> {
  const run = await opening(three, {
    onWayDown: (to, message) => [to === second ? change(message) : message],
  });
  if (run.secrets.has(second)) throw new Error("the epoch opened");
  const state = run.parties.get(second)!;
  return state.phase === "failed" ? state.reason : state.phase;
}

test("a refusal is told to the operator in few words, whatever a member says", async (t) => {
  const { run } = await upward((message) =>
    message.type === "joinEpoch"
      ? {
          type: "refuseEpoch",
          opening: message.opening,
          reason: "r".repeat(1e6),
          party: "",
          detail: "d".repeat(1e6),
        }
      : message,
  );
  const { reason, detail } = failureOf(run);
  t.is(reason, "party_refused");
  t.is(detail.length, 300);
});

test("a coordinator names who advertises what is no advertisement", async (t) => {
  const join = (change: (keys: Uint8Array) => Uint8Array, shareKey?: Uint8Array) =>
    upward((message) =>
      message.type === "joinEpoch"
        ? joinSignedBy(three, second, {
            ...message,
            maskKeys: change(message.maskKeys),
            shareKey: shareKey ?? message.shareKey,
          })
        : message,
    );
  const low = (keys: Uint8Array) => Uint8Array.from(keys).fill(0, 63 * 32);
  const twice = (keys: Uint8Array) =>
    Uint8Array.from([...keys.subarray(0, 63 * 32), ...keys.subarray(0, 32)]);
  t.deepEqual(named((await join(low)).run), ["key_low_order", second]);
  t.deepEqual(named((await join((keys) => keys, zeros(32))).run), ["key_low_order", second]);
  t.deepEqual(named((await join((keys) => keys, zeros(31))).run), ["message_malformed", second]);
  t.deepEqual(named((await join(twice)).run), ["key_duplicate", second]);
  t.deepEqual(named((await join((keys) => keys.subarray(32))).run), ["message_malformed", second]);
  const unsigned = await upward((message) =>
    message.type === "joinEpoch" ? { ...message, signature: zeros(64) } : message,
  );
  t.deepEqual(named(unsigned.run), ["signature_invalid", second]);
});

test("a key that another member has advertised is refused, whoever comes second", async (t) => {
  let taken: Uint8Array | undefined;
  const run = await opening(three, {
    onWayUp: (from, message) => {
      if (message.type !== "joinEpoch") return [message];
      if (from === first) taken = message.maskKeys;
      return [
        from === second
          ? joinSignedBy(three, second, { ...message, shareKey: taken!.slice(0, 32) })
          : message,
      ];
    },
  });
  t.deepEqual(named(run), ["key_duplicate", second]);
});

test("a coordinator names who opens another nonce than it committed to", async (t) => {
  for (const nonce of [zeros(32), zeros(0)]) {
    const { run } = await upward((message) =>
      message.type === "epochNonce" ? { ...message, nonce } : message,
    );
    t.deepEqual(named(run), ["nonce_mismatch", second]);
  }
});

test("a coordinator names who shares what it did not sign, or not with everyone", async (t) => {
  const share = async (
    change: (
      message: Extract<PartyEpochMessage, { type: "shareEpoch" }>,
      known: Listener,
    ) => PartyEpochMessage,
  ) =>
    named(
      (await upward((message, known) => (message.type === "shareEpoch" ? change(message, known) : message)))
        .run,
    );
  t.deepEqual(await share((m) => ({ ...m, sealed: m.sealed.slice(1) })), ["share_invalid", second]);
  t.deepEqual(await share((m) => ({ ...m, sealed: m.sealed.toReversed() })), ["share_invalid", second]);
  t.deepEqual(
    await share((m) => ({ ...m, sealed: m.sealed.map((one) => ({ ...one, signature: zeros(64) })) })),
    ["signature_invalid", second],
  );
  const longer = { hashes: zeros(31), ciphertext: zeros(50_000), ephemeral: zeros(31) };
  for (const [field, bytes] of Object.entries(longer))
    t.deepEqual(
      await share((m, { view }) =>
        sharesSignedBy(three, second, view, m, (_, one) => ({ ...one, [field]: bytes })),
      ),
      ["message_malformed", second],
      field,
    );
});

test("a coordinator names who deals wrongly, out of turn, or not at all", async (t) => {
  const deal = async (
    change: (
      message: Extract<PartyEpochMessage, { type: "shareEpoch" }>,
      known: Listener,
      from: string,
    ) => PartyEpochMessage,
  ) => {
    const known = new Listener();
    const run = await opening(three, {
      onWayDown: (_, message) => {
        known.hear(message);
        return [message];
      },
      onWayUp: (from, message) => [message.type === "shareEpoch" ? change(message, known, from) : message],
    });
    const [reason, party] = named(run);
    return [reason, party === known.dealer ? "dealer" : "another"];
  };
  t.deepEqual(await deal((m) => ({ ...m, dealt: null })), ["message_unexpected", "dealer"]);
  t.deepEqual(
    await deal((m, { view, dealer }, from) =>
      from === dealer || m.dealt !== null
        ? m
        : {
            ...m,
            dealt: dealSignedBy(three, from, view, { commitment: anyDigest, sealed: [], sealedDigests: [] }),
          },
    ),
    ["message_unexpected", "another"],
  );
  t.deepEqual(await deal((m) => (m.dealt ? { ...m, dealt: { ...m.dealt, signature: zeros(64) } } : m)), [
    "signature_invalid",
    "dealer",
  ]);
  t.deepEqual(
    await deal((m) => (m.dealt ? { ...m, dealt: { ...m.dealt, sealed: m.dealt.sealed.slice(1) } } : m)),
    ["message_malformed", "dealer"],
  );
  t.deepEqual(
    await deal((m) =>
      m.dealt
        ? {
            ...m,
            dealt: { ...m.dealt, sealed: m.dealt.sealed.map((s) => ({ ...s, ciphertext: zeros(20) })) },
          }
        : m,
    ),
    ["message_malformed", "dealer"],
  );
});

test("a coordinator names who confirms another epoch, or does not sign", async (t) => {
  const confirm = async (changes: object) =>
    named((await upward((m) => (m.type === "confirmEpoch" ? { ...m, ...changes } : m))).run);
  t.deepEqual(await confirm({ digest: anyDigest }), ["digest_mismatch", second]);
  t.deepEqual(await confirm({ signature: zeros(64) }), ["signature_invalid", second]);
});

test("a member refuses advertisements that are not as signed, all there, and its own", async (t) => {
  const joined = (change: (all: readonly Advertised[]) => Advertised[]) =>
    downward((m) => (m.type === "epochJoined" ? { ...m, joined: change(m.joined) } : m));
  const at = (party: string, change: (one: Advertised) => Advertised) => (all: readonly Advertised[]) =>
    all.map((one) => (one.party === party ? change(one) : one));
  const resigned = (party: string, changes: Partial<Advertised>) =>
    downward((m) => {
      if (m.type !== "epochJoined") return m;
      const change = (one: Advertised) => ({
        ...joinSignedBy(three, party, { type: "joinEpoch", opening: m.opening, ...one, ...changes }),
        party,
      });
      return { ...m, joined: at(party, change)(m.joined) };
    });
  t.is(await joined((all) => all.slice(1)), "message_malformed");
  t.is(await joined((all) => all.toReversed()), "message_malformed");
  t.is(await joined(at(first, (one) => ({ ...one, nonceCommitment: anyDigest }))), "signature_invalid");
  t.is(
    await joined(at(first, (one) => ({ ...one, shareKey: one.maskKeys.slice(0, 32) }))),
    "signature_invalid",
  );
  t.is(await resigned(first, { shareKey: zeros(32) }), "key_low_order");
  t.is(await resigned(first, { maskKeys: zeros(64 * 32) }), "key_low_order");
  t.is(await resigned(second, { nonceCommitment: anyDigest }), "header_mismatch");
});
type Advertised = Extract<CoordinatorEpochMessage, { type: "epochJoined" }>["joined"][number];

test("a member refuses nonces that were not committed to", async (t) => {
  const nonces = (change: (all: readonly Nonce[]) => Nonce[]) =>
    downward((m) => (m.type === "epochNonces" ? { ...m, nonces: change(m.nonces) } : m));
  t.is(await nonces((all) => all.slice(1)), "message_malformed");
  t.is(
    await nonces((all) => all.map((one) => (one.party === first ? { ...one, nonce: zeros(32) } : one))),
    "nonce_mismatch",
  );
});
type Nonce = Extract<CoordinatorEpochMessage, { type: "epochNonces" }>["nonces"][number];

test("a member refuses shares and keys that were not signed for it", async (t) => {
  const shares = (change: (message: EpochShares) => Partial<EpochShares>) =>
    downward((m) => (m.type === "epochShares" ? { ...m, ...change(m) } : m));
  t.is(await shares((m) => ({ shares: m.shares.slice(1) })), "message_malformed");
  t.is(await shares((m) => ({ shares: m.shares.toReversed() })), "message_malformed");
  t.is(
    await shares((m) => ({ shares: m.shares.map((one) => ({ ...one, signature: zeros(64) })) })),
    "signature_invalid",
  );
  t.is(
    await shares((m) => ({ shares: m.shares.map((one) => ({ ...one, hashes: one.hashes.slice(32) })) })),
    "signature_invalid",
  );
  t.is(
    await shares((m) => ({ shares: m.shares.map((one) => ({ ...one, ciphertext: zeros(4113) })) })),
    "signature_invalid",
  );
  t.is(await shares(() => ({ dealt: null })), "message_malformed");
  t.is(await shares(({ dealt }) => ({ dealt: { ...dealt!, sealed: null } })), "message_malformed");
  const stranger = (dealer: string) => (dealer === first ? third : first);
  t.is(
    await shares(({ dealt }) => ({ dealt: { ...dealt!, dealer: stranger(dealt!.dealer) } })),
    "message_malformed",
  );
  t.is(await shares(({ dealt }) => ({ dealt: { ...dealt!, commitment: anyDigest } })), "signature_invalid");
  t.is(
    await shares(({ dealt }) => ({
      dealt: { ...dealt!, sealed: { ...dealt!.sealed!, ciphertext: zeros(20) } },
    })),
    "digest_mismatch",
  );
  t.is(
    await shares(({ dealt }) => ({ dealt: { ...dealt!, sealed: { ...dealt!.sealed!, party: first } } })),
    "digest_mismatch",
  );
});

test("an epoch is open for a member only when all have signed the digest that it signed", async (t) => {
  const ready = (change: (m: Extract<CoordinatorEpochMessage, { type: "epochReady" }>) => object) =>
    downward((m) => (m.type === "epochReady" ? { ...m, ...change(m) } : m));
  t.is(await ready(() => ({ digest: anyDigest })), "digest_mismatch");
  t.is(await ready((m) => ({ confirmations: m.confirmations.slice(1) })), "agreement_missing");
  t.is(
    await ready((m) => ({ confirmations: [...m.confirmations.slice(1), m.confirmations[1]!] })),
    "agreement_missing",
  );
  t.is(
    await ready((m) => ({
      confirmations: m.confirmations.map((one) =>
        one.party === first
          ? { ...one, signature: signAs(three, first, { purpose: "epoch-confirmed", digest: anyDigest }) }
          : one,
      ),
    })),
    "agreement_missing",
  );
});

test("a member joins no epoch whose number is used, that is not its own, or of a weaker policy", (t) => {
  const header = proposalOf(three, { epoch: 7 });
  const open = (changes: object, local = { maxColluding: 1, lastEpoch: 6 }) => {
    const message = { type: "openEpoch", header: encodeEpochHeader({ ...header, ...changes }) } as const;
    const { effects } = epochPartyStep(
      idleEpochParty,
      { type: "open", message, local },
      three.parties.get(second)!,
    );
    const [said] = effects.flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
    return said?.type === "refuseEpoch" ? said.reason : said?.type;
  };
  t.is(open({}), "joinEpoch");
  t.is(open({ epoch: 6 }), "epoch_mismatch");
  t.is(open({ threshold: 2 }), "threshold_mismatch");
  t.is(open({ roster: anyDigest }), "roster_mismatch");
  t.is(open({ slots: 65 }), "message_malformed");
  t.is(open({}, { maxColluding: 2, lastEpoch: 6 }), "policy_refuses");
  const without = { ...proposalOf(three, { epoch: 7, members: [first, third, second] }) };
  t.is(
    open({ members: without.members.filter((id) => id !== second), degree: 1, threshold: 2 }),
    "roster_mismatch",
  );
});

test("a bad opening neither ends the one under way nor draws a second nonce for the same", async (t) => {
  const context = three.parties.get(second)!;
  const local = { maxColluding: 1, lastEpoch: 0 };
  const openOf = (epoch: number) =>
    ({
      type: "open",
      message: { type: "openEpoch", header: encodeEpochHeader(proposalOf(three, { epoch })) },
      local,
    }) as const;
  const { state } = epochPartyStep(idleEpochParty, openOf(2), context);
  t.is(state.phase, "joined");
  t.deepEqual(epochPartyStep(state, openOf(2), context), { state, effects: [] });
  const old = epochPartyStep(state, openOf(1), context);
  t.is(old.state, state);
  t.like(old.effects, [{ type: "send", message: { type: "refuseEpoch", reason: "epoch_mismatch" } }]);
  const next = epochPartyStep(state, openOf(3), context);
  t.like(next.state, { phase: "joined", opening: { header: { epoch: 3 } } });
  const [erased] = next.effects.flatMap((effect) => (effect.type === "erase" ? [effect.secrets] : []));
  t.is(erased!.length, 2 * 64 + 1);
});

test("an accusation that nobody signed opens nothing; one after the epoch is open, neither", async (t) => {
  const known = new Listener();
  const accused = second;
  const run = await opening(three, {
    onWayDown: (to, message) => {
      known.hear(message);
      if (to !== accused || (message.type !== "epochReady" && message.type !== "epochShares"))
        return [message];
      const id = message.opening;
      const complaint = complaintOf(three, first, accused, "share", { opening: id, view: known.view });
      const signature = complaint.type === "complainEpoch" ? complaint.signature : zeros(64);
      const accuse = { type: "accuse", opening: id, by: first, kind: "share" } as const;
      return message.type === "epochShares"
        ? [
            message,
            { ...accuse, signature: zeros(64) },
            { ...accuse, by: third, signature },
            { ...accuse, by: "nobody", signature },
          ]
        : [message, { ...accuse, signature }];
    },
  });
  t.is(run.coordinator.phase, "ready");
  t.is(run.secrets.size, 3);
  t.false(run.transcript.some((said) => said.message.type === "answerComplaint"));
});

test("who has opened a message of its own never takes the epoch for open", async (t) => {
  const known = new Listener();
  const run = await opening(three, {
    onWayDown: (to, message) => {
      known.hear(message);
      if (to !== second || message.type !== "epochReady") return [message];
      // the bank has everyone's confirmation, and a friend that accuses all the same
      const complaint = complaintOf(three, first, second, "share", {
        opening: message.opening,
        view: known.view,
      });
      const signature = complaint.type === "complainEpoch" ? complaint.signature : zeros(64);
      return [{ type: "accuse", opening: message.opening, by: first, kind: "share", signature }, message];
    },
  });
  t.true(run.transcript.some((said) => said.message.type === "answerComplaint"));
  t.false(run.secrets.has(second));
});

test("members shown different headers, advertisements or nonces never share an epoch", async (t) => {
  const views: ((to: string, message: CoordinatorEpochMessage) => CoordinatorEpochMessage)[] = [
    // another header to one
    (to, message) =>
      to === second && message.type === "openEpoch"
        ? { ...message, header: encodeEpochHeader(proposalOf(three, { epoch: 9 })) }
        : message,
    // a friend advertises two share keys: one list to the second, one to the others
    (to, message) =>
      to === second && message.type === "epochJoined"
        ? {
            ...message,
            joined: message.joined.map((one) =>
              one.party === first
                ? {
                    ...joinSignedBy(three, first, {
                      type: "joinEpoch",
                      opening: message.opening,
                      ...one,
                      shareKey: message.joined[0]!.shareKey.map((byte, i) => (i === 0 ? byte ^ 8 : byte)),
                    }),
                    party: first,
                  }
                : one,
            ),
          }
        : message,
  ];
  for (const view of views) {
    const run = await opening(three, { onWayDown: (to, message) => [view(to, message)] });
    t.is(run.secrets.size, 0);
    t.not(run.coordinator.phase, "ready");
    t.is(failureOf(run).leftOut.length, 1);
  }
});
