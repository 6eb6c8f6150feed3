/** A study proposed from a form that says what each choice costs. */
import { z } from "zod";
import { canonicalBytes } from "../../core/canonical.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { refusalText } from "../../core/pages/refusal.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseYaml } from "../../core/yaml.ts";
import { algorithmNames } from "../../models/registry.ts";
import { parseManifest } from "../../models/study.ts";
import { checkProposal } from "../studies/check.ts";
import { studyCost } from "../studies/cost.ts";
import { proposedBy } from "../studies/gate.ts";
import { propose } from "../studies/proposal.ts";
import type { Asked, Fields } from "./asked.ts";
import type { Desk } from "./desk.ts";
import { deciders, field, form, type View } from "./frame.ts";
import type { Words } from "./messages.ts";
import { costView } from "./studies.ts";

export function proposalPages(desk: Desk): void {
  desk.show("/studies/new", (asked) => formView(asked, templateOf(asked.query.text("template"))));
  desk.act("/studies/check", deciders, (asked, fields) => checkedView(asked, draftOf(fields)));
  desk.act("/studies/propose", deciders, async (asked, fields) => {
    const draft = draftOf(fields);
    const { bytes, problems } = manifestOf(draft, asked);
    if (bytes === undefined) return { ...formView(asked, draft, problemsView(problems, asked)), status: 400 };
    let study: string;
    try {
      study = Buffer.from((await propose(asked.bank, bytes)).study as Uint8Array).toString("hex");
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { ...formView(asked, draft, problemsView([error], asked)), status: 400 };
    }
    return `/studies/${study}`;
  });
}

/** What stands in the form's fields. */
type Draft = Readonly<Record<(typeof textFields)[number], string>> & {
  readonly algorithms: readonly string[];
};

const textFields = [
  "name",
  "purpose",
  "legalBasis",
  "impactAssessment",
  "retentionDays",
  "label",
  "bad",
  "good",
  "features",
  "subject",
  "maxRowsPerParty",
  "holdout",
  "gate",
  "parameters",
  "minCohort",
  "maxColluding",
  "unit",
  "stepSeconds",
] as const;

const draftOf = (fields: Fields): Draft => ({
  ...(Object.fromEntries(textFields.map((name) => [name, fields.text(name)])) as Record<
    (typeof textFields)[number],
    string
  >),
  algorithms: algorithmNames.filter((name) => fields.all("algorithms").includes(name)),
});

/** What to start from; `parameters` as YAML, one algorithm a line. */
const templates: Readonly<Record<keyof Words["templates"], Pick<Draft, "algorithms" | "parameters">>> = {
  look: { algorithms: ["range", "summary"], parameters: "" },
  logistic: { algorithms: ["range", "summary", "logistic", "evaluate"], parameters: "" },
  scorecard: { algorithms: ["range", "bins", "woe", "scorecard", "evaluate"], parameters: "" },
  boosting: {
    algorithms: ["range", "bins", "boosting", "evaluate"],
    parameters: "boosting: { trees: 30, depth: 3 }",
  },
  network: {
    algorithms: ["range", "summary", "logistic", "neural", "evaluate"],
    parameters: "neural: { hidden: [16, 8], rounds: 40 }",
  },
};

const isTemplate = (name: string): name is keyof typeof templates => Object.hasOwn(templates, name);

const templateOf = (name: string): Draft => ({
  ...{ name: "", purpose: "", legalBasis: "", impactAssessment: "", retentionDays: "", label: "", bad: "" },
  // What only the bank can decide is empty, as in `study init`.
  ...{ good: "", features: "", subject: "", maxRowsPerParty: "20000", holdout: "0.25", gate: "champion" },
  ...{ minCohort: "", maxColluding: "", unit: "record", stepSeconds: "60" },
  ...templates[isTemplate(name) ? name : "scorecard"],
});

/** A number where it is one, else what was written: the manifest's schema says what is wrong with it. */
const numberIn = (text: string): number | string | null =>
  text === "" ? null : Number.isFinite(Number(text)) ? Number(text) : text;

