import type { z } from "zod";
import { Refusal } from "../core/reasons.ts";
import type { Json, PriorResults } from "./algorithm.ts";

/**
 * Parses an algorithm's parameters.
 * @throws Refusal parameters_invalid, naming the parameter
 */
export function parseParameters<T extends z.ZodType>(
  algorithm: string,
  schema: T,
  params: unknown,
): z.output<T> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const at = [algorithm, ...issue.path].join(".");
  const known = "shape" in schema ? Object.keys(schema.shape as object) : [];
  throw new Refusal("parameters_invalid", `${at}: ${issue.message}`, {
    hint:
      known.length > 0
        ? `${algorithm} takes: name, ${known.join(", ")}`
        : `${algorithm} takes no parameter but its name`,
  });
}

/**
 * @returns the result of an algorithm that ran earlier in the study.
 * @throws Refusal parameters_invalid
 */
export function priorResult(prior: PriorResults, needed: string, by: string): Json {
  const result = prior[needed];
  if (result !== undefined) return result;
  throw new Refusal("parameters_invalid", `${by} needs the result of ${needed}`, {
    hint: `list { name: ${needed} } before ${by} under algorithms`,
  });
}
