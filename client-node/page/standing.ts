/** The first view's answers, in the order in which somebody asks. */
import type { DatabaseSync } from "node:sqlite";
import { type Content, type Html, html } from "../../core/pages/html.ts";
import { saidIn } from "../../privacy/log/score-statement.ts";
import { dueStatements } from "../federation/statements.ts";
import type { EgressLedger } from "../ledger/egress.ts";
import { knownStatements } from "../ledger/statements.ts";
import type { Operations } from "../operations/operations.ts";
import { listed, monthBefore } from "./format.ts";
import type { Locale } from "./locale.ts";
import type { StudyKnowledge } from "./studies.ts";

/** What the answers are taken from. */
export interface StandingOf {
  readonly operations: Operations | undefined;
  readonly member: { readonly db: DatabaseSync; readonly ledger: EgressLedger } | undefined;
  readonly studies: StudyKnowledge | undefined;
  /** What a newcomer lacks. */
  readonly missing: number;
  /** Decisions that wait for a second person. */
  readonly waiting: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Something that somebody should look at. */
interface Need {
  readonly what: string;
  readonly path: string;
}

/** @returns what waits for people, the gravest first. */
export function needsOf(
  { operations, member, missing, waiting, now }: Omit<StandingOf, "studies">,
  { words, number }: Locale,
): Need[] {
  const failing = (operations?.collectors() ?? []).filter(({ health }) =>
    ["waiting", "refused"].includes(health.state),
  ).length;
  const counts = [
    ["warnings", operations?.findings.countWarnings().open ?? 0, "/warnings"],
    ["collectors", failing, "#collectors"],
    ["troubles", operations?.troubles().length ?? 0, "#wrong"],
    [
      "statements",
      member === undefined ? 0 : dueStatements({ db: member.db, now: () => now }).length,
      "/studies",
    ],
    ["waiting", waiting, "/studies"],
    ["missing", missing, "#missing"],
  ] as const;
  return counts
    .filter(([, count]) => count > 0)
    .map(([need, count, path]) => ({ what: words.needs[need](number(count)), path }));
}

/** Is all well, what needs me, what left, what was agreed to, what the model says. */
export function standingView(of: StandingOf, locale: Locale): Html {
  const { words } = locale;
  const needs = needsOf(of, locale);
  const answer = (question: string, told: Content): Html => html`<dt>${question}</dt><dd>${told}</dd>`;
  return html`<section class="card" aria-label="${words.howThingsStand}"><dl class="plain">
${answer(
  words.isAllWell,
  needs.length === 0
    ? html`<span class="good">${words.allWell}</span>`
    : html`<span class="warning">${words.notAll}</span>`,
)}
${
  needs.length > 0 &&
  answer(
    words.whatNeeds,
    html`<ul>${needs.map(({ what, path }) => html`<li><a href="${path}">${what}</a></li>`)}</ul>`,
  )
}
${of.member !== undefined && memberAnswers(of.member, of.studies, of.now, answer, locale)}
</dl></section>`;
}

function memberAnswers(
  { db, ledger }: NonNullable<StandingOf["member"]>,
  studies: StudyKnowledge | undefined,
  now: number,
  answer: (question: string, told: Content) => Html,
  locale: Locale,
): Content {
  const { words, number, bytes } = locale;
  const totals = ledger.totals();
  const sum = (of: "messages" | "bytes"): number => totals.reduce((all, one) => all + one[of], 0);
  const nameOf = (study: string): string =>
    studies?.studies.find((one) => one.study === study)?.name ?? study.slice(0, 12);
  const agreed = [...(studies?.consents ?? [])].filter(
    ([, { withdrawn, expiresMillis }]) => !withdrawn && expiresMillis > now,
  );
  const said = knownStatements(db)
    .filter(({ what }) => what === "sent")
    .toSorted((a, b) => b.atMillis - a.atMillis)
    .slice(0, 3);
  const ownRows = html`<a href="/model">${words.ownRowsHere}</a>`;
  return [
    answer(
      words.whatLeft,
      html`<a href="/egress">${words.messagesAndBytes(number(sum("messages")), bytes(sum("bytes")))}</a>${words.noRowAmong}`,
    ),
    answer(
      words.whatAgreed,
      agreed.length === 0
        ? words.agreedNothing
        : html`<a href="/studies">${listed(
            locale,
            agreed.map(([study]) => nameOf(study)),
          )}</a>`,
    ),
    answer(
      words.whatModelsSay,
      said.length === 0
        ? html`${ownRows}${words.nothingSaid}`
        : html`<ul>${said.map((one) => html`<li>${words.saidOf(nameOf(one.study), monthBefore(one.until, locale), gradeIn(one.note))} ${ownRows}</li>`)}</ul>`,
    ),
  ];
}

/** @returns the grade that was said; a statement whose answer was lost is not here as it was signed. */
const gradeIn = (note: string): string => (note === "" ? "" : saidIn(note).grade);
