import { type Html, html } from "../../core/pages/html.ts";
import { facts, note } from "../../core/pages/parts.ts";
import type { StudyManifest } from "../../models/study.ts";
import { openManifest, type StudyView } from "../federation/studies.ts";
import type { StoredConsent } from "../ledger/records.ts";
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
export function studiesView({ studies, consents, unreachable }: StudyKnowledge, now: number): View {
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
<p>Reads ${columns(manifest)}. Runs ${manifest.algorithms.map((one) => one.name).join(", ")}.</p>
<p class="note">Manifest <code>${study}</code></p>
<p class="note">Consent: <code>fedcredit node consent ${name}</code>. Take it back: <code>fedcredit node withdraw ${name}</code>.</p>
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

const columns = ({ features, label, subject, holdout }: StudyManifest): string =>
  [
    ...features.map(({ name }) => name),
    `the outcome ${label.column}`,
    ...(holdout.outOfTime === undefined ? [] : [`the month of ${holdout.outOfTime.column}`]),
    ...(subject === undefined ? [] : [`grouped by ${subject}`]),
  ].join(", ");

/** @returns a manifest as the node keeps it. */
export const rememberedStudy = (study: string, text: string): StudyKnowledge["studies"][number] => {
  const { manifest } = openManifest(study, Buffer.from(text));
  return { study, name: manifest.name, manifest, phase: "seen before", algorithm: "", round: 0 };
};
