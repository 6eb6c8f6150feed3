/** policy.yaml on the page: read, changed, and what the change would do before it is written. */

import type { DatabaseSync } from "node:sqlite";
import express, { type Express, type Request } from "express";
import { parseDocument } from "yaml";
import type { Digest } from "../../core/canonical.ts";
import { type Content, type Html, html } from "../../core/pages/html.ts";
import { note, table } from "../../core/pages/parts.ts";
import { refusalText } from "../../core/pages/refusal.ts";
import { orUndefined, Refusal } from "../../core/reasons.ts";
import { parseYaml, plainOf, type YamlFault, yamlFaults } from "../../core/yaml.ts";
import { algorithmNames } from "../../models/registry.ts";
import { refusalOf } from "../../proto/wire.ts";
import { decidedBy, lastApproved, storeApproved } from "../ledger/approvals.ts";
import type { Forecast } from "../ledger/budget.ts";
import type { EgressLedger } from "../ledger/egress.ts";
import { policyVersion } from "../ledger/records.ts";
import { transact } from "../ledger/store.ts";
import { type Policy, policyDigest, policySchema } from "../policy.ts";
import type { PolicyFile } from "../policy-file.ts";
import type { Approvals, Waiting } from "./approvals.ts";
import { chineseErrors, inChinese } from "./chinese-faults.ts";
import { answering, type MayPost, type OwnForm, type OwnForms, type Send } from "./decisions.ts";
import { epsilonText } from "./format.ts";
import { numeric, type View } from "./layout.ts";
import { type Locale, localeFor } from "./locale.ts";
import type { PolicyEffect } from "./policy-effect.ts";
import { forbiddenList, type KnownStudy } from "./studies.ts";

