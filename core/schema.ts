import { z } from "zod";

const tooDeep = new z.ZodError([
  { code: "custom", path: [], message: "nested too deeply", input: undefined },
]);

/**
 * A value from elsewhere as a schema reads it. One that is nested deeper than functions call themselves is invalid: where
 * an array is asked for, the schema compares the length of whatever stands there, and an object may say any.
 */
export function parsedBy<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  try {
    return schema.safeParse(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { success: false, error: tooDeep as z.ZodError<z.output<Schema>> };
  }
}
