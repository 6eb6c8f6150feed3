/** The party's machine, step by step, against a coordinator that behaves. */
import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import type { Reason } from "../../../core/reasons.ts";
import type { Bfv } from "../../../privacy/sum/encryption/bfv.ts";
import type { EpochSecrets } from "../../../privacy/sum/epoch/secrets.ts";
import { encodeHeader, type RoundHeader, roundIdOf } from "../../../privacy/sum/header.ts";
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
  smallSubject,
} from "../../support/sealed-sum.ts";

let bfv: Bfv;
let consortium: Consortium;
let header: RoundHeader;
let context: PartyContext;
const ids = partyIds(5);
test.before(async () => {
  bfv = await sharedBfv();
  consortium = await consortiumOf(5, bfv);
  header = simulatedHeader(consortium, smallSubject(), ids);
  context = consortium.parties.get(ids[0]!)!;
});
test.after.always(closeBfv);

const opening = (of: RoundHeader): Open => ({
  type: "open",
  header: encodeHeader(of),
  lifts: [],
  evidence: new Uint8Array(),
});
const willing = (of: RoundHeader): LocalFacts => willingFacts(of, consortium, ids[0]!);
const open = (of: RoundHeader, local: LocalFacts, state: PartyState = idleParty) =>
  partyStep(state, { type: "open", message: opening(of), local }, context);
const reasonOf = ({ phase, ...rest }: PartyState): string => ("reason" in rest ? rest.reason : phase);

test.serial(
  "step 0 checks consent, policy, budget, state, roster, epoch, log and locks, each with its reason",
  (t) => {
    const facts = willing(header);
    const consent = facts.consent!;
    const { manifest } = consent;
    const next = facts.next!;
    const lock = { roundId: digestOf("x"), among: ids, threshold: 4 };
    const refused: Partial<Record<Reason, readonly Partial<LocalFacts>[]>> = {
      consent_missing: [{ consent: undefined }],
      consent_expired: [{ nowMillis: 1 }],
      header_mismatch: [
        { consent: { ...consent, manifest: { ...manifest, consortium: "other" } } },
        { consent: { ...consent, manifest: { ...manifest, algorithms: [{ name: "another" }] } } },
        { consent: { ...consent, manifest: { ...manifest, privacy: { minCohort: 4, maxColluding: 1 } } } },
        { consent: { ...consent, manifest: { ...manifest, unprotected: [] } } },
        { next: { ...next, layout: { blocks: [] } } },
        { next: { ...next, among: ids.slice(0, 4) } },
      ],
      threshold_mismatch: [
        { consent: { ...consent, manifest: { ...manifest, privacy: { minCohort: 3, maxColluding: 2 } } } },
      ],
      policy_refuses: [
        { policy: { ...facts.policy, minCohort: 4 } },
        { policy: { ...facts.policy, algorithms: [] } },
      ],
      unprotected: [{ policy: { ...facts.policy, unprotected: [] } }],
      budget_exhausted: [{ exactSums: { left: 0, survivors: [] } }],
      state_mismatch: [{ next: undefined }, { next: { ...next, state: digestOf("of the bank's making") } }],
      round_replayed: [
        { seen: true },
        { next: { ...next, round: 2 } },
        { next: { ...next, algorithm: { ...next.algorithm, step: 1 } } },
      ],
      epoch_mismatch: [{ epoch: undefined }],
      log_forked: [{ checkpointConsistent: false }],
      step_locked: [{ step: { locked: lock, spent: undefined } }],
      step_spent: [{ step: { locked: undefined, spent: digestOf("x") } }],
    };
    for (const [reason, variants] of Object.entries(refused))
      for (const [i, changed] of variants.entries())
        t.is(reasonOf(open(header, { ...facts, ...changed }).state), reason, `${reason} ${i}`);

    const headers: Partial<Record<Reason, readonly RoundHeader[]>> = {
      roster_mismatch: [
        { ...header, roster: digestOf("x") },
        { ...header, cohort: [...ids, "stranger"] },
      ],
      cohort_too_small: [{ ...header, cohort: ids.slice(0, 2) }],
      evidence_invalid: [{ ...header, follows: { kind: "rerun", of: digestOf("x") } }],
      slot_spent: [{ ...header, slot: 64 }],
      layout_overflow: [
        { ...header, layout: { blocks: [{ name: "x", length: 1, bound: 2 ** 900, step: 2 ** -900 }] } },
      ],
    };
    for (const [reason, variants] of Object.entries(headers))
      for (const variant of variants) t.is(reasonOf(open(variant, willing(variant)).state), reason);
  },
);

test.serial("outside the cohort no consent is needed, and nothing is contributed", (t) => {
  const of = { ...simulatedHeader(consortium, smallSubject(), ids), cohort: ids.slice(1) };
  const { state, effects } = open(of, { ...willing(of), consent: undefined, next: undefined });
  t.like(state, { phase: "ready", submission: undefined });
  t.deepEqual(
    effects.map(({ type }) => type),
    ["record"],
  );
});

