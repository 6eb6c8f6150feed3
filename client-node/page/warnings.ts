import { type Html, html } from "../../core/pages/html.ts";
import { note } from "../../core/pages/parts.ts";
import type { Operations } from "../operations/operations.ts";
import type { Warning } from "../operations/warnings/warning.ts";
import { moment, number } from "./format.ts";
import { pages, type View } from "./layout.ts";

const pageSize = 50;

/** Warnings, open ones first, each with what it rests on. */
export function warningsView({ findings, sites }: Operations, page: number): View {
  const { open, all } = findings.countWarnings();
  const offsets = new Map(sites.map((site) => [site.id, site.utcOffsetHours]));
  const shown = findings.warnings(pageSize, page * pageSize);
  const card = (warning: Warning): Html => {
    const offset = offsets.get(warning.site) ?? 0;
    const isOpen = warning.closed === undefined;
    return html`<article class="card">
<h3>${warning.type.replaceAll("_", " ")} <span class="badge ${warning.severity}">${warning.severity}</span> <span class="badge">${isOpen ? "open" : "closed"}</span></h3>
<p>${warning.explanation}</p>
<p class="note">${warning.device === undefined ? warning.site : `${warning.device}, ${warning.site}`}. Began ${moment(warning.onset, offset)}, known ${moment(warning.detected, offset)}${
      warning.closed !== undefined && html`, ended ${moment(warning.closed, offset)}`
    }.</p>
${
  Object.keys(warning.numbers).length > 0 &&
  html`<p class="note">${Object.entries(warning.numbers)
    .map(([name, value]) => `${words(name)} ${number(value)}`)
    .join(", ")}</p>`
}
</article>`;
  };
  const body = html`<p><span data-live="warnings.open" aria-live="polite">${open}</span> open, ${all} in all. What is shown here stays here; where policy.yaml has <code>warnings</code>, the bank is told type, severity, coarse time and place, and the ledger says so.</p>
${all === 0 && note("Nothing has been warned about.")}
${shown.some(isOpenWarning) && html`<h2>Open</h2>`}
${shown.filter(isOpenWarning).map(card)}
${shown.some((one) => !isOpenWarning(one)) && html`<h2>Closed</h2>`}
${folded(shown.filter((one) => !isOpenWarning(one))).map((alike) => {
  const [first] = alike;
  if (alike.length === 1) return card(first!);
  return html`<details class="card"><summary>${first!.type.replaceAll("_", " ")} <span class="badge ${first!.severity}">${first!.severity}</span> ${alike.length} closed, at ${new Set(alike.map(placeOf)).size} places</summary>
${alike.map(card)}
</details>`;
})}
${pages("/warnings", page, pageSize, all)}`;
  return { title: "Warnings", body };
}

/** Closed warnings of one kind, which came of one thing more often than not, take one line until it is opened. */
const folded = (warnings: readonly Warning[]): Warning[][] => [
  ...Map.groupBy(warnings, ({ type, severity }) => `${type} ${severity}`).values(),
];

const placeOf = ({ device, site }: Warning): string => device ?? site;

const isOpenWarning = ({ closed }: Warning): boolean => closed === undefined;

const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
