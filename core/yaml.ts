/** YAML files as a strict schema reads them: an unknown key, a wrong value or no YAML at all is a refusal. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Document, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { readRefusal } from "./files.ts";
import { keysAt, nearest } from "./keys.ts";
import { resolvePaths } from "./paths.ts";
import { Refusal } from "./reasons.ts";

/**
 * Reads one YAML file by a strict schema. Paths that the schema marks are relative to the file's own folder.
 * @param prepare - what is done to the value before it is looked at.
 * @param text - what the file says, where that was read before.
 * @returns what the file says, with absolute paths.
 * @throws Refusal file_missing, file_malformed, config_invalid
 */
export function readYaml<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  prepare: (value: unknown) => unknown = (value) => value,
  text = readText(file),
): z.infer<Schema> {
  const value = resolvePaths(prepare(yamlValue(text, file)), schema, dirname(resolve(file)));
  return valid(value, file, schema);
}

/** @throws Refusal file_missing, file_malformed */
export function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw readRefusal(file, error);
  }
}

/**
 * @param source - for messages: the file's name.
 * @throws Refusal file_malformed with the line of a syntax error, config_invalid with the path of the field.
 */
export function parseYaml<Schema extends z.ZodType>(
  text: string,
  source: string,
  schema: Schema,
): z.infer<Schema> {
  return valid(yamlValue(text, source), source, schema);
}

/** One thing that is wrong with a text. */
export interface YamlFault {
  /** Where it stands, from 1; the first line where nothing stands. */
  readonly line: number;
  /** Path of the field; empty where the text is no YAML, or the whole is meant. */
  readonly path: string;
  readonly message: string;
}

/** @param say - the schema's own messages in another language. @returns everything that is wrong with a text */
export function yamlFaults(text: string, schema: z.ZodType, say?: z.core.$ZodErrorMap): YamlFault[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  if (document.errors.length > 0)
    return document.errors.map(({ pos, code }) => ({ line: lineAt(pos[0]), path: "", message: code }));
  let value: unknown;
  try {
    value = plainOf(document, "the text");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [{ line: 1, path: "", message: error.message }];
  }
  const parsed = schema.safeParse(value, say && { error: say });
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) => {
    // What is missing has no place: the nearest thing around it has.
    let known = path.length;
    while (known > 0 && !document.hasIn(path.slice(0, known))) known--;
    const node = known === 0 ? undefined : document.getIn(path.slice(0, known), true);
    const range = (node as { range?: readonly number[] } | undefined)?.range;
    return { line: lineAt(range?.[0] ?? 0), path: path.join("."), message };
  });
}

function yamlValue(text: string, source: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [syntax] = document.errors;
  if (syntax)
    throw new Refusal(
      "file_malformed",
      `${source}:${lines.linePos(syntax.pos[0]).line}: not YAML (${syntax.code})`,
      { cause: syntax },
    );
  return plainOf(document, source);
}

/**
 * @param document - without errors.
 * @throws Refusal file_malformed where it has an alias of nothing, or aliases of aliases without end
 */
export function plainOf(document: Document.Parsed, source: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (cause) {
    throw new Refusal("file_malformed", `${source}: not YAML (${(cause as Error).message})`, { cause });
  }
}

function valid<Schema extends z.ZodType>(value: unknown, source: string, schema: Schema): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues[0]!, source, schema);
}

function invalid(issue: z.core.$ZodIssue, source: string, schema: z.ZodType): Refusal {
  const path = issue.path.join(".");
  if (issue.code !== "unrecognized_keys")
    return new Refusal("config_invalid", `${source}: ${path === "" ? "" : `${path}: `}${issue.message}`);
  const keys = issue.keys.map((key) => [...issue.path, key].join("."));
  const known = nearest(String(issue.keys[0]), keysAt(schema, issue.path));
  return new Refusal("config_invalid", `${source}: unknown key ${keys.join(", ")}`, {
    hint: known.length > 0 ? `known keys: ${known.join(", ")}` : "remove it or correct its spelling",
  });
}
