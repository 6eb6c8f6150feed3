import test from "ava";
import fc from "fast-check";
import { seededRandom } from "../../core/random.ts";
import { parsePartition, partitionRows } from "../../simulate/partition.ts";

const labelsOf = (rows: number) => Uint8Array.from({ length: rows }, (_, i) => (i % 4 === 0 ? 1 : 0));

test("every partition deals every row exactly once and repeats under its seed", (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom("iid", "dirichlet:5", "by:group"),
      fc.integer({ min: 1, max: 6 }),
      fc.string(),
      (text, parties, seed) => {
        const labels = labelsOf(600);
        const groups = Array.from(labels, (_, i) => `g${i % 11}`);
        const deal = () => partitionRows(parsePartition(text), parties, labels, groups, seededRandom(seed));
        const dealt = deal();
        t.deepEqual(dealt, deal());
        t.deepEqual(
          dealt.flat().sort((a, b) => a - b),
          [...labels.keys()],
        );
      },
    ),
    { numRuns: 30 },
  );
});

test("a small alpha skews the labels, a large one does not", (t) => {
  const labels = labelsOf(8000);
  const spread = (alpha: number) => {
    const shares = partitionRows({ kind: "dirichlet", alpha }, 4, labels, [], seededRandom("skew")).map(
      (rows) => rows.filter((row) => labels[row] === 1).length / rows.length,
    );
    return Math.max(...shares) - Math.min(...shares);
  };
  t.true(spread(0.5) > 0.2, `${spread(0.5)}`);
  t.true(spread(1000) < 0.05, `${spread(1000)}`);
});

test("by a column: rows of one value stay together", (t) => {
  const groups = ["a", "b", "a", "c", "b", "a"];
  const dealt = partitionRows({ kind: "by", column: "g" }, 2, new Uint8Array(6), groups, seededRandom(""));
  t.deepEqual(dealt, [
    [0, 2, 5],
    [1, 3, 4],
  ]);
});

for (const text of ["dirichlet:0", "dirichlet:x", "by:", "iid:3", "random"])
  test(`refuses ${text}`, (t) => {
    t.like(
      t.throws(() => parsePartition(text)),
      { reason: "usage" },
    );
  });

test("refuses a party without rows", (t) => {
  const by = { kind: "by", column: "g" } as const;
  t.like(
    t.throws(() => partitionRows(by, 3, new Uint8Array(2), ["a", "b"], seededRandom(""))),
    { reason: "usage" },
  );
});
