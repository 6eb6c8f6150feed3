/** What the enterprise decides on its page: consents, a dry run, and what is said of its own score. */
import { timingSafeEqual } from "node:crypto";
import express, { type Express, type Request } from "express";
import type { Digest } from "../../core/canonical.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { facts, note } from "../../core/pages/parts.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { withoutGroups } from "../../models/groups.ts";
import type { StudyManifest } from "../../models/study.ts";
import { studySteps } from "../../models/study-loop.ts";
import type { ScoreStatement } from "../../privacy/log/score-statement.ts";
import { refusalOf } from "../../proto/wire.ts";
import type { StatementsOfNode } from "../federation/statements.ts";
import { costText, type StudyDesk, studyCost } from "../federation/studies.ts";
import {
  type KnownStatement,
  knownStatements,
  type ScoreConsent,
  scoreConsents,
} from "../ledger/statements.ts";
import { percent } from "./format.ts";
import type { View } from "./layout.ts";

/** What can be decided here. Each throws the Refusal that the command of the same name does. */
export interface Decisions {
  consent(study: Digest): Promise<void>;
  withdraw(study: Digest): Promise<void>;
  readonly statements: Pick<StatementsOfNode, "agree" | "withdraw" | "make" | "send">;
  keep(study: Digest): void;
  /** @returns what the study would make of the rows and send, a line each; nothing is sent. */
  preview(study: Digest): Promise<readonly string[]>;
}

/** A form that only this page's own pages can send. */
export type OwnForm = (action: string, button: string, kind?: "main" | "grave") => Html;

/** What a page needs where people may decide on it. */
export interface StudyDecisions {
  readonly form: OwnForm;
  /** @returns the study in plain words. */
  words(manifest: StudyManifest): Html;
  /** @returns what was agreed to and said of the enterprise's own score by this study's model. */
  scores(study: string): { readonly consent: ScoreConsent | undefined; readonly last: KnownStatement[] };
}

const studyPath = "/studies/:study";

const digestIn = ({ params }: Request): Digest => {
  const study = String(params.study);
  if (!/^[0-9a-f]{64}$/.test(study)) throw new Refusal("not_found", "no such study");
  return study;
};

/** @returns what makes a form of this page. */
export function ownForms(random: Random): { form: OwnForm; isOwn(given: unknown): boolean } {
  const token = Buffer.from(random.bytes(32));
  const text = token.toString("hex");
  return {
    form: (action, button, kind) =>
      html`<form method="post" action="${action}"><input type="hidden" name="token" value="${text}"><button${kind !== undefined && html` class="${kind}"`}>${button}</button></form>`,
    isOwn: (given) =>
      typeof given === "string" &&
      given.length === text.length &&
      timingSafeEqual(Buffer.from(given), Buffer.from(text)),
  };
}

/**
 * Adds the routes of decisions, after whatever asks for a session.
 * @param send - shows a page.
 */
export function decisionPages(
  app: Express,
  decisions: Decisions & { decided(): void },
  { form, isOwn }: ReturnType<typeof ownForms>,
  send: (request: Request, response: express.Response, view: View) => void,
): void {
  const orders: Readonly<Record<string, (study: Digest) => unknown>> = {
    consent: (study) => decisions.consent(study),
    withdraw: (study) => decisions.withdraw(study),
    "scores/agree": (study) => decisions.statements.agree(study),
    "scores/withdraw": (study) => decisions.statements.withdraw(study),
    "scores/send": (study) => decisions.statements.send(study),
    "scores/keep": (study) => decisions.keep(study),
  };
  const body = express.urlencoded({ extended: false, limit: "4kb" });
  const shown = (
    request: Request,
    response: express.Response,
    work: () => Promise<View | string>,
  ): Promise<void> =>
    work().then(
      (next) => (typeof next === "string" ? response.redirect(303, next) : send(request, response, next)),
      (error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        response.status(400);
        send(request, response, refusedView(refusalOf(error)));
      },
    );
  for (const [order, give] of Object.entries(orders))
    app.post(`${studyPath}/${order}`, body, (request, response) => {
      const { token } = (request.body ?? {}) as { token?: unknown };
      if (!isOwn(token)) {
        response.status(403);
        return send(request, response, foreignView);
      }
      return shown(request, response, async () => {
        await give(digestIn(request));
        decisions.decided();
        return "/studies";
      });
    });
  app.get(`${studyPath}/preview`, (request, response) =>
    shown(request, response, async () => previewView(await decisions.preview(digestIn(request)))),
  );
  app.get(`${studyPath}/score`, (request, response) =>
    shown(request, response, async () => {
      const study = digestIn(request);
      return statementView(await decisions.statements.make(study), form, study);
    }),
  );
}

