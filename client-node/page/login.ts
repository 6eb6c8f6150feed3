import { pageDocument } from "../../core/pages/document.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { languageLinks } from "../../core/pages/locale.ts";
import type { LoginOutcome } from "./access.ts";
import type { Locale } from "./locale.ts";

/** The only page shown to somebody who is not logged in. @param to - where it goes on to */
export const loginPage = (
  enterprise: string,
  { tag, language, words }: Locale,
  hasNames: boolean,
  to: string,
  problem?: Exclude<LoginOutcome, { cookie: string }>,
): Html =>
  pageDocument({
    tag,
    title: words.logIn,
    owner: enterprise,
    what: words.page,
    skip: words.skip,
    navigation: undefined,
    side: languageLinks(words.language, language),
    body: html`<form method="post" action="/login" class="narrow-form">
${problem !== undefined && html`<p class="alarm" role="alert">${problem === "wrong" ? words.wrongPassword : words.tooMany}</p>`}
${hasNames && html`<div class="field"><label for="name">${words.name}</label><input id="name" name="name" autocomplete="username" autofocus></div>`}
<div class="field"><label for="password">${words.password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required${!hasNames && html` autofocus`}></div>
<input type="hidden" name="to" value="${to}">
<button>${words.logIn}</button>
</form>`,
  });
