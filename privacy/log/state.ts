import { z } from "zod";
import { canonicalJson, type Digest } from "../../core/canonical.ts";
import { idSchema } from "../../core/ids.ts";
import { orUndefined, Refusal } from "../../core/reasons.ts";
import { parsedBy } from "../../core/schema.ts";
import { studyTerms, unprotectedSchema } from "../../core/study-terms.ts";
import type { Recovery } from "../recovery.ts";
import { openRoster, type Roster } from "../roster.ts";
import type { Succession } from "../succession.ts";
import type { CertifiedSum, SumCertificate } from "../sum/certificate.ts";
import type { OpenEpoch } from "../sum/epoch/secrets.ts";
import { type RoundHeader, roundHeaderSchema } from "../sum/header.ts";
import type { Survivor } from "../sum/messages.ts";
import { type OpenedCheckpoint, openCheckpoint } from "./checkpoint.ts";
import type { CosignatureVerifier } from "./cosignature.ts";
import type { Entry, EntryOf, LimitStep } from "./entry.ts";
import type { Attachment } from "./export.ts";
import type { GrowingTree } from "./merkle.ts";
import { type NoteVerifier, parseNote, parseVerifierKey } from "./note.ts";
import type { ScoreStatement } from "./score-statement.ts";
import { type Spent, spentEvent, unreleasedEvent } from "./spend.ts";
import { parseCheckpoint } from "./tree-head.ts";

/** The fields of a manifest that the log's checks need; the rest is the study's own. */
const loggedManifestSchema = z.looseObject({
  consortium: idSchema,
  ...studyTerms,
  privacy: z.looseObject({
    minCohort: z.number(),
    maxColluding: z.number(),
    unit: z.enum(["record", "subject"]),
    noise: z.looseObject({ delta: z.number().positive().max(1e-3) }).optional(),
  }),
  unprotected: unprotectedSchema,
  algorithms: z.array(z.unknown()),
  groups: z.array(z.array(idSchema)).optional(),
});
export type LoggedManifest = z.infer<typeof loggedManifestSchema>;

/** Where manifest and sums lead to. */
export interface Chain {
  readonly state: unknown;
  readonly digest: Digest;
  /** Its last sum had no result: the study is over. */
  readonly failed: boolean;
}

/** An attempt without a sum, of the step under way. */
export interface EndedAttempt {
  readonly roundId: Digest;
  readonly follows: RoundHeader["follows"];
  readonly cohort: readonly string[];
  /** Whether the survivors were asked to agree: from then on somebody may have unmasked it. */
  readonly agreed: boolean;
  readonly end: "aborted" | "renounced" | "rerun" | "split" | "lost";
  /** What may be summed after a `rerun` or `split`. */
  readonly cohorts: readonly (readonly string[])[];
}

/** A released sum, as a model's lineage names it. */
export interface ReleasedSum {
  readonly roundId: Digest;
  /** Name of the algorithm whose step it was. */
  readonly algorithm: string;
  readonly survivors: number;
  readonly certificate: Digest;
  readonly state: Digest;
}

/** An entry that names what an export may leave out, a certificate or a model, and whether it is there. */
export interface Optional {
  readonly kind: "certificate" | "model";
  readonly study: Digest;
  readonly entry: number;
  readonly type: Entry["type"];
  readonly carried: boolean;
}

interface EpochState {
  readonly roster: Digest;
  readonly members: readonly string[];
  readonly maxColluding: number;
  readonly threshold: number;
  readonly slots: number;
  /** Undefined where its record does not verify. */
  readonly open: OpenEpoch | undefined;
  readonly slotsUsed: Set<number>;
}

interface StudyState {
  readonly manifest: LoggedManifest | undefined;
  /** Enterprise → when its consent ends, Unix milliseconds. */
  readonly consents: Map<string, number>;
  /** Attempt under way. */
  open: Digest | undefined;
  /** Last attempt of the round that follows the last released one; 0 before the first. */
  attempt: number;
  readonly released: ReleasedSum[];
  /** Of the step under way. */
  ended: EndedAttempt[];
  /** Undefined where it cannot be told: no arithmetic, no sums, or an earlier failure. */
  chain: Chain | undefined;
  /** What the last released round ran and left. */
  last: { algorithm: RoundHeader["algorithm"]; state: Digest; sumsOfStep: number } | undefined;
  steps: number;
  /** What each of its released sums cost, and whose rows. */
  readonly spends: Spent[];
  /** Of the last entry of its rounds and models, Unix milliseconds. */
  time: number;
  stopped: boolean;
  pruned: boolean;
}

