/** How anyone who watches a log tells that it only grows: enterprises and the auditor, by the same rule. */
import { Refusal, reasons } from "../../core/reasons.ts";
import { type Hash, verifyConsistency } from "./merkle.ts";

/** A tree of the log, as one checkpoint showed it. */
export interface SeenTree {
  readonly size: number;
  readonly root: Hash;
}

/** Asks the log for a consistency proof. @throws Refusal whatever the log says instead */
export type ProveConsistency = (oldSize: number, newSize: number) => Promise<readonly Uint8Array[]>;

/**
 * Checks that of two trees the smaller is the beginning of the larger.
 * @throws Refusal log_forked, if it is not or the log cannot prove it; what `prove` throws where asking again helps.
 */
export async function checkSameLog(one: SeenTree, other: SeenTree, prove: ProveConsistency): Promise<void> {
  const [older, newer] = one.size <= other.size ? [one, other] : [other, one];
  const proof = await consistencyProof(older.size, newer.size, prove);
  if (!verifyConsistency(older.size, newer.size, proof, older.root, newer.root))
    throw new Refusal(
      "log_forked",
      `the log of ${newer.size} entries is not a continuation of the one of ${older.size} entries`,
    );
}

async function consistencyProof(
  oldSize: number,
  newSize: number,
  prove: ProveConsistency,
): Promise<readonly Hash[]> {
  if (oldSize === 0 || oldSize === newSize) return [];
  try {
    return await prove(oldSize, newSize);
  } catch (error) {
    if (!(error instanceof Refusal) || reasons[error.reason].retry) throw error;
    throw new Refusal(
      "log_forked",
      `the bank does not prove that its log of ${newSize} entries contains that of ${oldSize} entries`,
      { cause: error },
    );
  }
}
