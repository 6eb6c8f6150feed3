/** What the enterprise decides on its page: consents, a dry run, and what is said of its own score. */
import { createHmac, timingSafeEqual } from "node:crypto";
import express, { type Express, type Request, type Response } from "express";
import type { Digest } from "../../core/canonical.ts";
import { type Content, type Html, html } from "../../core/pages/html.ts";
import { facts, note } from "../../core/pages/parts.ts";
import { refusalText } from "../../core/pages/refusal.ts";
import type { Random } from "../../core/random.ts";
import { orUndefined, Refusal } from "../../core/reasons.ts";
import { withoutGroups } from "../../models/groups.ts";
import { type StudyManifest, tableOf } from "../../models/study.ts";
import { studySteps } from "../../models/study-loop.ts";
import type { ScoreStatement } from "../../privacy/log/score-statement.ts";
import type { StatementsOfNode } from "../federation/statements.ts";
import { type StudyDesk, studyCost } from "../federation/studies.ts";
import { type Forecast, studySpent } from "../ledger/budget.ts";
import {
  type KnownStatement,
  knownStatements,
  type ScoreConsent,
  scoreConsents,
} from "../ledger/statements.ts";
import { type Policy, policyOf } from "../policy.ts";
import type { Preview } from "../preview/preview.ts";
import type { Approvals } from "./approvals.ts";
import { dryRunView } from "./dry-run.ts";
import { epsilonText, listed } from "./format.ts";
import type { View } from "./layout.ts";
import { type Locale, localeFor } from "./locale.ts";

/** What can be decided here. Each throws the Refusal that the command of the same name does. */
export interface Decisions {
  consent(study: Digest, by: readonly string[]): Promise<void>;
  withdraw(study: Digest): Promise<void>;
  readonly statements: Pick<StatementsOfNode, "agree" | "withdraw" | "make" | "send">;
  keep(study: Digest): void;
  /** @returns what the study would make of the rows and send; nothing is sent. */
  preview(study: Digest): Promise<Preview>;
}

/** A form that only this page's own pages can send. */
export type OwnForm = (action: string, button: Content, kind?: "main" | "grave", content?: Content) => Html;

export type Send = (request: Request, response: Response, view: View) => void;
export type MayPost = (request: Request, response: Response) => boolean;

/** @returns whether a form is one of this page's; whoever sent another is told so. */
export const ownPosts =
  ({ isOwn }: OwnForms, send: Send): MayPost =>
  (request, response) => {
    const { token } = (request.body ?? {}) as { token?: unknown };
    if (isOwn(request, token)) return true;
    response.status(403);
    send(request, response, foreignView(localeFor(request)));
    return false;
  };

/** @returns what shows a page that work gives, or goes to the address that it gives; a refusal is shown. */
export const answering =
  (send: Send) =>
  (request: Request, response: Response, work: () => Promise<View | string>): Promise<void> =>
    work().then(
      (next) => (typeof next === "string" ? response.redirect(303, next) : send(request, response, next)),
      (error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        response.status(400);
        send(request, response, refusedView(error, localeFor(request)));
      },
    );

/** What a page needs where people may decide on it. */
export interface StudyDecisions {
  readonly form: OwnForm;
  /** @returns the study in plain words. */
  words(study: Digest, manifest: StudyManifest, hasEnded: boolean): Html;
  /** @returns who decided it first, where it waits for a second. */
  waiting(
    what: "consent" | "scores",
    study: string,
  ): { readonly by: string; readonly isOwn: boolean } | undefined;
  /** @returns what was agreed to and said of the enterprise's own score by this study's model. */
  scores(study: string): { readonly consent: ScoreConsent | undefined; readonly last: KnownStatement[] };
}

const studyPath = "/studies/:study";

const digestIn = ({ params }: Request): Digest => {
  const study = String(params.study);
  if (!/^[0-9a-f]{64}$/.test(study)) throw new Refusal("not_found", "no such study");
  return study;
};

/** Forms of this page, each of the session that it was made for. */
export interface OwnForms {
  formFor(request: Request): OwnForm;
  isOwn(request: Request, given: unknown): boolean;
}

