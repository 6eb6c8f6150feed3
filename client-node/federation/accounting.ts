/** What a node that lost its ledger has spent, by the bank's log: bank and auditor have signed what that holds. */
import type { DatabaseSync } from "node:sqlite";
import { equalBytes } from "../../core/bytes.ts";
import { type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { cosignatureVerifier } from "../../privacy/log/cosignature.ts";
import { type Entry, entryBytes } from "../../privacy/log/entry.ts";
import { type Attachment, readExport } from "../../privacy/log/export.ts";
import { appendLeaf, emptyRange, leafHash, rangeRoot } from "../../privacy/log/merkle.ts";
import { parseNote, parseVerifierKey } from "../../privacy/log/note.ts";
import { formatPolicy, parsePolicy } from "../../privacy/log/policy.ts";
import { allHold, verifyExport } from "../../privacy/log/verify.ts";
import type { PrivacyEvent } from "../../privacy/noise/event.ts";
import { type LogRecovery, logRecoveries } from "../../privacy/recovery.ts";
import { type Member, parseRoster } from "../../privacy/roster.ts";
import { type RoundHeader, roundHeaderSchema } from "../../privacy/sum/header.ts";
import { chargeBystander, chargeUnknown, countedIn } from "../ledger/budget.ts";
import { seenCheckpoint } from "../ledger/records.ts";
import { everyTable, isAccounted, markAccounted, memorySince, undecided } from "../ledger/recoveries.ts";
import { chargeForgotten, exactSumsOf } from "../ledger/steps.ts";
import { transact } from "../ledger/store.ts";
import type { NodeCredentials } from "./credentials.ts";

/** An attempt that this enterprise was in, as the log tells it. */
interface Attempt {
  readonly roundId: Digest;
  submitted: boolean;
  survivors: readonly string[] | undefined;
  aborted: boolean;
}

/** What was charged, to every table. */
export interface Accounted {
  /** Entries of the log that were gone through. */
  readonly entries: number;
  readonly exactSums: number;
  readonly sumsWithNoise: number;
}

/**
 * Charges every sum that the log names this enterprise in, before its memory began. An attempt that was agreed on
 * counts, whether or not it was released, unless another one of the same step took its place; with noise, every one that
 * was submitted to. Of what the log itself has lost, everything counts that may have been in it.
 *
 * @param source - an export of the bank's log, read twice; it may be without sums.
 * @throws Refusal not_found, where nothing was lost; unavailable, before the roster with the new key was shown;
 *   log_invalid, where the export does not verify, is not cosigned by the auditor, or does not hold what this node was
 *   shown of the log; file_malformed
 */
export async function accountFor(
  source: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { db, credentials }: { readonly db: DatabaseSync; readonly credentials: NodeCredentials },
  nowMillis: number,
): Promise<Accounted> {
  const { bankKey, auditorKey, enterprise } = credentials;
  const since = memorySince(db);
  if (since === undefined || isAccounted(db))
    throw new Refusal("not_found", "there is nothing to account for: all that this node spent is charged");
  const bank = parseVerifierKey(bankKey);
  const seen = seenCheckpoint(db, bank.name);
  if (since === undecided || seen === undefined)
    throw new Refusal("unavailable", "no roster has named this node's new key yet", {
      hint: "let bank and auditor admit it, start it once, then account with an export made after that",
    });
  const { name, publicKey } = parseVerifierKey(auditorKey);
  const policy = parsePolicy(formatPolicy(bank, [cosignatureVerifier(name, publicKey)], 1));
  const attempts = new Map<Digest, Attempt>();
  const lost: LogRecovery[] = [];
  // Not left to the verifier: what a recovery says was lost would pass there as a checkpoint of it.
  let range = emptyRange;
  let holdsSeen = false;
  const checks = await verifyExport(source(), policy, {
    onEntry: (entry, index, { recoveries }) => {
      range = appendLeaf(range, leafHash(entryBytes(entry))).range;
      if (range.size === seen.size) holdsSeen = equalBytes(rangeRoot(range), seen.root);
      if (index >= since) return;
      note(attempts, entry, enterprise);
      lost.push(...logRecoveries(recoveries));
    },
  });
  const failed = checks.find(({ ok }) => !ok);
  if (!allHold(checks))
    throw new Refusal("log_invalid", `the export does not verify: ${failed!.check}: ${failed!.detail}`, {
      hint: "ask the auditor to look at the log (fedcredit audit watch), and for an export made after that",
    });
  if (!holdsSeen || seen.size <= since)
    throw new Refusal("log_invalid", "the export does not hold what this node was shown of the log", {
      hint: "ask for an export of the log as it is now",
    });
  const known = await attached(source());
  return transact(db, () => {
    const before = { exact: exactSumsOf(db, everyTable), noise: sumsWithNoise(db) };
    for (const attempt of attempts.values()) charge(db, attempt, attempts, known, enterprise, nowMillis);
    for (const recovery of lost) chargeLost(db, recovery, nowMillis);
    markAccounted(db, since);
    return {
      entries: since,
      exactSums: exactSumsOf(db, everyTable) - before.exact,
      sumsWithNoise: sumsWithNoise(db) - before.noise,
    };
  });
}

const sumsWithNoise = (db: DatabaseSync): number =>
  Number(db.prepare("SELECT count(*) AS sums FROM spend WHERE rows_table = ?").get(everyTable)!.sums);

function note(attempts: Map<Digest, Attempt>, entry: Entry, enterprise: string): void {
  if (!("roundId" in entry) || entry.roundId === undefined) return;
  const { roundId } = entry;
  const attempt = attempts.get(roundId) ?? {
    roundId,
    submitted: false,
    survivors: undefined,
    aborted: false,
  };
  attempts.set(roundId, attempt);
  if (entry.type === "round.submitted" && entry.enterprise === enterprise) attempt.submitted = true;
  else if (entry.type === "round.survivors") attempt.survivors = entry.survivors;
  else if (entry.type === "round.aborted") attempt.aborted = true;
}

interface Attached {
  readonly headers: ReadonlyMap<Digest, RoundHeader>;
  readonly units: ReadonlyMap<Digest, PrivacyEvent["unit"]>;
  readonly members: ReadonlyMap<Digest, readonly Member[]>;
}

/** Documents of an export by their digests, of one that verified. */
async function attached(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Attached> {
  const headers = new Map<Digest, RoundHeader>();
  const units = new Map<Digest, PrivacyEvent["unit"]>();
  const members = new Map<Digest, readonly Member[]>();
  const take = (attachment: Attachment): void => {
    const { digest } = attachment;
    if (attachment.kind === "roster")
      members.set(digest, parseRoster(parseNote(attachment.note).text).members);
    else if (attachment.kind === "header") headers.set(digest, roundHeaderSchema.parse(attachment.value));
    else if (attachment.kind === "manifest")
      units.set(digest, (attachment.value as { privacy: { unit: PrivacyEvent["unit"] } }).privacy.unit);
  };
  const { records } = await readExport(chunks);
  for await (const record of records) if (record.type === "attachment") take(record.attachment);
  return { headers, units, members };
}

function charge(
  db: DatabaseSync,
  { roundId, submitted, survivors, aborted }: Attempt,
  attempts: ReadonlyMap<Digest, Attempt>,
  { headers, units, members }: Attached,
  enterprise: string,
  nowMillis: number,
): void {
  const header = headers.get(roundId);
  if (header === undefined) return;
  const { study, round, state, follows, noise, cohort } = header;
  // Without a list of survivors nobody agreed to a sum, unless the log ends before it.
  const isIn = submitted && (survivors?.includes(enterprise) ?? !aborted);
  if (noise !== undefined) {
    // The other half's sum says something of the noise that this enterprise's rows were under.
    const isBystander = follows !== null && attempts.get(follows.of)?.submitted === true;
    if (!submitted && !isBystander) return;
    if (submitted && countedIn(db, header) !== undefined) return;
    const rows = { table: everyTable, unit: units.get(study) ?? "record" };
    chargeBystander(db, roundId, header, rows, nowMillis);
    return;
  }
  const isReplaced =
    aborted &&
    [...attempts.values()].some((other) => {
      const next = headers.get(other.roundId);
      return (
        other.submitted && next?.study === study && next.round === round && next.attempt > header.attempt
      );
    });
  if (!isIn || isReplaced) return;
  const parties = survivors ?? cohort;
  const organisationOf = new Map(
    members.get(header.roster)?.map(({ id, organisation }) => [id, organisation]),
  );
  const organisations = [...new Set(parties.map((id) => organisationOf.get(id) ?? id))].sort();
  const step = { roundId, study, round, state, survivors: parties, organisations, follows: follows?.of };
  chargeForgotten(db, step);
}

/** Entries that the log has of a released sum at the least: opened, two submissions, survivors, two unmaskings, spend, release. */
const entriesOfSum = 8;

/**
 * What the bank's log lost it cannot say: as many exact sums as it has room for, over nobody knows whom, and noise of
 * which nobody knows how much.
 */
function chargeLost(db: DatabaseSync, { kept, lost }: LogRecovery, nowMillis: number): void {
  for (let i = 0; i < Math.floor((lost.size - kept.size) / entriesOfSum); i++) {
    const id = digestOf(`lost ${kept.size} ${lost.size} ${i}`);
    const step = { roundId: id, study: id, round: 1, state: id, survivors: [], organisations: [] };
    chargeForgotten(db, { ...step, follows: undefined });
    chargeUnknown(db, id, everyTable, nowMillis);
  }
}
