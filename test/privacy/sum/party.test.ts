/** The party's machine, step by step, against a coordinator that behaves. */
import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import type { Reason } from "../../../core/reasons.ts";
import type { Bfv } from "../../../privacy/sum/encryption/bfv.ts";
import { encodeHeader, type RoundHeader, roundIdOf } from "../../../privacy/sum/header.ts";
import { maxEpochRounds } from "../../../privacy/sum/key-epoch.ts";
import type { Open } from "../../../privacy/sum/messages.ts";
import {
  idleParty,
  type LocalFacts,
  type PartyContext,
  type PartyEvent,
  type PartyState,
  partyStep,
  roundOf,
} from "../../../privacy/sum/party/party.ts";
import { type Consortium, simulatedHeader, willingFacts } from "../../../privacy/sum/simulation.ts";
import {
  attempt,
  closeBfv,
  consortiumOf,
  endings,
  partyIds,
  sharedBfv,
  smallLayout,
} from "../../support/sealed-sum.ts";

let bfv: Bfv;
let consortium: Consortium;
let header: RoundHeader;
let context: PartyContext;
const ids = partyIds(4);
test.before(async () => {
  bfv = await sharedBfv();
  consortium = await consortiumOf(4, bfv);
  header = simulatedHeader(consortium, { layout: smallLayout, minCohort: 3, round: 1 }, ids);
  context = consortium.parties.get(ids[0]!)!;
});
test.after.always(closeBfv);

const opening = (of: RoundHeader): Open => ({ type: "open", header: encodeHeader(of) });
const open = (of: RoundHeader, local: LocalFacts, state: PartyState = idleParty) =>
  partyStep(state, { type: "open", message: opening(of), local }, context);

const reasonOf = ({ phase, ...rest }: PartyState): string => ("reason" in rest ? rest.reason : phase);

test("step 0 checks consent, policy, roster, epoch, log, replay and layout, each with its reason", (t) => {
  const willing = willingFacts(header);
  const consent = willing.consent!;
  const { manifest } = consent;
  const facts: Partial<Record<Reason, readonly Partial<LocalFacts>[]>> = {
    consent_missing: [{ consent: undefined }],
    consent_expired: [{ nowMillis: 1 }],
    header_mismatch: [
      { consent: { ...consent, manifest: { ...manifest, consortium: "other" } } },
      { consent: { ...consent, manifest: { ...manifest, algorithms: [{ name: "another" }] } } },
      { consent: { ...consent, manifest: { ...manifest, privacy: { minCohort: 4 } } } },
      { consent: { ...consent, manifest: { ...manifest, unprotected: [] } } },
    ],
    policy_refuses: [
      { policy: { ...willing.policy, minCohort: 4 } },
      { policy: { ...willing.policy, algorithms: [] } },
    ],
    unprotected: [{ policy: { ...willing.policy, unprotected: [] } }],
    epoch_mismatch: [
      { keyEpoch: undefined },
      { keyEpoch: { ...header.keyEpoch, epoch: 2, rounds: 0 } },
      { keyEpoch: { ...header.keyEpoch, commitment: digestOf("x"), rounds: 0 } },
      { keyEpoch: { ...header.keyEpoch, rounds: maxEpochRounds } },
    ],
    log_forked: [{ checkpointConsistent: false }],
    round_replayed: [
      { last: { round: 1, attempt: 1, released: false } },
      { last: { round: 1, attempt: 0, released: true } },
      { last: { round: 2, attempt: 1, released: false } },
    ],
  };
  for (const [reason, variants] of Object.entries(facts))
    for (const [i, changed] of variants.entries())
      t.is(reasonOf(open(header, { ...willing, ...changed }).state), reason, `${reason} ${i}`);
  t.is(
    open(header, { ...willing, last: { round: 1, attempt: 0, released: false } }).state.phase,
    "advertised",
  );

  const headers: Partial<Record<Reason, readonly RoundHeader[]>> = {
    roster_mismatch: [
      { ...header, roster: digestOf("x") },
      { ...header, cohort: ids.slice(1) },
      { ...header, cohort: [...ids, "stranger"] },
    ],
    cohort_too_small: [{ ...header, cohort: ids.slice(0, 2) }],
    layout_overflow: [
      { ...header, layout: { blocks: [{ name: "x", length: 1, bound: 2 ** 900, step: 2 ** -900 }] } },
    ],
  };
  for (const [reason, variants] of Object.entries(headers))
    for (const variant of variants) t.is(reasonOf(open(variant, willing).state), reason);
});

test("a header that is not one is refused under the digest of its bytes", (t) => {
  const bytes = Buffer.from("{}");
  const { state, effects } = partyStep(
    idleParty,
    { type: "open", message: { type: "open", header: bytes }, local: willingFacts(header) },
    context,
  );
  t.is(reasonOf(state), "message_malformed");
  t.like(effects[0], { type: "send", message: { type: "refuse", roundId: digestOf(bytes) } });
});

