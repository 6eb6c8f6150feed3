/** What the log says of a step that is summed again, from evidence that members really made. */
import test from "ava";
import { toBase64 } from "../../../core/bytes.ts";
import { canonicalBytes, digestOf } from "../../../core/canonical.ts";
import { type Entry, submissionsDigest } from "../../../privacy/log/entry.ts";
import { factsOf } from "../../../privacy/log/facts.ts";
import { GrowingTree } from "../../../privacy/log/merkle.ts";
import type { LogPolicy } from "../../../privacy/log/policy.ts";
import { type Rule, releasedByQuorum, roundStepsInOrder } from "../../../privacy/log/rules.ts";
import { apply, attach, type LogState, startState } from "../../../privacy/log/state.ts";
import * as sums from "../../../privacy/log/sum-rules.ts";
import { certificateDigest } from "../../../privacy/sum/certificate.ts";
import type { Bfv } from "../../../privacy/sum/encryption/bfv.ts";
import { proposeEpoch } from "../../../privacy/sum/epoch/header.ts";
import { splitSlots } from "../../../privacy/sum/epoch/sharing.ts";
import { simulateOpening } from "../../../privacy/sum/epoch/simulation.ts";
import { roundIdOf } from "../../../privacy/sum/header.ts";
import { quantize } from "../../../privacy/sum/layout.ts";
import { addMasks } from "../../../privacy/sum/mask.ts";
import {
  type Consortium,
  type SimulatedAttempt,
  type SimulationOptions,
  simulateStep,
} from "../../../privacy/sum/simulation.ts";
import { revealedDigest, sumDigest } from "../../../privacy/sum/statements.ts";
import { complaintOf, failureOf, Listener, opening, sharesSignedBy } from "../../support/key-epoch.ts";
import {
  closeBfv,
  consortiumOf,
  partyIds,
  sharedBfv,
  smallOptions,
  smallSubject,
} from "../../support/sealed-sum.ts";

test.after.always(closeBfv);

let bfv: Bfv;
let consortium: Consortium;
const ids = partyIds(8);
test.before(async () => {
  bfv = await sharedBfv();
  consortium = await consortiumOf(8, bfv);
});

const rules: Readonly<Record<string, Rule>> = {
  "one sum": sums.oneSumAStep,
  evidence: sums.sequelsByEvidence,
  slots: sums.slotsServeOnce,
  submissions: sums.submissionsSigned,
  unmasking: sums.unmaskingSigned,
  order: roundStepsInOrder,
  quorum: releasedByQuorum,
  recorded: sums.certificatesAsRecorded,
  certified: sums.certificatesSigned,
};

/** A log in which one epoch is open and one study was proposed. */
function logOf({ roster, epoch: { open } }: Consortium, study: string): LogState {
  const state = startState(new GrowingTree());
  state.roster = roster;
  state.facts = { epoch: open };
  apply(state, {
    type: "key.epoch",
    time: 0,
    ...open.header,
    ...open.transcript,
    digest: open.digest,
  } as unknown as Entry);
  state.facts = {};
  apply(state, { type: "study.proposed", time: 0, study } as Entry);
  return state;
}

/** @returns the entries of an attempt, as the coordinator writes them. */
function entriesOf({ header, roundRecords, coordinator: end, sum }: SimulatedAttempt): Entry[] {
  const roundId = roundIdOf(header);
  const { study, round, attempt, cohort, algorithm } = header;
  const entries: object[] = [
    {
      type: "round.opened",
      roundId,
      study,
      round,
      attempt,
      algorithm: algorithm.name,
      cohort: cohort.length,
    },
  ];
  for (const record of roundRecords)
    if (record.kind === "submitted") {
      const { party: enterprise, digest, commitment, signature } = record.submission;
      const by = { enterprise, digest, commitment, signature: toBase64(signature) };
      entries.push({ type: "round.submitted", roundId, ...by });
    } else if (record.kind === "survivors") {
      const list = record.survivors.map(({ party, ...rest }) => ({ enterprise: party, ...rest }));
      const survivors = record.survivors.map(({ party }) => party);
      entries.push({ type: "round.survivors", roundId, survivors, submissions: submissionsDigest(list) });
    } else if (record.kind === "unmasked") {
      const { party: enterprise, message } = record;
      const signature = toBase64(message.signature);
      entries.push({
        type: "round.unmasked",
        roundId,
        enterprise,
        revealed: revealedDigest(message),
        signature,
      });
    }
  switch (end.phase) {
    case "rerun":
      entries.push({
        type: "round.rerun",
        roundId,
        without: [...end.without],
        evidence: digestOf(end.evidence),
      });
      break;
    case "split": {
      const { invalid } = JSON.parse(Buffer.from(end.evidence).toString()) as {
        invalid: { party: string; signature: string }[];
      };
      const signatures = invalid.map(({ party, signature }) => ({ enterprise: party, signature }));
      const evidence = digestOf(end.evidence);
      entries.push({ type: "round.split", roundId, halves: end.halves, evidence, invalid: signatures });
      break;
    }
    case "closed": {
      const { certificate } = sum!;
      const salted = sumDigest(Buffer.from(certificate.salt, "hex"), Buffer.from(certificate.sum, "base64"));
      const signers = certificate.released.map(({ party }) => party);
      entries.push({
        type: "round.released",
        roundId,
        certificate: certificateDigest(certificate),
        sum: salted,
        signers,
        state: digestOf("after"),
      });
      break;
    }
    default:
      entries.push({ type: "round.lost", roundId, reason: "sum_invalid" });
  }
  return entries as Entry[];
}

