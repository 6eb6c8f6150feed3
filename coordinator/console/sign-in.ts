import { html } from "../../core/pages/html.ts";
import { changePassword } from "../authority/users.ts";
import type { Asked, Fields } from "./asked.ts";
import { field, form, type View } from "./frame.ts";
import type { Locale } from "./locale.ts";

/** The only page shown to somebody who is not signed in. @param to - where it goes on to */
export const signInView = ({ words }: Locale, to: string, problem?: "wrong" | "too many"): View => ({
  title: words.signIn,
  status: problem === undefined ? 200 : problem === "wrong" ? 401 : 429,
  body: html`<form method="post" action="/sign-in" class="narrow-form">
${problem !== undefined && html`<p class="alarm" role="alert">${problem === "wrong" ? words.signInWrong : words.signInTooMany}</p>`}
${field({ name: "user", label: words.user, autocomplete: "username" })}
${field({ name: "password", label: words.password, type: "password", autocomplete: "current-password" })}
${field({ name: "code", label: words.code, hint: words.codeHint, inputmode: "numeric", autocomplete: "one-time-code" })}
<input type="hidden" name="to" value="${to}">
<button class="main">${words.signIn}</button>
</form>`,
});

/** As {@link signInView}, where people sign in at the bank's provider. */
export const vouchedSignInView = ({ words }: Locale, problem?: "refused"): View => ({
  title: words.signIn,
  ...(problem === undefined ? {} : { status: 401 }),
  body: html`${problem !== undefined && html`<p class="alarm" role="alert">${words.notVouched}</p>`}
<p><a class="button main" href="/sign-in/begin">${words.signInAtProvider}</a></p>`,
});

export const signedInView = ({ words }: Locale): View => ({
  title: words.signIn,
  body: html`<p><a href="/studies">${words.goOn}</a></p>`,
});

export function accountView({ bank, session, locale: { words } }: Asked, problem?: string): View {
  const who = words.signedInAs(session.user, words.roles[session.role]);
  if (bank.config.console?.oidc !== undefined)
    return {
      title: words.account,
      body: html`<p>${who} ${words.roleMay[session.role]}</p><p class="note">${words.vouchedAccount}</p>`,
    };
  return {
    title: words.account,
    ...(problem === undefined ? {} : { status: 400 }),
    body: html`<p>${who} ${words.roleMay[session.role]}</p>
<h2>${words.newPasswordTitle}</h2>
${problem !== undefined && html`<p class="alarm" role="alert">${problem}</p>`}
${form(
  session,
  "/account/password",
  html`<input type="hidden" name="username" autocomplete="username" value="${session.user}">
${field({ name: "password", label: words.password, type: "password", autocomplete: "current-password" })}
${field({ name: "code", label: words.code, hint: words.codeHint, inputmode: "numeric", autocomplete: "one-time-code" })}
${field({ name: "next", label: words.newPassword, hint: words.newPasswordHint, type: "password", autocomplete: "new-password" })}
<button class="main">${words.changePassword}</button>`,
  "narrow-form",
)}`,
  };
}

/** @throws Refusal parameters_invalid */
export async function changeOwnPassword(asked: Asked, form: Fields): Promise<string | View> {
  const { bank, session, sessions, locale } = asked;
  const given = { user: session.user, password: form.all("password")[0] ?? "", code: form.text("code") };
  // Slowed as at the door: a session left open is no way to try passwords.
  const role = await sessions.guess(`session of ${session.user}`, given);
  if (role === "wrong") return accountView(asked, locale.words.signInWrong);
  if (role === "too many") return accountView(asked, locale.words.signInTooMany);
  await changePassword(bank, session.user, form.all("next")[0] ?? "");
  return "/sign-in";
}
