import { toBase64, toHex, utf8Text } from "../../core/bytes.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { Refusal } from "../../core/reasons.ts";
import { leafHash } from "../../privacy/log/merkle.ts";
import { type Asked, type Locale, placeIn, type View } from "./asked.ts";

/** One entry, with the proof that it is in the log. */
export async function entryView({ log, locale, params }: Asked): Promise<View | undefined> {
  const { words, number, moment } = locale;
  const index = placeIn(log, params.index);
  if (index === undefined) return undefined;
  const of = log.entries[index]!;
  const text = utf8Text(of.bytes) ?? "";
  const { root } = log.report.log;
  const path = await log.path(index).catch((error: unknown) => {
    if (error instanceof Refusal) return undefined;
    throw error;
  });
  const body = html`${
    of.entry === undefined
      ? html`<p class="alarm">${words.notValid}</p>`
      : facts([
          [words.kind, html`${words.kinds[of.entry.type]} <span class="aside">${of.entry.type}</span>`],
          [words.when, moment(of.entry.time)],
          ...(of.study === undefined ? [] : [[words.study, log.nameOf(of.study)] as const]),
          ...(of.round === undefined
            ? []
            : [[words.round, words.roundIs(number(of.round.round), number(of.round.attempt))] as const]),
          ...(of.enterprises.length === 0 ? [] : [[words.concerns, of.enterprises.join(", ")] as const]),
        ])
  }
<nav class="pages" aria-label="${words.more}">
${index > 0 && html`<a rel="prev" href="/entries/${index - 1}">${words.before}</a>`}
${index + 1 < log.entries.length && html`<a rel="next" href="/entries/${index + 1}">${words.after}</a>`}
</nav>
<h2>${words.content}</h2>
${note(words.contentHint)}
<pre tabindex="0">${indented(text)}</pre>
<h2>${words.proof}</h2>
${note(words.proofHint)}
${facts([
  [words.treeSize, number(log.signedSize)],
  [words.leaf, html`<code>${toHex(leafHash(of.bytes))}</code>`],
  [words.root, html`<code>${root}</code>`],
])}
${
  path !== undefined &&
  html`<details><summary>${words.path}</summary>
${table(
  words.path,
  [{ name: words.side, numeric: true }, words.hash],
  path.map((hash, level) => [level + 1, html`<code>${toBase64(hash)}</code>`]),
)}
</details>
${verifier(locale, { receipt: `/receipts/${index}.tlog-proof`, policy: "/log.policy" })}
<p><a class="button" href="/receipts/${index}.tlog-proof">${words.downloadReceipt}</a> <a class="button" href="/log.policy">${words.downloadPolicy}</a></p>`
}`;
  return { title: words.entryTitle(number(index)), body, module: "/verify.js" };
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The button that verifies in the browser. @param from - where it fetches; what is not there is chosen as a file */
export const verifier = (
  { words }: Locale,
  from: { readonly receipt?: string; readonly policy?: string } = {},
): Html => html`<form data-verify data-receipt="${from.receipt ?? ""}" data-policy="${from.policy ?? ""}" data-holds="${words.holds}" data-fails="${words.fails}" data-unreachable="${words.unreachable}" data-nobody="${words.nobody}" class="card">
${from.receipt === undefined && file("receipt", words.receiptFile)}
${from.policy === undefined && file("policy", words.policyFile)}
<button class="main">${words.verifyHere}</button>
<p class="note">${from.receipt === undefined ? words.receiptsHint : words.verifyHint}</p>
<p><output aria-live="polite"></output></p>
</form>
<pre data-proven tabindex="0"></pre>`;

const file = (name: string, label: string): Html =>
  html`<div class="field"><label for="${name}">${label}</label><input id="${name}" name="${name}" type="file" required></div>`;
