import test from "ava";
import { utf8 } from "../../../core/bytes.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import {
  appendLeaf,
  consistencyProof,
  emptyRange,
  type Hash,
  leafHash,
  rangeRoot,
} from "../../../privacy/log/merkle.ts";
import { checkSameLog, type SeenTree } from "../../../privacy/log/witness.ts";

/** The trees of a log with these entries, one a size, and its proofs. */
function logOf(entries: readonly string[]) {
  const hashes = new Map<string, Hash>();
  let range = emptyRange;
  const trees: SeenTree[] = [{ size: 0, root: rangeRoot(range) }];
  for (const entry of entries) {
    const appended = appendLeaf(range, leafHash(utf8(entry)));
    range = appended.range;
    for (const { level, index, hash } of appended.stored) hashes.set(`${level}/${index}`, hash);
    trees.push({ size: range.size, root: rangeRoot(range) });
  }
  const prove = (oldSize: number, newSize: number): Promise<Hash[]> =>
    consistencyProof(oldSize, newSize, (level, index) => hashes.get(`${level}/${index}`)!);
  return { trees, prove };
}

const entries = Array.from({ length: 9 }, (_, i) => `entry ${i}`);
const honest = logOf(entries);
const forked = logOf(entries.map((entry, i) => (i === 4 ? "another" : entry)));

const reasonOf = (work: Promise<unknown>): Promise<Reason | "none"> =>
  work.then(
    () => "none",
    (error: unknown) => (error as Refusal).reason,
  );

test("any two trees of one log agree, whichever was seen first", async (t) => {
  for (const one of honest.trees)
    for (const other of honest.trees)
      t.is(await reasonOf(checkSameLog(one, other, honest.prove)), "none", `${one.size} ${other.size}`);
});

test("trees of two logs agree only where the entries do", async (t) => {
  for (const one of honest.trees)
    for (const other of forked.trees) {
      const same = Math.min(one.size, other.size) <= 4;
      if (same && one.size !== other.size) continue;
      const expected = same ? "none" : "log_forked";
      t.is(await reasonOf(checkSameLog(one, other, forked.prove)), expected, `${one.size} ${other.size}`);
    }
});

test("a log that gives no proof has forked; one that cannot be asked has not", async (t) => {
  const answers: readonly (readonly [Reason, Reason])[] = [
    ["not_found", "log_forked"],
    ["internal", "log_forked"],
    ["unavailable", "unavailable"],
    ["deadline", "deadline"],
  ];
  for (const [answer, expected] of answers) {
    const prove = () => Promise.reject(new Refusal(answer, "no"));
    t.is(await reasonOf(checkSameLog(honest.trees[3]!, honest.trees[9]!, prove)), expected);
  }
});
