/**
 * What bank and auditor agree is lost. A roster carries every recovery since the consortium began, so that no member
 * takes part in anything before it was told, and each is signed by both:
 *
 *     +log <size> <base64 root> <size> <base64 root>    the bank's log goes on from the first tree; of what was shown
 *                                                       beyond it, up to the second tree, it knows nothing any more
 *     +ledger <id> <size> <base64 root>                 the enterprise's egress ledger, last reported so, begins anew
 */
import { equalBytes, fromBase64, toBase64 } from "../core/bytes.ts";
import { idPattern } from "../core/ids.ts";
import { Refusal } from "../core/reasons.ts";
import { checkSameLog, type ProveConsistency, type SeenTree } from "./log/witness.ts";

export interface LogRecovery {
  readonly kind: "log";
  /** The last tree that is in both logs, the one that was lost and the one that goes on. */
  readonly kept: SeenTree;
  /** The largest tree that was shown of the one that was lost. */
  readonly lost: SeenTree;
}

export interface LedgerRecovery {
  readonly kind: "ledger";
  readonly enterprise: string;
  /** As the bank's log last has it. */
  readonly lost: SeenTree;
}

export type Recovery = LogRecovery | LedgerRecovery;

const treeText = ({ size, root }: SeenTree): string => `${size} ${toBase64(root)}`;

/** @returns the one line a recovery has, without its end. */
export const recoveryLine = (recovery: Recovery): string =>
  recovery.kind === "log"
    ? `+log ${treeText(recovery.kept)} ${treeText(recovery.lost)}`
    : `+ledger ${recovery.enterprise} ${treeText(recovery.lost)}`;

/** @throws Refusal note_malformed */
export function parseRecovery(line: string): Recovery {
  const [kind, ...fields] = line.split(" ");
  if (kind === "+log" && fields.length === 4) {
    const [kept, lost] = [treeOf(fields[0]!, fields[1]!), treeOf(fields[2]!, fields[3]!)];
    if (lost.size > kept.size) return { kind: "log", kept, lost };
  }
  const [enterprise = "", size = "", root = ""] = fields;
  if (kind === "+ledger" && fields.length === 3 && idPattern.test(enterprise))
    return { kind: "ledger", enterprise, lost: treeOf(size, root) };
  throw new Refusal("note_malformed", `roster: malformed recovery ${JSON.stringify(line)}`);
}

function treeOf(digits: string, text: string): SeenTree {
  const size = Number(digits);
  const root = fromBase64(text);
  if (!/^(0|[1-9]\d{0,15})$/.test(digits) || !Number.isSafeInteger(size) || root?.length !== 32)
    throw new Refusal("note_malformed", "roster: a recovery names a tree by size and root");
  return { size, root };
}

export const sameTree = (one: SeenTree, other: SeenTree): boolean =>
  one.size === other.size && equalBytes(one.root, other.root);

/**
 * @param known - recoveries that were accepted before.
 * @returns those of a roster that come after them.
 * @throws Refusal roster_mismatch, where the roster forgets one, or tells another in its place
 */
export function recoveriesSince(
  known: readonly Recovery[],
  recoveries: readonly Recovery[],
): readonly Recovery[] {
  const other = known.findIndex(
    (recovery, i) => recoveries[i] === undefined || recoveryLine(recoveries[i]) !== recoveryLine(recovery),
  );
  if (other !== -1)
    throw new Refusal(
      "roster_mismatch",
      `recovery ${other + 1} of this roster is not the one that was accepted before`,
      { hint: "tell the auditor: a recovery is never taken back or replaced" },
    );
  return recoveries.slice(known.length);
}

/** Whether a tree beyond the kept one may be of what a recovery says was lost. */
export const isLost = ({ kept, lost }: LogRecovery, tree: SeenTree): boolean =>
  tree.size > kept.size && (tree.size < lost.size || sameTree(tree, lost));

/**
 * Checks that a log grew out of what was seen of it, or that bank and auditor said what of that was lost.
 *
 * @param seen - undefined before the first look.
 * @param shown - the log's tree now.
 * @param fresh - recoveries not accepted before, in their order: each excuses a fork once.
 * @param prove - asks the log.
 * @throws Refusal log_forked
 */
export async function followLog(
  seen: SeenTree | undefined,
  shown: SeenTree,
  fresh: readonly LogRecovery[],
  prove: ProveConsistency,
): Promise<void> {
  for (const kept of keptOf(fresh)) await requireGrown(kept, shown, prove);
  if (seen === undefined) return;
  try {
    await requireGrown(seen, shown, prove);
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== "log_forked") throw error;
    const known = rewound(seen, fresh);
    if (sameTree(known, seen)) throw error;
    await requireGrown(known, shown, prove);
  }
}

/** @returns the trees that recoveries go on from, as far as a later one does not go back further. */
export const keptOf = (recoveries: readonly LogRecovery[]): SeenTree[] =>
  recoveries.map(({ kept }, i) => rewound(kept, recoveries.slice(i + 1)));

async function requireGrown(seen: SeenTree, shown: SeenTree, prove: ProveConsistency): Promise<void> {
  if (seen.size > shown.size)
    throw new Refusal("log_forked", `the log shrank from ${seen.size} to ${shown.size} entries`);
  await checkSameLog(seen, shown, prove);
}

/** @returns what is left of a tree after recoveries. @throws Refusal log_forked, where more was seen than they say was lost */
function rewound(seen: SeenTree, recoveries: readonly LogRecovery[]): SeenTree {
  let tree = seen;
  for (const recovery of recoveries) {
    if (tree.size <= recovery.kept.size) continue;
    if (!isLost(recovery, tree))
      throw new Refusal(
        "log_forked",
        `${tree.size} entries of the log were shown here, and the recovery speaks of ${recovery.lost.size} others`,
        {
          hint: "hand the checkpoint that was shown here to the bank and the auditor: a further recovery has to name it",
        },
      );
    tree = recovery.kept;
  }
  return tree;
}

/** @returns the recoveries of the bank's log among others. */
export const logRecoveries = (recoveries: readonly Recovery[] = []): LogRecovery[] =>
  recoveries.filter((recovery) => recovery.kind === "log");

/** @returns one line of words for whoever signs or reads it. */
export const describeRecovery = (recovery: Recovery): string =>
  recovery.kind === "log"
    ? `the bank's log after entry ${recovery.kept.size}: up to ${recovery.lost.size - recovery.kept.size} entries that were shown`
    : `the ledger of ${recovery.enterprise} after ${recovery.lost.size} entries: a new one begins`;
