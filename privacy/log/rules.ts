import { equalBytes, toHex } from "../../core/bytes.ts";
import { canonicalJson } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { keptOf, logRecoveries, recoveriesSince } from "../recovery.ts";
import { countOrganisations } from "../roster.ts";
import { leadsTo, successionsSince } from "../succession.ts";
import { chunkCount, seededBytes } from "../sum/encryption/bfv-format.ts";
import { packingOf } from "../sum/noise-terms.ts";
import { releaseQuorum } from "../sum/statements.ts";
import { openStatement } from "../warnings/report.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { openConsent } from "./consent.ts";
import { type Entry, type EntryOf, type EntryType, lineageDigest, submissionsDigest } from "./entry.ts";
import { type NoteVerifier, parseNote, parseVerifierKey } from "./note.ts";
import type { LogPolicy } from "./policy.ts";
import { spendOf, spentEvent } from "./spend.ts";
import {
  attachedHeader,
  attachedManifest,
  attachedRoster,
  evaluationKey,
  type LogKey,
  type LogState,
  openCheckpointOf,
  type RoundState,
  scoresKey,
} from "./state.ts";
import type { SeenTree } from "./witness.ts";

/**
 * Says what is wrong with an entry after all that came before it, or nothing.
 * Each rule asks one question and stays silent where another rule already has the answer.
 */
export type Rule = (entry: Entry, state: LogState, policy: LogPolicy) => string | undefined;

/** A rule about entries of some types. */
export const about =
  <T extends EntryType>(
    types: readonly T[],
    rule: (entry: EntryOf<T>, state: LogState, policy: LogPolicy) => string | undefined,
  ): Rule =>
  (entry, state, policy) =>
    (types as readonly string[]).includes(entry.type)
      ? rule(entry as unknown as EntryOf<T>, state, policy)
      : undefined;

export const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);

/** @returns what a refusal says, where there is one. */
export const said = (fact: unknown): string | undefined =>
  fact instanceof Refusal ? fact.message : undefined;

/** @returns what a refusal says, where opening something throws one. */
export function complaint(open: () => string | undefined): string | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

export const timeNeverGoesBack: Rule = (entry, state) =>
  entry.time < state.time ? `recorded at ${entry.time}, after an entry of ${state.time}` : undefined;

export const consortiumFirst: Rule = (entry, state) => {
  if (entry.type !== "consortium.created")
    return state.entries === 0 ? "the first entry does not create the consortium" : undefined;
  if (state.entries > 0) return "the consortium is created twice";
  return complaint(() => {
    for (const key of [entry.bank, entry.auditor]) parseVerifierKey(key);
    return undefined;
  });
};

/** Of the whole log: the policy's keys are those that it began with, or others that follow them by its rosters. */
export function keysOfPolicy(
  { auditorKeys, bankKeys, consortium }: LogState,
  { log, witnesses }: LogPolicy,
): string | undefined {
  if (consortium === undefined) return undefined;
  if (!bankKeys.some(({ key }) => key.key === log.key)) return "the bank's key is not the log's";
  const isWitness = (publicKey: Uint8Array): boolean =>
    witnesses.some((witness) => equalBytes(witness.publicKey, publicKey));
  return auditorKeys.some(({ publicKey }) => isWitness(publicKey))
    ? undefined
    : "the auditor's key is not a witness of the policy: the bank could have made it up";
}

export const rosterSigned = about(["roster.changed"], (entry, state) =>
  complaint(() => {
    const roster = attachedRoster(state, entry.roster);
    if (roster.consortium !== state.consortium?.name) return `a roster of ${roster.consortium}`;
    if (roster.version !== entry.version) return `the roster has version ${roster.version}`;
    if (roster.version <= (state.roster?.version ?? 0)) return "the roster's version does not count up";
    const ids = roster.members.map(({ id }) => id);
    return sameList(ids, entry.members) ? undefined : "the members are not those of the roster";
  }),
);

