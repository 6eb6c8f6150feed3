import { html } from "../../core/pages/html.ts";
import { facts, table } from "../../core/pages/parts.ts";
import { verifyInclusion } from "../../privacy/log/merkle.ts";
import type { EgressLedger } from "../ledger/egress.ts";
import { numeric, pages, type View } from "./layout.ts";
import type { Locale } from "./locale.ts";

const pageSize = 50;
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

/** What has left this machine, and what else the ledger holds. */
export function egressView(ledger: EgressLedger, page: number, locale: Locale): View {
  const { words, number, bytes, moment } = locale;
  const { size } = ledger;
  const totals = ledger.totals();
  const until = Math.max(0, size - page * pageSize);
  const entries = ledger.entries(Math.max(0, until - pageSize), until);
  const sum = (of: "messages" | "bytes"): number => totals.reduce((all, one) => all + one[of], 0);
  const kindName = (kind: string): string => words.kinds[kind] ?? kind;
  const body = html`<p>${words.egressIntro}</p>
${facts([
  [words.messages, number(sum("messages"))],
  [words.bytesBefore, bytes(sum("bytes"))],
  [words.destinations, number(new Set(totals.map(({ destination }) => destination)).size)],
  [words.ledgerEntries, number(size)],
])}
<h2>${words.byDestination}</h2>
${table(
  words.byDestinationCaption,
  [words.destination, words.kind, numeric(words.messages), numeric(words.bytes)],
  totals.map((one) => [one.destination, kindName(one.kind), number(one.messages), number(one.bytes)]),
)}
<h2>${words.entryByEntry}</h2>
${table(
  words.latestFirst,
  [words.entry, words.what, numeric(words.bytes), words.time, words.destination, "SHA-256"],
  entries.map(({ position, entry }) => {
    const link = html`<a href="/egress/${position}">${number(position)}</a>`;
    const time = moment(entry.time);
    if (entry.type !== "egress.sent") return [link, kindName(entry.type), "", time, words.staysHere, ""];
    return [
      link,
      kindName(entry.kind),
      number(entry.bytes),
      time,
      entry.destination,
      html`<code class="digest">${entry.digest.slice(0, 16)}…</code>`,
    ];
  }),
)}
${pages("/egress", page, pageSize, size, locale)}
<p class="note">${words.exportHint} <code>fedcredit node ledger --out ledger.fcexport</code></p>`;
  return { title: words.egressTitle, body };
}

/** One entry and its proof. @returns undefined where there is none */
export async function entryView(
  ledger: EgressLedger,
  position: number,
  { words, number }: Locale,
): Promise<View | undefined> {
  const found = ledger.entries(position, position + 1)[0];
  if (found === undefined) return undefined;
  const { leaf, path, checkpoint } = await ledger.prove(position);
  const [, size, root] = checkpoint.split("\n");
  const holds = verifyInclusion(position, Number(size), leaf, path, Buffer.from(root!, "base64"));
  const body = html`<p><a href="/egress">${words.allEntries}</a></p>
<pre>${JSON.stringify(found.entry, undefined, 2)}</pre>
<h2>${words.proofTitle}</h2>
<p>${
    holds
      ? html`<span class="good">${words.proofHolds}</span>`
      : html`<span class="alarm">${words.proofHoldsNot}</span>`
  } ${words.proofHint}</p>
<h3>${words.leafHash}</h3>
<pre>${hex(leaf)}</pre>
<h3>${words.auditPath}</h3>
<pre>${path.length === 0 ? words.onlyEntry : path.map(hex).join("\n")}</pre>
<h3>${words.checkpoint}</h3>
<pre>${checkpoint}</pre>`;
  return { title: words.entryTitle(number(position)), body };
}