test("opening is written to the ledger before the advertised keys leave", (t) => {
  const { state, effects } = open(header, willingFacts(header));
  t.is(state.phase, "advertised");
  t.deepEqual(
    effects.map(({ type }) => type),
    ["record", "send"],
  );
  t.is(roundOf(state), roundIdOf(header));
});

test("two openings draw different secrets; the same opening again gets the same keys", (t) => {
  const first = open(header, willingFacts(header));
  const second = open(header, willingFacts(header));
  t.notDeepEqual(first.effects[1], second.effects[1]);
  const again = open(header, willingFacts(header), first.state);
  t.is(again.state, first.state);
  t.deepEqual(again.effects, [first.effects[1]!]);
});

test("an instruction of another attempt is refused and changes nothing", (t) => {
  const { state } = open(header, willingFacts(header));
  const other = digestOf("another attempt");
  const step = partyStep(
    state,
    { type: "message", message: { type: "aggregate", roundId: other, chunks: [], first: true } },
    context,
  );
  t.is(step.state, state);
  t.like(step.effects[0], {
    type: "send",
    message: { type: "refuse", roundId: other, reason: "message_unexpected" },
  });
});

test("an instruction out of order ends the attempt", (t) => {
  const roundId = roundIdOf(header);
  for (const message of [
    { type: "shares", roundId, sharers: [], sealed: [] },
    { type: "survivors", roundId, survivors: [] },
    { type: "agreed", roundId, signatures: [] },
    { type: "aggregate", roundId, chunks: [], first: true },
  ] as const) {
    const { state } = open(header, willingFacts(header));
    const event: PartyEvent = { type: "message", message };
    t.is(reasonOf(partyStep(state, event, context).state), "message_unexpected");
    t.is(partyStep(idleParty, event, context).state, idleParty);
  }
});

test("what belongs to an attempt that is over is ignored", (t) => {
  const { state } = open(header, willingFacts(header));
  const roundId = digestOf("over");
  const layout = smallLayout;
  const events: Exclude<PartyEvent, { type: "open" | "message" }>[] = [
    { type: "splitDone", roundId, maskKeyShares: [], selfMaskShares: [] },
    { type: "contributed", roundId, values: new Float64Array(), layout },
    { type: "sealed", roundId, ciphertexts: [] },
    { type: "decrypted", roundId, slots: new Float64Array() },
    { type: "failed", roundId, reason: "internal", detail: "" },
  ];
  for (const event of events) {
    t.deepEqual(partyStep(state, event, context), { state, effects: [] });
    // an answer to what this attempt has not asked
    if (event.type !== "failed")
      t.deepEqual(partyStep(state, { ...event, roundId: roundIdOf(header) }, context), {
        state,
        effects: [],
      });
  }
});

test("a local failure's text stays here; its reason leaves", (t) => {
  const { state } = open(header, willingFacts(header));
  const roundId = roundIdOf(header);
  const step = partyStep(
    state,
    { type: "failed", roundId, reason: "value_out_of_bounds", detail: "row 7 holds 12345" },
    context,
  );
  t.like(step.state, { phase: "refused", reason: "value_out_of_bounds", detail: "row 7 holds 12345" });
  t.deepEqual(step.effects, [
    {
      type: "send",
      message: { type: "refuse", roundId, reason: "value_out_of_bounds", party: "", detail: "" },
    },
  ]);
  // and stays refused whatever comes
  const repeat = partyStep(
    step.state,
    { type: "message", message: { type: "agreed", roundId, signatures: [] } },
    context,
  );
  t.is(repeat.state, step.state);
  t.deepEqual(repeat.effects, step.effects);
});

test("a value out of bounds stops a party before anything of it is sealed", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: { contribute: () => new Float64Array(6).fill(5000) },
  });
  t.deepEqual(Object.values(endings(done)), new Array(4).fill("value_out_of_bounds"));
  t.is(done.blobs.size, 0);
});

test("a layout that is not the algorithm's own is refused before anything is sealed", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: { ownLayout: (party) => (party === ids[0] ? { blocks: [] } : smallLayout) },
  });
  t.is(endings(done)[ids[0]!], "header_mismatch");
  t.deepEqual(done.sum?.survivors, ids.slice(1));
});

test("every state holds only what later steps need: no secret outlives its last use", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: { onWayDown: (_, m) => (m.type === "closed" ? [] : [m]) },
  });
  for (const state of done.parties.values()) {
    t.is(state.phase, "released");
    t.deepEqual(Object.keys(state).sort(), ["attempt", "chunks", "digest", "phase", "signature", "sum"]);
  }
});

test("the ledger knows of opening, submission and release, in this order", async (t) => {
  const done = await attempt({ consortium, bfv });
  for (const records of done.partyRecords.values())
    t.deepEqual(
      records.map(({ kind }) => kind),
      ["open", "submission", "release"],
    );
});