/** Nothing is lost in silence: a log goes on from what it holds, and a ledger whose key is another began anew. */
export const recoveriesTold = about(["roster.changed"], (entry, state) =>
  complaint(() => {
    const { recoveries = [], successions = [], byId } = attachedRoster(state, entry.roster);
    const fresh = recoveriesSince(state.roster?.recoveries ?? [], recoveries);
    const unkept = keptOf(logRecoveries(fresh)).find((kept) => forked(kept, state));
    if (unkept !== undefined) return `the log did not go on from ${unkept.size} entries of this root`;
    const lastOfLog = fresh.findLastIndex(({ kind }) => kind === "log");
    const begun = new Set<string>();
    for (const [i, recovery] of fresh.entries()) {
      if (recovery.kind === "log") continue;
      const { enterprise, lost } = recovery;
      const reported = state.ledgers.get(enterprise);
      begun.add(enterprise);
      // What was reported before the log itself lost entries may be among them.
      if (i < lastOfLog) continue;
      if (reported?.size !== lost.size || reported.root !== toHex(lost.root))
        return `the ledger of ${enterprise} was not last reported with ${lost.size} entries of this root`;
    }
    for (const [enterprise, { checkpoint }] of state.ledgers) {
      const member = byId.get(enterprise);
      if (member === undefined || begun.has(enterprise)) continue;
      const signed = parseNote(checkpoint).signatures.map(({ keyId }) => keyId);
      if (!leadsTo(successions, enterprise, signed, member.verifierKey))
        return `${enterprise} has another key, and no recovery says that its ledger begins anew`;
    }
    return undefined;
  }),
);

/** A key follows another where both signed it, in a roster that bank and auditor sign; the log says so at once. */
export const keysFollow = about(["roster.changed", "key.rotated"], (entry, state) => {
  if (entry.type === "key.rotated") {
    const [told] = state.rotating;
    const { holder, from, to, roster } = entry;
    const isTold =
      told?.holder === holder && told.from === from && told.to === to && state.roster?.digest === roster;
    return isTold ? undefined : `no roster in force says that the key of ${holder} changed so`;
  }
  return complaint(() => {
    const roster = attachedRoster(state, entry.roster);
    const fresh = successionsSince(state.roster?.successions ?? [], roster.successions ?? []);
    for (const { holder, from, to } of fresh) {
      if (holder === "bank" || holder === "auditor") {
        if (state.consortium?.[holder].key !== from) return `the key of ${holder} was another before`;
        continue;
      }
      const before = state.roster?.byId.get(holder);
      if (before !== undefined && before.verifierKey !== from)
        return `${holder} had another key before than the roster says`;
      const now = roster.byId.get(holder);
      if (now !== undefined && now.verifierKey !== to)
        return `${holder} has not the key that follows its own`;
    }
    return undefined;
  });
});

export const rotationsLogged: Rule = (entry, state) =>
  entry.type === "key.rotated" ? undefined : unlogged(state);

export const unlogged = ({ rotating: [next] }: LogState): string | undefined =>
  next === undefined ? undefined : `the key of ${next.holder} changed, and no entry says so`;

export const expelledStayOut = about(["roster.changed"], (entry, state) => {
  const back = entry.members.find((id) => state.expelled.has(id));
  return back === undefined ? undefined : `${back} was expelled`;
});

export const certificatesIssued = about(["certificate.issued"], ({ serial, replaces }, { certificates }) => {
  if (certificates.has(serial)) return `certificate ${serial} is issued twice`;
  return replaces !== undefined && certificates.get(replaces) === "revoked"
    ? `it renews certificate ${replaces}, which was revoked`
    : undefined;
});

export const epochDealt = about(["key.epoch"], (entry, state) => {
  if (entry.epoch <= state.epoch || state.epochs.has(entry.digest)) return "the epoch does not count up";
  if (entry.roster !== state.roster?.digest) return "the epoch is not of the current roster";
  const { byId } = state.roster;
  const stranger = [entry.dealer, ...entry.members].find((id) => !byId.has(id));
  return stranger === undefined ? undefined : `${stranger} is not in the roster`;
});