const listIn = (text: string): string[] =>
  text
    .split(/[,，;；\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** `column`, or `column: level, level` where it is no number. */
function featureIn(line: string): object {
  const [name = "", ...rest] = line.split(/[:：]/);
  if (rest.length === 0) return { name: name.trim(), kind: "numeric" };
  return { name: name.trim(), kind: "categorical", levels: listIn(rest.join(":")) };
}

const parametersSchema = z.record(z.string(), z.record(z.string(), z.unknown()));

function manifestOf(
  draft: Draft,
  { bank }: Asked,
): { readonly bytes?: Uint8Array; readonly problems: readonly Refusal[] } {
  try {
    const parameters = parseYaml(draft.parameters, "parameters", parametersSchema);
    const stray = Object.keys(parameters).find((name) => !draft.algorithms.includes(name));
    if (stray !== undefined)
      throw new Refusal("parameters_invalid", `parameters: ${stray} is not among the algorithms chosen`);
    const bytes = canonicalBytes({
      consortium: bank.config.consortium,
      name: draft.name,
      purpose: draft.purpose,
      legalBasis: draft.legalBasis,
      impactAssessment: draft.impactAssessment,
      retentionDays: numberIn(draft.retentionDays),
      ...(draft.subject === "" ? {} : { subject: draft.subject }),
      label: { column: draft.label, bad: listIn(draft.bad), good: listIn(draft.good) },
      features: draft.features
        .split("\n")
        .filter((line) => line.trim() !== "")
        .map(featureIn),
      maxRowsPerParty: numberIn(draft.maxRowsPerParty),
      holdout: { fraction: numberIn(draft.holdout) },
      ...(draft.gate === "none" ? { gate: "none" } : {}),
      algorithms: draft.algorithms.map((name) => ({ ...parameters[name], name })),
      privacy: {
        minCohort: numberIn(draft.minCohort),
        maxColluding: numberIn(draft.maxColluding),
        unit: draft.unit,
      },
      unprotected: ["noise"],
      deadlines: { stepSeconds: numberIn(draft.stepSeconds) },
    });
    parseManifest(bytes);
    return { bytes, problems: [] };
  } catch (error) {
    if (error instanceof Refusal) return { problems: [error] };
    throw error;
  }
}

async function checkedView(asked: Asked, draft: Draft): Promise<View> {
  const made = manifestOf(draft, asked);
  const { bytes } = made;
  let { problems } = made;
  const { bank, locale } = asked;
  const { words } = locale;
  let proposed: Awaited<ReturnType<typeof proposedBy>> | undefined;
  try {
    proposed = bytes && (await proposedBy(bank, bytes));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    problems = [error];
  }
  if (proposed === undefined)
    return { ...formView(asked, draft, problemsView(problems, asked)), status: 400 };
  const { manifest, note, study } = proposed;
  const found = await checkProposal(bank, study, manifest);
  const cost = await studyCost(bank, study, manifest, found);
  const isSound = found.problems.length === 0;
  const notes = note === undefined ? found.notes : [...found.notes, note];
  const result = html`<section class="card" aria-label="${words.whatItCosts}" id="checked">
<h2>${isSound ? words.canBeProposed : words.cannotBeProposed}</h2>
${!isSound && problemsView(found.problems, asked)}
${found.unready !== undefined && html`<p class="warning">${refusalText(found.unready, locale.language)}</p>`}
${notes.length > 0 && html`<ul lang="en">${notes.map((one) => html`<li>${one}</li>`)}</ul>`}
${cost.algorithms.length > 0 && costView(cost, manifest, locale)}
</section>`;
  return { ...formView(asked, draft, result, isSound), status: isSound ? 200 : 400 };
}

const problemsView = (problems: readonly Refusal[], { locale }: Asked): Html =>
  html`<div role="alert"><p class="alarm">${locale.words.problems(locale.number(problems.length))}</p><ul>${problems.map(
    (one) => html`<li>${refusalText(one, locale.language)}</li>`,
  )}</ul></div>`;

function formView({ session, locale: { words } }: Asked, draft: Draft, result?: Html, isSound = false): View {
  const text = (
    name: (typeof textFields)[number],
    more: { lines?: number; isOptional?: true; inputmode?: "numeric" | "decimal" } = {},
  ): Html => field({ name, label: words.fields[name], hint: words.hints[name], value: draft[name], ...more });
  const group = (title: string, content: readonly Html[]): Html =>
    html`<fieldset><legend>${title}</legend><div class="fields">${content}</div></fieldset>`;
  const algorithms = algorithmNames.map(
    (name) =>
      html`<label class="choice"><input type="checkbox" name="algorithms" value="${name}"${draft.algorithms.includes(name) && html` checked`}> <span>${name}</span><span class="note">${words.algorithms[name] ?? ""}</span></label>`,
  );
  /** @param values - each with what it is called. */
  const select = (name: "unit" | "gate", values: Readonly<Record<string, string>>): Html =>
    html`<div class="field"><label for="${name}">${words.fields[name]}</label><select id="${name}" name="${name}" aria-describedby="${name}-hint">${Object.entries(
      values,
    ).map(
      ([value, said]) =>
        html`<option value="${value}"${value === draft[name] && html` selected`}>${said}</option>`,
    )}</select><p class="note" id="${name}-hint">${words.hints[name]}</p></div>`;
  const number = { inputmode: "decimal" } as const;
  return {
    title: words.proposeStudy,
    body: html`${result}
<p>${words.startFrom} ${Object.entries(words.templates).map(
      ([name, label]) => html`<a class="button" href="/studies/new?template=${name}">${label}</a> `,
    )}</p>
${form(
  session,
  "/studies/check",
  html`${group(words.whatFor, [
    text("name"),
    text("purpose"),
    text("legalBasis"),
    text("impactAssessment"),
    text("retentionDays", { inputmode: "numeric" }),
  ])}
${group(words.whichData, [
  text("label"),
  text("bad"),
  text("good"),
  text("features", { lines: 6 }),
  text("subject", { isOptional: true }),
  text("maxRowsPerParty", { inputmode: "numeric" }),
  text("holdout", number),
])}
<fieldset><legend>${words.whatRuns}</legend><div class="choices">${algorithms}</div>${text("parameters", { lines: 3, isOptional: true })}</fieldset>
${group(words.howProtected, [text("minCohort", number), text("maxColluding", number), select("unit", words.units), select("gate", words.gates), text("stepSeconds", number)])}
<p class="warning">${words.noNoise}</p>
<div class="actions"><button class="main">${words.checkAndCost}</button>${
    isSound && html`<button class="main" formaction="/studies/propose">${words.propose}</button>`
  }</div>
<p class="note">${words.manifestIsFixed}</p>`,
  "sheet",
)}`,
  };
}
