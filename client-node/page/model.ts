import { chart } from "../../core/pages/charts.ts";
import { type Content, type Html, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { refusalText } from "../../core/pages/refusal.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Model } from "../../models/algorithm.ts";
import { evaluate } from "../../models/algorithms/evaluate.ts";
import { ksAt } from "../../models/numerics/metrics.ts";
import { aliasedIn, modelsOf, resultsBy, type StudyResults } from "../../models/results.ts";
import { selectRows } from "../../models/rows.ts";
import type { Table } from "../../models/table.ts";
import { listed } from "./format.ts";
import { numeric, type View } from "./layout.ts";
import type { Locale } from "./locale.ts";

/** A finished study's model, and this enterprise's own rows where they can be read. */
export interface ModelKnowledge extends StudyResults {
  readonly name: string;
  readonly digest: string;
  /** Or why they cannot be read. */
  readonly rows: Table | Refusal;
}

const groups = 10;
/** Rows whose reasons are averaged, at most. */
const mostExplained = 1000;

/** Models that studies have made, and how they score this enterprise's own rows. */
export function modelView(
  models: readonly ModelKnowledge[],
  unreachable: Refusal | undefined,
  locale: Locale,
): View {
  const { language, words } = locale;
  const body = html`${unreachable !== undefined && note(html`${words.bankCannot} ${refusalText(unreachable, language)}`)}
${models.length === 0 && note(words.noModel)}
${models.map((one) => study(one, locale))}`;
  return { title: words.modelTitle, body };
}

function study({ name, digest, rows, ...results }: ModelKnowledge, locale: Locale): Html {
  const { language, words, number, fixed } = locale;
  const evaluated = [...resultsBy(evaluate, results).values()].flatMap(({ models }) =>
    Object.entries(models),
  );
  const models = [...modelsOf(results)];
  const three = (value: number): string => fixed(value, 3);
  return html`<h2>${name}</h2>
<p class="note">${words.model} <code>${digest}</code>. ${words.scoredHere}</p>
${
  evaluated.length > 0 &&
  table(
    words.howWell,
    [words.model, ...[words.rows, "AUC", words.byBins, "KS", "Gini", "Brier", words.accuracy].map(numeric)],
    evaluated.map(([model, one]) => [
      model,
      number(one.n),
      ...[one.auc, one.aucWithin, one.ks, one.gini, one.brier, one.accuracy].map(three),
    ]),
  )
}
${[...aliasedIn(results)].map(([model, columns]) => note(words.aliased(model, listed(locale, columns))))}
${
  rows instanceof Refusal
    ? note(html`${words.notScored} ${refusalText(rows, language)}`)
    : models.map(([model, one], i) => {
        const own = html`${ownScore(model, one, rows, locale)}
${factors(model, one, rows, locale)}`;
        // Of several models of a study, one is shown at once.
        return i === 0
          ? own
          : html`<details class="card"><summary>${words.ownRows(model)}</summary>${own}</details>`;
      })
}
${evaluated.map(
  ([model, one]) =>
    html`<details class="card"><summary>${words.refusingFrom(model)}</summary>${table(
      words.refusingFrom(model),
      [words.score, words.approved, words.badAmong, "KS", words.badRefused, words.goodRefused].map(numeric),
      one.cutOffs.map((at) =>
        [at.score, at.approvalRate, at.badRate, ksAt(at), at.badRefused, at.goodRefused].map(three),
      ),
    )}</details>`,
)}`;
}

function ownScore(name: string, model: Model, rows: Table, locale: Locale): Content {
  const { words, number, percent } = locale;
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
  return html`<h3>${words.ownRows(name)}</h3>
${facts([
  [words.rowsScoredHere, number(rows.rows)],
  [words.meanBad, percent(sum / rows.rows)],
  [words.median, percent(sorted[sorted.length >> 1]!)],
  [words.highest, percent(sorted.at(-1)!)],
  [words.turnedBad, percent(outcome)],
])}
${chart({
  format: number,
  title: words.ownByScore(name),
  summary: words.ownSummary(percent(sum / rows.rows), number(rows.rows), percent(outcome)),
  kind: "bar",
  labels: good.map((_, i) => `${i * groups}–${(i + 1) * groups} %`),
  words: { numbers: words.theNumbers, at: words.score },
  series: [
    { name: words.good, values: good },
    { name: words.bad, values: bad },
  ],
})}`;
}

/** How much each feature moves the scores of this enterprise's own rows. */
function factors(name: string, { explain }: Model, rows: Table, { words, fixed }: Locale): Content {
  if (explain === undefined || rows.rows === 0) return undefined;
  const moved = new Map<string, number>();
  // A network's reasons take a millisecond a row: a page does not wait for all of them.
  const every = Math.ceil(rows.rows / mostExplained);
  const some = selectRows(rows, (row) => row % every === 0);
  for (const row of explain(some))
    for (const { feature, effect } of row) moved.set(feature, (moved.get(feature) ?? 0) + Math.abs(effect));
  const strongest = [...moved].sort(([, a], [, b]) => b - a);
  return html`<h3>${words.restsOn(name)}</h3>
${table(
  words.restsCaption,
  [words.feature, numeric(words.logOdds)],
  strongest.map(([feature, sum]) => [feature, fixed(sum / some.rows, 3)]),
)}`;
}
