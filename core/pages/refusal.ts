/** How a refusal reads on a page. */
import type { Refusal } from "../reasons.ts";
import { commonWords } from "./common-words.ts";
import { type Html, html } from "./html.ts";
import type { Language } from "./locale.ts";

/** @returns what was refused, as it was said where that happened, and what to do about it in the page's language. */
export const refusalText = (
  { reason, message, hint }: Pick<Refusal, "reason" | "message" | "hint">,
  language: Language,
): Html =>
  html`<span lang="en">${message}</span> <code>${reason}</code><br>${
    language === "en"
      ? html`<span class="note">${hint}</span>`
      : html`<span class="note">${commonWords[language].reason(reason)}</span>`
  }`;