export const manifestAsProposed = about(["study.proposed"], (entry, state) => {
  if (state.studies.has(entry.study)) return "the study is proposed twice";
  const manifest = attachedManifest(state, entry.study);
  if (manifest === undefined) return "no manifest of this digest is in the export";
  if (manifest.consortium !== state.consortium?.name) return `a study of ${manifest.consortium}`;
  for (const field of ["name", "purpose", "legalBasis", "impactAssessment", "retentionDays"] as const)
    if (manifest[field] !== entry[field]) return `${field} is not the manifest's`;
  if (manifest.privacy.minCohort !== entry.minCohort) return "minCohort is not the manifest's";
  return sameList(manifest.unprotected, entry.unprotected) ? undefined : "unprotected is not the manifest's";
});

const consents = ["study.consented", "study.withdrawn", "score.consented", "score.withdrawn"] as const;

export const consentSigned = about(consents, (entry, state) =>
  complaint(() => {
    const study = state.studies.get(entry.study);
    if (study === undefined) return "the study was not proposed";
    if (entry.type === "study.withdrawn")
      return study.consents.has(entry.enterprise) ? undefined : `${entry.enterprise} had not consented`;
    if (entry.type === "score.withdrawn")
      return state.scoreConsents.has(scoresKey(entry)) ? undefined : `${entry.enterprise} had not consented`;
    const member = state.roster?.byId.get(entry.enterprise);
    if (member === undefined) return `${entry.enterprise} is not in the roster`;
    const consent = openConsent(
      entry.consent,
      parseVerifierKey(member.verifierKey),
      entry.type === "study.consented" ? "study" : "scores",
    );
    if (consent.study !== entry.study) return "the consent is to another study";
    if (consent.enterprise !== entry.enterprise || consent.consortium !== state.consortium?.name)
      return "the consent is another enterprise's";
    return consent.expires === entry.expires ? undefined : "the expiry is not the consent's";
  }),
);

export const warningsAreTheirOwn = about(["warning.raised"], (entry, state) =>
  complaint(() => {
    const member = state.roster?.byId.get(entry.enterprise);
    if (member === undefined) return `${entry.enterprise} is not in the roster`;
    const signed = openStatement(entry.statement, parseVerifierKey(member.verifierKey));
    if (signed.enterprise !== entry.enterprise || signed.consortium !== state.consortium?.name)
      return "the report is another enterprise's";
    return signed.report === entry.report && signed.terms === entry.terms
      ? undefined
      : "the report or its terms are not those that were signed";
  }),
);

export const ordersOfStudies = about(["study.ordered"], (entry, state) => {
  const study = state.studies.get(entry.study);
  if (study === undefined) return "the study was not proposed";
  return study.stopped ? "the study was stopped before, for good" : undefined;
});

const dayMillis = 86_400_000;

/** Data of a study go when its retention is over, not before, and nothing of it runs afterwards. */
export const prunedAfterRetention = about(
  ["study.pruned", "round.opened", "model.published"],
  (entry, state) => {
    const study = state.studies.get(entry.study);
    if (entry.type !== "study.pruned") return study?.pruned ? "the study was pruned before" : undefined;
    if (study === undefined) return "the study was not proposed";
    if (study.pruned) return "the study is pruned twice";
    if (entry.sums !== study.released.length)
      return `it names ${entry.sums} sums, ${study.released.length} were released`;
    const isItsModel = entry.model === undefined || state.models.get(entry.model) === entry.study;
    if (!isItsModel) return "the model is not the study's";
    const { retentionDays } = study.manifest ?? {};
    if (retentionDays === undefined) return undefined;
    return entry.time >= study.time + retentionDays * dayMillis
      ? undefined
      : `its ${retentionDays} days of retention were not over`;
  },
);

export const policyCountsUp = about(["policy.changed", "desensitization.ran"], (entry, state) => {
  const version = state.policies.get(entry.enterprise) ?? 0;
  if (entry.type === "policy.changed")
    return entry.version > version ? undefined : "the policy's version does not count up";
  return entry.rowsOut <= entry.rowsIn ? undefined : "more rows came out than went in";
});

