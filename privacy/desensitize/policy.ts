import { z } from "zod";

/**
 * What an enterprise says of each field, and what then becomes of it. Deny by default: a field without a line
 * cannot pass, and no parameter of an operator has a default.
 */

/** How far a field points to a person. */
export const fieldClasses = ["direct", "quasi", "sensitive", "operational"] as const;
export type FieldClass = (typeof fieldClasses)[number];

/** Sensitivity of personal financial information. @see JR/T 0171-2020, 4.2: C3 is what authenticates a person. */
export const fieldLevels = ["C1", "C2", "C3"] as const;
export type FieldLevel = (typeof fieldLevels)[number];

const line = {
  name: z.string().min(1).max(200).describe("column"),
  class: z
    .enum(fieldClasses)
    .describe(
      "direct identifier, quasi-identifier (one of several that point to a person together), sensitive attribute, or operational figure that points to nobody",
    ),
  level: z
    .enum(fieldLevels)
    .describe(
      "sensitivity by JR/T 0171-2020: C1 internal, C2 identifies or describes a person's finances, C3 authenticates a person and never leaves",
    ),
};
const rotationDays = z.int().min(1).max(3650).describe("days after which a new key is derived");
const column = z.string().min(1).max(200);
const position = {
  pair: column.describe("column with the other coordinate"),
  axis: z.enum(["latitude", "longitude"]).describe("which coordinate this column holds, WGS-84 degrees"),
};

/** Units of {@link fieldSchema}'s truncate-time, coarse to fine. */
export const timeUnits = ["year", "quarter", "month", "week", "day", "hour"] as const;
export type TimeUnit = (typeof timeUnits)[number];

const operators = z.discriminatedUnion("operator", [
  z.strictObject({
    ...line,
    operator: z.literal("keep").describe("the value as it is; for operational figures only"),
  }),
  z.strictObject({ ...line, operator: z.literal("drop").describe("never read at all") }),
  z.strictObject({
    ...line,
    operator: z
      .literal("aggregate-only")
      .describe("no single value passes, only what sums say; a label needs it"),
  }),
  z.strictObject({
    ...line,
    operator: z
      .literal("pseudonym")
      .describe(
        "32 hexadecimal digits of HMAC-SHA-256 under a key of the node: equal values stay equal, and cannot be guessed by trying",
      ),
    rotationDays,
  }),
  z.strictObject({
    ...line,
    operator: z
      .literal("format-preserving")
      .describe(
        "another value of the same length over the same alphabet (FF1, NIST SP 800-38G); needs a million possible values or more",
      ),
    alphabet: z
      .string()
      .min(2)
      .max(256)
      .refine((text) => new Set(text).size === [...text].length, "no character twice")
      .describe("all characters that values consist of"),
    rotationDays,
  }),
  z.strictObject({
    ...line,
    operator: z
      .literal("mask")
      .describe("first and last characters, * between; all * where nothing would be hidden"),
    keepFirst: z.int().min(0).max(8).describe("characters left at the beginning"),
    keepLast: z.int().min(0).max(8).describe("characters left at the end"),
  }),
  z.strictObject({
    ...line,
    operator: z.literal("bins").describe("the middle of the bin that holds the value"),
    origin: z.number().describe("where a bin begins, in the column's unit"),
    width: z.number().positive().describe("of a bin, in the column's unit"),
  }),
  z.strictObject({
    ...line,
    operator: z.literal("truncate-time").describe("the year, quarter, month, week, day or hour of a date"),
    unit: z.enum(timeUnits).describe("what is kept; a week is an ISO week"),
  }),
  z.strictObject({
    ...line,
    operator: z.literal("geohash").describe("the middle of the geohash cell that holds the position"),
    ...position,
    digits: z.int().min(1).max(7).describe("characters of the geohash; 5 are 5 km, 7 are 150 m"),
  }),
  z.strictObject({
    ...line,
    operator: z.literal("h3").describe("the middle of the H3 cell that holds the position"),
    ...position,
    resolution: z.int().min(0).max(10).describe("of the H3 cell; 6 is 36 km², 8 is 0.7 km², 10 is 0.015 km²"),
  }),
  z.strictObject({
    ...line,
    operator: z
      .literal("planar-laplace")
      .describe(
        "the position with planar-Laplace noise (geo-indistinguishable); none once the day's budget is spent",
      ),
    ...position,
    epsilonPerMetre: z.number().positive().max(1).describe("privacy loss per metre of one position"),
    dailyBudgetPerMetre: z
      .number()
      .positive()
      .max(10)
      .describe("privacy loss per metre of one subject's positions of one day"),
    subject: column.describe("column that names whose position it is"),
    time: column.describe("column with the position's date"),
    rotationDays,
  }),
  z.strictObject({
    ...line,
    operator: z
      .literal("date-shift")
      .describe("the date, moved by a number of days that is secret and the same for all dates of a subject"),
    subject: column.describe("column that names whose dates are shifted together"),
    maxDays: z.int().min(1).max(3650).describe("largest shift, days, either way"),
    rotationDays,
  }),
  z
    .strictObject({
      ...line,
      operator: z.literal("top-bottom-code").describe("the value, or the nearer bound where it lies outside"),
      low: z.number().describe("values below become this"),
      high: z.number().describe("values above become this"),
    })
    .refine(({ low, high }) => low < high, "low must be below high"),
]);

