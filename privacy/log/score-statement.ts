import { z } from "zod";
import { canonicalJson } from "../../core/canonical.ts";
import { idSchema } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import { parsedBy } from "../../core/schema.ts";
import { type NoteVerifier, openNote, type Signer, signNote } from "./note.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** A band's name, as it stands on pages and in the log. */
export const gradePattern = /^[A-Za-z0-9][A-Za-z0-9+-]{0,7}$/;
/** Reason codes of one statement. */
export const mostReasonCodes = 4;
/** A column's name as a reason code: one line of printable text. */
const reasonCode = z.string().regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,128}$/u, "one line of at most 128 characters");

export const isReasonCode = (text: string): boolean => reasonCode.safeParse(text).success;

/** What an enterprise says of itself by a published model: how likely bad is, and why. Never a feature's value. */
export const scoreStatementSchema = z
  .strictObject({
    consortium: idSchema,
    enterprise: idSchema,
    study: digest.describe("of the manifest that the model is of"),
    model: digest.describe("of the model document"),
    result: idSchema.describe("name of the result that scored, in the model document"),
    from: z.iso.date().describe("first day of the window"),
    until: z.iso.date().describe("day after its last"),
    issued: z.int().min(0).describe("when it was made, Unix milliseconds"),
    probability: z.number().min(0).max(1).describe("of bad, the mean over the window's rows, four decimals"),
    grade: z.string().regex(gradePattern, "a grade's name"),
    reasons: z.array(reasonCode).max(mostReasonCodes).describe("columns that moved it most towards bad"),
    scored: z.number().min(0).max(1).describe("share of the window's rows that could be scored"),
    passed: z.number().min(0).max(1).optional().describe("share of devices' cells that passed the checks"),
  })
  .refine(({ from, until }) => from < until, "the window ends before it begins")
  .refine(({ reasons }) => new Set(reasons).size === reasons.length, "a reason is there twice");

export type ScoreStatement = z.output<typeof scoreStatementSchema>;

const kind = "fedcredit/score/v1";

const format = (statement: ScoreStatement): string => `${kind}\n${canonicalJson(statement)}\n`;

/** @returns the statement as a note signed by the enterprise's identity key: kind, then canonical JSON. */
export const signScoreStatement = (statement: ScoreStatement, identity: Signer): string =>
  signNote(format(scoreStatementSchema.parse(statement)), [identity]);

/** @throws Refusal note_malformed, signature_invalid */
export function openScoreStatement(note: string, identity: NoteVerifier): ScoreStatement {
  const { text } = openNote(note, [identity]);
  let value: unknown;
  try {
    value = JSON.parse(text.slice(kind.length + 1));
  } catch (cause) {
    throw new Refusal("note_malformed", "not a score statement: no JSON after its kind", { cause });
  }
  const { data, error } = parsedBy(scoreStatementSchema, value);
  if (data === undefined || format(data) !== text) {
    const [issue] = error?.issues ?? [];
    const what = issue === undefined ? "not canonical" : `${issue.path.join(".")}: ${issue.message}`;
    throw new Refusal("note_malformed", `not a score statement: ${what}`);
  }
  return data;
}

/** @param note - a statement that was checked when it was taken, or made here. */
export const saidIn = (note: string): ScoreStatement =>
  JSON.parse(note.slice(note.indexOf("\n") + 1, note.indexOf("\n\n"))) as ScoreStatement;
