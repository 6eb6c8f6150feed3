import { Refusal } from "../../core/reasons.ts";
import { type CosignatureVerifier, type Cosigned, cosignatureTime } from "./cosignature.ts";
import { hasMlDsa } from "./ml-dsa.ts";
import { openNote, type Signer, signNote, type Verifier } from "./note.ts";
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from "./tree-head.ts";

/** @returns the signed note of the checkpoint. The signer's name must be the origin. */
export function signCheckpoint(checkpoint: Checkpoint, log: Signer): string {
  if (log.name !== checkpoint.origin) throw new RangeError("the log's key has the name of its origin");
  return signNote(formatCheckpoint(checkpoint), [log]);
}

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** What was signed. */
  readonly text: string;
  /** Valid cosignatures by the given witnesses. */
  readonly cosigned: readonly Cosigned[];
}

/**
 * Opens a log's checkpoint and checks every cosignature by a known witness; others are ignored.
 *
 * @throws Refusal note_malformed
 * @throws Refusal signature_invalid, if the log's signature is missing, any known signature is wrong
 *   or the origin is not the log's.
 */
export function openCheckpoint(
  note: string,
  log: Verifier,
  witnesses: readonly CosignatureVerifier[] = [],
): OpenedCheckpoint {
  // A key that cannot be used here is as one that is not known.
  const usable = witnesses.filter(({ algorithm }) => algorithm === "Ed25519" || hasMlDsa());
  const { text, verifiedBy, signatures } = openNote(note, [log, ...usable]);
  if (!verifiedBy.includes(log))
    throw new Refusal("signature_invalid", `${log.name} did not sign the checkpoint`);
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== log.name)
    throw new Refusal("signature_invalid", `the checkpoint is of ${checkpoint.origin}, not of ${log.name}`);
  const cosigned = usable
    .filter((witness) => verifiedBy.includes(witness))
    .map((witness) => {
      const line = signatures.find(({ name, keyId }) => name === witness.name && keyId === witness.keyId)!;
      return { witness, timeSeconds: cosignatureTime(line.signature)! };
    });
  return { checkpoint, text, cosigned };
}
