import { z } from "zod";
import { concatBytes, toHex, utf8, utf8Text } from "../../core/bytes.ts";
import { canonicalJson, type Digest, digestOf, isCanonicalText, sha256 } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parsedBy } from "../../core/schema.ts";

/**
 * The export: one text file, a line of canonical JSON each (`.fcexport`).
 *
 *     {"kind":"log","version":1}
 *     {"checkpoint":"…signed note…"}
 *     {"roster":"…signed note…"}  {"manifest":{…}}  {"header":{…}}     before the entry that names their digest;
 *     {"epoch":{…}}  {"evidence":{…}}                                  likewise
 *     {"certificate":{…}}  {"model":{…}}                               likewise; left out of an export without sums
 *     {"entry":{…}}                                                    all, in order
 *     {"end":{"chain":"…","entries":N}}
 *
 * Every line has only its one canonical form; `chain` is SHA-256(chain ‖ line) over the lines before it, so that
 * a damaged file is told from a forged one. What makes the content true is the checkpoint, never the chain.
 */

export type ExportKind = "log" | "ledger";

const objectKinds = ["manifest", "header", "epoch", "certificate", "evidence", "model"] as const;
type ObjectKind = (typeof objectKinds)[number];

/** What an entry names by its digest and a check needs in full. */
export type Attachment =
  | { readonly kind: "roster"; readonly digest: Digest; readonly note: string }
  | { readonly kind: ObjectKind; readonly digest: Digest; readonly value: unknown };

export type ExportItem =
  | { readonly type: "roster"; readonly note: string }
  /** Canonical JSON, UTF-8. */
  | { readonly type: ObjectKind | "entry"; readonly bytes: Uint8Array };

export type ExportRecord =
  | { readonly type: "checkpoint"; readonly note: string }
  | { readonly type: "attachment"; readonly attachment: Attachment }
  /** Canonical bytes, and what they were parsed to. */
  | { readonly type: "entry"; readonly index: number; readonly bytes: Uint8Array; readonly value: unknown };

const version = 1;
// The advertisements of an epoch of 4,096 members are the longest line: 64 keys each.
const maxLineBytes = 16 * 2 ** 20;

const nextChain = (chain: Uint8Array, line: Uint8Array): Uint8Array => sha256(chain, line);
const emptyChain: Uint8Array = new Uint8Array(0);

/**
 * Writes an export while its parts arrive; holds one line in memory.
 * @param items - attachments before the entries that name them; entries in order, as many as the checkpoint has.
 * @returns the file, a line at a time.
 */
export async function* writeExport(
  kind: ExportKind,
  checkpoint: string,
  items: AsyncIterable<ExportItem> | Iterable<ExportItem>,
): AsyncGenerator<Uint8Array> {
  let chain = emptyChain;
  let entries = 0;
  const line = (json: string): Uint8Array => {
    const bytes = utf8(`${json}\n`);
    chain = nextChain(chain, bytes);
    return bytes;
  };
  yield line(canonicalJson({ kind, version }));
  yield line(canonicalJson({ checkpoint }));
  for await (const item of items) {
    if (item.type === "entry") entries++;
    // The bytes are canonical already; parsing them again would only cost time.
    yield line(
      item.type === "roster"
        ? canonicalJson({ roster: item.note })
        : `{"${item.type}":${utf8Text(item.bytes) ?? "null"}}`,
    );
  }
  yield utf8(`${canonicalJson({ end: { chain: toHex(chain), entries } })}\n`);
}

const firstLine = z.strictObject({ kind: z.enum(["log", "ledger"]), version: z.literal(version) });
const otherLine = z.union([
  z.strictObject({ checkpoint: z.string() }),
  z.strictObject({ roster: z.string() }),
  z.strictObject({ manifest: z.looseObject({}) }),
  z.strictObject({ header: z.looseObject({}) }),
  z.strictObject({ epoch: z.looseObject({}) }),
  z.strictObject({ certificate: z.looseObject({}) }),
  z.strictObject({ evidence: z.looseObject({}) }),
  z.strictObject({ model: z.looseObject({}) }),
  z.strictObject({ end: z.strictObject({ chain: z.string(), entries: z.int().min(0) }) }),
]);