/** Where people may change it. */
export interface PolicyDesk {
  readonly file: PolicyFile;
  readonly db: DatabaseSync;
  readonly ledger: EgressLedger;
  readonly enterprise: string;
  readonly formFor: OwnForms["formFor"];
  readonly approvals: Approvals;
  /** @returns who asks; empty where they have no name. */
  personOf(request: Request): string;
  effect(before: Policy | undefined, after: Policy): Promise<PolicyEffect>;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** What a change of the policy is called among decisions that wait. */
export const policyDecision = "policy";

/** @param mayPost - answers whoever sent no form of this page, and is false then. */
export function policyPages(app: Express, desk: PolicyDesk, mayPost: MayPost, send: Send): void {
  const body = express.urlencoded({ extended: false, limit: "256kb" });
  const fieldsOf = (request: Request): Readonly<Record<string, unknown>> => request.body ?? {};
  const answer = answering(send);
  app.post("/policy/effect", body, async (request, response) => {
    if (!mayPost(request, response)) return;
    await answer(request, response, async () => {
      const fields = fieldsOf(request);
      const { text: before, digest } = desk.file.read();
      const text = typeof fields.text === "string" ? linesOf(fields.text) : chosen(before, fields);
      return shownEffect(desk, before, digest, text, request);
    });
  });
  app.post("/policy/write", body, async (request, response) => {
    if (!mayPost(request, response)) return;
    await answer(request, response, async () => {
      const { text, base } = fieldsOf(request);
      write(desk, desk.personOf(request), String(base), linesOf(String(text)));
      return "/policy";
    });
  });
  app.get("/policy/waiting", (request, response) =>
    answer(request, response, async () => {
      const waiting = desk.approvals.waiting(policyDecision);
      if (waiting === undefined) return "/policy";
      const [base, text] = proposed(waiting);
      const own = waiting.by === desk.personOf(request) ? waiting : undefined;
      return shownEffect(desk, desk.file.read().text, base, text, request, own);
    }),
  );
  app.post("/policy/decline", body, (request, response) => {
    if (!mayPost(request, response)) return;
    desk.approvals.forget(policyDecision);
    response.redirect(303, "/policy");
  });
}

/** Writes a policy, once as many people decided as the one before, the one last approved, or this one asks for. */
function write(desk: PolicyDesk, person: string, base: Digest, text: string): void {
  const { approvals, db, enterprise, file, ledger, now } = desk;
  const after = parseYaml(text, "policy.yaml", policySchema);
  file.requireUnchanged(base);
  const by = approvals.decide(policyDecision, person, peopleFor(desk, after), `${base} ${text}`);
  if (by === undefined) return;
  // The file last: where it cannot be written, nothing of the rest was.
  transact(db, () => {
    const digest = policyDigest(after);
    storeApproved(db, { digest, people: after.people ?? 1 });
    const { version, changed } = policyVersion(db, digest);
    if (changed)
      ledger.append([
        { type: "policy.changed", time: now(), enterprise, policy: digest, version, ...decidedBy(by) },
      ]);
    file.replace(base, text);
  });
  approvals.forget(policyDecision);
}

/** @returns how many have to decide that a policy follows what stands there. */
function peopleFor({ db, file }: Pick<PolicyDesk, "db" | "file">, after: Policy): number {
  const before = readable(file.read().text);
  return Math.max(
    after.people ?? 1,
    lastApproved(db)?.people ?? 1,
    before instanceof Refusal ? 1 : (before.people ?? 1),
  );
}

/** @returns the text that waits, and the digest of what it was made from. */
function proposed({ detail }: Waiting): readonly [base: Digest, text: string] {
  const space = detail.indexOf(" ");
  return [detail.slice(0, space), detail.slice(space + 1)];
}

/** A form sends lines as CR LF. */
const linesOf = (text: string): string => text.replaceAll("\r\n", "\n");

/** @param desk - absent where nobody may change it. */
export function policyView(
  file: PolicyFile,
  desk: { readonly form: OwnForm; readonly waiting: Waiting | undefined } | undefined,
  locale: Locale,
): View {
  const { words } = locale;
  const { text } = file.read();
  const policy = readable(text);
  const broken =
    policy instanceof Refusal &&
    html`<p class="alarm" role="alert">${refusalText(policy, locale.language)}</p>`;
  return {
    title: words.policyTitle,
    body: html`<p>${words.policyIntro}</p>
${broken}
${
  desk?.waiting !== undefined &&
  html`<section class="card"><h2>${words.changeWaits}</h2><p class="warning">${words.waits(desk.waiting.by)}</p>
<div class="actions"><a class="button" href="/policy/waiting">${words.seeChange}</a>${desk.form("/policy/decline", words.decline)}</div></section>`
}
${
  desk === undefined
    ? html`<p class="note">${words.policyOnlyShown} <code>fedcredit node password</code></p>
<pre>${text}</pre>`
    : html`${!(policy instanceof Refusal) && usualForm(policy, desk.form, locale)}
<h2>${words.wholeText}</h2>
${textForm(text, desk.form, locale)}`
}`,
  };
}

function readable(text: string): Policy | Refusal {
  try {
    return parseYaml(text, "policy.yaml", policySchema);
  } catch (error) {
    return refusalOf(error);
  }
}

const textForm = (text: string, form: OwnForm, { words }: Locale): Html =>
  form(
    "/policy/effect",
    words.showEffect,
    "main",
    html`<div class="field"><label for="text">${words.policyText}</label><textarea id="text" name="text" rows="${Math.min(40, text.split("\n").length + 2)}" spellcheck="false" autocomplete="off">
${text}</textarea></div>`,
  );

function usualForm(policy: Policy, form: OwnForm, { words }: Locale): Html {
  const { policyFields: names } = words;
  const { exactSums, maxEpsilon, allow, unprotected, scores } = policy;
  const field = (name: string, label: string, value: number | undefined): Html =>
    html`<div class="field"><label for="${name}">${label}</label><input id="${name}" name="${name}" inputmode="decimal" autocomplete="off" value="${value === undefined ? "" : String(value)}"></div>`;
  const select = (
    name: string,
    label: string,
    options: Readonly<Record<string, string>>,
    value: string,
  ): Html =>
    html`<div class="field"><label for="${name}">${label}</label><select id="${name}" name="${name}">${Object.entries(
      options,
    ).map(
      ([one, said]) => html`<option value="${one}"${one === value && html` selected`}>${said}</option>`,
    )}</select></div>`;
  const check = (name: string, value: string, label: string, checked: boolean): Html =>
    html`<label class="choice"><input type="checkbox" name="${name}" value="${value}"${checked && html` checked`}> ${label}</label>`;
  const algorithms = [...new Set([...algorithmNames, ...allow.algorithms])];
  return html`<h2>${words.usualChoices}</h2>
<p class="note">${words.usualHint}</p>
${form(
  "/policy/effect",
  words.showEffect,
  "main",
  html`<fieldset class="fields">
${field("minCohort", names.minCohort, policy.minCohort)}
${field("minRows", names.minRows, policy.minRows)}
${field("perTable", names.perTable, exactSums.perTable)}
${select("cohortChange", names.cohortChange, words.cohortChanges, exactSums.cohortChange)}
${field("lifetime", names.lifetime, maxEpsilon.lifetime)}
${field("delta", names.delta, maxEpsilon.delta)}
${field("consentDays", names.consentDays, policy.consentDays)}
${select("scores", names.scores, words.scoreSends, scores?.send ?? "never")}
</fieldset>
<div class="choices">${check("noise", "yes", names.noise, unprotected.includes("noise"))}</div>
<fieldset><legend>${names.algorithms}</legend><div class="choices">${algorithms.map((name) =>
    check("algorithm", name, name, allow.algorithms.includes(name)),
  )}</div></fieldset>
<div class="field"><label for="purposes">${names.purposes}</label><textarea id="purposes" name="purposes" rows="${allow.purposes.length + 1}" autocomplete="off">
${allow.purposes.join("\n")}</textarea></div>`,
)}`;
}

/** Where each field of the form stands in the file. */
const numbers = {
  minCohort: ["minCohort"],
  minRows: ["minRows"],
  perTable: ["exactSums", "perTable"],
  lifetime: ["maxEpsilon", "lifetime"],
  delta: ["maxEpsilon", "delta"],
  consentDays: ["consentDays"],
} as const;

/** @returns the text with what was chosen in the form; what was not changed stands as it stood, comments too. */
function chosen(text: string, fields: Readonly<Record<string, unknown>>): string {
  const document = parseDocument(text);
  const before = document.errors.length > 0 ? undefined : orUndefined(() => plainOf(document, "policy.yaml"));
  if (before === undefined) return text;
  const textIn = (name: string): string => (typeof fields[name] === "string" ? fields[name].trim() : "");
  const set = (path: readonly string[], value: unknown): void => {
    const stood = path.reduce<unknown>(
      (at, key) => (at as Readonly<Record<string, unknown>> | undefined)?.[key],
      before,
    );
    if (JSON.stringify(stood) === JSON.stringify(value)) return;
    if (value === undefined) document.deleteIn(path);
    else document.setIn(path, typeof value === "object" ? document.createNode(value, { flow: true }) : value);
  };
  for (const [name, path] of Object.entries(numbers)) {
    const given = textIn(name);
    // What is no number stays what was typed, for the schema to name.
    set(path, given === "" ? undefined : Number.isFinite(Number(given)) ? Number(given) : given);
  }
  set(["exactSums", "cohortChange"], textIn("cohortChange"));
  const scores = textIn("scores");
  set(["scores"], scores === "never" ? undefined : { send: scores });
  const listIn = (value: unknown): string[] =>
    value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)];
  set(["unprotected"], textIn("noise") === "yes" ? ["noise"] : []);
  set(["allow", "algorithms"], listIn(fields.algorithm));
  const purposes = linesOf(String(fields.purposes ?? "")).split("\n");
  set(
    ["allow", "purposes"],
    purposes.map((one) => one.trim()).filter((one) => one !== ""),
  );
  return document.toString({ lineWidth: 0 });
}

