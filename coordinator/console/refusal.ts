import { type Html, html } from "../../core/pages/html.ts";
import { isReason, type Refusal, reasons } from "../../core/reasons.ts";
import type { View } from "./frame.ts";
import type { Locale } from "./locale.ts";
import { reasonsZh } from "./messages.ts";

/** @returns what a refusal of the closed list says to people. */
export function reasonWords(reason: string, { language }: Locale): string {
  if (!isReason(reason)) return reason;
  return (language === "zh" ? reasonsZh[reason] : undefined) ?? reasons[reason].hint;
}

/** What the coordinator says, in its own language, and what to do about it. */
export const refusalText = (
  { reason, message, hint }: Pick<Refusal, "reason" | "message" | "hint">,
  locale: Locale,
): Html => {
  const words = locale.language === "zh" ? reasonsZh[reason] : undefined;
  return html`<span lang="en">${message}</span> <code>${reason}</code>${
    words === undefined
      ? html`<br><span class="note" lang="en">${hint}</span>`
      : html`<br><span class="note">${words}</span>`
  }`;
};

export const refusalView = (refusal: Refusal, locale: Locale): View => ({
  title: locale.words.refused,
  body: html`<p class="alarm" role="alert">${refusalText(refusal, locale)}</p>
<p>${locale.words.nothingChanged}</p>`,
});