test.serial("a header that is not one is refused under the digest of its bytes", (t) => {
  const bytes = Buffer.from("{}");
  const message = { ...opening(header), header: bytes };
  const { state, effects } = partyStep(idleParty, { type: "open", message, local: willing(header) }, context);
  t.is(reasonOf(state), "message_malformed");
  t.like(effects[0], { type: "send", message: { type: "refuse", roundId: digestOf(bytes) } });
});

test.serial("the slot's mask secret is gone once the masks are made", (t) => {
  const of = simulatedHeader(consortium, smallSubject(), ids);
  const facts = willing(of);
  let secret: Uint8Array | undefined;
  const take: EpochSecrets["take"] = (slot, roundId) => {
    const taken = facts.epoch!.take(slot, roundId);
    secret = taken.maskSecret;
    return taken;
  };
  const epoch = { epoch: facts.epoch!.epoch, bfvKey: facts.epoch!.bfvKey, take } as EpochSecrets;
  const { state, effects } = open(of, { ...facts, epoch });
  t.is(state.phase, "contributing");
  t.is(roundOf(state), roundIdOf(of));
  t.deepEqual(
    effects.map(({ type }) => type),
    ["record", "contribute"],
  );
  t.true(secret!.every((byte) => byte === 0));
});

test.serial("an instruction of another attempt, or out of order, is refused", (t) => {
  const of = simulatedHeader(consortium, smallSubject(), ids);
  const { state } = open(of, willing(of));
  const aggregate = { chunks: [], submissions: [], seeds: [], secrets: [], noise: [], first: true };
  const other = digestOf("another attempt");
  const step = partyStep(
    state,
    { type: "message", message: { type: "aggregate", roundId: other, ...aggregate } },
    context,
  );
  t.is(step.state, state);
  t.like(step.effects[0], {
    type: "send",
    message: { type: "refuse", roundId: other, reason: "message_unexpected" },
  });
  const roundId = roundIdOf(of);
  for (const message of [
    { type: "agreed", roundId, signatures: [] },
    { type: "aggregate", roundId, ...aggregate },
  ] as const) {
    const event: PartyEvent = { type: "message", message };
    t.is(reasonOf(partyStep(state, event, context).state), "message_unexpected");
    t.is(partyStep(idleParty, event, context).state, idleParty);
  }
});

test.serial("a local failure's text stays here; its reason leaves", (t) => {
  const of = simulatedHeader(consortium, smallSubject(), ids);
  const { state } = open(of, willing(of));
  const roundId = roundIdOf(of);
  const step = partyStep(
    state,
    { type: "failed", roundId, reason: "value_out_of_bounds", detail: "row 7 holds 12345" },
    context,
  );
  t.like(step.state, { phase: "refused", reason: "value_out_of_bounds", detail: "row 7 holds 12345" });
  t.like(step.effects[0], {
    type: "send",
    message: { type: "refuse", roundId, reason: "value_out_of_bounds", party: "", detail: "" },
  });
});

test.serial("a value out of bounds stops a party before anything of it is sealed", async (t) => {
  const done = await attempt({
    consortium,
    bfv,
    options: { contribute: () => new Float64Array(6).fill(5000) },
  });
  t.is(endings(done)[ids[0]!], "value_out_of_bounds");
  t.is(done.blobs.size, 0);
});

test.serial(
  "what is durable is so before what follows leaves, and the ledger knows of all of it",
  async (t) => {
    const done = await attempt({ consortium, bfv });
    for (const id of ids) {
      t.deepEqual(done.partyEffects.get(id)!.slice(0, 8), [
        "record",
        "contribute",
        "seal",
        "record",
        "send",
        "lock",
        "send",
        "spend",
      ]);
      const kinds = done.partyRecords.get(id)!.map(({ kind }) => kind);
      t.deepEqual(kinds.slice(0, 2), ["open", "submission"]);
    }
  },
);

test.serial(
  "a survivor list that singles out an organisation of an earlier sum is refused where the policy says so",
  async (t) => {
    const earlier = [ids];
    const facts = (cohortChange: "refuse" | "accept") => (party: string, of: RoundHeader) => {
      const base = willingFacts(of, consortium, party);
      return {
        ...base,
        policy: { ...base.policy, cohortChange },
        exactSums: { left: 1, survivors: earlier },
      };
    };
    const run = (cohortChange: "refuse" | "accept", cohort: readonly string[]) =>
      attempt({ consortium, bfv, cohort, options: { facts: facts(cohortChange) } });
    const four = await run("refuse", ids.slice(1));
    t.is(four.sum, undefined);
    t.false(four.partyEffects.get(ids[1]!)!.includes("lock"));
    t.is((await run("accept", ids.slice(1))).sum?.sum.parties, 4);
    t.is((await run("refuse", ids)).sum?.sum.parties, 5);
  },
);
