import { chart } from "../../core/pages/charts.ts";
import { type Content, type Html, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import type { Model } from "../../models/algorithm.ts";
import { evaluate } from "../../models/algorithms/evaluate.ts";
import { ksAt } from "../../models/numerics/metrics.ts";
import { aliasedIn, modelsOf, resultsBy, type StudyResults } from "../../models/results.ts";
import { selectRows } from "../../models/rows.ts";
import type { Table } from "../../models/table.ts";
import { number, percent } from "./format.ts";
import type { View } from "./layout.ts";

/** A finished study's model, and this enterprise's own rows where they can be read. */
export interface ModelKnowledge extends StudyResults {
  readonly name: string;
  readonly digest: string;
  readonly rows: Table | { readonly missing: string };
}

const groups = 10;
/** Rows whose reasons are averaged, at most. */
const mostExplained = 1000;

/** Models that studies have made, and how they score this enterprise's own rows. */
export function modelView(models: readonly ModelKnowledge[], unreachable: string | undefined): View {
  const body = html`${unreachable !== undefined && note(`The bank cannot be reached (${unreachable}).`)}
${models.length === 0 && note("No study with this enterprise's consent has finished yet.")}
${models.map(study)}`;
  return { title: "Model and own score", body };
}

function study({ name, digest, rows, ...results }: ModelKnowledge): Html {
  const evaluated = [...resultsBy(evaluate, results).values()].flatMap(({ models }) =>
    Object.entries(models),
  );
  const models = [...modelsOf(results)];
  return html`<h2>${name}</h2>
<p class="note">Model <code>${digest}</code>. Scores are computed here, from this enterprise's rows, and go nowhere.</p>
${
  evaluated.length > 0 &&
  table(
    "How well it scores held-out rows of the whole cohort",
    ["Model", n("Rows"), n("AUC"), n("± by bins"), n("KS"), n("Gini"), n("Brier"), n("Accuracy")],
    evaluated.map(([model, one]) => [
      model,
      number(one.n),
      ...[one.auc, one.aucWithin, one.ks, one.gini, one.brier, one.accuracy].map((value) => value.toFixed(3)),
    ]),
  )
}
${[...aliasedIn(results)].map(([model, columns]) =>
  note(`${model} leaves out what follows from other columns: ${columns.join(", ")}.`),
)}
${evaluated.map(([model, one]) =>
  table(
    `${model}: refusing from a score on`,
    [n("Score"), n("Approved"), n("Bad among them"), n("KS"), n("Bad refused"), n("Good refused")],
    one.cutOffs.map((at) =>
      [at.score, at.approvalRate, at.badRate, ksAt(at), at.badRefused, at.goodRefused].map((value) =>
        value.toFixed(3),
      ),
    ),
  ),
)}
${
  "missing" in rows
    ? note(`Own rows cannot be scored: ${rows.missing}`)
    : models.map(
        ([model, one]) => html`${ownScore(model, one, rows)}
${factors(model, one, rows)}`,
      )
}`;
}

function ownScore(name: string, model: Model, rows: Table): Content {
  const scores = model.score(rows);
  const good = new Array<number>(groups).fill(0);
  const bad = new Array<number>(groups).fill(0);
  let sum = 0;
  for (const [row, score] of scores.entries()) {
    sum += score;
    const group = Math.min(groups - 1, Math.floor(score * groups));
    (rows.label[row] === 1 ? bad : good)[group]!++;
  }
  const sorted = scores.toSorted();
  const outcome = rows.label.reduce((all, label) => all + label, 0) / rows.rows;
  return html`<h3>${name}: own rows</h3>
${facts([
  ["Rows scored", number(rows.rows)],
  ["Mean probability of bad", percent(sum / rows.rows)],
  ["Median", percent(sorted[sorted.length >> 1]!)],
  ["Highest", percent(sorted.at(-1)!)],
  ["Turned out bad", percent(outcome)],
])}
${chart({
  format: number,
  title: `${name}: own rows by score`,
  summary: `mean probability of bad ${percent(sum / rows.rows)} over ${rows.rows} rows, of which ${percent(outcome)} turned out bad`,
  kind: "bar",
  labels: good.map((_, i) => `${i * groups}–${(i + 1) * groups} %`),
  series: [
    { name: "turned out good", values: good },
    { name: "turned out bad", values: bad },
  ],
})}`;
}

/** How much each feature moves the scores of this enterprise's own rows. */
function factors(name: string, { explain }: Model, rows: Table): Content {
  if (explain === undefined || rows.rows === 0) return undefined;
  const moved = new Map<string, number>();
  // A network's reasons take a millisecond a row: a page does not wait for all of them.
  const every = Math.ceil(rows.rows / mostExplained);
  const some = selectRows(rows, (row) => row % every === 0);
  for (const row of explain(some))
    for (const { feature, effect } of row) moved.set(feature, (moved.get(feature) ?? 0) + Math.abs(effect));
  const strongest = [...moved].sort(([, a], [, b]) => b - a);
  return html`<h3>${name}: what it rests on</h3>
${table(
  "Own rows: by how much knowing a feature moves the log-odds of bad, on average; the strongest first",
  ["Feature", n("Log-odds")],
  strongest.map(([feature, sum]) => [feature, (sum / some.rows).toFixed(3)]),
)}`;
}

const n = (name: string): { name: string; numeric: true } => ({ name, numeric: true });