export const headerAsRecorded = about(["round.opened"], (entry, state) => {
  if (state.rounds.has(entry.roundId)) return "this attempt was opened before";
  const header = attachedHeader(state, entry.roundId);
  if (header === undefined) return "no round header of this digest is in the export";
  if (header.consortium !== state.consortium?.name) return `a round of ${header.consortium}`;
  if (header.study !== entry.study) return "the study is not the header's";
  if (header.round !== entry.round || header.attempt !== entry.attempt)
    return "round and attempt are not the header's";
  if (header.algorithm.name !== entry.algorithm) return "the algorithm is not the header's";
  if (header.cohort.length !== entry.cohort) return "the cohort's size is not the header's";
  return sameList(header.unprotected, entry.unprotected) ? undefined : "unprotected is not the header's";
});

export const consentBeforeRound = about(["round.opened"], (entry, state) => {
  const study = state.studies.get(entry.study);
  if (study === undefined) return "the study was not proposed";
  for (const id of attachedHeader(state, entry.roundId)?.cohort ?? []) {
    const expires = study.consents.get(id);
    if (expires === undefined) return `${id} has not consented, or withdrew`;
    if (expires <= entry.time) return `the consent of ${id} has expired`;
  }
  return undefined;
});

export const keyBeforeUse = about(["round.opened"], (entry, state) => {
  const header = attachedHeader(state, entry.roundId);
  if (header === undefined) return undefined;
  if (header.roster !== state.roster?.digest) return "the round is not of the current roster";
  const epoch = state.epochs.get(header.epoch);
  if (epoch === undefined) return "the key epoch was not opened";
  return epoch.roster === header.roster ? undefined : "the key epoch is of another roster";
});

export const minCohortKept = about(["round.opened", "round.survivors"], (entry, state) => {
  if (entry.type === "round.opened") {
    const header = attachedHeader(state, entry.roundId);
    const least = state.studies.get(entry.study)?.manifest?.privacy.minCohort ?? 0;
    if (header === undefined || state.roster === undefined) return undefined;
    if (header.minCohort < least)
      return `a cohort of ${header.minCohort} is allowed, the manifest says ${least}`;
    return tooFew(state.roster, header.cohort, header.minCohort);
  }
  const round = state.rounds.get(entry.roundId);
  if (round?.header === undefined || round.roster === undefined) return undefined;
  return tooFew(round.roster, entry.survivors, round.header.minCohort);
});

function tooFew(roster: Parameters<typeof countOrganisations>[0], ids: readonly string[], least: number) {
  const organisations = countOrganisations(roster, ids);
  return organisations < least ? `${organisations} organisations, where ${least} are needed` : undefined;
}

export const checkpointOfThisLog = about(["round.opened"], (entry, state, policy) =>
  complaint(() => {
    const header = attachedHeader(state, entry.roundId);
    if (header === undefined) return undefined;
    const { checkpoint } = openCheckpointOf(header.checkpoint, keysSoFar(header.checkpoint, state, policy));
    return forked(checkpoint, state)
      ? `the enterprises were shown another log of ${checkpoint.size}`
      : undefined;
  }),
);

/** @returns the keys that sign the log's trees: those that follow from the policy's. */
export const logKeys = ({ bankKeys }: LogState, { log }: LogPolicy): readonly LogKey[] =>
  bankKeys.some(({ key }) => key.key === log.key) ? bankKeys : [{ from: 0, key: log }];

/** As {@link logKeys}, where the policy's key may be one that follows later. */
function keysSoFar(note: string, state: LogState, policy: LogPolicy): readonly LogKey[] {
  const isByPolicy = parseNote(note).signatures.some(({ keyId }) => keyId === policy.log.keyId);
  return isByPolicy || state.bankKeys.length === 0 ? logKeys(state, policy) : state.bankKeys;
}

function forked({ size, root }: SeenTree, { tree }: LogState): boolean {
  const known = tree.rootAt(size);
  return known === undefined || !equalBytes(known, root);
}

export const attemptsCountUp = about(["round.opened"], (entry, state) => {
  const study = state.studies.get(entry.study);
  if (study === undefined) return undefined;
  if (study.open !== undefined) return "the attempt before is still open";
  if (entry.round !== study.released.length + 1) return `after ${study.released.length} released rounds`;
  return entry.attempt > study.attempt ? undefined : `after attempt ${study.attempt}`;
});

