/** YAML files as a strict schema reads them: an unknown key, a wrong value or no YAML at all is a refusal. */
import { readFileSync } from "node:fs";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { readRefusal } from "./files.ts";
import { Refusal } from "./reasons.ts";

/** Reads one YAML file by a strict schema. @throws Refusal file_missing, file_malformed, config_invalid */
export function readYaml<Schema extends z.ZodType>(file: string, schema: Schema): z.infer<Schema> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw readRefusal(file, error);
  }
  return parseYaml(text, file, schema);
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
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [syntax] = document.errors;
  if (syntax)
    throw new Refusal(
      "file_malformed",
      `${source}:${lines.linePos(syntax.pos[0]).line}: not YAML (${syntax.code})`,
      { cause: syntax },
    );
  const parsed = schema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues[0]!, source, schema);
}

function invalid(issue: z.core.$ZodIssue, source: string, schema: z.ZodType): Refusal {
  const path = issue.path.join(".");
  if (issue.code !== "unrecognized_keys")
    return new Refusal("config_invalid", `${source}: ${path === "" ? "" : `${path}: `}${issue.message}`);
  const keys = issue.keys.map((key) => [...issue.path, key].join("."));
  const known = path === "" && schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return new Refusal("config_invalid", `${source}: unknown key ${keys.join(", ")}`, {
    hint: known.length > 0 ? `known keys: ${known.join(", ")}` : "remove it or correct its spelling",
  });
}
