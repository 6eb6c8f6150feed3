import type { DatabaseSync } from "node:sqlite";
import { Refusal } from "../../core/reasons.ts";
import { openCheckpoint } from "../../privacy/log/checkpoint.ts";
import { cosign, cosigner } from "../../privacy/log/cosignature.ts";
import { leafHash, verifyInclusion } from "../../privacy/log/merkle.ts";
import { checkSameLog } from "../../privacy/log/witness.ts";
import type { Growth } from "../../privacy/sum/messages.ts";
import { Log } from "../../proto/wire.ts";
import { rememberCheckpoint, seenCheckpoint } from "../ledger/records.ts";
import { bankKeyOf } from "../ledger/successions.ts";
import type { NodeCredentials } from "./credentials.ts";
import type { Transport } from "./transport.ts";

export interface Witness {
  readonly db: DatabaseSync;
  readonly transport: Pick<Transport, "call">;
  readonly credentials: Pick<NodeCredentials, "bankKey" | "enterprise" | "identity">;
}

/** A checkpoint that extends everything this node has seen of the log. */
export interface WitnessedCheckpoint {
  readonly size: number;
  /** What a cosignature covers. */
  readonly text: string;
}

/**
 * Checks that the bank's log, as a checkpoint shows it, holds all that this node was shown before, and remembers it.
 *
 * @param note - the checkpoint, signed by the pinned bank key.
 * @param growth - the proof that came with it; the bank is asked where it does not begin at what was seen last.
 * @throws Refusal log_forked, if it does not or the bank cannot prove it; signature_invalid, note_malformed;
 *   unavailable or deadline, if the bank cannot be asked now.
 */
export async function witnessCheckpoint(
  { db, transport, credentials }: Witness,
  note: string,
  growth?: Growth | null,
): Promise<WitnessedCheckpoint> {
  const bank = bankKeyOf(db, credentials.bankKey);
  const { checkpoint, text } = openCheckpoint(note, bank);
  const seen = seenCheckpoint(db, bank.name);
  if (seen !== undefined) {
    // A checkpoint signed before the last one seen is no fork as long as it is a part of it.
    await checkSameLog(seen, checkpoint, async (oldSize, newSize) => {
      if (growth?.since === oldSize && newSize === checkpoint.size) return growth.hashes;
      const { hashes } = await transport.call(Log.service.GetConsistency, { oldSize, newSize });
      return hashes.map((hash) => new Uint8Array(hash));
    });
  }
  if (seen === undefined || checkpoint.size > seen.size) rememberCheckpoint(db, bank.name, checkpoint, note);
  return { size: checkpoint.size, text };
}

/** @returns what tells the bank, and through it everyone, that this node saw this log. */
export function cosignatureOf(
  { enterprise, identity }: Pick<NodeCredentials, "enterprise" | "identity">,
  { size, text }: WitnessedCheckpoint,
  nowMillis: number,
): { size: number; line: string } {
  const signer = cosigner(enterprise, identity.signingSeed, Math.floor(nowMillis / 1000));
  return { size, line: cosign(text, signer) };
}

/**
 * @param index - of an entry of the bank's log.
 * @returns the entry's bytes, proved to be in a log that extends everything this node was shown before.
 * @throws Refusal log_forked, where the bank cannot prove it, and those of {@link witnessCheckpoint}
 */
export async function witnessEntry(witness: Witness, index: number): Promise<Uint8Array> {
  const { db, transport, credentials } = witness;
  const bank = bankKeyOf(db, credentials.bankKey);
  let seen = seenCheckpoint(db, bank.name);
  if (seen === undefined || seen.size <= index) {
    const { note } = await transport.call(Log.service.GetCheckpoint, {});
    await witnessCheckpoint(witness, note);
    seen = seenCheckpoint(db, bank.name);
  }
  const forked = new Refusal("log_forked", `the bank does not prove that entry ${index} is in its log`);
  if (seen === undefined || seen.size <= index) throw forked;
  const { entry, hashes } = await transport.call(Log.service.GetInclusion, { index, size: seen.size });
  const path = hashes.map((hash) => new Uint8Array(hash));
  if (!verifyInclusion(index, seen.size, leafHash(entry), path, seen.root)) throw forked;
  return entry;
}