/** @param sessionOf - tells one session of whoever asks from every other. */
export function ownForms(random: Random, sessionOf: (request: Request) => string): OwnForms {
  const key = random.bytes(32);
  const tokenFor = (request: Request): string =>
    createHmac("sha256", key).update(sessionOf(request)).digest("hex");
  return {
    formFor: (request) => (action, button, kind, content) =>
      html`<form method="post" action="${action}"><input type="hidden" name="token" value="${tokenFor(request)}">${content}<button${kind !== undefined && html` class="${kind}"`}>${button}</button></form>`,
    isOwn(request, given) {
      const own = tokenFor(request);
      return (
        typeof given === "string" &&
        given.length === own.length &&
        timingSafeEqual(Buffer.from(given), Buffer.from(own))
      );
    },
  };
}

/** What the routes of decisions need. */
export interface DecisionDesk {
  readonly decisions: Decisions;
  readonly approvals: Approvals;
  /** @returns who asks; empty where they have no name. */
  personOf(request: Request): string;
  /** @returns how many people policy.yaml asks for. @throws Refusal where it is not in force */
  people(): number;
  decided(): void;
  readonly formFor: OwnForms["formFor"];
  /** Answers whoever sent no form of this page, and is false then. */
  readonly mayPost: MayPost;
  readonly send: Send;
}

/** Adds the routes of decisions, after whatever asks for a session. */
export function decisionPages(
  app: Express,
  { decisions, approvals, personOf, people, decided, formFor, mayPost, send }: DecisionDesk,
): void {
  const orders: Readonly<Record<string, (study: Digest) => unknown>> = {
    withdraw: (study) => decisions.withdraw(study),
    "scores/withdraw": (study) => decisions.statements.withdraw(study),
    "scores/send": (study) => decisions.statements.send(study),
    "scores/keep": (study) => decisions.keep(study),
    "consent/decline": (study) => approvals.forget(`consent ${study}`),
    "scores/decline": (study) => approvals.forget(`scores ${study}`),
  };
  /** What binds the enterprise for longer: by two, where the policy says so. */
  const consents: Readonly<Record<string, (study: Digest, by: readonly string[]) => Promise<unknown>>> = {
    consent: (study, by) => decisions.consent(study, by),
    "scores/agree": (study, by) => decisions.statements.agree(study, by),
  };
  const body = express.urlencoded({ extended: false, limit: "4kb" });
  const shown = answering(send);
  for (const [order, give] of Object.entries(orders))
    app.post(`${studyPath}/${order}`, body, (request, response) => {
      if (!mayPost(request, response)) return;
      return shown(request, response, async () => {
        await give(digestIn(request));
        decided();
        return "/studies";
      });
    });
  for (const [order, give] of Object.entries(consents))
    app.post(`${studyPath}/${order}`, body, (request, response) => {
      if (!mayPost(request, response)) return;
      return shown(request, response, async () => {
        const study = digestIn(request);
        const what = `${order.split("/")[0]} ${study}`;
        const by = approvals.decide(what, personOf(request), people());
        if (by === undefined) return "/studies";
        await give(study, by);
        approvals.forget(what);
        decided();
        return "/studies";
      });
    });
  app.get(`${studyPath}/preview`, (request, response) =>
    shown(request, response, async () =>
      dryRunView(await decisions.preview(digestIn(request)), localeFor(request)),
    ),
  );
  app.get(`${studyPath}/score`, (request, response) =>
    shown(request, response, async () => {
      const study = digestIn(request);
      return statementView(
        await decisions.statements.make(study),
        formFor(request),
        study,
        localeFor(request),
      );
    }),
  );
}

const foreignView = ({ words }: Locale): View => ({
  title: words.nothingChanged,
  body: note(words.foreignForm),
});

export const refusedView = (refusal: Refusal, { language, words }: Locale): View => ({
  title: words.refused,
  body: html`<p class="alarm" role="alert">${refusalText(refusal, language)}</p>
<p><a href="/studies">${words.studies}</a> · <a href="/policy">${words.policy}</a></p>`,
});

