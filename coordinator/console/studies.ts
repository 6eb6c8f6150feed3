import { type Html, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { isEnded, type StudyPhase } from "../../core/study-phase.ts";
import { readManifest, type StudyManifest } from "../../models/study.ts";
import type { StudyInspection } from "../../proto/generated/fedcredit/v1/StudyInspection.ts";
import { type StudyCost, studyCost } from "../studies/cost.ts";
import { inspect } from "../studies/inspection.ts";
import { pause, retry, start, stop } from "../studies/life.ts";
import { list } from "../studies/status.ts";
import { type StudyRow, studyRow } from "../studies/study-row.ts";
import { type Asked, digestIn } from "./asked.ts";
import type { Desk } from "./desk.ts";
import { deciders, form, may, numeric, type View, withoutText } from "./frame.ts";
import type { Locale } from "./locale.ts";
import { reasonWords } from "./refusal.ts";

export function studyPages(desk: Desk): void {
  desk.show("/studies", studiesView);
  desk.show("/studies/:study", studyView);
  for (const [order, give] of Object.entries({ start, pause, retry, stop }))
    desk.act(`/studies/:study/${order}`, deciders, async ({ bank, params }) => {
      await give(bank, digestIn(params.study));
      return `/studies/${params.study}`;
    });
}

async function studiesView({ bank, session, locale }: Asked): Promise<View> {
  const { words, number } = locale;
  const studies = (await list(bank)).toReversed();
  return {
    title: words.studies,
    body: html`${may(session, deciders) && html`<p><a class="button" href="/studies/new">${words.proposeStudy}</a></p>`}
${
  studies.length === 0
    ? note(words.noStudies)
    : table(
        words.newestFirst,
        [words.study, words.purpose, words.standing, words.now, numeric(words.consented)],
        studies.map(({ study, name, phase, algorithm, round, consented, reason, manifest }) => [
          html`<a href="/studies/${(study as Buffer).toString("hex")}">${name ?? ""}</a>`,
          html`<span class="long">${readManifest(String(manifest?.canonicalJson ?? "")).purpose}</span>`,
          phaseBadge(phase as StudyPhase, locale),
          html`<span class="long">${
            [
              ...(phase === "running" || phase === "paused"
                ? [words.atRound(algorithm ?? "", number(round ?? 0))]
                : []),
              ...(reason === "" ? [] : [reasonWords(reason ?? "", locale)]),
            ].join(": ") || "–"
          }</span>`,
          number(consented?.length ?? 0),
        ]),
      )
}`,
  };
}

export const phaseBadge = (phase: StudyPhase, { words }: Locale): Html =>
  html`<span class="badge ${phase === "failed" ? "alarm" : phase === "finished" ? "good" : ""}">${words.phases[phase]}</span>`;

async function studyView({ bank, participants, session, locale, params }: Asked): Promise<View> {
  const { words } = locale;
  const row = await studyRow(bank.database.sql, digestIn(params.study));
  const manifest = readManifest(row.manifest);
  const inspection = await inspect(bank, participants, row.digest);
  const texts = studyTexts(row, inspection, locale);
  const live = (name: string): Html => html`<span data-live="${name}">${texts[name]}</span>`;
  const { members, mostSums = 0 } = inspection;
  const [model] = await bank.database.sql`SELECT digest FROM model WHERE study = ${row.digest}`;
  const body = html`<p>${phaseBadge(row.phase, locale)} ${live("waits")}</p>
${may(session, deciders) && orders(row, session, locale)}
${model !== undefined && html`<p><a class="button" href="/models/${model.digest}">${words.resultsAndModel}</a></p>`}
<section aria-label="${words.progress}">
<progress max="${mostSums}" value="${texts.bar}" data-live="bar" aria-label="${words.progress}"></progress>
${facts([
  [words.sums, live("sums")],
  [words.now, live("now")],
  [words.timeLeft, live("left")],
  [words.cohort, live("cohort")],
])}
${(row.phase !== "finished" || texts.fault !== words.none) && html`<p class="note">${words.lastFault}: ${live("fault")}</p>`}
</section>
<h2>${words.whoConsented}</h2>
${
  (members ?? []).length === 0
    ? note(words.noRoster)
    : table(
        words.membersOfRoster,
        [words.enterprise, words.organisation, words.connection, words.consent, words.remarks],
        (members ?? []).map(({ enterprise = "", organisation }) => [
          enterprise,
          organisation ?? "",
          live(`${enterprise} connection`),
          live(`${enterprise} consent`),
          html`<span class="long">${live(`${enterprise} remark`)}</span>`,
        ]),
      )
}
<h2>${words.whatItCosts}</h2>
${costView(await studyCost(bank, row.digest, manifest), manifest, locale)}
<h2>${words.manifest}</h2>
${manifestFacts(manifest, locale)}
<p class="note">${words.digest} <code>${row.digest}</code></p>
<details><summary>${words.manifestWhole}</summary><pre>${JSON.stringify(manifest, undefined, 2)}</pre></details>`;
  const stream = `/studies/${row.digest}/live?phase=${row.phase}`;
  return { title: row.name, body, ...(isEnded(row.phase) ? {} : { live: stream }) };
}

function orders({ digest, phase }: StudyRow, session: Asked["session"], { words }: Locale): Html {
  const order = (name: "start" | "pause" | "retry" | "stop"): Html =>
    form(
      session,
      `/studies/${digest}/${name}`,
      html`<button${name === "stop" && html` class="grave"`}>${words.orders[name]}</button>`,
    );
  const possible = {
    proposed: ["start", "stop"],
    running: ["pause", "stop"],
    paused: ["retry", "stop"],
    failed: ["retry", "stop"],
    finished: [],
    stopped: [],
  } as const;
  const names = possible[phase];
  return html`${names.length > 0 && html`<div class="actions">${names.map(order)}</div><p class="note">${words.stopIsForGood}</p>`}`;
}

/** Texts by the name of their place on the page. */
export type LiveTexts = Readonly<Record<string, string>>;

/** What changes while a study runs, by the name of its place on the page. */
export function studyTexts(row: StudyRow, inspection: StudyInspection, locale: Locale): LiveTexts {
  const { words, number, duration } = locale;
  const { sums = 0, mostSums = 0, cohort = 0, leastCohort = 0, status, lastFault, members } = inspection;
  const left = Number(inspection.mostSecondsLeft ?? 0);
  const busy = row.phase === "running" || row.phase === "paused";
  const { reason = "", detail = "" } = status ?? {};
  const texts: Record<string, string> = {
    // It took fewer than it might have.
    bar: String(row.phase === "finished" ? mostSums : sums),
    sums: words.ofAtMost(number(sums), number(mostSums)),
    now: busy ? words.atRound(row.algorithm ?? "", number(row.round)) : words.phases[row.phase],
    left: left > 0 ? words.atMost(duration(left)) : "–",
    cohort: words.ofAtLeast(number(cohort), number(leastCohort)),
    waits: reason === "" ? "" : `${reasonWords(reason, locale)} (${detail})`,
    fault:
      lastFault == null || lastFault.reason === ""
        ? words.none
        : words.faultAt(
            number(lastFault.round ?? 0),
            number(lastFault.attempt ?? 0),
            `${reasonWords(lastFault.reason ?? "", locale)}${lastFault.party ? ` (${lastFault.party})` : ""}`,
          ),
  };
  for (const { enterprise, connected, consent, expiresMillis, reason: fault, leftOut } of members ?? []) {
    const until = locale.dayText(Number(expiresMillis));
    texts[`${enterprise} connection`] = connected ? words.connected : words.away;
    texts[`${enterprise} consent`] =
      consent === "given"
        ? words.consentUntil(until)
        : consent === "expired"
          ? words.consentExpired(until)
          : consent === "withdrawn"
            ? words.consentWithdrawn
            : words.consentNone;
    texts[`${enterprise} remark`] =
      [...(leftOut ? [words.leftOut] : []), ...(fault ? [reasonWords(fault, locale)] : [])].join("; ") || "–";
  }
  return texts;
}

export function manifestFacts(manifest: StudyManifest, locale: Locale): Html {
  const { words, number, percent, duration } = locale;
  const { privacy, unprotected } = manifest;
  return html`${facts([
    [words.purpose, manifest.purpose],
    [words.legalBasis, manifest.legalBasis],
    [words.impactAssessment, manifest.impactAssessment],
    [words.keptFor, duration(manifest.retentionDays * 86_400)],
    [words.minCohort, number(privacy.minCohort)],
    [words.maxColluding, number(privacy.maxColluding)],
    [words.runsWithout, withoutText(unprotected, locale)],
    [words.holdout, percent(manifest.holdout.fraction)],
  ])}
<p>${words.predicts(manifest.label.column, manifest.label.bad.join(", "), manifest.label.good.join(", "))}</p>
<p>${words.reads(manifest.features.map(({ name }) => name).join(", "))}</p>
<p>${words.runs(manifest.algorithms.map(({ name, as = name }) => (as === name ? name : `${as} (${name})`)).join(", "))}</p>`;
}

/** What a study costs each enterprise, and what it takes of privacy. */
export function costView(cost: StudyCost, { unprotected }: StudyManifest, locale: Locale): Html {
  const { words, number, bytes, duration } = locale;
  const sums = cost.algorithms.reduce((sum, { mostSums }) => sum + mostSums, 0);
  const up = cost.algorithms.reduce((sum, { mostSums, bytesUp }) => sum + mostSums * bytesUp, 0);
  const isKnown = cost.algorithms.every(({ mostSums, bytesUp }) => bytesUp > 0 || mostSums === 0);
  const time = (of: number): string => (cost.secondsEach > 0 ? duration(of * cost.secondsEach) : "–");
  const longest = (of: number): string => duration(of * cost.mostSecondsEach);
  return html`${facts([
    [words.roundsAtMost, number(sums)],
    [words.eachSends, `${isKnown ? "" : `${words.atLeast} `}${bytes(up)}`],
    [words.usualTime, time(sums)],
    [words.longestTime, longest(sums)],
    [words.epsilon, unprotected.includes("noise") ? words.epsilonUnbounded : words.epsilonByManifest],
    [words.dropOuts, number(cost.dropOuts)],
  ])}
${table(
  words.costCaption,
  [
    words.algorithm,
    numeric(words.roundsAtMost),
    numeric(words.bytesEach),
    numeric(words.bytesAll),
    numeric(words.usualTime),
    numeric(words.longestTime),
  ],
  cost.algorithms.map(({ name, mostSums, bytesUp }) => [
    name,
    number(mostSums),
    mostSums === 0 ? "–" : bytesUp > 0 ? bytes(bytesUp) : words.byTheRows,
    mostSums === 0 ? "–" : bytesUp > 0 ? bytes(bytesUp * mostSums) : words.byTheRows,
    time(mostSums),
    mostSums === 0 ? "–" : longest(mostSums),
  ]),
)}`;
}
