/** What an entry's attachments come to: worked out once, before any rule looks at the entry. */
import { fromBase64 } from "../../core/bytes.ts";
import { canonicalBytes, canonicalJson, type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parsedBy } from "../../core/schema.ts";
import { recoveriesSince } from "../recovery.ts";
import type { Roster } from "../roster.ts";
import { successionsSince } from "../succession.ts";
import { type CertifiedSum, certificateSchema, verifyCertificateOf } from "../sum/certificate.ts";
import { parseEvidence, settleComplaint } from "../sum/epoch/complaints.ts";
import type { OpenEpoch } from "../sum/epoch/secrets.ts";
import { judgeEvidence } from "../sum/evidence.ts";
import type { RoundHeader } from "../sum/header.ts";
import { type Statement, signedBy } from "../sum/statements.ts";
import type { StudyArithmetic } from "./arithmetic.ts";
import type { Entry, EntryOf } from "./entry.ts";
import { openEpochRecord } from "./epoch-record.ts";
import { parseVerifierKey } from "./note.ts";
import { openScoreStatement } from "./score-statement.ts";
import {
  attachedManifest,
  attachedRoster,
  attachedValue,
  type Chain,
  type Facts,
  type LogState,
  type RoundState,
} from "./state.ts";

const none: Facts = {};

const tried = <T>(work: () => T): T | Refusal => {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
};

const triedLater = async <T>(work: () => Promise<T>): Promise<T | Refusal> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
};

const missing = (what: string): Refusal => new Refusal("not_found", `${what} is not in the export`);

/** Of most entries there is nothing to work out, and of few anything to wait for. */
export function factsOf(
  entry: Entry,
  state: LogState,
  arithmetic: StudyArithmetic | undefined,
): Facts | Promise<Facts> {
  switch (entry.type) {
    case "key.epoch":
      return { epoch: tried(() => openedEpoch(entry, state)) };
    case "epoch.complaint":
      return { guilty: tried(() => guiltyOf(entry, state)) };
    case "study.proposed":
      return { chain: tried(() => firstOf(entry.study, state, arithmetic)) };
    case "round.released":
      return releaseOf(entry, state, arithmetic);
    case "round.rerun":
    case "round.split":
      return triedLater(() => cohortsAfter(entry, state)).then((cohorts) => ({ cohorts }));
    case "round.aborted":
      return { renounced: renouncedIn(entry, state.rounds.get(entry.roundId)) };
    case "score.issued":
      return { score: scoreIn(entry, state) };
    case "roster.changed":
      return changesIn(entry, state);
    case "consortium.created":
    case "member.expelled":
    case "certificate.issued":
    case "certificate.revoked":
    case "operator.removed":
    case "key.rotated":
    case "study.consented":
    case "study.withdrawn":
    case "study.ordered":
    case "study.pruned":
    case "policy.changed":
    case "desensitization.ran":
    case "data.committed":
    case "round.opened":
    case "round.submitted":
    case "round.survivors":
    case "round.unmasked":
    case "round.lost":
    case "privacy.spent":
    case "model.published":
    case "model.evaluated":
    case "models.ruled":
    case "model.approved":
    case "model.standing":
    case "score.consented":
    case "score.withdrawn":
    case "case.raised":
    case "case.assigned":
    case "case.commented":
    case "case.decided":
    case "warning.raised":
    case "ledger.reported":
    case "egress.sent":
    case "log.recovered":
      return none;
  }
}

/** Whatever cannot be opened, the rule about statements says so. */
function scoreIn({ enterprise, statement }: EntryOf<"score.issued">, { roster }: LogState) {
  const member = roster?.byId.get(enterprise);
  if (member === undefined) return undefined;
  const score = tried(() => openScoreStatement(statement, parseVerifierKey(member.verifierKey)));
  return score instanceof Refusal ? undefined : score;
}

/** What does not follow the roster before is no recovery, and no succession; the rules about them say so. */
function changesIn({ roster: digest }: EntryOf<"roster.changed">, state: LogState): Facts {
  const before = state.roster;
  const roster = tried(() => attachedRoster(state, digest));
  if (roster instanceof Refusal) return { recoveries: [], successions: [] };
  const recoveries = tried(() => recoveriesSince(before?.recoveries ?? [], roster.recoveries ?? []));
  const successions = tried(() => successionsSince(before?.successions ?? [], roster.successions ?? []));
  return {
    recoveries: recoveries instanceof Refusal ? [] : recoveries,
    successions: successions instanceof Refusal ? [] : successions,
  };
}

function openedEpoch({ transcript }: EntryOf<"key.epoch">, state: LogState): OpenEpoch {
  const record = attachedValue(state, "epoch", transcript);
  if (record === undefined) throw missing("what the epoch's members signed");
  if (state.roster === undefined) throw missing("the epoch's roster");
  return openEpochRecord(record, state.roster);
}

function guiltyOf({ evidence, ...entry }: EntryOf<"epoch.complaint">, state: LogState): string {
  const value = attachedValue(state, "evidence", evidence);
  if (value === undefined) throw missing("the complaint's evidence");
  if (state.roster === undefined) throw missing("the complaint's roster");
  const said = parseEvidence(canonicalBytes(value));
  if (
    digestOf(said.header) !== entry.opening ||
    said.accuser.party !== entry.accuser ||
    said.accused.party !== entry.accused ||
    said.message.kind !== entry.kind
  )
    throw new Refusal("evidence_invalid", "the evidence is of another complaint");
  return settleComplaint(said, state.roster);
}

