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

export const layout = ({ title, body, live }: View, frame: Frame): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${frame.enterprise}</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<script src="/live.js" defer></script>
</head>
<body data-stream="${live ?? "/live"}">
<a class="skip" href="#main">Skip to content</a>
<header>
<p class="who"><strong>${frame.enterprise}</strong> <span>this page stays on these premises</span></p>
<nav aria-label="Pages"><ul>
${places.map(
  ([path, name]) =>
    html`<li><a href="${path}"${path === frame.path && html` aria-current="page"`}>${name}${
      path === "/warnings" && frame.openWarnings !== undefined && badge(frame.openWarnings)
    }</a></li>
`,
)}</ul></nav>
${frame.session && html`<form method="post" action="/logout"><button>Log out</button></form>`}
</header>
<main id="main">
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;

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