const foreignView: View = {
  title: "Nothing was changed",
  body: note("This form is none of this page's. Load the page again, and decide again."),
};

const refusedView = ({ message, reason, hint }: Refusal): View => ({
  title: "Refused",
  body: html`<p class="alarm" role="alert">${message} <code>${reason}</code></p>
<p>${hint}</p>
<p><a href="/studies">Studies</a></p>`,
});

const previewView = (lines: readonly string[]): View => ({
  title: "Dry run",
  body: html`<p>What the study would make of this enterprise's rows, and every message that it would send. Nothing was sent.</p>
<pre>${lines.join("\n")}</pre>
<p><a href="/studies">Studies</a></p>`,
});

const statementView = (said: ScoreStatement, form: OwnForm, study: Digest): View => ({
  title: "Send or keep a score statement",
  body: html`<p>This is all that the bank would be told, signed by this enterprise. It was computed here; so far nothing of it left.</p>
${facts([
  ["Month", said.from.slice(0, 7)],
  ["Probability of bad", percent(said.probability)],
  ["Grade", said.grade],
  ["Reasons, as names of columns", said.reasons.join(", ") || "none"],
  ["Rows that could be scored", percent(said.scored)],
  ["Cells that passed the checks", said.passed === undefined ? "not known" : percent(said.passed)],
  ["Model", html`${said.result}, document <code>${said.model.slice(0, 12)}</code>`],
])}
<div class="actions">${form(`/studies/${study}/scores/send`, "Send it to the bank", "main")}${form(`/studies/${study}/scores/keep`, "Keep it here")}</div>`,
});

/** What the page of studies needs of the node, where people decide on it. */
export function studyDecisions(
  { coordinator, db, policy }: { coordinator: string } & Pick<StudyDesk, "db" | "policy">,
  form: OwnForm,
): StudyDecisions {
  const said = knownStatements(db);
  const agreed = scoreConsents(db);
  return {
    form,
    words(manifest) {
      const cost = studyCost({ db, policy }, manifest);
      return plainWords(manifest, {
        // Of its own group's sums alone.
        mostSums: studySteps(withoutGroups(manifest)),
        destination: coordinator,
        cost: cost && costText(cost),
      });
    },
    scores: (study) => ({
      consent: agreed.find((one) => one.study === study),
      last: said.filter((one) => one.study === study),
    }),
  };
}

/** A study as somebody who decides about it reads it. @param mostSums - it takes. */
const plainWords = (
  { privacy, unprotected, retentionDays, label, features, gate, groups }: StudyManifest,
  { mostSums, destination, cost }: { mostSums: number; destination: string; cost: string | undefined },
): Html => html`<dl class="plain">
<dt>What leaves</dt><dd>Sums over this enterprise's rows, masked and encrypted: the bank can open only the total of at least ${privacy.minCohort} organisations. No row, no name of a customer.</dd>
${groups && html`<dt>In groups</dt><dd>Members are dealt to ${groups.length} groups, and totals of a group are opened by themselves, so that who spoils one cannot spoil the model.</dd>`}
${gate === "none" && html`<dt>Without a gate</dt><dd>The bank asks nobody to hold this study's models against the one that decides today: if a member poisons a total, nothing keeps the model from being published.</dd>`}
<dt>How often</dt><dd>At most ${mostSums} times while the study runs.</dd>
<dt>To whom</dt><dd>The bank's coordinator, ${destination}. Totals and the model are seen by the bank and the enterprises that take part; kept for ${retentionDays} days.</dd>
<dt>What for</dt><dd>To learn which of ${features.length} columns tell that ${label.column} is ${label.bad.join(" or ")}.</dd>
<dt>What it costs of the privacy budget</dt><dd>${cost ?? "No ε can be stated: the sums are exact."}</dd>
${
  unprotected.includes("noise") &&
  html`<dt>What can be learned without noise</dt><dd>Each total is exact. Whoever knows the other enterprises' rows, or sees two totals over almost the same enterprises, can tell this one's share; exactSums in policy.yaml bounds that.</dd>`
}
</dl>`;