export const stateDigest = (state: unknown): Digest => digestOf(canonicalBytes(state));

function firstOf(study: Digest, state: LogState, arithmetic: StudyArithmetic | undefined): Chain | undefined {
  // The rule about manifests says so where there is none.
  if (arithmetic === undefined || attachedManifest(state, study) === undefined) return undefined;
  const first = arithmetic.start(attachedValue(state, "manifest", study));
  return { state: first, digest: stateDigest(first), failed: false };
}

async function releaseOf(
  entry: EntryOf<"round.released">,
  state: LogState,
  arithmetic: StudyArithmetic | undefined,
): Promise<Facts> {
  const value = attachedValue(state, "certificate", entry.certificate);
  const round = state.rounds.get(entry.roundId);
  if (value === undefined || round === undefined) return none;
  const certificate = parsedBy(certificateSchema, value).data;
  if (certificate === undefined)
    return { sum: new Refusal("certificate_forged", "the attachment is no certificate") };
  const { epoch, roster } = round;
  // Without either, other rules have failed, and nothing can be told of the sum.
  if (epoch === undefined || roster === undefined) return { certificate };
  const sum = tried(() => verifyCertificateOf(certificate, roster, epoch));
  const chain = state.studies.get(round.study)?.chain;
  if (sum instanceof Refusal || sum.roundId !== entry.roundId || arithmetic === undefined || !chain)
    return { certificate, sum };
  return { certificate, sum, chain: await advanced(chain, sum, round, state, arithmetic) };
}

/** A sum that has no result ends its study, in the state before it. */
async function advanced(
  before: Chain,
  sum: CertifiedSum,
  { study, header }: RoundState,
  state: LogState,
  arithmetic: StudyArithmetic,
): Promise<Chain | undefined> {
  const manifest = attachedValue(state, "manifest", study);
  const next = arithmetic.next(manifest, before.state);
  // The header is of another place of the study, which its rule has said: its sum is not one of this place.
  if (before.failed || header === undefined || next === undefined) return undefined;
  if (elsewhere(header, before, next) !== undefined) return undefined;
  const after = await triedLater(() => arithmetic.advance(manifest, before.state, sum));
  if (after instanceof Refusal) return { ...before, failed: true };
  return { state: after, digest: stateDigest(after), failed: false };
}

/** @returns in what a header is not of the place where the study stands. */
export function elsewhere(
  { state, algorithm, layout, noise, cohort }: RoundHeader,
  chain: Chain,
  next: NonNullable<ReturnType<StudyArithmetic["next"]>>,
): string | undefined {
  if (state !== chain.digest) return "the header's state is not the one that manifest and sums lead to";
  if (canonicalJson(algorithm) !== canonicalJson(next.algorithm))
    return "another algorithm or step comes next";
  if (canonicalJson(layout) !== canonicalJson({ blocks: next.layout.blocks }))
    return "the layout is not the algorithm's";
  const stranger = cohort.find((member) => next.among?.includes(member) === false);
  if (stranger !== undefined) return `${stranger} is not of the group whose sum comes next`;
  return canonicalJson(noise ?? null) === canonicalJson(next.noise ?? null)
    ? undefined
    : "the noise is not what manifest and algorithm say";
}

async function cohortsAfter(
  entry: EntryOf<"round.rerun" | "round.split">,
  state: LogState,
): Promise<readonly (readonly string[])[]> {
  const evidence = attachedValue(state, "evidence", entry.evidence);
  if (evidence === undefined) throw missing("the evidence");
  const round = state.rounds.get(entry.roundId);
  if (round?.header === undefined || round.epoch === undefined || round.roster === undefined)
    throw new Refusal("evidence_invalid", "header or epoch of the round are not known");
  const { header, epoch, roster, survivors, submitted } = round;
  const list = survivors.flatMap((party) => {
    const submission = submitted.get(party);
    return submission === undefined ? [] : [{ party, ...submission }];
  });
  const of = { roundId: entry.roundId, header, epoch, survivors: list };
  const kind = entry.type === "round.rerun" ? "rerun" : "half";
  return judgeEvidence(kind, of, canonicalBytes(evidence), roster);
}

function renouncedIn(
  { roundId, renounced = [] }: EntryOf<"round.aborted">,
  round: RoundState | undefined,
): ReadonlySet<string> {
  const { roster, epoch } = round ?? {};
  if (roster === undefined || epoch === undefined) return new Set();
  const members = new Set(epoch.header.members);
  return new Set(
    renounced
      .filter(
        ({ enterprise, signature }) =>
          members.has(enterprise) &&
          hasSigned(roster, roundId, enterprise, { purpose: "renounce" }, signature),
      )
      .map(({ enterprise }) => enterprise),
  );
}

/** @param signature - base64, as entries hold it. */
export const hasSigned = (
  roster: Roster,
  roundId: Digest,
  enterprise: string,
  statement: Statement,
  signature: string,
): boolean => signedBy(roster, roundId, enterprise, statement, fromBase64(signature) ?? new Uint8Array());
