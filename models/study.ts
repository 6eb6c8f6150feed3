import { z } from "zod";
import { isCanonical } from "../core/canonical.ts";
import { idSchema } from "../core/ids.ts";
import { Refusal } from "../core/reasons.ts";
import { parsedBy } from "../core/schema.ts";
import { studyTerms, unprotectedSchema } from "../core/study-terms.ts";
import { nameSchema } from "./parameters.ts";

/** Results are by column: under these names they would find what every object has. @returns whether a column can be called so. */
export const canName = (name: string): boolean => !(name in Object.prototype);

const column = z
  .string()
  .min(1)
  .refine(canName, "no feature can be called so: rename the column")
  .describe("column, as in the header line of the enterprises' tables");

export const featureSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    name: column,
    kind: z.literal("numeric").describe("a number; empty where it is missing"),
  }),
  z.strictObject({
    name: column,
    kind: z.literal("categorical").describe("one of a list of levels; empty where it is missing"),
    levels: z
      .array(z.string().refine((level) => level !== "__proto__", "no level can be called so"))
      .min(1)
      .describe("public list of levels; a value outside it is refused"),
  }),
]);

const multiplier = z.number().min(0.1).max(1e4);

const noiseSchema = z.strictObject({
  multiplier: multiplier.describe(
    "standard deviation of a sum's noise that honest enterprises alone reach, over the most that one unit changes in the sum (L2): what a sum costs follows from it",
  ),
  delta: z
    .number()
    .min(1e-12)
    .max(1e-3)
    .describe("δ for which the study's ε is stated: far below one over the number of units"),
  dropOuts: z
    .int()
    .min(0)
    .max(64)
    .describe(
      "members of a cohort that may fall silent in a sum: noise for them is drawn in advance, and taken away again where they are there",
    ),
  rowsPerSubject: z
    .int()
    .min(1)
    .describe("rows of one subject that an enterprise counts at most; further ones are left out")
    .optional(),
});

/**
 * What a bank proposes and an enterprise consents to, as a whole, by its digest.
 * Security parameters have no default.
 */
export const manifestSchema = z.strictObject({
  consortium: idSchema.describe("the consortium whose enterprises are asked"),
  table: idSchema
    .describe(
      "which of an enterprise's tables its rows are of: by `tables` of node.yaml, `rows` where absent",
    )
    .optional(),
  ...studyTerms,
  subject: z
    .string()
    .min(1)
    .describe("column that names the data subject; its rows are never split over training and holdout")
    .optional(),
  label: z
    .strictObject({
      column: z.string().min(1).describe("column that tells good from bad"),
      bad: z.array(z.string()).min(1).describe("cell values that count as bad"),
      good: z
        .array(z.string())
        .min(1)
        .describe("cell values that count as good; any other row is indeterminate and left out"),
      indeterminate: z
        .array(z.string())
        .min(1)
        .describe(
          "cell values that count as neither; where they are named, a row with any other value is refused",
        )
        .optional(),
    })
    .describe("what is to be predicted"),
  features: z.array(featureSchema).min(1).describe("columns that models may use"),
  maxRowsPerParty: z.int().min(1).describe("public bound on one enterprise's rows; sizes the sealed digits"),
  holdout: z
    .strictObject({
      fraction: z
        .number()
        .min(0)
        .max(0.9)
        .refine(
          (share) => share === 0 || share >= 0.05,
          "0, or at least 0.05: a small hold-out singles rows out",
        )
        .describe(
          "share of rows held out for evaluation, 0 or at least 0.05; 0 evaluates on the training rows. Which rows they are every enterprise draws itself",
        ),
      outOfTime: z
        .strictObject({
          column: z.string().min(1).describe("column of dates, such as when a loan was granted"),
          from: z
            .string()
            .regex(/^\d{4}-(0[1-9]|1[0-2])$/, "a month, like 2015-07")
            .describe("month, `YYYY-MM`; an enterprise takes part if it has enough rows of that month alone"),
        })
        .describe(
          "what is held out are the rows from a month on, where `fraction` is 0. Of a subject with such rows, earlier ones are left out",
        )
        .optional(),
    })
    .refine(({ fraction, outOfTime }) => fraction === 0 || outOfTime === undefined, {
      path: ["fraction"],
      message: "0 where rows are held out by their month",
    })
    .describe("rows kept from training"),
  algorithms: z
    .array(
      z.looseObject({
        name: z.string().describe("of the algorithm; its parameters stand beside it"),
        as: nameSchema.describe("what its result is called; the algorithm's name by default").optional(),
        noise: multiplier
          .describe("of its sums, where it is another than `privacy.noise.multiplier`")
          .optional(),
      }),
    )
    .min(1)
    .describe("run in this order, each with its parameters; each sees the results before it"),
  groups: z
    .array(z.array(idSchema).min(2))
    .min(3)
    .max(64)
    .describe(
      "the study's members, dealt to groups once: additive, boosting and neural sum the updates of each group by themselves, and take each step from the median of the groups, of which fewer than half may be spoiled by who poisons sums",
    )
    .optional(),
  gate: z
    .union([
      z.literal("none"),
      z
        .strictObject({
          model: nameSchema.describe(
            "name of the result that each enterprise looks at before it helps to publish it",
          ),
          champion: z
            .strictObject({
              algorithm: z.string().describe("that made it"),
              result: z.unknown().describe("as its study published it"),
            })
            .describe(
              "the model that decides today, on the study's features; an enterprise compares both on rows of its own that neither learned from",
            ),
          within: z
            .number()
            .min(0)
            .max(0.1)
            .describe(
              "by how much the model's AUC may be below the champion's there, beside one standard error",
            ),
        })
        .describe("what models are held against before they are published"),
    ])
    .describe(
      "each enterprise refuses sums that come after a model which ranks its held-out rows worse than the champion does: poisoned updates hide in sums, and nobody can lie about what others see at home. Where a champion decides for the study's purpose, the gate is on by itself; `none` is to be without",
    )
    .optional(),
  privacy: z
    .strictObject({
      minCohort: z.int().min(2).describe("fewest enterprises in a released sum, counted in organisations"),
      maxColluding: z
        .int()
        .min(0)
        .describe(
          "most enterprises that may collude with the coordinator and with each other: thresholds and neighbours follow from it, and minCohort is at least two more",
        ),
      unit: z
        .enum(["record", "subject"])
        .describe("what one unit of privacy is: a row, or all rows that an enterprise has of a data subject"),
      noise: noiseSchema
        .optional()
        .describe("noise under every sum; without it `unprotected` has to list it"),
    })
    .refine(
      ({ unit, noise }) =>
        noise === undefined || (unit === "subject") === (noise.rowsPerSubject !== undefined),
      {
        path: ["noise", "rowsPerSubject"],
        error: "needed where the unit is the subject, and only there",
      },
    )
    .describe("how the sums are protected"),
  unprotected: unprotectedSchema.describe("layers this study runs without; every policy must list them too"),
  deadlines: z
    .strictObject({
      stepSeconds: z.number().positive().describe("longest wait for one step of a round, seconds"),
    })
    .describe("how long is waited"),
});

