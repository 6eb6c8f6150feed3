import test from "ava";
import type { Reason, Refusal } from "../../../core/reasons.ts";
import type { Json } from "../../../models/algorithm.ts";
import type { EvaluateResult } from "../../../models/algorithms/evaluate.ts";
import { runPlain } from "../../../models/plain.ts";
import { modelsOf } from "../../../models/results.ts";
import { takeRows } from "../../../models/rows.ts";
import type { CategoricalColumn, Table } from "../../../models/table.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const all = borrowers();
const learned = [{ name: "range" }, { name: "summary" }, { name: "logistic" }, { name: "naive-bayes" }];
const parted = (parties: number): Table[] =>
  scatter(all.rows, parties, "evaluate").map((rows) => takeRows(all, rows));

async function run(params: Record<string, Json>, tables: readonly Table[]) {
  const algorithms = [...learned, { name: "evaluate", ...params }];
  const { results } = await runPlain(studyOf(borrowerFeatures, algorithms), tables);
  return {
    evaluated: results.evaluate as unknown as EvaluateResult,
    models: modelsOf({ algorithms, results }),
  };
}

const swap = { champion: "logistic", challenger: "naive-bayes" };

test("a swap set is whom either model would approve, counted row by row", async (t) => {
  const { evaluated, models } = await run({ swap }, parted(4));
  const [old, young] = ["logistic", "naive-bayes"].map((name) => models.get(name)!.score(all));
  t.true(evaluated.swap!.cutOffs.length >= 15);
  for (const at of evaluated.swap!.cutOffs) {
    const group = { both: 0, in: 0, out: 0, neither: 0 };
    const bad = { ...group };
    for (let row = 0; row < all.rows; row++) {
      const before = old![row]! < at.championScore;
      const after = young![row]! < at.challengerScore;
      const which = before ? (after ? "both" : "out") : after ? "in" : "neither";
      group[which]++;
      bad[which] += all.label[row]!;
    }
    t.deepEqual(
      [at.approvedByBoth, at.swappedIn, at.swappedOut, at.declinedByBoth],
      (["both", "in", "out", "neither"] as const).map((which) => ({ n: group[which], bad: bad[which] })),
    );
    // As many are approved as before, to about a band.
    t.true(Math.abs(at.swappedIn.n - at.swappedOut.n) <= 0.06 * all.rows);
  }
  t.deepEqual((await run({ swap }, [all])).evaluated, evaluated);
});

test("segments are evaluated apart, and add up to all", async (t) => {
  const { evaluated, models } = await run({ segments: ["sector"], segmentRows: 2 }, [all]);
  const { codes, levels } = all.columns.get("sector") as CategoricalColumn;
  const scores = models.get("logistic")!.score(all);
  for (const [code, level] of levels.entries()) {
    const segment = evaluated.segments!.sector![level]!;
    const rows = [...codes.keys()].filter((row) => codes[row] === code);
    t.is(segment.n, rows.length);
    t.is(segment.bad, rows.filter((row) => all.label[row] === 1).length);
    let [ordered, pairs] = [0, 0];
    for (const bad of rows.filter((row) => all.label[row] === 1))
      for (const good of rows.filter((row) => all.label[row] === 0)) {
        pairs++;
        ordered += scores[bad]! > scores[good]! ? 1 : scores[bad] === scores[good] ? 0.5 : 0;
      }
    const { auc, aucWithin } = segment.models.logistic!;
    t.true(Math.abs(auc - ordered / pairs) <= aucWithin + 1e-12);
  }
});

test("an enterprise adds nothing of a segment that is small there", async (t) => {
  const { codes } = all.columns.get("sector") as CategoricalColumn;
  const rows = [...codes.keys()];
  // One enterprise has three rows of the first level only, the other all the rest.
  const few = rows.filter((row) => codes[row] === 0).slice(0, 3);
  const others = rows.filter((row) => !few.includes(row));
  const half = [...few, ...others.filter((_, i) => i % 2 === 0 && codes[others[i]!] !== 0)];
  const rest = others.filter((row) => !half.includes(row));
  const { evaluated } = await run({ segments: ["sector"], segmentRows: 5 }, [
    takeRows(all, half),
    takeRows(all, rest),
  ]);
  const [first] = Object.values(evaluated.segments!.sector!);
  t.is(first!.n, rows.filter((row) => codes[row] === 0).length - 3);
  t.is(evaluated.models.logistic!.n, all.rows);
});

test("rows of one data subject are one, however many, where a segment's are counted", async (t) => {
  const { codes } = all.columns.get("sector") as CategoricalColumn;
  const subject = all.subject.map((own, row) => (codes[row] === 0 ? 0 : own + all.rows));
  const { evaluated } = await run({ segments: ["sector"], segmentRows: 2 }, [{ ...all, subject }]);
  const [first, second] = Object.values(evaluated.segments!.sector!);
  t.is(first!.n, 0);
  t.true(second!.n > 0);
});

for (const [params, problem] of [
  [{ segments: ["age"] }, /age/],
  [{ swap: { ...swap, champion: "scorecard" } }, /scorecard/],
] as const)
  test(`${JSON.stringify(params)} is refused`, async (t) => {
    const refused = (await t.throwsAsync(() => run(params, [all]))) as Refusal;
    t.is(refused.reason, "parameters_invalid" satisfies Reason);
    t.regex(refused.message, problem);
  });
