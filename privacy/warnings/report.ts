import { z } from "zod";
import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parsedBy } from "../../core/schema.ts";
import { type NoteVerifier, openNote, type Signer, signNote } from "../log/note.ts";
import { type CoarseWarning, coarseWarningSchema, type WarningTerms } from "./terms.ts";

/** Warnings of one report: more than an enterprise has in a quarter. */
export const mostReported = 200;

const reportSchema = z.strictObject({
  /** Keeps the digest, which the log holds, from being guessed. */
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  warnings: z.array(coarseWarningSchema).min(1).max(mostReported),
});

export interface WarningReport {
  readonly salt: string;
  readonly warnings: readonly CoarseWarning[];
}

/** What an enterprise signs: which report it makes, and under which terms. */
export interface WarningStatement {
  readonly consortium: string;
  readonly enterprise: string;
  /** Of the bank's terms. */
  readonly terms: Digest;
  /** Of the report. */
  readonly report: Digest;
}

export const termsDigest = (terms: WarningTerms): Digest => digestOf(canonicalBytes(terms));
export const reportBytes = (report: WarningReport): Uint8Array => canonicalBytes(report);

const kind = "fedcredit/warnings/v1";

/** @returns the text that is signed: kind, consortium, enterprise, terms, report, one a line. */
const formatStatement = ({ consortium, enterprise, terms, report }: WarningStatement): string =>
  `${[kind, consortium, enterprise, terms, report].join("\n")}\n`;

export const signStatement = (statement: WarningStatement, identity: Signer): string =>
  signNote(formatStatement(statement), [identity]);

/** @throws Refusal note_malformed, signature_invalid */
export function openStatement(note: string, identity: NoteVerifier): WarningStatement {
  const { text } = openNote(note, [identity]);
  const [, consortium = "", enterprise = "", terms = "", report = ""] = text.split("\n");
  const statement = { consortium, enterprise, terms, report };
  const areDigests = [terms, report].every((digest) => /^[0-9a-f]{64}$/.test(digest));
  if (formatStatement(statement) !== text || !areDigests)
    throw new Refusal("note_malformed", "not a report: kind, consortium, enterprise, terms, report");
  return statement;
}

/** @throws Refusal message_malformed */
export function parseReport(bytes: Uint8Array): WarningReport {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new Refusal("message_malformed", "a report of warnings is JSON", { cause });
  }
  const parsed = parsedBy(reportSchema, value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal("message_malformed", `warnings: ${issue?.path.join(".")}: ${issue?.message}`);
}
