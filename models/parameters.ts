import { z } from "zod";
import { Refusal } from "../core/reasons.ts";
import { parsedBy } from "../core/schema.ts";

/**
 * Parses an algorithm's parameters.
 * @throws Refusal parameters_invalid, naming the parameter
 */
export function parseParameters<T>(algorithm: string, schema: z.ZodType<T>, params: unknown): T {
  const parsed = parsedBy(schema, params);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const at = [algorithm, ...issue.path].join(".");
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  throw new Refusal("parameters_invalid", `${at}: ${issue.message}`, {
    hint: `${algorithm} takes: ${["name", "as", ...known].join(", ")}`,
  });
}

/**
 * Parses a state or a result: what one's own process made, or what came from elsewhere.
 * @param what - for the message.
 * @throws Refusal state_invalid, naming the field
 */
export function parsePublic<T>(what: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = parsedBy(schema, value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new Refusal("state_invalid", `${[what, ...issue.path].join(".")}: ${issue.message}`);
}

/** A name in a study: of a result, of the study itself. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lowercase letters, digits and hyphens, 63 at most");

/** A parameter that says which earlier result to read. */
export const resultName = (algorithm: string) =>
  nameSchema.default(algorithm).describe(`the ${algorithm} result it reads, by its \`as\``);
