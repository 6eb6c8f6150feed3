import { commonWords } from "../../core/pages/common-words.ts";
import { html } from "../../core/pages/html.ts";
import { refusalText } from "../../core/pages/refusal.ts";
import { isReason, type Refusal } from "../../core/reasons.ts";
import type { View } from "./frame.ts";
import type { Locale } from "./locale.ts";

/** @returns what a refusal of the closed list says to people. */
export const reasonWords = (reason: string, { language }: Locale): string =>
  isReason(reason) ? commonWords[language].reason(reason) : reason;

export const refusalView = (refusal: Refusal, { language, words }: Locale): View => ({
  title: words.refused,
  body: html`<p class="alarm" role="alert">${refusalText(refusal, language)}</p>
<p>${words.nothingChanged}</p>`,
});
