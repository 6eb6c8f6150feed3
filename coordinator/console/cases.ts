import { shortDigest } from "../../core/ids.ts";
import { chart } from "../../core/pages/charts.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { Refusal } from "../../core/reasons.ts";
import { type LimitStep, limitSteps } from "../../privacy/log/entry.ts";
import { saidIn } from "../../privacy/log/score-statement.ts";
import { users } from "../authority/users.ts";
import { assign, type CaseEvent, type CaseView, caseOf, cases, comment, decide } from "../cases/cases.ts";
import { gradesOf } from "../cases/policy.ts";
import { statementsOf } from "../cases/scores.ts";
import type { Asked } from "./asked.ts";
import type { Desk } from "./desk.ts";
import { deciders, field, form, may, numeric, type View } from "./frame.ts";
import type { Locale } from "./locale.ts";

export function casePages(desk: Desk): void {
  desk.show("/cases", casesView);
  desk.show("/cases/:case", caseView);
  const orders = {
    assign: (asked: Asked, number: number, text: (name: string) => string) =>
      assign(asked.bank, number, asked.session.user, text("user")),
    comment: (asked: Asked, number: number, text: (name: string) => string) =>
      comment(asked.bank, number, asked.session.user, text("comment")),
    decide: (asked: Asked, number: number, text: (name: string) => string) =>
      decide(asked.bank, number, asked.session.user, {
        decision: text("decision"),
        reason: text("reason"),
      }),
  };
  for (const [order, give] of Object.entries(orders))
    desk.act(`/cases/:case/${order}`, deciders, async (asked, fields) => {
      const number = numberIn(asked.params.case);
      await give(asked, number, (name) => fields.text(name));
      return `/cases/${number}`;
    });
}

/** @returns the case that an address names. @throws Refusal not_found */
function numberIn(text = ""): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Refusal("not_found", "no such case");
  return Number(text);
}

const stepBadge = (step: LimitStep, { words }: Locale): Html =>
  html`<span class="badge ${step === "reduce" ? "alarm" : step === "review" ? "warning" : step === "increase" ? "good" : ""}">${words.limitSteps[step]}</span>`;

const caseRow = (one: CaseView, locale: Locale) => {
  const { words, day } = locale;
  return [
    html`<a href="/cases/${one.number}">${words.caseNumber(String(one.number))}</a>`,
    aboutLink(one),
    words.causes[one.cause],
    stepBadge(one.suggestion, locale),
    one.decision === undefined ? words.caseOpen : stepBadge(one.decision, locale),
    one.assignedTo ?? "–",
    day(one.raisedMillis),
  ];
};

/** The enterprise, or the model, that a case is about. */
const aboutLink = ({ enterprise, model, study }: CaseView): Html =>
  model === undefined
    ? html`<a href="/enterprises/${enterprise}">${enterprise}</a>`
    : html`<a href="/models/${model}">${study ?? shortDigest(model)}</a>`;

const caseColumns = ({ words }: Locale): string[] => [
  words.case,
  words.caseAbout,
  words.cause,
  words.suggested,
  words.decided,
  words.assignedTo,
  words.raisedOn,
];

async function casesView({ bank, locale }: Asked): Promise<View> {
  const { words } = locale;
  const all = await cases(bank.database.sql);
  const open = all.filter(({ decision }) => decision === undefined);
  const done = all.filter(({ decision }) => decision !== undefined);
  return {
    title: words.cases,
    body: html`<p>${words.casesIntro}</p>
<h2>${words.openCases}</h2>
${
  open.length === 0
    ? note(words.noOpenCases)
    : table(
        words.newestFirst,
        caseColumns(locale),
        open.map((one) => caseRow(one, locale)),
      )
}
${
  done.length > 0 &&
  html`<h2>${words.decidedCases}</h2>
${table(
  words.newestFirst,
  caseColumns(locale),
  done.map((one) => caseRow(one, locale)),
)}`
}`,
  };
}