export interface RoundState {
  readonly study: Digest;
  readonly attempt: number;
  readonly header: RoundHeader | undefined;
  readonly roster: Roster | undefined;
  readonly epoch: OpenEpoch | undefined;
  phase: "opened" | "survivors" | "released" | "aborted";
  readonly submitted: Map<string, Omit<Survivor, "party">>;
  /** Of what each of them submitted. */
  readonly bytes: Map<string, number>;
  survivors: readonly string[];
  readonly unmasked: Set<string>;
  spent: boolean;
}

/** What an entry's attachments come to. */
export interface Facts {
  /** Of `key.epoch`: what its members signed. */
  readonly epoch?: OpenEpoch | Refusal;
  /** Of `epoch.complaint`: who is guilty. */
  readonly guilty?: string | Refusal;
  /** Of `study.proposed` and `round.released`: where the study stands after it. */
  readonly chain?: Chain | Refusal | undefined;
  /** Of `round.released`. */
  readonly certificate?: SumCertificate | undefined;
  readonly sum?: CertifiedSum | Refusal | undefined;
  /** Of `round.rerun` and `round.split`: the cohorts that may be summed next. */
  readonly cohorts?: readonly (readonly string[])[] | Refusal;
  /** Of `roster.changed`: what it says was lost since the roster before. */
  readonly recoveries?: readonly Recovery[];
  /** Of `roster.changed`: the keys that follow others since the roster before. */
  readonly successions?: readonly Succession[];
  /** Of `score.issued`: what its enterprise signed, in the bank's log. */
  readonly score?: ScoreStatement | undefined;
  /** Of `round.aborted`: whose statements that they will never unmask it are their own. */
  readonly renounced?: ReadonlySet<string>;
}

type Cause = EntryOf<"case.raised">["cause"];

interface CaseState {
  /** An enterprise, or a model that has shifted. */
  readonly about: string | undefined;
  readonly cause: Cause;
  suggestion: LimitStep;
  decided: boolean;
}

/** What the entries so far say. Rules read it; `apply` alone changes it. */
export interface LogState {
  entries: number;
  /** Of the last entry, Unix milliseconds. */
  time: number;
  /** With the keys in force. */
  consortium: { name: string; bank: NoteVerifier; auditor: NoteVerifier } | undefined;
  /** Keys of the bank, the oldest first. */
  readonly bankKeys: LogKey[];
  /** In their order: no two keys of the auditor are alike. */
  readonly auditorKeys: NoteVerifier[];
  /** Of the roster now in force, as far as no entry spoke of them yet. */
  readonly rotating: Succession[];
  roster: Roster | undefined;
  /** Number of the newest key epoch. */
  epoch: number;
  /** By digest. */
  readonly epochs: Map<Digest, EpochState>;
  /** Expelled members. */
  readonly expelled: Set<string>;
  /** By serial number, as far as the log speaks of them. */
  readonly certificates: Map<string, "valid" | "revoked">;
  readonly studies: Map<Digest, StudyState>;
  readonly rounds: Map<Digest, RoundState>;
  readonly models: Map<Digest, Digest>;
  /** By {@link evaluationKey}. */
  readonly evaluations: Set<string>;
  /** Different people that have to approve a model before it is used. */
  approvalsNeeded: number;
  /** By {@link resultKey}: who approved it. */
  readonly approvals: Map<string, Set<string>>;
  /** By {@link resultKey}: how the bank uses it. */
  readonly standings: Map<string, EntryOf<"model.standing">["standing"]>;
  /** Study and enterprise → when its consent to score statements ends, Unix milliseconds. */
  readonly scoreConsents: Map<string, number>;
  /** Of the last score statement of a study and enterprise. */
  readonly lastScores: Map<string, { readonly issued: number; readonly until: string }>;
  /** Entries that a case may be raised by, and the enterprise or model that it is about then. */
  readonly causes: Map<number, { readonly about: string; readonly cause: Cause }>;
  /** By number. */
  readonly cases: Map<number, CaseState>;
  readonly ledgers: Map<string, { size: number; root: Digest; checkpoint: string }>;
  /** What was lost, by bank and auditor, and the entry that says so. */
  readonly recovered: { readonly recovery: Recovery; readonly entry: number }[];
  /** Enterprise → version of its policy. */
  readonly policies: Map<string, number>;
  /** Of an egress ledger: the policy recorded last, and whether submissions name theirs. */
  ledgerPolicy: { readonly current: Digest | undefined; readonly isNamed: boolean };
  /** Rounds whose spend an egress ledger records, and the sum of it for each study. */
  readonly ledgerSpent: Set<Digest>;
  readonly ledgerSteps: Map<Digest, number>;
  /** By digest. */
  readonly attachments: Map<Digest, Attachment>;
  /** Digests that no entry named yet. */
  readonly unused: Set<Digest>;
  /** Of the entries so far. */
  readonly tree: GrowingTree;
  /** In their order. */
  readonly optional: Optional[];
  /** Of the entry that is looked at. */
  facts: Facts;
}

