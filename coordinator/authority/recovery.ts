/** What the bank lost: a log that goes on from an older backup, and ledgers that begin anew. */
import { fromHex } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { openCheckpoint } from "../../privacy/log/checkpoint.ts";
import { type NoteVerifier, parseNote } from "../../privacy/log/note.ts";
import type { Checkpoint } from "../../privacy/log/tree-head.ts";
import {
  type LedgerRecovery,
  type LogRecovery,
  type Recovery,
  recoveriesSince,
  sameTree,
} from "../../privacy/recovery.ts";
import { type Member, openRoster, type RosterText } from "../../privacy/roster.ts";
import { keysOf, leadsTo, type Succession, successionsSince } from "../../privacy/succession.ts";
import type { Bank } from "../bank.ts";
import type { Transaction } from "../store/sql.ts";

/** What a roster says besides its members. */
export interface RosterChange {
  readonly recoveries: readonly Recovery[];
  readonly successions: readonly Succession[];
}

/** Key epochs after a recovery are numbered from here on: nobody was shown so high a number before. */
const epochsApart = 1_000_000_000;

/** Reads whether this database was restored, and nobody has said since that nothing is missing. */
export async function loadRestored(bank: Bank): Promise<void> {
  const { count } = await bank.database.sql`SELECT FROM restored WHERE NOT accepted`;
  bank.restored.isAwaited = count > 0;
  if (count > 0)
    bank.log.warn(
      "restored from a backup: enterprises wait until the auditor has looked at the log (fedcredit audit watch), or has signed what is lost (fedcredit coordinator recover)",
    );
}

/** The auditor has found, or signed, what became of the log that was restored. */
export async function acceptRestored(bank: Bank): Promise<void> {
  if (!bank.restored.isAwaited) return;
  await bank.database.transaction((sql) => sql`UPDATE restored SET accepted = true`);
  bank.restored.isAwaited = false;
  bank.log.info("enterprises are let in again");
}

export interface RecoverRequest {
  /** Checkpoints of this log that auditor or enterprises were shown before: signed notes. */
  readonly checkpoints: readonly string[];
  /** The newest roster that the auditor signed; empty for the current one. */
  readonly roster: string;
  /** Entries that the log kept; 0 for those it was restored with. */
  readonly kept: number;
}

/**
 * Says what the log lost, in the roster that follows.
 * @returns recoveries, successions and version of that roster.
 * @throws Refusal usage, note_malformed, signature_invalid, roster_unsigned, roster_mismatch, parameters_invalid;
 *   already_exists, where nothing is lost
 */
export async function logRecovery(
  bank: Bank,
  sql: Transaction,
  current: RosterText,
  { checkpoints, roster, kept }: RecoverRequest,
): Promise<RosterChange & { readonly version: number }> {
  const { firstKeys, privacyLog } = bank;
  const newest = roster === "" ? current : openRoster(roster, firstKeys.bank, firstKeys.auditor);
  const told = newest.recoveries ?? [];
  const { successions = [] } = newest;
  recoveriesSince(current.recoveries ?? [], told);
  successionsSince(current.successions ?? [], successions);
  const keys = keysOf(successions, "bank", firstKeys.bank);
  const lost = largestOf(checkpoints.map((note) => openCheckpoint(note, signerIn(note, keys)).checkpoint));
  if (lost === undefined)
    throw new Refusal("usage", "no checkpoint is given", {
      hint: "add --checkpoint with what the auditor saw last: seen.note in its folder",
    });
  const { size } = await privacyLog.checkpoint();
  if (lost.size <= size && sameTree(lost, { size: lost.size, root: await privacyLog.rootAt(lost.size) }))
    throw new Refusal("already_exists", `nothing is lost: the log holds all ${lost.size} entries`, {
      hint: "let the auditor look at it (fedcredit audit watch)",
    });
  const [restored] = await sql`SELECT size FROM restored WHERE NOT accepted`;
  const from = kept > 0 ? kept : ((restored?.size as number | undefined) ?? 0);
  if (from === 0 || from > size || from >= lost.size)
    throw new Refusal(
      "parameters_invalid",
      `a log of ${size} entries does not go on from ${from} where ${lost.size} were shown`,
      { hint: "say with --kept how many entries the backup had" },
    );
  const recovery: LogRecovery = {
    kind: "log",
    kept: { size: from, root: await privacyLog.rootAt(from) },
    lost: { size: lost.size, root: lost.root },
  };
  const version = Math.max(current.version, newest.version) + 1;
  return { recoveries: [...told, recovery], successions, version };
}

/** @returns the key of the bank that signed a note; the first, where none did. */
function signerIn(note: string, keys: readonly NoteVerifier[]): NoteVerifier {
  const ids = parseNote(note).signatures.map(({ keyId }) => keyId);
  return keys.find(({ keyId }) => ids.includes(keyId)) ?? keys[0]!;
}

const largestOf = (checkpoints: readonly Checkpoint[]): Checkpoint | undefined =>
  [...checkpoints].sort((a, b) => b.size - a.size)[0];

/**
 * @param successions - of keys, those of members too.
 * @returns the ledgers that members have to begin anew: what was last reported is signed by a key they have no more,
 *   and that their own does not follow.
 */
export async function ledgerRecoveries(
  sql: Transaction,
  members: readonly Member[],
  successions: readonly Succession[],
): Promise<LedgerRecovery[]> {
  const rows = await sql`
    SELECT DISTINCT ON (enterprise) enterprise, size, root, note FROM ledger_checkpoint
    WHERE enterprise = ANY(${members.map(({ id }) => id)}) ORDER BY enterprise, size DESC`;
  const keys = new Map(members.map(({ id, verifierKey }) => [id, verifierKey]));
  return rows.flatMap(({ enterprise, size, root, note }) => {
    const signed = parseNote(note).signatures.map(({ keyId }) => keyId);
    const isItsOwn = leadsTo(successions, enterprise, signed, keys.get(enterprise)!);
    return isItsOwn ? [] : [{ kind: "ledger" as const, enterprise, lost: { size, root: fromHex(root)! } }];
  });
}

/** What follows from recoveries, once the auditor has signed them: with the roster, in one transaction. */
export async function applyRecoveries(sql: Transaction, fresh: readonly Recovery[]): Promise<void> {
  for (const recovery of fresh)
    if (recovery.kind === "ledger")
      await sql`DELETE FROM ledger_checkpoint WHERE enterprise = ${recovery.enterprise}`;
    else
      await sql`
        INSERT INTO key_epoch (epoch) SELECT coalesce(max(epoch), 0) + ${epochsApart} FROM key_epoch`;
}