export type StudyManifest = z.infer<typeof manifestSchema>;

/** What a table is called where an enterprise has one. */
export const usualTable = "rows";

/** @returns the name of the table that a study's rows are of. */
export const tableOf = (manifest: Pick<StudyManifest, "table"> | undefined): string =>
  manifest?.table ?? usualTable;

/** @returns whether evaluation is on rows that are kept from training. */
export const holdsOut = ({ fraction, outOfTime }: StudyManifest["holdout"]): boolean =>
  fraction > 0 || outOfTime !== undefined;

/** @returns the columns whose cells a study reads. Of its subject, it only takes which rows are one's. */
export const columnsRead = ({
  features,
  label,
  holdout,
}: Pick<StudyManifest, "features" | "label" | "holdout">): string[] => [
  ...new Set([
    ...features.map(({ name }) => name),
    label.column,
    ...(holdout.outOfTime === undefined ? [] : [holdout.outOfTime.column]),
  ]),
];

/** @throws Refusal parameters_invalid naming the field */
export function checkManifest(value: unknown): StudyManifest {
  const parsed = parsedBy(manifestSchema, value);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const told = issues
    .slice(0, mostIssues)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`));
  const more = issues.length > mostIssues ? `; and ${issues.length - mostIssues} more` : "";
  throw new Refusal("parameters_invalid", `manifest: ${told.join("; ")}${more}`);
}

/** Of what is wrong with a manifest, so much is told at once. */
const mostIssues = 20;

/** Longer manifests are not read, bytes: no more than a bank takes in. */
const longestManifest = 4 * 2 ** 20;

const mostRead = 32;
const read = new Map<string, StudyManifest>();

/**
 * @param text - a manifest that was checked when it was stored.
 * @returns the same object for the same text, so that what was made of it is found again.
 */
export function readManifest(text: string): StudyManifest {
  const known = read.get(text);
  if (known !== undefined) return known;
  const manifest = JSON.parse(text) as StudyManifest;
  if (read.size >= mostRead) read.clear();
  read.set(text, manifest);
  return manifest;
}

/**
 * Reads a manifest as it travels: canonical JSON, so that it has one digest.
 * @throws Refusal message_malformed, unless it is JSON in its one form; parameters_invalid naming the field
 */
export function parseManifest(bytes: Uint8Array): { text: string; manifest: StudyManifest } {
  if (bytes.length > longestManifest)
    throw new Refusal("message_malformed", `a manifest has at most ${longestManifest} bytes`);
  const text = Buffer.from(bytes).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Refusal("message_malformed", "the manifest is not JSON", { cause });
  }
  const manifest = checkManifest(value);
  if (!isCanonical(Buffer.from(text), value))
    throw new Refusal("message_malformed", "the manifest is not canonical JSON");
  return { text, manifest };
}
