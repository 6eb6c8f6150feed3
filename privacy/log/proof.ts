import { fromBase64, toBase64 } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { type OpenedCheckpoint, openCheckpoint } from "./checkpoint.ts";
import { type Hash, leafHash, verifyInclusion } from "./merkle.ts";
import { type LogPolicy, quorumReached } from "./policy.ts";

const firstLine = "c2sp.org/tlog-proof@v1";

/** What a `.tlog-proof` file says: the entry at `index` is in the tree of this checkpoint. */
export interface Receipt {
  readonly index: number;
  readonly proof: readonly Hash[];
  /** The entry itself, as the proof's extra data: what the proof is of is then at hand. */
  readonly entry: Uint8Array;
  /** Signed checkpoint with cosignatures. */
  readonly checkpoint: string;
}

/** @see C2SP tlog-proof */
export const formatReceipt = ({ index, proof, entry, checkpoint }: Receipt): string =>
  [firstLine, `extra ${toBase64(entry)}`, `index ${index}`, ...proof.map(toBase64), "", checkpoint].join(
    "\n",
  );

/** @throws Refusal file_malformed */
export function parseReceipt(text: string): Receipt {
  const malformed = (message: string): Refusal => new Refusal("file_malformed", `receipt: ${message}`);
  const split = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(split, 0)).split("\n");
  if (lines.shift() !== firstLine) throw malformed(`the first line is not ${firstLine}`);
  const [, encoded] = /^extra (.+)$/.exec(lines[0] ?? "") ?? [];
  const entry = encoded === undefined ? undefined : fromBase64(encoded);
  if (entry === undefined) throw malformed("it does not carry its entry on an extra line");
  lines.shift();
  const [, digits = ""] = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? "") ?? [];
  if (digits === "") throw malformed("the index line is missing");
  const proof = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== 32) throw malformed("a proof line is not the base64 of 32 bytes");
    return hash;
  });
  return { index: Number(digits), proof, entry, checkpoint: text.slice(split + 2) };
}

/** What a receipt proves. */
export interface VerifiedReceipt extends OpenedCheckpoint {
  readonly index: number;
  readonly entry: Uint8Array;
}

/**
 * Checks that a receipt's entry is in the log: signatures, quorum and inclusion.
 * @throws Refusal file_malformed, note_malformed, signature_invalid, witness_quorum, log_invalid
 */
export function verifyReceipt(text: string, policy: LogPolicy): VerifiedReceipt {
  const receipt = parseReceipt(text);
  const { index, proof, entry } = receipt;
  const opened = openCheckpoint(receipt.checkpoint, policy.log, policy.witnesses);
  if (!quorumReached(policy, opened.cosigned))
    throw new Refusal("witness_quorum", "the checkpoint's cosignatures do not reach the quorum");
  const { size, root } = opened.checkpoint;
  if (!verifyInclusion(index, size, leafHash(entry), proof, root))
    throw new Refusal("log_invalid", `entry ${index} is not in the tree of ${size} entries`, {
      hint: "the receipt was altered, or is no receipt of this log",
    });
  return { ...opened, index, entry };
}
