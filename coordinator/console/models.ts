import type { Response } from "express";
import { type Content, type Html, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { Refusal } from "../../core/reasons.ts";
import { evaluate } from "../../models/algorithms/evaluate.ts";
import { parsePublic } from "../../models/parameters.ts";
import { modelsOf, resultsBy } from "../../models/results.ts";
import { readManifest, type StudyManifest } from "../../models/study.ts";
import { type Shifted, shifted, type Thresholds } from "../studies/stability.ts";
import {
  type Approval,
  approvals,
  decisions,
  registryOrders,
  type Standing,
  type StandingDecision,
  standings,
} from "../studies/standing.ts";
import { type Asked, digestIn, type Fields } from "./asked.ts";
import type { Desk } from "./desk.ts";
import { deciders, form, may, numeric, type View, withoutText } from "./frame.ts";
import type { Locale } from "./locale.ts";
import {
  aucText,
  bestOfEach,
  carriesNoise,
  documentSchema,
  type ModelDocument,
  mostCurves,
  resultsView,
  rocChart,
  stabilityBadge,
} from "./results.ts";
import { manifestFacts } from "./studies.ts";

export function modelPages(desk: Desk): void {
  desk.show("/models", modelsView);
  // Before a model's own address: "compare" is none.
  desk.show("/models/compare", compareView);
  desk.show("/models/:model", modelView);
  desk.show("/models/:model/card", cardView);
  for (const [order, give] of registryOrders)
    desk.act(`/models/:model/${order}`, deciders, async ({ bank, session, params }, fields: Fields) => {
      const model = digestIn(params.model);
      const [result, reason] = [fields.text("result"), fields.text("reason")];
      await give(bank, { model, result, reason, by: session.user });
      return `/models/${model}`;
    });
  desk.serve("/models/:model/model.json", async ({ bank, params }, response) => {
    const { text, study } = await published(bank, digestIn(params.model));
    attach(response, `${study.name}.json`, "application/json", Buffer.from(text));
  });
  desk.serve("/models/:model/export/:result/:format/:file", async ({ bank, params }, response) => {
    const { document } = await published(bank, digestIn(params.model));
    const make = modelsOf(document).get(params.result!)?.exports.get(params.format!);
    const file = (await make?.())?.find(({ name }) => name === params.file);
    if (file === undefined) throw new Refusal("not_found", `no export ${params.file}`);
    attach(response, file.name, "application/octet-stream", file.bytes);
  });
}

const attach = (response: Response, name: string, type: string, bytes: Uint8Array): void =>
  void response.attachment(name).type(type).send(Buffer.from(bytes));

interface Published {
  readonly digest: string;
  readonly study: { readonly digest: string; readonly name: string };
  readonly manifest: StudyManifest;
  readonly document: ModelDocument;
  readonly text: string;
  readonly publishedMillis: number;
}

/** @throws Refusal not_found */
async function published(bank: Asked["bank"], model: string): Promise<Published> {
  const [row] = await bank.database.sql`
    SELECT model.digest, document, published_at, study, name, manifest FROM model
    JOIN study ON study.digest = model.study WHERE model.digest = ${model}`;
  if (row === undefined) throw new Refusal("not_found", `no published model ${model}`);
  const text = row.document as string;
  return {
    digest: row.digest,
    study: { digest: row.study, name: row.name },
    manifest: readManifest(row.manifest),
    document: parsePublic("model", documentSchema, JSON.parse(text)),
    text,
    publishedMillis: (row.published_at as Date).getTime(),
  };
}

const standingBadge = (standing: Standing | undefined, { words }: Locale): Html =>
  standing === undefined
    ? html`<span class="badge">${words.standings.published}</span>`
    : html`<span class="badge ${standing === "champion" ? "good" : standing === "retired" ? "warning" : ""}">${words.standings[standing]}</span>`;

async function modelsView({ bank, locale }: Asked): Promise<View> {
  const { words, moment } = locale;
  const rows = await bank.database.sql`
    SELECT model.digest, document, published_at, name, manifest FROM model
    JOIN study ON study.digest = model.study ORDER BY published_at DESC`;
  const now = await standings(bank.database.sql);
  const standingsOf = (model: string): Html[] =>
    now
      .filter((one) => one.model === model)
      .map((one) => html`${one.result} ${standingBadge(one.standing, locale)} `);
  const orDash = (badges: readonly Html[]): Content => (badges.length === 0 ? "–" : badges);
  const aucs = (text: string): string =>
    [...resultsBy(evaluate, parsePublic("model", documentSchema, JSON.parse(text))).values()]
      .flatMap(({ models }) => Object.entries(models))
      .map(([name, one]) => `${name} ${aucText(one, locale)}`)
      .join(", ") || "–";
  return {
    title: words.models,
    body:
      rows.length === 0
        ? note(words.noModels)
        : html`${table(
            words.newestFirst,
            [words.study, words.purpose, words.published, "AUC", words.standing],
            rows.map(({ digest, document, published_at, name, manifest }) => [
              html`<a href="/models/${digest}">${name}</a>`,
              html`<span class="long">${readManifest(manifest).purpose}</span>`,
              moment((published_at as Date).getTime()),
              html`<span class="long">${aucs(document)}</span>`,
              orDash(standingsOf(digest)),
            ]),
          )}
${rows.length > 1 && compareForm(rows as unknown as { digest: string; name: string }[], locale)}
${shiftedView(await shifted(bank), bank.config.models.stability, locale)}
${historyView(await decisions(bank.database.sql), locale, new Map(rows.map((row) => [row.digest as string, row.name as string])))}`,
  };
}

/** What moved beyond the bank's thresholds since it was learned. */
function shiftedView(found: readonly Shifted[], thresholds: Thresholds, locale: Locale): Html {
  const { words, fixed, number } = locale;
  return html`<h2>${words.monitor}</h2>
${
  found.length === 0
    ? note(words.nothingShifted(number(thresholds.watch)))
    : table(
        words.shiftedCaption,
        [words.study, words.column, numeric(words.stabilityIndex), words.standing],
        found.map(({ model, study, kind, name, index, stability }) => [
          html`<a href="/models/${model}">${study}</a>`,
          html`<span class="long">${kind === "scores" ? words.scoresOf(name) : name}</span>`,
          fixed(index, 3),
          stabilityBadge(stability, thresholds, locale),
        ]),
      )
}`;
}

function compareForm(models: readonly { digest: string; name: string }[], { words }: Locale): Html {
  const choice = (name: "a" | "b", label: string, chosen: number): Html =>
    html`<div class="field"><label for="${name}">${label}</label><select id="${name}" name="${name}">${models.map(
      (one, i) => html`<option value="${one.digest}"${i === chosen && html` selected`}>${one.name}</option>`,
    )}</select></div>`;
  return html`<h2>${words.compare}</h2>
<form method="get" action="/models/compare" class="narrow-form">
${choice("a", words.model, 1)}
${choice("b", words.with, 0)}
<button>${words.compare}</button>
</form>`;
}

/** Two published models side by side: what they were learned from and how well they score. */
async function compareView({ bank, locale, query }: Asked): Promise<View> {
  const { words, number, fixed, moment } = locale;
  const sides = await Promise.all(["a", "b"].map((name) => published(bank, digestIn(query.text(name)))));
  const now = await standings(bank.database.sql);
  const evaluated = sides.flatMap(({ digest, study, document }) =>
    [...resultsBy(evaluate, document).values()]
      .flatMap(({ models }) => Object.entries(models))
      .map(([result, one]) => ({ digest, study, result, one })),
  );
  const columns = sides.map(({ manifest }) => manifest.features.map(({ name }) => name));
  const onlyIn = (side: number): string =>
    columns[side]!.filter((name) => !columns[1 - side]!.includes(name)).join(", ") || words.none;
  const [a, b] = sides as [Published, Published];
  return {
    title: `${a.study.name} – ${b.study.name}`,
    body: html`${table(
      words.comparedCaption,
      ["", a.study.name, b.study.name],
      [
        [words.published, moment(a.publishedMillis), moment(b.publishedMillis)],
        [words.purpose, a.manifest.purpose, b.manifest.purpose],
        ...(
          [
            [words.released, (side: Published) => side.document.lineage.rounds.length],
            [words.smallestCohort, (side: Published) => side.document.protection.smallestCohort],
          ] as const
        ).map(([name, of]) => [name, number(of(a)), number(of(b))]),
        [words.onlyHere, onlyIn(0), onlyIn(1)],
        [
          words.runsWithout,
          ...sides.map(({ document }) => withoutText(document.protection.unprotected, locale)),
        ],
      ],
    )}
<h2>${words.howWell}</h2>
${
  evaluated.length === 0
    ? note(words.notEvaluated)
    : html`${table(
        words.ownHoldout,
        [
          words.model,
          words.standing,
          ...[words.rows, "AUC", words.binsWithin, "KS", "Gini", "Brier"].map(numeric),
        ],
        evaluated.map(({ digest, study, result, one }) => [
          html`<a href="/models/${digest}">${study.name}: ${result}</a>`,
          standingBadge(
            now.find((other) => other.model === digest && other.result === result)?.standing,
            locale,
          ),
          number(one.n),
          fixed(one.auc, 4),
          fixed(one.aucWithin, 4),
          ...[one.ks, one.gini, one.brier].map((value) => fixed(value, 3)),
        ]),
      )}
${rocChart(
  bestOfEach(evaluated).map(({ study, result, one }) => [`${study.name}: ${result}`, one] as const),
  locale,
)}
${evaluated.length > mostCurves && note(words.bestCurves(number(mostCurves)))}
${sides
  .filter(({ document }) => carriesNoise(document))
  .map(({ study }) => note(words.noisyFiguresOf(study.name)))}
<p class="note">${words.compareWarning}</p>`
}`,
  };
}

function historyView(
  made: readonly StandingDecision[],
  locale: Locale,
  names: ReadonlyMap<string, string>,
): Html {
  const { words, moment } = locale;
  return html`<h2>${words.decisions}</h2>
${
  made.length === 0
    ? note(words.noDecisions)
    : table(
        words.decisionsCaption,
        [words.when, words.model, words.standing, words.by, words.reason],
        made.map((one) => [
          moment(one.atMillis),
          html`${names.get(one.model) ?? one.model.slice(0, 12)}: ${one.result}`,
          standingBadge(one.standing, locale),
          one.by,
          html`<span class="long">${one.reason}</span>`,
        ]),
      )
}`;
}

async function modelView({ bank, session, locale, params }: Asked): Promise<View> {
  const { words, moment } = locale;
  const { digest, study, document, publishedMillis } = await published(bank, digestIn(params.model));
  const now = (await standings(bank.database.sql)).filter((one) => one.model === digest);
  const approved = (await approvals(bank.database.sql)).filter((one) => one.model === digest);
  const models = [...modelsOf(document)];
  const cards = models.map(([name, { exports }]) => {
    const standing = now.find((one) => one.result === name);
    return { name, standing, approved: approved.filter((one) => one.result === name), formats: [...exports] };
  });
  const files = await Promise.all(
    cards.flatMap(({ name, formats }) =>
      formats.map(async ([format, make]) => ({ name, format, files: await make() })),
    ),
  );
  const body = html`<p><a href="/studies/${study.digest}">${words.study}: ${study.name}</a> · ${words.published} ${moment(publishedMillis)} · <a href="/models/${digest}/card">${words.modelCard}</a></p>
<p class="note">${words.digest} <code>${digest}</code></p>
<h2>${words.registry}</h2>
${cards.map(
  ({
    name,
    standing,
    approved,
  }) => html`<article class="card"><h3>${name} ${standingBadge(standing?.standing, locale)}</h3>
${standing !== undefined && html`<p class="note">${moment(standing.atMillis)}, ${standing.by}: ${standing.reason}</p>`}
${approvalsView(approved, bank.config.models.approvals, locale)}
${may(session, deciders) && decisionForm({ model: digest, result: name, standing: standing?.standing, approved }, bank, session, locale)}</article>`,
)}
${resultsView(document, bank.config.models.stability, locale, true)}
<h2>${words.downloads}</h2>
<ul><li><a href="/models/${digest}/model.json">${words.modelDocument}</a></li>
${files.flatMap(({ name, format, files: of }) =>
  of.map(
    (file) =>
      html`<li><a href="/models/${digest}/export/${name}/${format}/${encodeURIComponent(file.name)}">${name}: ${file.name}</a> <span class="note">${format}</span></li>`,
  ),
)}</ul>
${historyView(
  (await decisions(bank.database.sql)).filter((one) => one.model === digest),
  locale,
  new Map([[digest, study.name]]),
)}`;
  return { title: study.name, body };
}

/** Who said that the model may be used, and how many still have to. */
function approvalsView(given: readonly Approval[], needed: number, { words, moment, number }: Locale): Html {
  const missing = Math.max(0, needed - given.length);
  return html`${needed > 0 && html`<p class="${missing > 0 ? "warning" : "note"}">${words.approvalsOf(number(given.length), number(needed), missing > 0)}</p>`}
${given.length > 0 && html`<ul class="note">${given.map(({ atMillis, by, reason }) => html`<li>${words.approvedBy(by)}, ${moment(atMillis)}: ${reason}</li>`)}</ul>`}`;
}

interface Decidable {
  readonly model: string;
  readonly result: string;
  readonly standing: Standing | undefined;
  readonly approved: readonly Approval[];
}

function decisionForm(
  { model, result, standing, approved }: Decidable,
  { config: { models } }: Asked["bank"],
  session: Asked["session"],
  { words }: Locale,
): Html {
  const id = `reason-${result}`;
  const button = (order: keyof typeof words.decide): Html =>
    html`<button formaction="/models/${model}/${order}">${words.decide[order]}</button>`;
  const isApproved = approved.length >= models.approvals;
  const mayApprove = models.approvals > 0 && approved.every(({ by }) => by !== session.user);
  const orders = [
    mayApprove && button("approve"),
    isApproved && standing !== "champion" && button("promote"),
    isApproved && standing !== "challenger" && standing !== "champion" && button("challenge"),
    standing !== "retired" && button("retire"),
    standing === "champion" && button("roll-back"),
  ];
  return form(
    session,
    `/models/${model}/${mayApprove ? "approve" : "retire"}`,
    html`<input type="hidden" name="result" value="${result}">
<div class="field"><label for="${id}">${words.reason}</label><input id="${id}" name="reason" required maxlength="500" autocomplete="off"></div>
<div class="actions">${orders}</div>`,
  );
}

/** Everything that somebody who has to approve a model needs on paper. */
async function cardView({ bank, locale, params }: Asked): Promise<View> {
  const { words, moment, number } = locale;
  const { digest, study, document, manifest, publishedMillis } = await published(
    bank,
    digestIn(params.model),
  );
  const { protection, lineage } = document;
  const now = (await standings(bank.database.sql)).filter((one) => one.model === digest);
  const body = html`<p class="note">${words.cardIntro}</p>
${facts([
  [words.study, study.name],
  [words.published, moment(publishedMillis)],
  [
    words.standing,
    now.map(({ result, standing }) => `${result}: ${words.standings[standing]}`).join(", ") ||
      words.standings.published,
  ],
  [words.released, number(lineage.rounds.length)],
  [words.smallestCohort, number(protection.smallestCohort)],
])}
<p class="note">${words.digest} <code>${digest}</code></p>
<h2>${words.manifest}</h2>
${manifestFacts(manifest, locale)}
<h2>${words.limits}</h2>
<ul>${words.limitsOf(protection.unprotected.includes("noise")).map((one) => html`<li>${one}</li>`)}</ul>
${resultsView(document, bank.config.models.stability, locale)}
<h2>${words.evidence}</h2>
<p>${words.evidenceIs(number(lineage.rounds.length))}</p>
<p class="note">${words.studyManifest} <code>${study.digest}</code></p>`;
  return { title: `${words.modelCard}: ${study.name}`, body };
}