type AnyField = z.infer<typeof operators>;
export type Operator = AnyField["operator"];

/** Operators under which nothing of a single record passes. */
const neverOneRecord: ReadonlySet<Operator> = new Set<Operator>(["drop", "aggregate-only"]);

/** What may be done with a class; `keep` is for figures that point to nobody. */
export const allowed: Readonly<Record<FieldClass, (operator: Operator) => boolean>> = {
  direct: (operator) => ["drop", "pseudonym", "format-preserving", "mask"].includes(operator),
  quasi: (operator) => operator !== "keep",
  sensitive: (operator) => operator !== "keep",
  operational: () => true,
};

/** One line of `fields` in policy.yaml. */
export const fieldSchema = operators.superRefine((field, context) => {
  const refuse = (message: string): void => context.addIssue({ code: "custom", path: ["operator"], message });
  if (field.level === "C3" && !neverOneRecord.has(field.operator))
    refuse(`"${field.name}": a C3 field never leaves: drop it, or let it into aggregates only`);
  else if (!allowed[field.class](field.operator))
    refuse(`"${field.name}": ${field.operator} is not for a field of class ${field.class}`);
});

export type Field = z.infer<typeof fieldSchema>;
export type FieldOf<O extends Operator> = Extract<Field, { readonly operator: O }>;

/** @returns the other columns that an operator reads. */
export function helpersOf(field: Field): readonly string[] {
  switch (field.operator) {
    case "geohash":
    case "h3":
      return [field.pair];
    case "planar-laplace":
      return [field.pair, field.subject, field.time];
    case "date-shift":
      return [field.subject];
    default:
      return [];
  }
}

/** `fields` of policy.yaml: each column once, and every column an operator reads has a line of its own. */
export const fieldsSchema = z.array(fieldSchema).superRefine((fields, context) => {
  const names = new Set<string>();
  for (const [i, { name }] of fields.entries()) {
    if (names.has(name))
      context.addIssue({ code: "custom", path: [i, "name"], message: `"${name}" has two lines` });
    names.add(name);
  }
  for (const [i, field] of fields.entries())
    for (const helper of helpersOf(field))
      if (!names.has(helper))
        context.addIssue({
          code: "custom",
          path: [i],
          message: `"${field.name}" reads "${helper}", which has no line`,
        });
});

/** What classes of records that share their quasi-identifiers must hold to. */
export const anonymitySchema = z.strictObject({
  k: z.int().min(2).describe("fewest records of a class. Sweeney 2002"),
  l: z
    .int()
    .min(1)
    .describe("fewest distinct values of each sensitive field in a class. Machanavajjhala et al. 2007"),
  t: z
    .number()
    .min(0)
    .max(1)
    .describe("largest distance of a class's sensitive values from those of all records. Li et al. 2007"),
  maxSuppressionRate: z
    .number()
    .min(0)
    .max(0.5)
    .describe("largest share of records left out rather than generalized"),
});

export type Anonymity = z.infer<typeof anonymitySchema>;

/** What an operator makes of a column: the same values, numbers, text, or nothing. */
export function outputOf({ operator }: Field): "same" | "number" | "text" | "nothing" {
  switch (operator) {
    case "keep":
    case "aggregate-only":
      return "same";
    case "drop":
      return "nothing";
    case "bins":
    case "geohash":
    case "h3":
    case "planar-laplace":
    case "top-bottom-code":
      return "number";
    case "pseudonym":
    case "format-preserving":
    case "mask":
    case "truncate-time":
    case "date-shift":
      return "text";
  }
}