/** Appends an attempt. @returns which rules complain, with the entry's type. */
async function appended(
  state: LogState,
  attempt: SimulatedAttempt,
  forge: (entry: Entry) => Entry = (entry) => entry,
): Promise<string[]> {
  const { header, coordinator: end, sum } = attempt;
  attach(state, { kind: "header", digest: roundIdOf(header), value: header });
  if (end.phase === "rerun" || end.phase === "split") {
    const value: unknown = JSON.parse(Buffer.from(end.evidence).toString());
    attach(state, { kind: "evidence", digest: digestOf(canonicalBytes(value)), value });
  }
  if (sum !== undefined) {
    const { certificate } = sum;
    attach(state, { kind: "certificate", digest: certificateDigest(certificate), value: certificate });
  }
  const found: string[] = [];
  for (const entry of entriesOf(attempt).map(forge)) {
    state.facts = await factsOf(entry, state, undefined);
    for (const [name, rule] of Object.entries(rules))
      if (rule(entry, state, {} as LogPolicy) !== undefined) found.push(`${name}: ${entry.type}`);
    apply(state, entry);
  }
  return found;
}

async function dealtWrongBy(sharer: string): Promise<Consortium> {
  const { roster, parties, maxColluding } = consortium;
  const header = proposeEpoch(roster, { epoch: 2, members: ids, maxColluding, stepSeconds: 1 });
  const secrets = {
    maskSecrets: Array.from({ length: 64 }, () => new Uint8Array(32).fill(7)),
    selfMaskSeeds: Array.from({ length: 64 }, () => new Uint8Array(32).fill(9)),
  };
  const wrong = await splitSlots(secrets, 8, header.threshold);
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
  const epoch = { open, hashes, secrets: opened.secrets, transcript: opened.transcript };
  return { ...consortium, number: 2, epoch, slots: { next: 0 } };
}

test.serial(
  "a re-run follows from the shares that show who dealt wrong, and from nothing else",
  async (t) => {
    const [, wrong] = ids as [string, string];
    const spoiled = await dealtWrongBy(wrong);
    const subject = smallSubject();
    const { attempts } = await simulateStep(spoiled, subject, ids, (number) => ({
      ...smallOptions(spoiled, bfv),
      dropsBefore: (id) => (id === wrong && number === 1 ? "unmask" : undefined),
    }));
    const [first, second] = attempts as [SimulatedAttempt, SimulatedAttempt];
    t.is(first.coordinator.phase, "rerun");
    const study = first.header.study;

    const honest = logOf(spoiled, study);
    t.deepEqual(await appended(honest, first), []);
    t.deepEqual(await appended(honest, second), []);

    const blaming = logOf(spoiled, study);
    const named = (entry: Entry): Entry =>
      entry.type === "round.rerun" ? { ...entry, without: [ids[0]!] } : entry;
    t.deepEqual(await appended(blaming, first, named), ["evidence: round.rerun"]);

    const other = logOf(spoiled, study);
    await appended(other, first);
    const cohort = ids.slice(1);
    const header = { ...second.header, cohort };
    t.true((await appended(other, { ...second, header })).includes("one sum: round.opened"));

    const again = logOf(spoiled, study);
    await appended(again, first);
    await appended(again, second, (entry) =>
      entry.type === "round.released"
        ? { type: "round.lost", time: 0, roundId: entry.roundId, reason: "round_lost" }
        : entry,
    );
    const third = { ...second, header: { ...second.header, attempt: 3, slot: 40 } };
    t.true((await appended(again, third)).includes("one sum: round.opened"));
  },
);