export const roundStepsInOrder = about(
  [
    "round.submitted",
    "round.survivors",
    "round.unmasked",
    "round.released",
    "round.aborted",
    "round.rerun",
    "round.split",
    "round.lost",
  ],
  (entry, state) => {
    const round = state.rounds.get(entry.roundId);
    if (round === undefined) return "the round was not opened";
    const before: readonly RoundState["phase"][] = phasesBefore[entry.type];
    return before.includes(round.phase) ? undefined : `the round is at "${round.phase}"`;
  },
);

const phasesBefore = {
  "round.submitted": ["opened"],
  "round.survivors": ["opened"],
  "round.unmasked": ["survivors"],
  "round.released": ["survivors"],
  "round.aborted": ["opened", "survivors"],
  "round.rerun": ["survivors"],
  "round.split": ["survivors"],
  "round.lost": ["survivors"],
} as const satisfies Record<string, readonly RoundState["phase"][]>;

export const oneRelease = about(["round.released"], (entry, state) => {
  const round = state.rounds.get(entry.roundId);
  if (round?.phase === "released") return "the sum of this attempt was released before";
  const study = round && state.studies.get(round.study);
  return study && study.open !== entry.roundId ? "it is not the attempt under way" : undefined;
});

export const submissionsMatch = about(["round.submitted", "round.survivors"], (entry, state) => {
  const round = state.rounds.get(entry.roundId);
  if (round === undefined) return undefined;
  if (entry.type === "round.submitted") {
    if (round.header && !round.header.cohort.includes(entry.enterprise))
      return `${entry.enterprise} is not in the cohort`;
    return round.submitted.has(entry.enterprise) ? `${entry.enterprise} submitted twice` : undefined;
  }
  const { header } = round;
  const whole = header && chunkCount(packingOf(header).slots) * seededBytes;
  const submissions: Parameters<typeof submissionsDigest>[0][number][] = [];
  for (const enterprise of entry.survivors) {
    const submitted = round.submitted.get(enterprise);
    if (submitted === undefined) return `the survivor ${enterprise} submitted nothing`;
    const bytes = round.bytes.get(enterprise);
    // What is in a sum came whole; of what is not, less may have come.
    if (whole !== undefined && bytes !== whole)
      return `${bytes} bytes of ${enterprise}, where a submission has ${whole}`;
    submissions.push({ enterprise, ...submitted });
  }
  return submissionsDigest(submissions) === entry.submissions
    ? undefined
    : "the survivors' submissions are not those that were logged";
});

export const releasedByQuorum = about(["round.released"], (entry, state) => {
  const { survivors = [], header } = state.rounds.get(entry.roundId) ?? {};
  const stranger = entry.signers.find((id) => !survivors.includes(id));
  if (stranger !== undefined) return `${stranger} signed, but is no survivor`;
  const epoch = header && state.epochs.get(header.epoch);
  const quorum = releaseQuorum(survivors.length, epoch?.maxColluding ?? 1);
  return entry.signers.length >= quorum
    ? undefined
    : `${entry.signers.length} of ${survivors.length} survivors signed the sum, where ${quorum} are needed`;
});

export const statesFollow = about(["round.opened"], (entry, state) => {
  const header = attachedHeader(state, entry.roundId);
  const { last, manifest } = state.studies.get(entry.study) ?? {};
  if (header === undefined || last === undefined) return undefined;
  const { index, step } = header.algorithm;
  if (header.state !== last.state) return "the model state is not what the round before left";
  if (index < last.algorithm.index) return "an earlier algorithm of the study runs again";
  if (index > last.algorithm.index) return step === 0 ? undefined : "the algorithm does not start at step 0";
  if (step === last.algorithm.step && last.sumsOfStep < (manifest?.groups?.length ?? 1)) return undefined;
  return step === last.algorithm.step + 1 ? undefined : `step ${step} follows step ${last.algorithm.step}`;
});

