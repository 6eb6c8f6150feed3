import { type Html, html } from "../../core/pages/html.ts";
import { facts, note } from "../../core/pages/parts.ts";
import { refusalText } from "../../core/pages/refusal.ts";
import { Refusal } from "../../core/reasons.ts";
import { isEnded } from "../../core/study-phase.ts";
import type { StudyManifest } from "../../models/study.ts";
import { openManifest, type StudyView } from "../federation/studies.ts";
import type { StoredConsent } from "../ledger/records.ts";
import type { Forbidden } from "../policy.ts";
import type { Bar } from "./bars.ts";
import type { StudyDecisions } from "./decisions.ts";
import { listed, monthBefore } from "./format.ts";
import type { View } from "./layout.ts";
import type { Locale } from "./locale.ts";

/** What the page knows of a study. */
export interface KnownStudy
  extends Pick<StudyView, "study" | "name" | "manifest" | "phase" | "algorithm" | "round"> {
  /** What policy.yaml as it stands forbids of it, or what is wrong with policy.yaml. */
  readonly forbidden?: readonly Forbidden[] | Refusal;
}

/** What the page knows of studies: the bank's list, or what the node remembers while the bank cannot be reached. */
export interface StudyKnowledge {
  readonly studies: readonly KnownStudy[];
  /** Why the list is from memory. */
  readonly unreachable?: Refusal;
  readonly consents: ReadonlyMap<string, StoredConsent>;
}

/** Studies and what this enterprise agreed to. @param now - milliseconds since the epoch */
export function studiesView(
  { studies, consents, unreachable }: StudyKnowledge,
  now: number,
  locale: Locale,
  decisions?: StudyDecisions,
): View {
  const { language, words, number, duration } = locale;
  const card = ({ study, name, phase, algorithm, round, manifest, forbidden }: KnownStudy): Html => {
    const { privacy, unprotected } = manifest;
    const phaseName = words.phases[phase] ?? phase;
    return html`<article class="card">
<h2>${name} <span class="badge">${phaseName}</span></h2>
<p>${consentText(consents.get(study), now, locale)}</p>
${decisions !== undefined && agreedTo(decisions.words(study, manifest, isEnded(phase)), isEnded(phase), locale)}
${decisions !== undefined && decisionForms(study, phase, consents.get(study), now, decisions, locale)}
${forbidden !== undefined && html`<p class="warning">${words.policyForbids}</p>${forbiddenList(forbidden, locale)}`}
${facts([
  [words.purpose, manifest.purpose],
  [words.legalBasis, manifest.legalBasis],
  [words.impactAssessment, manifest.impactAssessment],
  [words.keptFor, duration(manifest.retentionDays * 86_400)],
  [words.fewest, number(privacy.minCohort)],
  [words.colluding, number(privacy.maxColluding)],
  [
    words.runsWithout,
    unprotected.length === 0
      ? words.nothingLeftOut
      : listed(
          locale,
          unprotected.map((layer) => words.layers[layer] ?? layer),
        ),
  ],
  [words.now, phase === "running" ? words.atRound(algorithm, number(round)) : phaseName],
])}
<details><summary>${words.columnsRead(number(manifest.features.length))}</summary><ul class="names">${columns(manifest, locale).map((one) => html`<li>${one}</li>`)}</ul></details>
<p>${words.runs(
      listed(
        locale,
        manifest.algorithms.map((one) => one.name),
      ),
    )}</p>
<p class="note">${words.manifest} <code>${study}</code></p>
${decisions === undefined && html`<p class="note">${words.consentBy} <code>fedcredit node consent ${name}</code> ${words.withdrawBy} <code>fedcredit node withdraw ${name}</code> ${words.decideHere} <code>fedcredit node password</code></p>`}
<details><summary>${words.manifestWhole}</summary><pre>${JSON.stringify(manifest, undefined, 2)}</pre></details>
</article>`;
  };
  const body = html`${unreachable !== undefined && html`<p class="warning">${words.bankAway}</p><p>${refusalText(unreachable, language)}</p>`}
${studies.length === 0 ? note(words.noStudies) : studies.map(card)}`;
  return { title: words.studiesTitle, body };
}