/** Counts twice. */
const spoiling =
  (spoiler: string): NonNullable<SimulationOptions["onPartyEffect"]> =>
  async (id, effect) => {
    if (effect.type !== "seal" || id !== spoiler) return undefined;
    const slots = quantize(effect.values, effect.packing);
    slots[0] = 2;
    addMasks(slots, effect.masks);
    const key = consortium.epoch.secrets.get(id)!.bfvKey;
    return { type: "sealed", roundId: effect.roundId, ciphertexts: await bfv.encrypt(key, slots) };
  };

test.serial("the halves of an invalid sum are those that its seeds give, each summed once", async (t) => {
  const { attempts } = await simulateStep(consortium, smallSubject(), ids, () => ({
    ...smallOptions(consortium, bfv),
    onPartyEffect: spoiling(ids[0]!),
  }));
  const [first, ...halves] = attempts as [SimulatedAttempt, ...SimulatedAttempt[]];
  t.is(first.coordinator.phase, "split");
  const { study } = first.header;

  const honest = logOf(consortium, study);
  for (const attempt of attempts) t.deepEqual(await appended(honest, attempt), []);

  const chosen = logOf(consortium, study);
  const otherHalves = (entry: Entry): Entry =>
    entry.type === "round.split" ? { ...entry, halves: [ids.slice(0, 4), ids.slice(4)] } : entry;
  t.deepEqual(await appended(chosen, first, otherHalves), ["evidence: round.split"]);

  const unsigned = logOf(consortium, study);
  const lessSigned = (entry: Entry): Entry =>
    entry.type === "round.split" ? { ...entry, invalid: entry.invalid.slice(1) } : entry;
  t.deepEqual(await appended(unsigned, first, lessSigned), ["evidence: round.split"]);

  const twice = logOf(consortium, study);
  await appended(twice, first);
  const lost = (entry: Entry): Entry =>
    entry.type === "round.released"
      ? { type: "round.lost", time: 0, roundId: entry.roundId, reason: "round_lost" }
      : entry;
  for (const half of halves) await appended(twice, half, lost);
  const last = halves.at(-1)!;
  const again = { ...last, header: { ...last.header, attempt: 9, slot: 60 } };
  t.true((await appended(twice, again, lost)).includes("one sum: round.opened"));
  const fresh = { ...first, header: { ...first.header, attempt: 10, slot: 61 } };
  t.true((await appended(twice, fresh)).includes("one sum: round.opened"));
});

test.serial("a complaint names whom its evidence shows to be wrong", async (t) => {
  const four = await consortiumOf(4, bfv);
  const [holder, sharer] = ["party-001", "party-003"] as const;
  const known = new Listener();
  const run = await opening(four, {
    onWayDown: (_, message) => {
      known.hear(message);
      return [message];
    },
    onWayUp: (from, message) => {
      if (from === holder && message.type === "confirmEpoch")
        return [complaintOf(four, holder, sharer, "share", { opening: message.opening, view: known.view })];
      if (from !== sharer || message.type !== "shareEpoch") return [message];
      const spoilt = sharesSignedBy(four, sharer, known.view, message, (to, one) =>
        to === holder ? { ...one, hashes: one.hashes.map((byte) => byte ^ 1) } : one,
      );
      return [spoilt];
    },
  });
  const { evidence } = failureOf(run);
  const value = JSON.parse(Buffer.from(evidence).toString()) as { header: string };
  const complaint = {
    type: "epoch.complaint",
    time: 0,
    opening: digestOf(value.header),
    accuser: holder,
    accused: sharer,
    kind: "share",
    guilty: sharer,
    evidence: digestOf(evidence),
  } as const;
  const state = startState(new GrowingTree());
  state.roster = four.roster;
  attach(state, { kind: "evidence", digest: digestOf(evidence), value });
  const judged = async (entry: Entry): Promise<string | undefined> => {
    state.facts = await factsOf(entry, state, undefined);
    return sums.complaintsSettled(entry, state, {} as LogPolicy);
  };
  t.is(await judged(complaint), undefined);
  t.regex((await judged({ ...complaint, guilty: holder })) ?? "", /shows that party-003 is wrong/);
  t.regex((await judged({ ...complaint, accused: "party-002" })) ?? "", /another complaint/);
});
