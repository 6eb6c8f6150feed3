import type { PriorResults } from "../../models/algorithm.ts";
import type { EvaluateResult } from "../../models/algorithms/evaluate.ts";
import { type ModelResult, modelsOf, scoreRows } from "../../models/score.ts";
import type { Table } from "../../models/table.ts";
import { chart } from "./charts.ts";
import { number, percent } from "./format.ts";
import { type Content, type Html, html } from "./html.ts";
import { facts, note, table, type View } from "./layout.ts";

/** A finished study's model, and this enterprise's own rows where they can be read. */
export interface ModelKnowledge {
  readonly name: string;
  readonly digest: string;
  readonly results: PriorResults;
  readonly rows: Table | { readonly missing: string };
}

const groups = 10;

/** Models that studies have made, and how they score this enterprise's own rows. */
export function modelView(models: readonly ModelKnowledge[], unreachable: string | undefined): View {
  const body = html`${unreachable !== undefined && note(`The bank cannot be reached (${unreachable}).`)}
${models.length === 0 && note("No study with this enterprise's consent has finished yet.")}
${models.map(study)}`;
  return { title: "Model and own score", body };
}

function study({ name, digest, results, rows }: ModelKnowledge): Html {
  const evaluated = (results.evaluate as EvaluateResult | undefined)?.models ?? {};
  const scorers = Object.entries(modelsOf(results));
  return html`<h2>${name}</h2>
<p class="note">Model <code>${digest}</code>. Scores are computed here, from this enterprise's rows, and go nowhere.</p>
${
  Object.keys(evaluated).length > 0 &&
  table(
    "How well it scores held-out rows of the whole cohort",
    ["Algorithm", n("Rows"), n("AUC"), n("KS"), n("Gini"), n("Brier"), n("Accuracy")],
    Object.entries(evaluated).map(([algorithm, one]) => [
      algorithm,
      number(one.n),
      ...[one.auc, one.ks, one.gini, one.brier, one.accuracy].map((value) => value.toFixed(3)),
    ]),
  )
}
${
  "missing" in rows
    ? note(`Own rows cannot be scored: ${rows.missing}`)
    : scorers.map(([algorithm, model]) => ownScore(algorithm, model, rows))
}
${scorers.map(([algorithm, model]) => coefficients(algorithm, model))}`;
}

function ownScore(algorithm: string, model: ModelResult, rows: Table): Content {
  const scores = scoreRows(model, rows);
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
  return html`<h3>${algorithm}: own rows</h3>
${facts([
  ["Rows scored", number(rows.rows)],
  ["Mean probability of bad", percent(sum / rows.rows)],
  ["Median", percent(sorted[sorted.length >> 1]!)],
  ["Highest", percent(sorted.at(-1)!)],
  ["Turned out bad", percent(outcome)],
])}
${chart({
  title: `${algorithm}: own rows by score`,
  summary: `mean probability of bad ${percent(sum / rows.rows)} over ${rows.rows} rows, of which ${percent(outcome)} turned out bad`,
  kind: "bar",
  labels: good.map((_, i) => `${i * groups}–${(i + 1) * groups} %`),
  series: [
    { name: "turned out good", values: good },
    { name: "turned out bad", values: bad },
  ],
})}`;
}

function coefficients(algorithm: string, model: ModelResult): Content {
  if (model.model !== "logistic") return undefined;
  const scale = new Map(model.design.columns.map((column) => [column.name, column.scale]));
  const rows = Object.entries(model.coefficients)
    .map(([name, slope]) => ({ name, slope, effect: slope * (scale.get(name) ?? 1) }))
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  return html`<h3>${algorithm}: what it rests on</h3>
${table(
  "Log-odds of bad; the strongest first",
  ["Column", n("By one standard deviation"), n("By one unit")],
  rows.map(({ name, slope, effect }) => [name, effect.toFixed(3), slope.toPrecision(4)]),
)}`;
}

const n = (name: string): { name: string; numeric: true } => ({ name, numeric: true });
