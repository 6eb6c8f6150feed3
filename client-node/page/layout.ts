import { pageDocument } from "../../core/pages/document.ts";
import { type Content, type Html, html } from "../../core/pages/html.ts";

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
  readonly openWarnings: number | undefined;
  /** Whether somebody is logged in who may log out. */
  readonly session: boolean;
}

const places: readonly (readonly [path: string, name: string])[] = [
  ["/", "Devices"],
  ["/quality", "Quality"],
  ["/features", "Features"],
  ["/warnings", "Warnings"],
  ["/egress", "What has left"],
  ["/studies", "Studies"],
  ["/budget", "Budget"],
  ["/model", "Model"],
];

export const layout = ({ title, body, live }: View, frame: Frame): Html =>
  pageDocument({
    tag: "en",
    title,
    owner: frame.enterprise,
    what: "this page stays on these premises",
    skip: "Skip to content",
    live: live ?? "/live",
    navigation: html`<nav aria-label="Pages"><ul>
${places.map(
  ([path, name]) =>
    html`<li><a href="${path}"${path === frame.path && html` aria-current="page"`}>${name}${
      path === "/warnings" && frame.openWarnings !== undefined && badge(frame.openWarnings)
    }</a></li>
`,
)}</ul></nav>
${frame.session && html`<form method="post" action="/logout"><button>Log out</button></form>`}`,
    body,
  });

const badge = (open: number): Html =>
  html` <span class="badge"><span data-live="warnings.open">${open}</span><span class="aside"> open</span></span>`;

/** Links to the pages of a long list. @param page - from 0 */
export function pages(path: string, page: number, size: number, total: number): Html | undefined {
  const last = Math.max(0, Math.ceil(total / size) - 1);
  if (last === 0) return undefined;
  return html`<nav class="pages" aria-label="More">
${page > 0 && html`<a rel="prev" href="${path}?page=${page - 1}">Previous</a>`}
<span>${page + 1} of ${last + 1}</span>
${page < last && html`<a rel="next" href="${path}?page=${page + 1}">Next</a>`}
</nav>`;
}