const statementView = (said: ScoreStatement, form: OwnForm, study: Digest, locale: Locale): View => {
  const { words, percent, month } = locale;
  return {
    title: words.sendOrKeep,
    body: html`<p>${words.statementIntro}</p>
${facts([
  [words.month, month(said.from)],
  [words.probabilityOfBad, percent(said.probability)],
  [words.grade, said.grade],
  [words.reasonsAsNames, listed(locale, said.reasons) || words.none],
  [words.rowsScored, percent(said.scored)],
  [words.cellsPassed, said.passed === undefined ? words.notKnown : percent(said.passed)],
  [words.model, html`${said.result}, ${words.documentIs} <code>${said.model.slice(0, 12)}</code>`],
])}
<div class="actions">${form(`/studies/${study}/scores/send`, words.send, "main")}${form(`/studies/${study}/scores/keep`, words.keep)}</div>`,
  };
};

/** What the page of studies needs of the node, where people decide on it. */
export function studyDecisions(
  {
    coordinator,
    db,
    policy,
  }: Pick<StudyDesk, "db"> & {
    readonly coordinator: string;
    /** The whole of it, as it stands on disk. */
    readonly policy: () => Policy;
  },
  form: OwnForm,
  locale: Locale,
  approvals: Approvals,
  person: string,
): StudyDecisions {
  const said = knownStatements(db);
  const agreed = scoreConsents(db);
  return {
    form,
    words(study, manifest, hasEnded) {
      const table = tableOf(manifest);
      const own = (): Policy => policyOf(policy(), table);
      return plainWords(
        manifest,
        {
          // Of its own group's sums alone.
          mostSums: studySteps(withoutGroups(manifest)),
          destination: coordinator,
          cost: orUndefined(() => studyCost({ db, policy: own }, study, manifest)),
          was: hasEnded ? orUndefined(() => studySpent(db, study, table, own().maxEpsilon)) : undefined,
        },
        locale,
      );
    },
    waiting(what, study) {
      const found = approvals.waiting(`${what} ${study}`);
      return found && { by: found.by, isOwn: found.by === person };
    },
    scores: (study) => ({
      consent: agreed.find((one) => one.study === study),
      last: said.filter((one) => one.study === study),
    }),
  };
}

/** A study as somebody who decides about it reads it. @param mostSums - it takes. */
function plainWords(
  { privacy, unprotected, retentionDays, label, features, gate, groups }: StudyManifest,
  {
    mostSums,
    destination,
    cost,
    was,
  }: {
    mostSums: number;
    destination: string;
    cost: Forecast | undefined;
    /** ε of a study that has ended. */
    was: number | undefined;
  },
  locale: Locale,
): Html {
  const { number, duration } = locale;
  const { words } = locale;
  const { plain } = words;
  const line = (name: string, text: string): Html => html`<dt>${name}</dt><dd>${text}</dd>\n`;
  const epsilon = (value: number): string => epsilonText(value, locale);
  const costs = (): string | undefined => {
    if (privacy.noise === undefined) return plain.noCost;
    // Where the policy cannot be read, nobody can say.
    if (cost === undefined) return undefined;
    const { after, spent, lifetime, delta } = cost;
    if (was !== undefined)
      return plain.costWas(epsilon(was), epsilon(spent), number(lifetime), String(delta));
    return plain.costIs(epsilon(after - spent), number(lifetime), epsilon(spent), String(delta));
  };
  return html`<dl class="plain">
${line(plain.leaves, plain.leavesIs(number(privacy.minCohort)))}
${groups && line(plain.groups, plain.groupsIs(number(groups.length)))}
${gate === "none" && line(plain.gate, plain.gateIs)}
${line(plain.often, plain.oftenIs(number(mostSums)))}
${line(plain.toWhom, plain.toWhomIs(destination, duration(retentionDays * 86_400)))}
${line(plain.whatFor, plain.whatForIs(number(features.length), label.column, label.bad.join(plain.or)))}
${line(plain.cost, costs() ?? words.notKnown)}
${unprotected.includes("noise") && line(plain.learned, plain.learnedIs)}
</dl>`;
}