/** @param tree - to which the entries are appended. */
export const startState = (tree: GrowingTree): LogState => ({
  entries: 0,
  time: 0,
  consortium: undefined,
  bankKeys: [],
  auditorKeys: [],
  rotating: [],
  roster: undefined,
  epoch: 0,
  epochs: new Map(),
  expelled: new Set(),
  certificates: new Map(),
  studies: new Map(),
  rounds: new Map(),
  models: new Map(),
  evaluations: new Set(),
  approvalsNeeded: 0,
  approvals: new Map(),
  standings: new Map(),
  scoreConsents: new Map(),
  lastScores: new Map(),
  causes: new Map(),
  cases: new Map(),
  ledgers: new Map(),
  recovered: [],
  policies: new Map(),
  ledgerPolicy: { current: undefined, isNamed: false },
  ledgerSpent: new Set(),
  ledgerSteps: new Map(),
  attachments: new Map(),
  unused: new Set(),
  tree,
  optional: [],
  facts: {},
});

export function attach(state: LogState, attachment: Attachment): void {
  state.attachments.set(attachment.digest, attachment);
  state.unused.add(attachment.digest);
}

/** @returns the attached document of this kind and digest. */
export function attachedValue(
  state: LogState,
  kind: Exclude<Attachment["kind"], "roster">,
  digest: Digest,
): unknown {
  const attachment = state.attachments.get(digest);
  return attachment !== undefined && attachment.kind === kind ? attachment.value : undefined;
}

// Several rules ask for the same document.
const headers = new WeakMap<object, RoundHeader>();

export function attachedHeader(state: LogState, roundId: Digest): RoundHeader | undefined {
  const value = attachedValue(state, "header", roundId) as object | undefined;
  if (value === undefined) return undefined;
  const known = headers.get(value);
  if (known !== undefined) return known;
  const header = parsedBy(roundHeaderSchema, value).data;
  if (header !== undefined) headers.set(value, header);
  return header;
}

export const attachedManifest = (state: LogState, study: Digest): LoggedManifest | undefined =>
  parsedBy(loggedManifestSchema, attachedValue(state, "manifest", study)).data;

/** @throws Refusal roster_unsigned, signature_invalid, note_malformed, not_found */
export function attachedRoster(state: LogState, digest: Digest): Roster {
  const attachment = state.attachments.get(digest);
  if (attachment?.kind !== "roster") throw new Refusal("not_found", "the roster is not in the export");
  if (state.consortium === undefined) throw new Refusal("not_found", "no consortium was created");
  const { bank, auditor } = state.consortium;
  if (bank.keyId === auditor.keyId && bank.name === auditor.name)
    throw new Refusal("roster_unsigned", "bank and auditor are one key");
  return openRoster(attachment.note, bank, auditor);
}

/** Whose scores by which study's model. */
export const scoresKey = ({ study, enterprise }: { readonly study: Digest; readonly enterprise: string }) =>
  `${study} ${enterprise}`;

/** What is evaluated once: one algorithm's scores in one model. */
export const evaluationKey = ({ model, algorithm }: EntryOf<"model.evaluated">): string =>
  `${model} ${algorithm}`;

/** One result of a model that scores. */
export const resultKey = ({ model, result }: { readonly model: Digest; readonly result: string }): string =>
  `${model} ${result}`;

const known = <T>(fact: T | Refusal | undefined): T | undefined =>
  fact instanceof Refusal ? undefined : fact;