async function caseView(asked: Asked): Promise<View> {
  const { bank, session, locale, params } = asked;
  const { words, moment } = locale;
  const { view, events } = await caseOf(bank.database.sql, numberIn(params.case));
  const deciding = (await users(bank)).filter(({ role }) => role !== "auditor").map(({ user }) => user);
  const body = html`${facts([
    [view.model === undefined ? words.enterprise : words.model, aboutLink(view)],
    [words.cause, words.causes[view.cause]],
    [words.suggested, stepBadge(view.suggestion, locale)],
    [words.decided, view.decision === undefined ? words.caseOpen : stepBadge(view.decision, locale)],
    [words.assignedTo, view.assignedTo ?? "–"],
    [words.raisedOn, moment(view.raisedMillis)],
  ])}
<h2>${words.whatHappened}</h2>
${eventsTable(events, locale)}
${view.decision === undefined && may(session, deciders) && orderForms(view, deciding, session, locale)}
${view.enterprise !== undefined && (await scoresView(asked, view.enterprise))}`;
  const about = view.enterprise ?? view.study ?? shortDigest(view.model ?? "");
  return { title: `${words.caseNumber(String(view.number))}: ${about}`, body };
}

const eventsTable = (events: readonly CaseEvent[], locale: Locale): Html => {
  const { words, moment, number } = locale;
  return table(
    words.inOrder,
    [words.when, words.event, words.by, words.saidThere, numeric(words.logEntry)],
    events.map(({ atMillis, what, by, said, step, entry }) => [
      moment(atMillis),
      words.caseEvents[what],
      by === "" ? words.thePolicy : by,
      html`<span class="long">${step !== "" && stepBadge(step, locale)} ${said}</span>`,
      number(entry),
    ]),
  );
};

function orderForms(
  { number, suggestion, assignedTo }: CaseView,
  deciding: readonly string[],
  session: Asked["session"],
  { words }: Locale,
): Html {
  return html`<div class="columns"><section class="card"><h2>${words.decideCase}</h2>
${form(
  session,
  `/cases/${number}/decide`,
  html`<div class="field"><label for="decision">${words.decision}</label><select id="decision" name="decision" aria-describedby="decision-hint">${limitSteps.map(
    (step) =>
      html`<option value="${step}"${step === suggestion && html` selected`}>${words.limitSteps[step]}${step === suggestion && html` (${words.asSuggested})`}</option>`,
  )}</select><p class="note" id="decision-hint">${words.decisionIsFinal}</p></div>
${field({ name: "reason", label: words.reason, hint: words.overrideHint, isOptional: true })}
<button class="main">${words.decideCase}</button>`,
)}</section>
<section class="card"><h2>${words.assign}</h2>
${form(
  session,
  `/cases/${number}/assign`,
  html`<div class="field"><label for="user">${words.user}</label><select id="user" name="user">${deciding.map(
    (user) => html`<option${user === (assignedTo ?? session.user) && html` selected`}>${user}</option>`,
  )}</select></div>
<button>${words.assign}</button>`,
)}</section>
<section class="card"><h2>${words.comment}</h2>
${form(
  session,
  `/cases/${number}/comment`,
  html`${field({ name: "comment", label: words.comment, hint: words.commentHint })}
<button>${words.addComment}</button>`,
)}</section></div>`;
}

/** What an enterprise said of itself, over time. */
export async function scoresView({ bank, locale }: Asked, enterprise: string): Promise<Html> {
  const { words, number, percent, day, month } = locale;
  const said = (await statementsOf(bank, enterprise)).map(({ entry, note }) => ({ entry, ...saidIn(note) }));
  const last = said.slice(0, 60).toReversed();
  return html`<h2>${words.scoreHistory}</h2>
${
  said.length === 0
    ? note(words.noScores)
    : html`${
        last.length > 1 &&
        chart({
          title: words.scoresOverTime,
          summary: words.scoresSummary(percent(last[0]!.probability), percent(last.at(-1)!.probability)),
          kind: "line",
          labels: last.map(({ from }) => month(from)),
          series: [{ name: words.probabilityOfBad, values: last.map(({ probability }) => probability) }],
          format: percent,
          words: { numbers: words.theNumbers, at: words.window },
        })
      }
${table(
  words.newestFirst,
  [
    words.window,
    words.grade,
    numeric(words.probabilityOfBad),
    words.reasonCodes,
    numeric(words.dataQuality),
    words.model,
    words.when,
    numeric(words.logEntry),
  ],
  said.map((one) => [
    month(one.from),
    one.grade,
    percent(one.probability),
    html`<span class="long">${one.reasons.join(", ") || "–"}</span>`,
    one.passed === undefined ? "–" : percent(one.passed),
    html`<a href="/models/${one.model}">${one.result}</a>`,
    day(one.issued),
    number(one.entry),
  ]),
)}
<p class="note">${words.gradesAre(
        gradesOf(bank.casePolicy)
          .map(({ name, upTo }) => `${name} ≤ ${percent(upTo)}`)
          .join(", "),
      )}</p>`
}`;
}
