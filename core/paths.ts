/** Paths in configuration files: a schema says which of its fields name a file or a folder. */
import { resolve } from "node:path";
import { z } from "zod";

const marked = z.registry<undefined>();

/**
 * A field that names a file or a folder, relative to the folder of the configuration file it stands in.
 * @param description - of the field. Wrap it (`.optional()`), but refine it no further: the mark is on this schema.
 */
export const filePath = (description: string): z.ZodString =>
  z.string().min(1).describe(description).register(marked);

/**
 * @param value - as the file has it, before it is parsed.
 * @returns the same value, each path in it absolute. What does not fit the schema stays as it is.
 */
export function resolvePaths(value: unknown, schema: z.core.$ZodType, folder: string): unknown {
  if (value === undefined || value === null) return value;
  if (typeof value === "string" && marked.has(schema)) return value === "" ? value : resolve(folder, value);
  const inside = (one: unknown, of: z.core.$ZodType): unknown => resolvePaths(one, of, folder);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return inside(value, schema.def.innerType);
  if (schema instanceof z.ZodPipe) return inside(value, schema.def.in);
  if (schema instanceof z.ZodUnion) {
    // The option that takes the value is the one that says what its fields mean.
    const taken = schema.def.options.find((option) => z.safeParse(option, value).success);
    return taken === undefined ? value : inside(value, taken);
  }
  if (Array.isArray(value))
    return schema instanceof z.ZodArray ? value.map((one) => inside(one, schema.def.element)) : value;
  if (typeof value !== "object") return value;
  const fields = Object.entries(value);
  if (schema instanceof z.ZodRecord)
    return Object.fromEntries(fields.map(([key, one]) => [key, inside(one, schema.def.valueType)]));
  if (schema instanceof z.ZodObject) {
    const shape = new Map<string, z.core.$ZodType>(Object.entries(schema.def.shape));
    return Object.fromEntries(
      fields.map(([key, one]) => {
        const field = shape.get(key);
        return [key, field === undefined ? one : inside(one, field)];
      }),
    );
  }
  return value;
}