/** Takes an entry in, as far as it makes sense; what does not, the rules that ask for the same thing have reported. */
export function apply(state: LogState, entry: Entry): void {
  state.entries++;
  state.time = Math.max(state.time, entry.time);
  switch (entry.type) {
    case "consortium.created":
      state.consortium ??= orUndefined(() => ({
        name: entry.consortium,
        bank: parseVerifierKey(entry.bank),
        auditor: parseVerifierKey(entry.auditor),
      }));
      if (state.consortium && state.bankKeys.length === 0) {
        state.bankKeys.push({ from: 0, key: state.consortium.bank });
        state.auditorKeys.push(state.consortium.auditor);
      }
      return;
    case "roster.changed":
      changeRoster(state, entry);
      return;
    case "key.rotated":
      state.rotating.shift();
      return;
    case "key.epoch":
      state.epoch = Math.max(state.epoch, entry.epoch);
      state.epochs.set(entry.digest, newEpoch(state, entry));
      state.unused.delete(entry.transcript);
      state.attachments.delete(entry.transcript);
      return;
    case "epoch.complaint":
      state.unused.delete(entry.evidence);
      return;
    case "study.proposed":
      state.unused.delete(entry.study);
      if (!state.studies.has(entry.study)) state.studies.set(entry.study, newStudy(state, entry));
      return;
    case "study.consented":
      state.studies.get(entry.study)?.consents.set(entry.enterprise, entry.expires);
      return;
    case "study.withdrawn":
      state.studies.get(entry.study)?.consents.delete(entry.enterprise);
      return;
    case "study.ordered": {
      const study = state.studies.get(entry.study);
      if (study) study.stopped ||= entry.order === "stopped";
      return;
    }
    case "study.pruned": {
      const study = state.studies.get(entry.study);
      if (study) study.pruned = true;
      return;
    }
    case "policy.changed":
      state.policies.set(entry.enterprise, entry.version);
      state.ledgerPolicy = { ...state.ledgerPolicy, current: entry.policy };
      return;
    case "round.opened":
    case "round.submitted":
    case "round.survivors":
    case "round.unmasked":
    case "round.released":
    case "round.aborted":
    case "round.rerun":
    case "round.split":
    case "round.lost":
    case "privacy.spent":
      applyRound(state, entry);
      return;
    case "model.published":
      state.unused.delete(entry.model);
      state.models.set(entry.model, entry.study);
      state.causes.set(state.entries - 1, { about: entry.model, cause: "shift" });
      noteOptional(state, entry, "model", attachedValue(state, "model", entry.model) !== undefined);
      return;
    case "ledger.reported":
      state.ledgers.set(entry.enterprise, entry);
      return;
    case "model.evaluated":
      state.evaluations.add(evaluationKey(entry));
      noteOptional(state, entry, "model", attachedValue(state, "model", entry.model) !== undefined);
      return;
    case "models.ruled":
      state.approvalsNeeded = entry.approvals;
      return;
    case "model.approved": {
      const key = resultKey(entry);
      state.approvals.set(key, (state.approvals.get(key) ?? new Set()).add(entry.by));
      return;
    }
    case "model.standing":
      state.standings.set(resultKey(entry), entry.standing);
      return;
    case "member.expelled":
      state.expelled.add(entry.enterprise);
      return;
    case "certificate.issued":
      state.certificates.set(entry.serial, "valid");
      return;
    case "certificate.revoked":
      state.certificates.set(entry.serial, "revoked");
      return;
    case "operator.removed":
      for (const serial of entry.serials) state.certificates.set(serial, "revoked");
      return;
    case "score.consented":
      state.scoreConsents.set(scoresKey(entry), entry.expires);
      return;
    case "score.withdrawn":
      state.scoreConsents.delete(scoresKey(entry));
      return;
    case "score.issued":
      state.lastScores.set(scoresKey(entry), state.facts.score ?? { issued: entry.time, until: "" });
      state.causes.set(state.entries - 1, { about: entry.enterprise, cause: "grade" });
      return;
    case "warning.raised":
      state.causes.set(state.entries - 1, { about: entry.enterprise, cause: "warning" });
      return;
    case "case.raised": {
      const { enterprise, model, cause, suggestion } = entry;
      state.cases.set(entry.case, { about: model ?? enterprise, cause, suggestion, decided: false });
      return;
    }
    case "case.decided": {
      const open = state.cases.get(entry.case);
      if (open) open.decided = true;
      return;
    }
    case "case.assigned":
    case "case.commented":
    case "desensitization.ran":
    case "data.committed":
    case "log.recovered":
      return;
    case "egress.sent":
      if (entry.policy !== undefined) state.ledgerPolicy = { ...state.ledgerPolicy, isNamed: true };
      return;
  }
}

