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
  /** Signed checkpoint with cosignatures. */
  readonly checkpoint: string;
}

/** @see C2SP tlog-proof */
export const formatReceipt = ({ index, proof, checkpoint }: Receipt): string =>
  [firstLine, `index ${index}`, ...proof.map(toBase64), "", checkpoint].join("\n");

/** @throws Refusal file_malformed */
export function parseReceipt(text: string): Receipt {
  const malformed = (message: string): Refusal => new Refusal("file_malformed", `receipt: ${message}`);
  const split = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(split, 0)).split("\n");
  if (lines.shift() !== firstLine) throw malformed(`the first line is not ${firstLine}`);
  // Extra data is for other applications; it is not authenticated, so nothing here reads it.
  if (lines[0]?.startsWith("extra ")) lines.shift();
  const [, digits = ""] = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? "") ?? [];
  if (digits === "") throw malformed("the index line is missing");
  const proof = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== 32) throw malformed("a proof line is not the base64 of 32 bytes");
    return hash;
  });
  return { index: Number(digits), proof, checkpoint: text.slice(split + 2) };
}

/**
 * Checks that an entry is in the log: signatures, quorum and inclusion.
 * @throws Refusal file_malformed, note_malformed, signature_invalid, witness_quorum, log_invalid
 */
export function verifyReceipt(text: string, entry: Uint8Array, policy: LogPolicy): OpenedCheckpoint {
  const { index, proof, checkpoint: note } = parseReceipt(text);
  const opened = openCheckpoint(note, policy.log, policy.witnesses);
  if (!quorumReached(policy, opened.cosigned))
    throw new Refusal("witness_quorum", "the checkpoint's cosignatures do not reach the quorum");
  const { size, root } = opened.checkpoint;
  if (!verifyInclusion(index, size, leafHash(entry), proof, root))
    throw new Refusal("log_invalid", `entry ${index} is not in the tree of ${size} entries`);
  return opened;
}
