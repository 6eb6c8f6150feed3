import test from "ava";
import { exactAuc } from "../../../bench/credit/split.ts";
import { runPlain } from "../../../models/plain.ts";
import { withNeeds } from "../../../models/plan.ts";
import { modelsOf } from "../../../models/results.ts";
import { takeRows } from "../../../models/rows.ts";
import { scatter, studyOf, tableOf } from "../../support/rows.ts";
import { readVectors } from "../../support/vectors.ts";

const { rows, label, trained, auc } = readVectors("random-trees.json") as {
  readonly rows: Record<string, readonly number[]>;
  readonly label: readonly number[];
  readonly trained: number;
  readonly auc: Readonly<Record<"1" | "sqrt", number>>;
};
const features = Object.keys(rows).map((name) => ({ name, kind: "numeric" as const }));
const all = tableOf(rows, label);
const training = takeRows(all, [...Array(trained).keys()]);
const held = takeRows(all, [...Array(all.rows).keys()].slice(trained));

// Ours see nobody's rows before their leaves are counted: splits are chosen among those drawn by columns alone.
for (const [name, peer] of [
  ["extra-trees", auc["1"]],
  ["forest", auc.sqrt],
] as const)
  test(`${name}: ranks rows not seen as scikit-learn's extremely randomized trees do`, async (t) => {
    const study = studyOf(features, withNeeds({ name }) as never, trained);
    const tables = scatter(trained, 4, name).map((own) => takeRows(training, own));
    const { results } = await runPlain(study, tables);
    const seen = exactAuc(
      modelsOf({ ...study, results })
        .get(name)!
        .score(held),
      held.label,
    );
    t.true(Math.abs(seen - peer) < 0.02, `${seen}, where scikit-learn has ${peer}`);
  });
