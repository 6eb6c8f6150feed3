/** What pages are built of: tables, facts, notes. */
import { type Content, type Html, html } from "./html.ts";

export interface Column {
  readonly name: string;
  readonly numeric?: true;
}

type Columns = readonly (string | Column)[];

const headsOf = (columns: Columns): Column[] =>
  columns.map((column) => (typeof column === "string" ? { name: column } : column));

/** Keeps its width to itself: on a narrow screen it scrolls, and the page does not. */
const scrolling = (caption: string, heads: readonly Column[], bodies: Content): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col"${numeric(head)}>${head.name}</th>`)}</tr></thead>
${bodies}</table></div>`;

export function table(caption: string, columns: Columns, rows: readonly (readonly Content[])[]): Html {
  const heads = headsOf(columns);
  const body = html`<tbody>
${rows.map(
  (cells) =>
    html`<tr>${cells.map((cell, i) =>
      i === 0
        ? html`<th scope="row"${numeric(heads[i]!)}>${cell}</th>`
        : html`<td${numeric(heads[i]!)}>${cell}</td>`,
    )}</tr>
`,
)}</tbody>
`;
  return scrolling(caption, heads, body);
}

/** Lines that belong together. */
export interface Group {
  readonly name: Content;
  /** Of each line the cells after the name. */
  readonly rows: readonly (readonly Content[])[];
}

/** A table whose first column names groups of lines: each name stands once. */
export function groupedTable(caption: string, columns: Columns, groups: readonly Group[]): Html {
  const heads = headsOf(columns);
  const bodies = groups.map(
    ({ name, rows }) => html`<tbody>
${rows.map(
  (cells, line) =>
    html`<tr>${line === 0 && html`<th scope="rowgroup" rowspan="${rows.length}">${name}</th>`}${cells.map(
      (cell, i) => html`<td${numeric(heads[i + 1]!)}>${cell}</td>`,
    )}</tr>
`,
)}</tbody>
`,
  );
  return scrolling(caption, heads, bodies);
}

const numeric = (column: { readonly numeric?: true }): Html | false =>
  column.numeric === true && html` class="n"`;

/** Facts by name. */
export const facts = (pairs: readonly (readonly [name: string, value: Content])[]): Html =>
  html`<dl class="facts">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

export const note = (text: Content): Html => html`<p class="note">${text}</p>`;
