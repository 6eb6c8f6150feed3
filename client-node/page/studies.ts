import { type Html, html } from "../../core/pages/html.ts";
import { facts, note } from "../../core/pages/parts.ts";
import type { StudyManifest } from "../../models/study.ts";
import { openManifest, type StudyView } from "../federation/studies.ts";
import type { StoredConsent } from "../ledger/records.ts";
import type { StudyDecisions } from "./decisions.ts";
import { moment } from "./format.ts";
import type { View } from "./layout.ts";

/** What the page knows of studies: the bank's list, or what the node remembers while the bank cannot be reached. */
export interface StudyKnowledge {
  readonly studies: readonly Pick<
    StudyView,
    "study" | "name" | "manifest" | "phase" | "algorithm" | "round" | "refusedBecause"
  >[];
  /** Why the list is from memory. */
  readonly unreachable?: string;
  readonly consents: ReadonlyMap<string, StoredConsent>;
}

/** Studies and what this enterprise agreed to. @param now - milliseconds since the epoch */
export function studiesView(
  { studies, consents, unreachable }: StudyKnowledge,
  now: number,
  decisions?: StudyDecisions,
): View {
  const card = ({
    study,
    name,
    phase,
    algorithm,
    round,
    manifest,
    refusedBecause,
  }: StudyKnowledge["studies"][number]): Html =>
    html`<article class="card">
<h2>${name} <span class="badge">${phase}</span></h2>
<p>${consentText(consents.get(study), now)}</p>
${decisions?.words(manifest)}
${decisions !== undefined && decisionForms(study, phase, consents.get(study), now, decisions)}
${refusedBecause !== undefined && html`<p class="warning">policy.yaml lets no round of it run: ${refusedBecause}.</p>`}
${facts([
  ["Purpose", manifest.purpose],
  ["Legal basis", manifest.legalBasis],
  ["Impact assessment", manifest.impactAssessment],
  ["Kept for", `${manifest.retentionDays} days`],
  ["Fewest enterprises in a sum", manifest.privacy.minCohort],
  ["Assumed to collude", manifest.privacy.maxColluding],
  ["Runs without", manifest.unprotected.length === 0 ? "nothing left out" : manifest.unprotected.join(", ")],
  ["Now", phase === "running" ? `${algorithm}, round ${round}` : phase],
])}
<details><summary>${manifest.features.length} columns that it reads</summary><ul class="names">${columns(manifest).map((one) => html`<li>${one}</li>`)}</ul></details>
<p>Runs ${manifest.algorithms.map((one) => one.name).join(", ")}.</p>
<p class="note">Manifest <code>${study}</code></p>
${decisions === undefined && html`<p class="note">Consent: <code>fedcredit node consent ${name}</code>. Take it back: <code>fedcredit node withdraw ${name}</code>. Once the page has a password (<code>fedcredit node password</code>), both can be decided here.</p>`}
<details><summary>The manifest, whole</summary><pre>${JSON.stringify(manifest, undefined, 2)}</pre></details>
</article>`;
  const body = html`${unreachable !== undefined && note(`The bank cannot be reached (${unreachable}): this is what the node remembers.`)}
${studies.length === 0 ? note("No study has been proposed.") : studies.map(card)}`;
  return { title: "Studies and consents", body };
}

function consentText(consent: StoredConsent | undefined, now: number): Html {
  if (consent === undefined) return html`<span class="warning">No consent: the node takes no part.</span>`;
  if (consent.withdrawn) return html`<span class="warning">Consent withdrawn: the node takes no part.</span>`;
  const expires = moment(consent.expiresMillis * 1000);
  if (consent.expiresMillis <= now) return html`<span class="warning">Consent ended ${expires}.</span>`;
  return html`<span class="good">Consent in force</span> until ${expires}.`;
}

const isInForce = (consent: StoredConsent | undefined, now: number): boolean =>
  consent !== undefined && !consent.withdrawn && consent.expiresMillis > now;

function decisionForms(
  study: string,
  phase: string,
  consent: StoredConsent | undefined,
  now: number,
  { form, scores }: StudyDecisions,
): Html {
  const { consent: agreed, last } = scores(study);
  const isAgreed = agreed !== undefined && !agreed.withdrawn && agreed.expiresMillis > now;
  return html`<div class="actions">${
    isInForce(consent, now)
      ? form(`/studies/${study}/withdraw`, "Withdraw consent", "grave")
      : form(`/studies/${study}/consent`, "Consent, as a whole", "main")
  }<a class="button" href="/studies/${study}/preview">Dry run on own rows</a></div>
${
  phase === "finished" &&
  html`<h3>This enterprise's own score</h3>
<p>${
    isAgreed
      ? html`<span class="good">Agreed to be said</span> to the bank until ${moment(agreed.expiresMillis * 1000)}; each month is sent or kept.`
      : "Nothing is said to the bank: that needs a consent of its own."
  }</p>
<div class="actions">${
    isAgreed
      ? html`<a class="button" href="/studies/${study}/score">Send or keep a statement</a>${form(`/studies/${study}/scores/withdraw`, "Say nothing more", "grave")}`
      : form(`/studies/${study}/scores/agree`, "Agree that scores are said")
  }</div>
${last.length > 0 && html`<ul>${last.slice(0, 12).map((one) => html`<li>Month before ${one.until}: ${one.what}, ${moment(one.atMillis * 1000)}</li>`)}</ul>`}`
}`;
}

const columns = ({ features, label, subject, holdout }: StudyManifest): string[] => [
  ...features.map(({ name }) => name),
  `the outcome ${label.column}`,
  ...(holdout.outOfTime === undefined ? [] : [`the month of ${holdout.outOfTime.column}`]),
  ...(subject === undefined ? [] : [`grouped by ${subject}`]),
];

/** @returns a manifest as the node keeps it. */
export const rememberedStudy = (study: string, text: string): StudyKnowledge["studies"][number] => {
  const { manifest } = openManifest(study, Buffer.from(text));
  return { study, name: manifest.name, manifest, phase: "seen before", algorithm: "", round: 0 };
};