export const protectionDeclared = about(
  ["round.opened", "round.submitted", "model.published"],
  (entry, state) => {
    if (entry.type === "round.submitted") {
      const { header } = state.rounds.get(entry.roundId) ?? {};
      if (header !== undefined && header.noise === undefined && entry.layers.includes("noise"))
        return "submitted with noise, which the header does not have";
      const unprotected: readonly string[] = header?.unprotected ?? [];
      const missing = ["mask", "encryption", "noise"].find(
        (layer) => !(entry.layers as readonly string[]).includes(layer) && !unprotected.includes(layer),
      );
      return missing === undefined
        ? undefined
        : `submitted without ${missing}, which the header does not declare`;
    }
    const manifest = state.studies.get(entry.study)?.manifest;
    if (manifest === undefined) return undefined;
    const missing = entry.unprotected.find((layer) => !manifest.unprotected.includes(layer));
    if (missing !== undefined) return `runs without ${missing}, which the manifest does not declare`;
    return entry.type === "model.published" && !sameList(entry.unprotected, manifest.unprotected)
      ? "the model does not say which layers its study ran without"
      : undefined;
  },
);

export const spendAddsUp = about(["privacy.spent", "round.released"], (entry, state) => {
  const round = state.rounds.get(entry.roundId);
  if (round === undefined) return "the round was not opened";
  if (entry.type === "round.released")
    return round.spent ? undefined : "a sum is released whose privacy spend is not recorded";
  if (round.spent) return "the spend of this round is recorded twice";
  if (round.phase !== "survivors") return `a spend at "${round.phase}": it belongs right before the release`;
  if (entry.study !== round.study) return "the study is not the round's";
  const study = state.studies.get(entry.study);
  if (study === undefined) return undefined;
  const { manifest } = study;
  if (entry.mechanism === "none" && !manifest?.unprotected.includes("noise"))
    return "a spend without noise, which the manifest does not declare as unprotected";
  if (manifest === undefined) return undefined;
  if (entry.unit !== manifest.privacy.unit) return "the unit is not the manifest's";
  if (entry.counted !== undefined) return "a sum is released that its entry does not count";
  const { header } = round;
  if (
    header !== undefined &&
    canonicalJson(spentEvent(entry)) !==
      canonicalJson(spentEvent({ ...spendOf(header, entry.unit), steps: 1 }))
  )
    return "the spend is not what the header's noise costs";
  return entry.cumulativeSteps === study.steps + entry.steps
    ? undefined
    : `${study.steps} + ${entry.steps} sums are not ${entry.cumulativeSteps}`;
});

export const lineageComplete = about(
  ["model.published", "model.evaluated", "model.approved", "model.standing"],
  (entry, state) => {
    if (entry.type === "model.approved" || entry.type === "model.standing")
      return state.models.has(entry.model) ? undefined : "a decision about a model that was not published";
    if (entry.type === "model.evaluated") {
      if (state.models.get(entry.model) !== entry.study) return "the model was not published in this study";
      return state.evaluations.has(evaluationKey(entry))
        ? `${entry.algorithm} is evaluated twice`
        : undefined;
    }
    if (state.models.has(entry.model)) return "the model is published twice";
    const released = state.studies.get(entry.study)?.released ?? [];
    if (entry.rounds !== released.length) return `the study has ${released.length} released rounds`;
    if (entry.lineage !== lineageDigest(released.map(({ roundId }) => roundId)))
      return "the lineage is not that of the study's released rounds";
    const smallest = Math.min(...released.map(({ survivors }) => survivors));
    return entry.smallestCohort === smallest ? undefined : `the smallest cohort was ${smallest}`;
  },
);

export const ledgersGrow = about(["ledger.reported"], (entry, state) =>
  complaint(() => {
    const member = state.roster?.byId.get(entry.enterprise);
    if (member === undefined) return `${entry.enterprise} is not in the roster`;
    const key: NoteVerifier = parseVerifierKey(member.verifierKey);
    const { checkpoint } = openCheckpoint(entry.checkpoint, key);
    if (checkpoint.size !== entry.size || toHex(checkpoint.root) !== entry.root)
      return "size and root are not the checkpoint's";
    const before = state.ledgers.get(entry.enterprise);
    if (before === undefined || entry.size > before.size) return undefined;
    if (entry.size < before.size) return `the ledger shrank from ${before.size} to ${entry.size} entries`;
    return entry.root === before.root ? undefined : "two ledgers of the same size differ";
  }),
);
