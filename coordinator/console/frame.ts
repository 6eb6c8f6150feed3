import { pageDocument } from "../../core/pages/document.ts";
import { type Content, type Html, html } from "../../core/pages/html.ts";
import { languageLinks } from "../../core/pages/locale.ts";
import type { UserRole } from "../authority/users.ts";
import type { Locale } from "./locale.ts";
import type { Words } from "./messages.ts";
import type { Session } from "./sessions.ts";

export interface View {
  readonly title: string;
  readonly body: Content;
  /** Address of the stream of live values, for pages that have such. */
  readonly live?: string;
  /** Where it is not 200. */
  readonly status?: number;
}

export interface Frame {
  readonly consortium: string;
  /** Path of the page shown. */
  readonly path: string;
  readonly locale: Locale;
  readonly session: Session | undefined;
}

const places = [
  ["/studies", "studies"],
  ["/models", "models"],
  ["/cases", "cases"],
  ["/enterprises", "enterprises"],
  ["/operations", "operations"],
  ["/account", "account"],
] as const satisfies readonly (readonly [path: string, name: keyof Words])[];

export const layout = ({ title, body, live }: View, { consortium, path, locale, session }: Frame): Html => {
  const { words } = locale;
  const here = (place: string): Html | false =>
    (path === place || path.startsWith(`${place}/`)) && html` aria-current="page"`;
  return pageDocument({
    tag: locale.tag,
    title,
    owner: consortium,
    what: words.console,
    skip: words.skip,
    ...(live === undefined ? {} : { live }),
    navigation:
      session !== undefined &&
      html`<nav aria-label="${words.pages}"><ul>
${places.map(([place, name]) => html`<li><a href="${place}"${here(place)}>${words[name]}</a></li>\n`)}</ul></nav>`,
    side: html`${languageLinks(words.language, locale.language)}
${
  session !== undefined &&
  html`<form method="post" action="/sign-out">${tokenField(session)}<button>${words.signOut} <span class="aside">${session.user}</span></button></form>`
}`,
    body,
  });
};

const tokenField = ({ formToken }: Session): Html =>
  html`<input type="hidden" name="token" value="${formToken}">`;

/** A form that only this session's pages can send. */
export const form = (session: Session, action: string, content: Content, kind = ""): Html =>
  html`<form method="post" action="${action}" class="${kind}">${tokenField(session)}${content}</form>`;

/** Whoever may give orders about studies and models. */
export const deciders: readonly UserRole[] = ["operator", "officer"];
/** Whoever may say who belongs to the consortium. */
export const admitters: readonly UserRole[] = ["operator"];
export const everybody: readonly UserRole[] = ["operator", "officer", "auditor"];

export const may = ({ role }: Session, roles: readonly UserRole[]): boolean => roles.includes(role);

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly hint?: Content;
  readonly value?: string;
  readonly type?: "text" | "password" | "number";
  readonly autocomplete?: string;
  readonly isOptional?: true;
  /** Lines, where it is a text of several. */
  readonly lines?: number;
  readonly inputmode?: "numeric" | "decimal";
}

/** A labelled field; its hint is read out with it. */
export function field({ name, label, hint, value = "", type = "text", ...more }: Field): Html {
  const described = hint !== undefined && html` aria-describedby="${name}-hint"`;
  const required = more.isOptional !== true && html` required`;
  const control =
    more.lines === undefined
      ? html`<input id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${more.autocomplete ?? "off"}"${more.inputmode !== undefined && html` inputmode="${more.inputmode}"`}${described}${required}>`
      : html`<textarea id="${name}" name="${name}" rows="${more.lines}" spellcheck="false"${described}${required}>\n${value}</textarea>`;
  return html`<div class="field"><label for="${name}">${label}</label>${control}${
    hint !== undefined && html`<p class="note" id="${name}-hint">${hint}</p>`
  }</div>`;
}

/** Layers of protection that are left out, in words. */
export const withoutText = (unprotected: readonly string[], { words }: Locale): string =>
  unprotected.map((layer) => words.layers[layer] ?? layer).join(words.and) || words.nothingLeftOut;

export const numeric = (name: string): { name: string; numeric: true } => ({ name, numeric: true });