/** Entries are most of a file, and their own schema is looked at by whoever reads them. @returns undefined for others */
function entryIn(line: unknown): object | undefined {
  if (typeof line !== "object" || line === null || !Object.hasOwn(line, "entry")) return undefined;
  const { entry, ...rest } = line as { entry: unknown };
  const isEntry = typeof entry === "object" && entry !== null && !Array.isArray(entry);
  return isEntry && Object.keys(rest).length === 0 ? entry : undefined;
}

/**
 * Reads an export as it arrives. Checks its form only.
 * @param chunks - the file's bytes in pieces of any size.
 * @returns its kind, then its records as they come.
 * @throws Refusal file_malformed, naming the line.
 */
export async function readExport(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<{ kind: ExportKind; records: AsyncGenerator<ExportRecord> }> {
  const lines = parseLines(chunks);
  const first = await lines.next();
  const head = parsedBy(firstLine, first.done ? undefined : first.value.value);
  if (!head.success) throw malformed(1, "not an export of this version");
  return { kind: head.data.kind, records: readRecords(lines, nextChain(emptyChain, first.value!.bytes)) };
}

const malformed = (line: number, what: string): Refusal =>
  new Refusal("file_malformed", `export, line ${line}: ${what}`, { hint: "fetch the export again" });

async function* readRecords(lines: AsyncGenerator<Line>, start: Uint8Array): AsyncGenerator<ExportRecord> {
  let chain = start;
  let entries = 0;
  let ended = false;
  let number = 1;
  for await (const line of lines) {
    number++;
    if (ended) throw malformed(number, "there is more after the end");
    const entry = entryIn(line.value);
    if (entry !== undefined && number > 2) {
      yield { type: "entry", index: entries++, bytes: valueIn(line, "entry"), value: entry };
      chain = nextChain(chain, line.bytes);
      continue;
    }
    const parsed = parsedBy(otherLine, line.value);
    if (!parsed.success) throw malformed(number, "not a record of an export");
    const record = parsed.data;
    if ("checkpoint" in record !== (number === 2))
      throw malformed(number, "the checkpoint is the second line");
    if ("checkpoint" in record) yield { type: "checkpoint", note: record.checkpoint };
    else if ("end" in record) {
      if (record.end.chain !== toHex(chain) || record.end.entries !== entries)
        throw malformed(number, "the file is damaged: it does not have the content its end states");
      ended = true;
    } else yield { type: "attachment", attachment: attachmentOf(record, line) };
    chain = nextChain(chain, line.bytes);
  }
  if (!ended) throw malformed(number, "the end is missing: the file is cut off");
}

/** A line is canonical, and so is the value of its one field: `{"name":` value `}` newline. */
const valueIn = ({ bytes }: Line, name: string): Uint8Array => bytes.subarray(name.length + 4, -2);

function attachmentOf(
  record: { roster: string } | Partial<Record<ObjectKind, object>>,
  line: Line,
): Attachment {
  if ("roster" in record) {
    const split = record.roster.lastIndexOf("\n\n");
    if (split < 0) throw malformed(line.number, "the roster is not a signed note");
    return { kind: "roster", digest: digestOf(record.roster.slice(0, split + 1)), note: record.roster };
  }
  const kind = objectKinds.find((name) => name in record)!;
  return { kind, digest: digestOf(valueIn(line, kind)), value: record[kind] };
}

interface Line {
  /** Counted from 1. */
  readonly number: number;
  readonly value: unknown;
  /** With its newline. */
  readonly bytes: Uint8Array;
}

async function* parseLines(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Line> {
  let number = 0;
  for await (const bytes of splitLines(chunks)) {
    number++;
    if (bytes.length > maxLineBytes) throw malformed(number, "the line is longer than 16 MiB");
    const text = utf8Text(bytes);
    let value: unknown;
    try {
      value = JSON.parse(text ?? "");
    } catch {
      throw malformed(number, "not JSON in UTF-8");
    }
    if (text?.endsWith("\n") !== true || !isCanonicalText(text.slice(0, -1), value))
      throw malformed(number, "not canonical JSON");
    yield { number, value, bytes };
  }
}

async function* splitLines(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      const end = rest.subarray(0, at + 1);
      yield pending.length === 0 ? end : concatBytes(...pending, end);
      pending = [];
      length = 0;
      rest = rest.subarray(at + 1);
    }
    if (rest.length === 0) continue;
    pending.push(rest);
    length += rest.length;
    // The check above names the line; here an endless one only must not fill memory.
    if (length > maxLineBytes) break;
  }
  if (pending.length > 0) yield concatBytes(...pending);
}