/** @param own - the same change where the reader decided it already: nobody is two. */
async function shownEffect(
  desk: PolicyDesk,
  before: string,
  base: Digest,
  text: string,
  request: Request,
  own?: Waiting,
): Promise<View> {
  const locale = localeFor(request);
  const form = desk.formFor(request);
  const { language, words } = locale;
  const faults = yamlFaults(text, policySchema, language === "zh" ? chineseErrors : undefined);
  if (faults.length > 0)
    return {
      title: words.faultsTitle,
      body: html`${faultTable(faults, locale)}
${textForm(text, form, locale)}`,
    };
  const was = readable(before);
  const after = parseYaml(text, "policy.yaml", policySchema);
  // What two have to approve may stand there already, written by one.
  const isByTwo = peopleFor(desk, after) > 1;
  const isApproved = !isByTwo || lastApproved(desk.db)?.digest === policyDigest(after);
  const effect = await desk.effect(was instanceof Refusal ? undefined : was, after);
  const hidden = html`<input type="hidden" name="base" value="${base}"><input type="hidden" name="text" value="${text}">`;
  return {
    title: words.effectTitle,
    body: html`<p>${words.nothingWritten}</p>
${effectParts(effect, locale)}
<h2>${words.inText}</h2>
<pre>${text === before ? words.unchanged : changedLines(before, text)}</pre>
${own !== undefined ? html`<p class="warning">${words.waits(own.by)}</p>` : isByTwo && note(words.byTwo)}
<div class="actions">${own === undefined && (text !== before || !isApproved) && form("/policy/write", words.write, "main", hidden)}</div>
<details class="card"><summary>${words.changeMore}</summary>${textForm(text, form, locale)}</details>`,
  };
}

