/** The first view's answers, in the order in which somebody asks. */
import type { DatabaseSync } from "node:sqlite";
import { type Content, type Html, html } from "../../core/pages/html.ts";
import { saidIn } from "../../privacy/log/score-statement.ts";
import { dueStatements } from "../federation/statements.ts";
import type { EgressLedger } from "../ledger/egress.ts";
import { knownStatements } from "../ledger/statements.ts";
import type { Operations } from "../operations/operations.ts";
import { bytes, number } from "./format.ts";
import type { StudyKnowledge } from "./studies.ts";

/** What the answers are taken from. */
export interface StandingOf {
  readonly operations: Operations | undefined;
  readonly member: { readonly db: DatabaseSync; readonly ledger: EgressLedger } | undefined;
  readonly studies: StudyKnowledge | undefined;
  /** What a newcomer lacks. */
  readonly missing: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Something that somebody should look at. */
interface Need {
  readonly what: string;
  readonly path: string;
}

/** @returns what waits for people, the gravest first. */
export function needsOf({ operations, member, missing, now }: Omit<StandingOf, "studies">): Need[] {
  const open = operations?.findings.countWarnings().open ?? 0;
  const troubled = operations?.troubles().length ?? 0;
  const failing = (operations?.collectors() ?? []).filter(({ health }) =>
    ["waiting", "refused"].includes(health.state),
  ).length;
  const due = member === undefined ? 0 : dueStatements({ db: member.db, now: () => now }).length;
  const counted = (count: number, one: string, many: string, path: string): Need[] =>
    count === 0 ? [] : [{ what: `${number(count)} ${count === 1 ? one : many}`, path }];
  return [
    ...counted(open, "warning is open", "warnings are open", "/warnings"),
    ...counted(failing, "collector does not read", "collectors do not read", "#collectors"),
    ...counted(troubled, "kind of reading is not used", "kinds of readings are not used", "#wrong"),
    ...counted(
      due,
      "score statement is to be sent or kept",
      "score statements are to be sent or kept",
      "/studies",
    ),
    ...counted(missing, "thing is missing, below", "things are missing, below", "#missing"),
  ];
}

/** Is all well, what needs me, what left, what was agreed to, what the model says. */
export function standingView(of: StandingOf): Html {
  const needs = needsOf(of);
  const answer = (question: string, told: Content): Html => html`<dt>${question}</dt><dd>${told}</dd>`;
  return html`<section class="card" aria-label="How things stand"><dl class="plain">
${answer(
  "Is all well?",
  needs.length === 0
    ? html`<span class="good">Yes: nothing waits for anybody.</span>`
    : html`<span class="warning">Not all of it.</span>`,
)}
${
  needs.length > 0 &&
  answer(
    "What needs somebody",
    html`<ul>${needs.map(({ what, path }) => html`<li><a href="${path}">${what}</a></li>`)}</ul>`,
  )
}
${of.member !== undefined && memberAnswers(of.member, of.studies, of.now, answer)}
</dl></section>`;
}

function memberAnswers(
  { db, ledger }: NonNullable<StandingOf["member"]>,
  studies: StudyKnowledge | undefined,
  now: number,
  answer: (question: string, told: Content) => Html,
): Content {
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
  return [
    answer(
      "What left this machine",
      html`<a href="/egress">${number(sum("messages"))} messages, ${bytes(sum("bytes"))}</a>; no row and no reading among them.`,
    ),
    answer(
      "What was agreed to",
      agreed.length === 0
        ? "Nothing: this node takes no part in any study."
        : html`<a href="/studies">${agreed.map(([study]) => nameOf(study)).join(", ")}</a>`,
    ),
    answer(
      "What the models say of this enterprise",
      said.length === 0
        ? html`<a href="/model">Own rows, scored here</a>; nothing of it was said to the bank.`
        : html`<ul>${said.map((one) => html`<li>By ${nameOf(one.study)}, month before ${one.until}: ${gradeIn(one.note)} <a href="/model">own rows, scored here</a></li>`)}</ul>`,
    ),
  ];
}

/** @returns what was said; a statement whose answer was lost is not here as it was signed. */
function gradeIn(note: string): string {
  if (note === "") return "said to the bank.";
  return `grade ${saidIn(note).grade}, said to the bank.`;
}
