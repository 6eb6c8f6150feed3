import { html } from "../../core/pages/html.ts";
import { facts, table } from "../../core/pages/parts.ts";
import { verifyInclusion } from "../../privacy/log/merkle.ts";
import type { EgressLedger } from "../ledger/egress.ts";
import { bytes, moment, number } from "./format.ts";
import { pages, type View } from "./layout.ts";

const pageSize = 50;
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

/** What has left this machine, and what else the ledger holds. */
export function egressView(ledger: EgressLedger, page: number): View {
  const { size } = ledger;
  const totals = ledger.totals();
  const until = Math.max(0, size - page * pageSize);
  const entries = ledger.entries(Math.max(0, until - pageSize), until);
  const sum = (of: "messages" | "bytes"): number => totals.reduce((all, one) => all + one[of], 0);
  const body = html`<p>An entry is on disk before a message's first byte leaves. What was sent is stated by size and digest; the content is sealed, and no reading is ever in it.</p>
${facts([
  ["Messages", number(sum("messages"))],
  ["Bytes before encryption of the line", bytes(sum("bytes"))],
  ["Destinations", new Set(totals.map(({ destination }) => destination)).size],
  ["Ledger entries", number(size)],
])}
<h2>By destination and kind</h2>
${table(
  "All that left since the node was made",
  ["Destination", "Kind", n("Messages"), n("Bytes")],
  totals.map((one) => [one.destination, one.kind, number(one.messages), number(one.bytes)]),
)}
<h2>Entry by entry</h2>
${table(
  "The latest first",
  ["Entry", "What", n("Bytes"), "Time", "Destination", "SHA-256"],
  entries.map(({ position, entry }) => {
    const link = html`<a href="/egress/${position}">${position}</a>`;
    const time = moment(entry.time * 1000);
    if (entry.type !== "egress.sent") return [link, entry.type, "", time, "stays here", ""];
    return [
      link,
      entry.kind,
      number(entry.bytes),
      time,
      entry.destination,
      html`<code class="digest">${entry.digest.slice(0, 16)}…</code>`,
    ];
  }),
)}
${pages("/egress", page, pageSize, size)}
<p class="note">Export for the auditor: <code>fedcredit node ledger --out ledger.fcexport</code></p>`;
  return { title: "What has left this machine", body };
}

/** One entry and its proof. @returns undefined where there is none */
export async function entryView(ledger: EgressLedger, position: number): Promise<View | undefined> {
  const found = ledger.entries(position, position + 1)[0];
  if (found === undefined) return undefined;
  const { leaf, path, checkpoint } = await ledger.prove(position);
  const [, size, root] = checkpoint.split("\n");
  const holds = verifyInclusion(position, Number(size), leaf, path, Buffer.from(root!, "base64"));
  const body = html`<p><a href="/egress">All entries</a></p>
<pre>${JSON.stringify(found.entry, undefined, 2)}</pre>
<h2>Proof that it is in the ledger</h2>
<p>${
    holds
      ? html`<span class="good">The proof holds.</span>`
      : html`<span class="alarm">The proof does not hold: restore the data directory from its backup and tell the auditor.</span>`
  } The checkpoint is signed by this enterprise; anyone with the proof can check the entry against it (RFC 6962).</p>
<h3>Leaf hash</h3>
<pre>${hex(leaf)}</pre>
<h3>Audit path, the sibling first</h3>
<pre>${path.length === 0 ? "empty: the only entry" : path.map(hex).join("\n")}</pre>
<h3>Checkpoint</h3>
<pre>${checkpoint}</pre>`;
  return { title: `Entry ${position}`, body };
}

const n = (name: string): { name: string; numeric: true } => ({ name, numeric: true });
