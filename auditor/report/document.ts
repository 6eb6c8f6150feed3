/** The report as one HTML file without scripts or references: to read, to print, to file. */
import { readFileSync } from "node:fs";
import { shortDigest } from "../../core/ids.ts";
import { chart } from "../../core/pages/charts.ts";
import { departureKinds } from "../../core/pages/departure-kinds.ts";
import { type Content, Html, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import type { Check } from "../../privacy/log/verify.ts";
import { type Account, day, type Study } from "./account.ts";
import type { Entries } from "./entries.ts";
import { fieldsByPolicy } from "./fields.ts";
import type { Finding } from "./findings.ts";
import { duties, type Section, sections } from "./frameworks.ts";
import type { LedgerAccount } from "./ledger.ts";

export interface Report {
  readonly account: Account;
  readonly checks: readonly Check[];
  readonly ledgers: readonly LedgerAccount[];
  readonly findings: readonly Finding[];
  /** SHA-256 of the export that it rests on. */
  readonly exportDigest: string;
  readonly log: {
    readonly origin: string;
    readonly size: number;
    readonly root: string;
    readonly cosignedBy: readonly string[];
  };
  /** Unix milliseconds. */
  readonly made: number;
}

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;
const moment = (millis: number): string =>
  `${new Date(millis).toISOString().slice(0, 16).replace("T", " ")} UTC`;
const whole = (count: number): string => count.toLocaleString("en-GB");
const percent = (of: number, whole: number): string =>
  whole === 0 ? "–" : `${((100 * of) / whole).toFixed(1)} %`;
const rests = (entries: Entries): Html => html`<span class="aside">${entries.toString()}</span>`;

const nothing = (what: string): Html => note(`The log holds ${what} for this period.`);

/** Of each page on paper: whose report it is, of what. @param title - of the report */
const printed = (title: string): string => `
@media print {
  body { font-size: 10.5pt; }
}
@page {
  @bottom-left {
    content: ${JSON.stringify(title).replaceAll("<", "\\3c ")};
    font: 9pt system-ui, "Noto Sans", sans-serif;
    color: #444;
  }
}
`;

export function reportDocument(report: Report): string {
  const { account } = report;
  const title = `Privacy log of ${account.consortium?.name ?? report.log.origin}`;
  const style = new Html(
    readFileSync(new URL("../../core/pages/style.css", import.meta.url), "utf8") + printed(title),
  );
  const body: Readonly<Record<Section, Content>> = {
    verification: verification(report),
    findings: findings(report),
    participants: participants(account),
    studies: studies(account),
    privacy: privacy(account),
    rounds: rounds(account),
    aborts: aborts(account),
    desensitization: desensitization(report),
    departures: departures(report),
    models: models(account),
    entries: table(
      "Entries of the period",
      ["Kind", { name: "Number", numeric: true }, "Where"],
      [...account.byType].map(([type, entries]) => [type, entries.count, entries.toString()]),
    ),
  };
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${summary(report)}</p>
<p>Each statement names the entries of the log that it rests on, counted from 0. Whoever has the export and the policy file finds the same with <code>fedcredit audit verify</code>, and proves one entry to a third party with <code>fedcredit audit receipt</code>.</p>
${Object.entries(sections).map(
  ([id, name]) => html`<section id="${id}">
<h2>${name}</h2>
${body[id as Section]}
</section>
`,
)}<section id="duties">
<h2>Duties, and where they are shown</h2>
${table(
  "Duties",
  ["Framework", "Place", "What it asks", "Shown in", "To be shown by other means"],
  duties.map(({ framework, place, asks, shownIn, elsewhere }) => [
    framework,
    place,
    asks,
    shownIn.map((section, i) => html`${i > 0 && ", "}<a href="#${section}">${sections[section]}</a>`),
    elsewhere,
  ]),
)}
${note("The mapping is a help to the reader and no legal opinion.")}
</section>
</main>
</body>
</html>
`.text;
}

function summary({ account, checks, findings, made }: Report): Content {
  const { from, until } = account.period;
  const sums = [...account.studies.values()].reduce((total, { released }) => total + released.length, 0);
  const failed = checks.filter(({ ok }) => !ok).length;
  const grave = findings.filter(({ weight }) => weight === "violation").length;
  return `From ${day(from)} to ${day(until)}: ${counted(account.members.size, "enterprise")}, ${counted(account.studies.size, "study", "studies")}, ${counted(sums, "released sum")}. ${
    failed === 0
      ? `All ${checks.length} checks of the log hold`
      : `${failed} of ${checks.length} checks of the log fail`
  }; ${grave === 0 ? "no violation" : `${grave} ${grave === 1 ? "violation" : "violations"}`} found. Made ${moment(made)}.`;
}

const verification = ({ log, checks, exportDigest, ledgers }: Report): Content => html`${facts([
  ["Log", log.origin],
  ["Entries", whole(log.size)],
  ["Root", html`<code>${log.root}</code>`],
  ["Cosigned by", log.cosignedBy.join(", ") || "nobody"],
  ["Export, SHA-256", html`<code>${exportDigest}</code>`],
])}
${table(
  "Checks of the log",
  ["Check", "Result", "Detail"],
  checks.map(({ check, ok, detail, entry }) => [
    check,
    ok ? "holds" : "FAILS",
    entry === undefined ? detail : `${detail}, entry ${entry}`,
  ]),
)}
${ledgers.map(({ enterprise, checks }) =>
  table(
    `Ledger of ${enterprise} against the log`,
    ["Check", "Result", "Detail"],
    checks.map(({ check, ok, detail }) => [check, ok ? "holds" : "FAILS", detail]),
  ),
)}`;

const findings = ({ findings }: Report): Content =>
  findings.length === 0
    ? note("Nothing was found.")
    : table(
        "Findings",
        ["Weight", "Finding", "Rests on"],
        findings.map(({ weight, text, entries }) => [weight, text, entries.toString()]),
      );

const participants = (account: Account): Content => html`${table(
  "Enterprises",
  ["Enterprise", "Member since", "Left", { name: "Ledger reports", numeric: true }, "Rests on"],
  [...account.members.values()].map(({ enterprise, joined, left, expelled, reports, entries }) => [
    enterprise,
    day(joined),
    left === undefined ? "–" : `${day(left)}${expelled === undefined ? "" : `, expelled: ${expelled}`}`,
    reports.count,
    entries.toString(),
  ]),
)}
${
  account.rosters.length === 0
    ? nothing("no change of the roster")
    : happenings("Changes of the roster", account.rosters)
}
${account.certificates.length === 0 ? nothing("no certificate") : happenings("Certificates", account.certificates)}
<p>${account.keyEpochs.count} key epochs were opened, each signed by all its members. ${rests(account.keyEpochs)}</p>`;

const happenings = (
  caption: string,
  list: readonly { readonly at: number; readonly text: string; readonly entries: Entries }[],
): Html =>
  table(
    caption,
    ["When", "What", "Rests on"],
    list.map(({ at, text, entries }) => [moment(at), text, entries.toString()]),
  );

function studies({ studies }: Account): Content {
  if (studies.size === 0) return nothing("no study");
  return [...studies.values()].map(
    ({ study, terms, proposed, consents, pruned }) => html`<h3>${terms.name}</h3>
${facts([
  ["Manifest", html`<code>${study}</code>`],
  ["Proposed", html`${moment(terms.time)} ${rests(proposed)}`],
  ["Purpose", terms.purpose],
  ["Legal basis", terms.legalBasis],
  ["Impact assessment", terms.impactAssessment],
  ["Retention", `${terms.retentionDays} days after its end`],
  ["Pruned", pruned === undefined ? "not yet" : rests(pruned)],
])}
${table(
  `Consents to ${terms.name}`,
  ["Enterprise", "Consented", "Ends", "Withdrawn", "Rests on"],
  consents.map(({ enterprise, at, expires, withdrawn, entries }) => [
    enterprise,
    moment(at),
    day(expires),
    withdrawn === undefined ? "–" : moment(withdrawn),
    entries.toString(),
  ]),
)}`,
  );
}

function privacy({ studies }: Account): Content {
  const spending = [...studies.values()].filter(({ lastSpent }) => lastSpent !== undefined);
  if (spending.length === 0) return nothing("no released sum");
  return spending.map(
    ({ terms, lastSpent, spent, sumsOf }) => html`<h3>${terms.name}</h3>
${facts([
  ["Mechanism", mechanismText(lastSpent!.mechanism)],
  ["Unit", lastSpent!.unit],
  ["Sums released so far", lastSpent!.cumulativeSteps],
  ["Events of the period", rests(spent)],
])}
${table(
  `Sums of ${terms.name} by enterprise`,
  ["Enterprise", { name: "Sums that hold its rows", numeric: true }],
  [...sumsOf].sort().map(([enterprise, sums]) => [enterprise, sums]),
)}`,
  );
}

const mechanismText = (mechanism: string): string =>
  mechanism === "none" ? "no noise: ε is not bounded" : mechanism;

function rounds({ studies }: Account): Content {
  const ran = [...studies.values()].filter(({ opened }) => opened > 0);
  if (ran.length === 0) return nothing("no round");
  return ran.map((study) => {
    const { terms, opened, released, releases } = study;
    const sizes = released.map(({ survivors }) => survivors.length);
    return html`<h3>${terms.name}</h3>
${facts([
  ["Attempts opened", opened],
  ["Sums released", html`${released.length} ${rests(releases)}`],
  ["Least enterprises asked for", terms.minCohort],
  ["Smallest cohort", sizes.length === 0 ? "–" : Math.min(...sizes)],
  ["Largest cohort", sizes.length === 0 ? "–" : Math.max(...sizes)],
])}
${sizes.length > 1 && cohorts(study)}`;
  });
}

const cohorts = ({ terms, released }: Study): Html => {
  const sizes = released.map(({ survivors }) => survivors.length);
  return chart({
    title: `Enterprises in each sum of ${terms.name}`,
    summary: `Between ${Math.min(...sizes)} and ${Math.max(...sizes)} enterprises in ${sizes.length} sums; at least ${terms.minCohort} were asked for.`,
    kind: "line",
    labels: sizes.map((_, i) => String(i + 1)),
    series: [
      { name: "Enterprises", values: sizes },
      { name: "Least asked for", values: sizes.map(() => terms.minCohort) },
    ],
    max: 4 * Math.ceil(Math.max(...sizes) / 4),
    format: (value) => String(Math.round(value)),
  });
};

function aborts({ ended, studies }: Account): Content {
  if (ended.length === 0) return nothing("no attempt that came to no sum");
  const opened = [...studies.values()].reduce((sum, study) => sum + study.opened, 0);
  return html`<p>${ended.length} of ${opened} attempts, ${percent(ended.length, opened)}.</p>
${table(
  "Attempts without a sum",
  ["When", "Study", "End", "Reason", "Names", "Rests on"],
  ended.map(({ at, study, kind, reason, enterprise, entries }) => [
    moment(at),
    study === undefined ? "–" : (studies.get(study)?.terms.name ?? shortDigest(study)),
    kind,
    reason || "–",
    enterprise || "nobody",
    entries.toString(),
  ]),
)}`;
}

function desensitization({ ledgers }: Report): Content {
  if (ledgers.length === 0)
    return note("Policies and desensitization stand in the enterprises' ledgers: give them with --ledger.");
  return ledgers.map(
    ({ enterprise, policies, desensitized, days }) => html`<h3>${enterprise}</h3>
${policies.map(
  ({ entry, entries }) =>
    html`<p>Policy ${entry.version}, <code>${entry.policy}</code>, from ${moment(entry.time)} ${rests(entries)}</p>
`,
)}
${table(
  `Runs at ${enterprise}`,
  [
    "When",
    ...["Policy", "Rows in", "Rows out", "k", "l", "t", "Left out"].map((name) => ({
      name,
      numeric: true as const,
    })),
    "Rests on",
  ],
  desensitized.map(({ entry, entries }) => [
    moment(entry.time),
    entry.version,
    whole(entry.rowsIn),
    whole(entry.rowsOut),
    whole(entry.k),
    entry.l,
    entry.t.toFixed(3),
    `${(100 * entry.suppressionRate).toFixed(2)} %`,
    entries.toString(),
  ]),
)}
${fieldsByPolicy(desensitized.map(({ entry }) => entry)).map(({ version, fields }) =>
  table(
    `Fields under policy ${version} at ${enterprise}`,
    ["Field", "Level", "Operator"],
    fields.map(({ field, level, operator }) => [field, level, operator]),
  ),
)}
<p>${days.count} daily commitments to operating data. ${days.count > 0 && rests(days)}</p>`,
  );
}

function departures({ ledgers }: Report): Content {
  if (ledgers.length === 0)
    return note("What left an enterprise stands in its ledger: give it with --ledger.");
  return ledgers.map(
    ({ enterprise, departures, reconciles }) => html`<h3>${enterprise}</h3>
<p>${reconciles ? "All of it is in the bank's log too." : "It does not agree with the bank's log."}</p>
${table(
  `What left ${enterprise}`,
  [
    "Kind",
    "To",
    { name: "Messages", numeric: true },
    { name: "Bytes", numeric: true },
    "Rests on (its ledger)",
  ],
  [...departures.values()].map(({ kind, destination, messages, bytes, entries }) => [
    html`${departureKinds.en[kind] ?? kind} <span class="aside">${kind}</span>`,
    destination,
    whole(messages),
    whole(bytes),
    entries.toString(),
  ]),
)}`,
  );
}

function models({ studies }: Account): Content {
  const all = [...studies.values()].flatMap(({ terms, models }) =>
    models.map((model) => ({ ...model, study: terms.name, purpose: terms.purpose })),
  );
  if (all.length === 0) return nothing("no published model");
  return all.map(
    ({
      model,
      study,
      purpose,
      at,
      sums,
      smallestCohort,
      unprotected,
      evaluations,
      entries,
    }) => html`<h3>${study}</h3>
${facts([
  ["Model", html`<code>${model}</code>`],
  ["Published", html`${moment(at)} ${rests(entries)}`],
  ["Used for", purpose],
  ["Stands on", `${sums} released sums`],
  ["Smallest cohort", smallestCohort],
  ["Protections it ran without", unprotected.join(", ") || "none"],
])}
${evaluations.map(({ algorithm, rows, metrics }) =>
  table(
    `${algorithm}, ${rows} rows under the sealed sum`,
    ["Metric", { name: "Value", numeric: true }],
    Object.entries(metrics).map(([name, value]) => [name, Number(value).toPrecision(6)]),
  ),
)}`,
  );
}
