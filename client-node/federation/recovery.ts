/** What bank and auditor say was lost, and whose keys changed: followed once, and only where the log itself shows it. */
import type { DatabaseSync } from "node:sqlite";
import { toHex } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { openCheckpoint } from "../../privacy/log/checkpoint.ts";
import { parseEntry } from "../../privacy/log/entry.ts";
import { leafHash, verifyInclusion } from "../../privacy/log/merkle.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { followLog, logRecoveries, recoveriesSince } from "../../privacy/recovery.ts";
import type { Roster } from "../../privacy/roster.ts";
import { successionsSince } from "../../privacy/succession.ts";
import { Log } from "../../proto/wire.ts";
import type { EgressLedger } from "../ledger/egress.ts";
import { rememberCheckpoint, seenCheckpoint } from "../ledger/records.ts";
import {
  beginMemory,
  memorySince,
  rememberRecoveries,
  storedRecoveries,
  undecided,
} from "../ledger/recoveries.ts";
import { transact } from "../ledger/store.ts";
import { rememberSuccessions, storedSuccessions } from "../ledger/successions.ts";
import type { Witness } from "./witness.ts";

export interface RecoveryDesk extends Witness {
  readonly ledger: EgressLedger;
  readonly now: () => number;
}

/**
 * Takes in the recoveries of a roster, before anything is done under it: each excuses one fork of the bank's log, once.
 * Successions of keys likewise: from then on the log is signed by the key in force.
 *
 * @param roster - signed by bank and auditor. @param entry - index of the log entry that names it, as the bank says.
 * @throws Refusal log_forked, where the log does not hold the roster, or lost more than the roster says; roster_mismatch,
 *   where a recovery or succession accepted before is not in it; unavailable, deadline
 */
export async function acceptRecoveries(desk: RecoveryDesk, roster: Roster, entry: number): Promise<void> {
  const { credentials, db, ledger, now, transport } = desk;
  const recoveries = roster.recoveries ?? [];
  const fresh = recoveriesSince(storedRecoveries(db), recoveries);
  const { bank, successions = [] } = roster;
  const followed = successionsSince(storedSuccessions(db, roster.consortium), successions);
  // A restored node has a new key, which this roster is the first to hold.
  const begins =
    memorySince(db) === undecided ||
    fresh.some((one) => one.kind === "ledger" && one.enterprise === credentials.enterprise);
  if (fresh.length + followed.length === 0 && !begins) return;
  const { note } = await transport.call(Log.service.GetCheckpoint, {});
  const { checkpoint } = openCheckpoint(note, bank);
  const seen = seenCheckpoint(db, bank.name);
  const ofLog = logRecoveries(fresh);
  await followLog(seen, checkpoint, ofLog, async (oldSize, newSize) => {
    const { hashes } = await transport.call(Log.service.GetConsistency, { oldSize, newSize });
    return hashes.map((hash) => new Uint8Array(hash));
  });
  const forked = new Refusal("log_forked", "the bank's log does not hold the roster that says what it lost");
  if (entry >= checkpoint.size) throw forked;
  const shown = await transport.call(Log.service.GetInclusion, { index: entry, size: checkpoint.size });
  const path = shown.hashes.map((hash) => new Uint8Array(hash));
  if (!verifyInclusion(entry, checkpoint.size, leafHash(shown.entry), path, checkpoint.root)) throw forked;
  if (!namesRoster(shown.entry, roster)) throw forked;
  transact(db, () => {
    rememberRecoveries(db, recoveries);
    rememberSuccessions(db, successions);
    rememberCheckpoint(db, bank.name, checkpoint, note);
    // The roster holds the key that this node has now: whatever it signs with it comes after the entry.
    if (begins) beginMemory(db, entry);
    ledger.append(
      ofLog.map(({ kept, lost }) => ({
        type: "log.recovered",
        time: now(),
        roster: roster.digest,
        kept: { size: kept.size, root: toHex(kept.root) },
        lost: { size: lost.size, root: toHex(lost.root) },
        ...(seen === undefined ? {} : { seen: { size: seen.size, root: toHex(seen.root) } }),
      })),
    );
  });
}

function namesRoster(bytes: Uint8Array, { digest }: Roster): boolean {
  try {
    const entry = parseEntry(bytes);
    return entry.type === "roster.changed" && entry.roster === digest;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** @returns the checkpoint of the bank's log that this node saw last, as the bank signed it. @throws Refusal not_found */
export function shownCheckpoint(db: DatabaseSync, bankKey: string): string {
  const { name } = parseVerifierKey(bankKey);
  const seen = seenCheckpoint(db, name);
  if (seen?.note === undefined)
    throw new Refusal("not_found", "this node has not been shown the bank's log yet");
  return seen.note;
}
