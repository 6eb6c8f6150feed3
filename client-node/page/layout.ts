import { pageDocument } from "../../core/pages/document.ts";
import { type Content, type Html, html } from "../../core/pages/html.ts";
import { languageLinks } from "../../core/pages/locale.ts";
import type { Locale } from "./locale.ts";
import type { Words } from "./words.ts";

export interface View {
  readonly title: string;
  readonly body: Content;
  /** Address of the stream of live values, for pages that have such. */
  readonly live?: string;
}

export interface Frame {
  readonly enterprise: string;
  /** Path of the page shown. */
  readonly path: string;
  readonly locale: Locale;
  readonly openWarnings: number | undefined;
  /** The form that ends the reader's session; absent where there is none. */
  readonly logOut: Html | undefined;
}

const places = [
  ["/", "devices"],
  ["/quality", "quality"],
  ["/features", "features"],
  ["/warnings", "warnings"],
  ["/egress", "egress"],
  ["/studies", "studies"],
  ["/policy", "policy"],
  ["/budget", "budget"],
  ["/model", "model"],
] as const satisfies readonly (readonly [path: string, name: keyof Words])[];

export const layout = (
  { title, body, live }: View,
  { enterprise, path, locale, openWarnings, logOut }: Frame,
): Html => {
  const { words } = locale;
  return pageDocument({
    tag: locale.tag,
    title,
    owner: enterprise,
    what: words.page,
    skip: words.skip,
    live: live ?? "/live",
    navigation: html`<nav aria-label="${words.pages}"><ul>
${places.map(
  ([place, name]) =>
    html`<li><a href="${place}"${place === path && html` aria-current="page"`}>${words[name]}${
      place === "/warnings" && openWarnings !== undefined && badge(openWarnings, locale)
    }</a></li>
`,
)}</ul></nav>`,
    side: html`${languageLinks(words.language, locale.language)}
${logOut}`,
    body,
  });
};

const badge = (open: number, { words }: Locale): Html =>
  html` <span class="badge"><span data-live="warnings.open">${open}</span><span class="aside"> ${words.open}</span></span>`;

/** Links to the pages of a long list. @param page - from 0 */
export function pages(
  path: string,
  page: number,
  size: number,
  total: number,
  { words, number }: Locale,
): Html | undefined {
  const last = Math.max(0, Math.ceil(total / size) - 1);
  if (last === 0) return undefined;
  return html`<nav class="pages" aria-label="${words.more}">
${page > 0 && html`<a rel="prev" href="${path}?page=${page - 1}">${words.previous}</a>`}
<span>${words.pageOf(number(page + 1), number(last + 1))}</span>
${page < last && html`<a rel="next" href="${path}?page=${page + 1}">${words.next}</a>`}
</nav>`;
}

export const numeric = (name: string): { name: string; numeric: true } => ({ name, numeric: true });