function changeRoster(state: LogState, entry: EntryOf<"roster.changed">): void {
  const roster = orUndefined(() => attachedRoster(state, entry.roster));
  state.unused.delete(entry.roster);
  for (const recovery of state.facts.recoveries ?? []) {
    state.recovered.push({ recovery, entry: state.entries - 1 });
    if (recovery.kind === "ledger") state.ledgers.delete(recovery.enterprise);
  }
  if (roster === undefined) return;
  state.roster = roster;
  state.rotating.push(...(state.facts.successions ?? []));
  const { bank, auditor } = roster;
  if (state.consortium) state.consortium = { ...state.consortium, bank, auditor };
  // The tree that holds this entry is the first that the next key signs.
  if (state.bankKeys.at(-1)?.key.key !== bank.key) state.bankKeys.push({ from: state.entries, key: bank });
  if (state.auditorKeys.at(-1)?.key !== auditor.key) state.auditorKeys.push(auditor);
}

/** A key of the bank, and the least size of a tree that it signs. */
export interface LogKey {
  readonly from: number;
  readonly key: NoteVerifier;
}

/**
 * Opens a checkpoint under the key that signed the log's trees of that size.
 * @param keys - the oldest first. @throws Refusal note_malformed, signature_invalid
 */
export function openCheckpointOf(
  note: string,
  keys: readonly LogKey[],
  witnesses: readonly CosignatureVerifier[] = [],
): OpenedCheckpoint {
  const { size } = parseCheckpoint(parseNote(note).text);
  const signer = keys.findLast(({ from }) => from <= size);
  if (signer === undefined) throw new Refusal("signature_invalid", "no key of this log is known");
  return openCheckpoint(note, signer.key, witnesses);
}

function noteOptional(
  state: LogState,
  { type, study, time }: { readonly type: Entry["type"]; readonly study: Digest; readonly time: number },
  kind: Optional["kind"],
  carried: boolean,
): void {
  // The entry is counted already.
  state.optional.push({ kind, study, entry: state.entries - 1, type, carried });
  const known = state.studies.get(study);
  if (known) known.time = time;
}

const newEpoch = ({ facts }: LogState, entry: EntryOf<"key.epoch">): EpochState => {
  const open = known(facts.epoch);
  const { roster, members, maxColluding, threshold, slots } = entry;
  const isTheSame = open?.digest === entry.digest && open.header.roster === roster;
  return {
    roster,
    members,
    maxColluding,
    threshold,
    slots,
    open: isTheSame ? open : undefined,
    slotsUsed: new Set(),
  };
};

const newStudy = (state: LogState, { study, time }: EntryOf<"study.proposed">): StudyState => ({
  time,
  stopped: false,
  pruned: false,
  chain: known(state.facts.chain),
  ended: [],
  manifest: attachedManifest(state, study),
  consents: new Map(),
  open: undefined,
  attempt: 0,
  released: [],
  last: undefined,
  steps: 0,
  spends: [],
});

/** Where a step takes a sum of each group, several are of the same step. */
const lastOf = (
  before: StudyState["last"],
  algorithm: RoundHeader["algorithm"],
  state: Digest,
): NonNullable<StudyState["last"]> => {
  const isSame = canonicalJson(before?.algorithm ?? null) === canonicalJson(algorithm);
  return { algorithm, state, sumsOfStep: isSame ? before!.sumsOfStep + 1 : 1 };
};

type RoundEntry = EntryOf<
  | "round.opened"
  | "round.submitted"
  | "round.unmasked"
  | "round.rerun"
  | "round.split"
  | "round.lost"
  | "round.survivors"
  | "round.released"
  | "round.aborted"
  | "privacy.spent"
>;