/** A study in plain words; of one that has ended on demand, as there is nothing to decide. */
const agreedTo = (plain: Html, hasEnded: boolean, { words }: Locale): Html =>
  hasEnded ? html`<details><summary>${words.inPlainWords}</summary>${plain}</details>` : plain;

/** What a policy forbids of a study, a line each. */
export function forbiddenList(forbidden: readonly Bar[] | Refusal, { language, words }: Locale): Html {
  if (forbidden instanceof Refusal) return html`<p>${refusalText(forbidden, language)}</p>`;
  // Each is said by the words of its own kind.
  const said = (one: Bar): string => (words.forbidden[one.what] as (one: Bar) => string)(one);
  return html`<ul>${forbidden.map((one) => html`<li>${said(one)}</li>`)}</ul>`;
}

function consentText(consent: StoredConsent | undefined, now: number, { words, moment }: Locale): Html {
  if (consent === undefined) return html`<span class="warning">${words.noConsent}</span>`;
  if (consent.withdrawn) return html`<span class="warning">${words.consentWithdrawn}</span>`;
  const expires = moment(consent.expiresMillis);
  if (consent.expiresMillis <= now)
    return html`<span class="warning">${words.consentEnded} ${expires}</span>`;
  return html`<span class="good">${words.consentInForce}</span> ${words.until} ${expires}`;
}

const isInForce = (consent: StoredConsent | undefined, now: number): boolean =>
  consent !== undefined && !consent.withdrawn && consent.expiresMillis > now;

function decisionForms(
  study: string,
  phase: string,
  consent: StoredConsent | undefined,
  now: number,
  decisions: StudyDecisions,
  locale: Locale,
): Html {
  const { words, moment } = locale;
  const { form, scores } = decisions;
  const { consent: agreed, last } = scores(study);
  const isAgreed = agreed !== undefined && !agreed.withdrawn && agreed.expiresMillis > now;
  return html`<div class="actions">${
    isInForce(consent, now)
      ? form(`/studies/${study}/withdraw`, words.withdrawButton, "grave")
      : consentForm("consent", study, `/studies/${study}/consent`, words.consentButton, decisions, locale)
  }<a class="button" href="/studies/${study}/preview">${words.dryRun}</a></div>
${
  phase === "finished" &&
  html`<h3>${words.ownScore}</h3>
<p>${
    isAgreed
      ? html`<span class="good">${words.scoresAgreed}</span> ${words.scoresAgreedUntil} ${moment(agreed.expiresMillis)}`
      : words.scoresNotAgreed
  }</p>
<div class="actions">${
    isAgreed
      ? html`<a class="button" href="/studies/${study}/score">${words.sendOrKeep}</a>${form(`/studies/${study}/scores/withdraw`, words.sayNothingMore, "grave")}`
      : consentForm("scores", study, `/studies/${study}/scores/agree`, words.agreeScores, decisions, locale)
  }</div>
${last.length > 0 && html`<ul>${last.slice(0, 12).map((one) => html`<li>${words.statementOf(monthBefore(one.until, locale), one.what)} · ${moment(one.atMillis)}</li>`)}</ul>`}`
}`;
}

/** A decision that may take two: who was first, and the button of whoever is second. */
function consentForm(
  what: "consent" | "scores",
  study: string,
  action: string,
  button: string,
  { form, waiting }: StudyDecisions,
  { words }: Locale,
): Html {
  const first = waiting(what, study);
  if (first === undefined) return form(action, button, "main");
  return html`<span class="warning">${words.waits(first.by)}</span>${!first.isOwn && form(action, words.decideToo, "main")}${form(`/studies/${study}/${what}/decline`, words.decline)}`;
}

const columns = ({ features, label, subject, holdout }: StudyManifest, { words }: Locale): string[] => [
  ...features.map(({ name }) => name),
  words.theOutcome(label.column),
  ...(holdout.outOfTime === undefined ? [] : [words.theMonth(holdout.outOfTime.column)]),
  ...(subject === undefined ? [] : [words.groupedBy(subject)]),
];

/** @returns a manifest as the node keeps it. */
export const rememberedStudy = (study: string, text: string): KnownStudy => {
  const { manifest } = openManifest(study, Buffer.from(text));
  return { study, name: manifest.name, manifest, phase: "seen before", algorithm: "", round: 0 };
};
