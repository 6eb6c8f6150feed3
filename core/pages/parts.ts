/** What pages are built of: tables, facts, notes. */
import { type Content, type Html, html } from "./html.ts";

export interface Column {
  readonly name: string;
  readonly numeric?: true;
}

/** A table that keeps its width to itself: on a narrow screen it scrolls, and the page does not. */
export const table = (
  caption: string,
  columns: readonly (string | Column)[],
  rows: readonly (readonly Content[])[],
): Html => {
  const heads = columns.map((column) => (typeof column === "string" ? { name: column } : column));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col"${numeric(head)}>${head.name}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (cells) =>
    html`<tr>${cells.map((cell, i) =>
      i === 0
        ? html`<th scope="row"${numeric(heads[i]!)}>${cell}</th>`
        : html`<td${numeric(heads[i]!)}>${cell}</td>`,
    )}</tr>
`,
)}</tbody>
</table></div>`;
};

const numeric = (column: { readonly numeric?: true }): Html | false =>
  column.numeric === true && html` class="n"`;

/** Facts by name. */
export const facts = (pairs: readonly (readonly [name: string, value: Content])[]): Html =>
  html`<dl class="facts">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

export const note = (text: Content): Html => html`<p class="note">${text}</p>`;