function applyRound(state: LogState, entry: RoundEntry): void {
  if (entry.type === "privacy.spent") {
    state.ledgerSpent.add(entry.roundId);
    state.ledgerSteps.set(entry.study, entry.cumulativeSteps);
  }
  if (entry.type === "round.opened") {
    const study = state.studies.get(entry.study);
    if (study) [study.open, study.attempt, study.time] = [entry.roundId, entry.attempt, entry.time];
    state.unused.delete(entry.roundId);
    const { study: studyDigest, attempt } = entry;
    const header = attachedHeader(state, entry.roundId);
    const epoch = header && state.epochs.get(header.epoch);
    if (header) epoch?.slotsUsed.add(header.slot);
    state.rounds.set(entry.roundId, {
      study: studyDigest,
      attempt,
      header,
      roster: state.roster,
      epoch: epoch?.open,
      phase: "opened",
      submitted: new Map(),
      bytes: new Map(),
      survivors: [],
      unmasked: new Set(),
      spent: false,
    });
    return;
  }
  const round = state.rounds.get(entry.roundId);
  if (round === undefined) return;
  const study = state.studies.get(round.study);
  if (study) study.time = entry.time;
  switch (entry.type) {
    case "round.submitted":
      round.submitted.set(entry.enterprise, {
        digest: entry.digest,
        commitment: entry.commitment,
        noiseCommitment: entry.noiseCommitment ?? "",
      });
      round.bytes.set(entry.enterprise, entry.bytes);
      return;
    case "round.unmasked":
      round.unmasked.add(entry.enterprise);
      return;
    case "round.survivors":
      round.phase = "survivors";
      round.survivors = entry.survivors;
      return;
    case "privacy.spent":
      round.spent = true;
      if (study) {
        study.steps = entry.cumulativeSteps;
        study.spends.push({ event: spentEvent(entry), members: paying(state, round) });
      }
      return;
    case "round.released":
      noteOptional(
        state,
        { ...entry, study: round.study },
        "certificate",
        state.facts.certificate !== undefined,
      );
      if (study) {
        const { roundId, certificate, state: after } = entry;
        const algorithm = round.header?.algorithm.name ?? "";
        const survivors = round.survivors.length;
        study.released.push({ roundId, algorithm, survivors, certificate, state: after });
        study.attempt = 0;
        study.ended = [];
        study.chain = known(state.facts.chain);
        if (round.header) study.last = lastOf(study.last, round.header.algorithm, entry.state);
      }
      state.unused.delete(entry.certificate);
      state.attachments.delete(entry.certificate);
      close(state, entry.roundId, round, "released");
      return;
    case "round.rerun":
    case "round.split": {
      const { survivors } = round;
      noteUnreleased(state, study, round);
      study?.ended.push(endedAs(round, entry, entry.type === "round.rerun" ? "rerun" : "split", state));
      state.unused.delete(entry.evidence);
      close(state, entry.roundId, round, "aborted");
      // What is summed again is of these.
      state.rounds.get(entry.roundId)!.survivors = survivors;
      return;
    }
    case "round.lost":
      noteUnreleased(state, study, round);
      study?.ended.push(endedAs(round, entry, "lost", state));
      close(state, entry.roundId, round, "aborted");
      return;
    case "round.aborted": {
      const { size } = state.facts.renounced ?? new Set();
      // Where the epoch does not verify, its rule has said so.
      const threshold = round.epoch?.header.threshold ?? 0;
      study?.ended.push(endedAs(round, entry, size >= threshold ? "renounced" : "aborted", state));
      close(state, entry.roundId, round, "aborted");
      return;
    }
  }
}

/** Who is in one half of an invalid sum's survivors is what the other leaves of it. */
const paying = (state: LogState, { header, survivors }: RoundState): readonly string[] =>
  (header?.follows && state.rounds.get(header.follows.of)?.survivors) ?? survivors;

function noteUnreleased(state: LogState, study: StudyState | undefined, round: RoundState): void {
  if (study?.manifest === undefined || round.header === undefined || round.unmasked.size === 0) return;
  const event = unreleasedEvent(round.header, study.manifest.privacy.unit);
  if (event !== undefined) study.spends.push({ event, members: paying(state, round), unreleased: true });
}

const endedAs = (
  { header, phase }: RoundState,
  { roundId }: RoundEntry,
  end: EndedAttempt["end"],
  { facts }: LogState,
): EndedAttempt => ({
  roundId,
  follows: header?.follows ?? null,
  cohort: header?.cohort ?? [],
  agreed: phase !== "opened",
  end,
  cohorts: known(facts.cohorts) ?? [],
});

function close(state: LogState, roundId: Digest, round: RoundState, phase: "released" | "aborted"): void {
  const study = state.studies.get(round.study);
  if (study?.open === roundId) study.open = undefined;
  // A closed round is only ever asked for its phase: what it held would add up over a long log.
  state.attachments.delete(roundId);
  state.rounds.set(roundId, {
    ...round,
    phase,
    header: undefined,
    epoch: undefined,
    submitted: new Map(),
    bytes: new Map(),
    survivors: [],
    unmasked: new Set(),
  });
}