const faultTable = (faults: readonly YamlFault[], { language, words, number }: Locale): Html =>
  html`<div role="alert">${table(
    words.policyFaults,
    [numeric(words.line), words.field, words.fault],
    faults.map(({ line, path, message }) => [
      number(line),
      path === "" ? "–" : html`<code>${path}</code>`,
      html`<span class="long">${path === "" && /^[A-Z_]+$/.test(message) ? `${words.notYaml} (${message})` : language === "zh" ? inChinese(message) : message}</span>`,
    ]),
  )}</div>`;

/** What a policy would do, in words. */
export function effectParts(effect: PolicyEffect, locale: Locale): Content {
  const { words, number } = locale;
  const { studies, tables, tablesGone, rowsChange, scores, warnings } = effect;
  const grave = (becomes: string): string => (becomes === "stops" || becomes === "refused" ? "warning" : "");
  return html`<h2>${words.onStudies}</h2>
${
  studies.length === 0
    ? note(words.noStudyConcerned)
    : table(
        words.studiesCaption,
        [words.study, words.state, words.effect, words.because, words.costToCome],
        studies.map(({ study, becomes, forbidden, cost }) => [
          study.name,
          words.phases[study.phase] ?? study.phase,
          html`<span class="${grave(becomes)}">${words.policyBecomes[becomes]}</span>`,
          forbidden.length === 0 ? "–" : html`<div class="long">${forbiddenList(forbidden, locale)}</div>`,
          costCell(study, cost, locale),
        ]),
      )
}
${rowsChange && html`<p class="warning">${words.rowsChange}</p>`}
${tablesGone.map((one) => html`<p class="warning">${words.tableGone(one)}</p>`)}
${scores !== undefined && html`<p>${words.scoresChange[scores]}</p>`}
${warnings !== undefined && html`<p>${words.warningsChange[warnings]}</p>`}
<h2>${words.onBudgets}</h2>
${table(
  words.budgetsCaption,
  [words.table, numeric(words.epsilonLeft), numeric(words.exactLeft)],
  tables.map(({ table: name, lifetime, spent, perTable, exactSums }) => [
    name,
    spent === undefined ? words.noDelta : epsilonText(Math.max(0, lifetime - spent), locale),
    number(Math.max(0, perTable - exactSums)),
  ]),
)}`;
}

/** What a study may still cost of what is left, and whether that is enough. */
function costCell({ manifest }: KnownStudy, cost: Forecast | undefined, locale: Locale): Content {
  const { words, number } = locale;
  if (manifest.privacy.noise === undefined) return words.exactCost;
  if (cost === undefined) return words.notKnown;
  const { spent, after, lifetime } = cost;
  const text = words.costOfLeft(
    epsilonText(after - spent, locale),
    number(Math.max(0, Math.floor((lifetime - spent) * 100) / 100)),
  );
  return after <= lifetime ? text : html`${text}: <span class="warning">${words.doesNotFit}</span>`;
}

/** The lines between those that both texts begin and end with. */
function changedLines(before: string, after: string): string {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  return [
    ...a.slice(head, a.length - tail).map((one) => `− ${one}`),
    ...b.slice(head, b.length - tail).map((one) => `+ ${one}`),
  ].join("\n");
}
