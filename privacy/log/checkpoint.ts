import { fromBase64, toBase64 } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { type CosignatureVerifier, type Cosigned, cosignatureTime } from "./cosignature.ts";
import type { Hash } from "./merkle.ts";
import { openNote, type Signer, signNote, type Verifier } from "./note.ts";

/** The state of a log: that it holds `size` entries under this root. */
export interface Checkpoint {
  /** The log's name, equal to the name of its key. */
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

/** @returns `origin\nsize\nbase64(root)\n`. @see C2SP tlog-checkpoint */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError("a size is an integer in 0…2^53 - 1");
  if (root.length !== 32) throw new RangeError("a root has 32 bytes");
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** @throws Refusal note_malformed, also for extension lines. */
export function parseCheckpoint(text: string): Checkpoint {
  const [, origin = "", digits = "", encoded = ""] =
    /^([^\n]+)\n(0|[1-9]\d{0,15})\n([^\n]+)\n$/.exec(text) ?? [];
  const size = Number(digits);
  const root = fromBase64(encoded);
  if (origin === "" || !Number.isSafeInteger(size) || root?.length !== 32)
    throw new Refusal("note_malformed", "not a checkpoint of three lines: origin, size, base64 of the root");
  return { origin, size, root };
}

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
  const { text, verifiedBy, signatures } = openNote(note, [log, ...witnesses]);
  if (!verifiedBy.includes(log))
    throw new Refusal("signature_invalid", `${log.name} did not sign the checkpoint`);
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== log.name)
    throw new Refusal("signature_invalid", `the checkpoint is of ${checkpoint.origin}, not of ${log.name}`);
  const cosigned = witnesses
    .filter((witness) => verifiedBy.includes(witness))
    .map((witness) => {
      const line = signatures.find(({ name, keyId }) => name === witness.name && keyId === witness.keyId)!;
      return { witness, timeSeconds: cosignatureTime(line.signature)! };
    });
  return { checkpoint, text, cosigned };
}
