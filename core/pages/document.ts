import { type Content, type Html, html } from "./html.ts";

/** What stands around every page, whoever's desk it is. */
export interface PageParts {
  /** BCP 47. */
  readonly tag: string;
  readonly title: string;
  /** Whose pages these are. */
  readonly owner: string;
  /** What they are, in a few words. */
  readonly what: string;
  /** Text of the link past the navigation. */
  readonly skip: string;
  /** Beside the owner. */
  readonly side?: Content;
  /** Beneath both. */
  readonly navigation: Content;
  readonly body: Content;
  /** Address of the stream of live values, for pages that have such. */
  readonly live?: string;
  /** Address of a module that the page runs. */
  readonly module?: string;
}

export const pageDocument = (of: PageParts): Html => html`<!doctype html>
<html lang="${of.tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${of.title} · ${of.owner}</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
${of.live !== undefined && html`<script src="/live.js" defer></script>`}${of.module !== undefined && html`<script type="module" src="${of.module}"></script>`}
</head>
<body${of.live !== undefined && html` data-stream="${of.live}"`}>
<a class="skip" href="#main">${of.skip}</a>
<header>
<p class="who"><strong>${of.owner}</strong> <span>${of.what}</span></p>
${
  of.side !== undefined &&
  html`<div class="side">
${of.side}
</div>`
}
${of.navigation}
</header>
<main id="main">
<h1>${of.title}</h1>
${of.body}
</main>
</body>
</html>
`;
