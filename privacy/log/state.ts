import { z } from "zod";
import type { Digest } from "../../core/canonical.ts";
import { idSchema } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import { studyTerms, unprotectedSchema } from "../../core/study-terms.ts";
import { openRoster, type Roster } from "../roster.ts";
import { type RoundHeader, roundHeaderSchema } from "../sum/header.ts";
import type { Entry, EntryOf } from "./entry.ts";
import type { Attachment } from "./export.ts";
import type { Hash } from "./merkle.ts";
import { type NoteVerifier, parseVerifierKey } from "./note.ts";

/** The fields of a manifest that the log's checks need; the rest is the study's own. */
const loggedManifestSchema = z.looseObject({
  consortium: idSchema,
  ...studyTerms,
  privacy: z.looseObject({ minCohort: z.number(), unit: z.string() }),
  unprotected: unprotectedSchema,
});
export type LoggedManifest = z.infer<typeof loggedManifestSchema>;

interface StudyState {
  readonly manifest: LoggedManifest | undefined;
  /** Enterprise → when its consent ends, Unix milliseconds. */
  readonly consents: Map<string, number>;
  /** Attempt under way. */
  open: Digest | undefined;
  /** Last attempt of the round that follows the last released one; 0 before the first. */
  attempt: number;
  readonly released: { roundId: Digest; survivors: number }[];
  /** What the last released round ran and left. */
  last: { algorithm: RoundHeader["algorithm"]; state: Digest } | undefined;
  steps: number;
}

export interface RoundState {
  readonly study: Digest;
  readonly attempt: number;
  readonly header: RoundHeader | undefined;
  readonly roster: Roster | undefined;
  phase: "opened" | "survivors" | "released" | "aborted";
  readonly submitted: Map<string, { readonly digest: Digest; readonly commitment: Digest }>;
  survivors: readonly string[];
  spent: boolean;
}

/** What the entries so far say. Rules read it; `apply` alone changes it. */
export interface LogState {
  entries: number;
  /** Of the last entry, Unix milliseconds. */
  time: number;
  consortium: { name: string; bank: NoteVerifier; auditor: NoteVerifier } | undefined;
  roster: Roster | undefined;
  readonly epochs: Map<number, { readonly digest: Digest; readonly roster: Digest }>;
  readonly studies: Map<Digest, StudyState>;
  readonly rounds: Map<Digest, RoundState>;
  readonly models: Map<Digest, Digest>;
  /** By {@link evaluationKey}. */
  readonly evaluations: Set<string>;
  readonly ledgers: Map<string, { size: number; root: Digest }>;
  /** Enterprise → version of its policy. */
  readonly policies: Map<string, number>;
  /** Rounds whose spend an egress ledger records, and the sum of it for each study. */
  readonly ledgerSpent: Set<Digest>;
  readonly ledgerSteps: Map<Digest, number>;
  /** By digest. */
  readonly attachments: Map<Digest, Attachment>;
  /** Digests that no entry named yet. */
  readonly unused: Set<Digest>;
  /** Root of the tree at each size so far. */
  readonly roots: Hash[];
}

export const startState = (emptyTreeRoot: Hash): LogState => ({
  entries: 0,
  time: 0,
  consortium: undefined,
  roster: undefined,
  epochs: new Map(),
  studies: new Map(),
  rounds: new Map(),
  models: new Map(),
  evaluations: new Set(),
  ledgers: new Map(),
  policies: new Map(),
  ledgerSpent: new Set(),
  ledgerSteps: new Map(),
  attachments: new Map(),
  unused: new Set(),
  roots: [emptyTreeRoot],
});

export function attach(state: LogState, attachment: Attachment): void {
  state.attachments.set(attachment.digest, attachment);
  state.unused.add(attachment.digest);
}

export function attachedHeader(state: LogState, roundId: Digest): RoundHeader | undefined {
  const attachment = state.attachments.get(roundId);
  return attachment?.kind === "header" ? roundHeaderSchema.safeParse(attachment.value).data : undefined;
}

export function attachedManifest(state: LogState, study: Digest): LoggedManifest | undefined {
  const attachment = state.attachments.get(study);
  return attachment?.kind === "manifest" ? loggedManifestSchema.safeParse(attachment.value).data : undefined;
}

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

/** What is evaluated once: one algorithm's scores in one model. */
export const evaluationKey = ({ model, algorithm }: EntryOf<"model.evaluated">): string =>
  `${model} ${algorithm}`;

/** @returns undefined instead of a refusal: the rule that asks for the same thing reports it. */
function orUndefined<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** Takes an entry in, as far as it makes sense; what does not, the rules have reported. */
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
      return;
    case "roster.changed":
      state.roster = orUndefined(() => attachedRoster(state, entry.roster)) ?? state.roster;
      state.unused.delete(entry.roster);
      return;
    case "key.epoch":
      state.epochs.set(entry.epoch, entry);
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
    case "policy.changed":
      state.policies.set(entry.enterprise, entry.version);
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
      state.models.set(entry.model, entry.study);
      return;
    case "ledger.reported":
      state.ledgers.set(entry.enterprise, entry);
      return;
    case "model.evaluated":
      state.evaluations.add(evaluationKey(entry));
      return;
    case "desensitization.ran":
    case "egress.sent":
    case "member.expelled":
    case "certificate.revoked":
      return;
  }
}

const newStudy = (state: LogState, { study }: EntryOf<"study.proposed">): StudyState => ({
  manifest: attachedManifest(state, study),
  consents: new Map(),
  open: undefined,
  attempt: 0,
  released: [],
  last: undefined,
  steps: 0,
});

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
    if (study) [study.open, study.attempt] = [entry.roundId, entry.attempt];
    state.unused.delete(entry.roundId);
    const { study: studyDigest, attempt } = entry;
    const header = attachedHeader(state, entry.roundId);
    state.rounds.set(entry.roundId, {
      study: studyDigest,
      attempt,
      header,
      roster: state.roster,
      phase: "opened",
      submitted: new Map(),
      survivors: [],
      spent: false,
    });
    return;
  }
  const round = state.rounds.get(entry.roundId);
  if (round === undefined) return;
  const study = state.studies.get(round.study);
  switch (entry.type) {
    case "round.submitted":
      round.submitted.set(entry.enterprise, entry);
      return;
    case "round.unmasked":
      return;
    case "round.survivors":
      round.phase = "survivors";
      round.survivors = entry.survivors;
      return;
    case "privacy.spent":
      round.spent = true;
      if (study) study.steps = entry.cumulativeSteps;
      return;
    case "round.released":
      if (study) {
        study.released.push({ roundId: entry.roundId, survivors: round.survivors.length });
        study.attempt = 0;
        if (round.header) study.last = { algorithm: round.header.algorithm, state: entry.state };
      }
      state.unused.delete(entry.certificate);
      state.attachments.delete(entry.certificate);
      close(state, entry.roundId, round, "released");
      return;
    case "round.rerun":
      state.unused.delete(entry.evidence);
      close(state, entry.roundId, round, "aborted");
      return;
    case "round.split":
    case "round.lost":
    case "round.aborted":
      close(state, entry.roundId, round, "aborted");
      return;
  }
}

function close(state: LogState, roundId: Digest, round: RoundState, phase: "released" | "aborted"): void {
  const study = state.studies.get(round.study);
  if (study?.open === roundId) study.open = undefined;
  // A closed round is only ever asked for its phase: what it held would add up over a long log.
  state.attachments.delete(roundId);
  state.rounds.set(roundId, { ...round, phase, header: undefined, submitted: new Map(), survivors: [] });
}
