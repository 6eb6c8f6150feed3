import { z } from "zod";
import { filePath } from "../../core/paths.ts";
import { deviceId, duration, metricId, ucum } from "../runtime/fields.ts";
import { epochScales, timePattern, zoneOffset } from "./time.ts";

const column = z.string().min(1).describe("column of a CSV or Parquet file, key of a JSON line");
const kind = z.enum(["number", "boolean", "text"]).default("number").describe("what the value is read as");

/** What says where a table's times stand and how they are written. */
const timeShape = {
  column,
  as: z
    .string()
    .default("iso")
    .describe(
      "iso; s, ms, us or ns since 1970; or a pattern of yyyy MM dd HH mm ss SSS, as yyyy-MM-dd HH:mm",
    ),
};

const checkTime = (
  { as, zone }: { readonly as: string; readonly zone?: string | undefined },
  context: z.RefinementCtx,
): void => {
  if (as !== "iso" && !Object.hasOwn(epochScales, as) && timePattern(as) === undefined)
    context.addIssue({
      code: "custom",
      path: ["as"],
      message: "no pattern: write at least yyyy, MM and dd",
    });
  if (zone !== undefined && zoneOffset(zone) === undefined)
    context.addIssue({ code: "custom", path: ["zone"], message: `no time zone: ${zone}` });
};

const time = z
  .strictObject({
    ...timeShape,
    zone: z.string().default("UTC").describe("where the text names none: Asia/Shanghai, or +08:00"),
  })
  .superRefine(checkTime);

/** For sources whose columns may have a zone of their own: none is guessed. */
export const timeField = z
  .strictObject({
    ...timeShape,
    zone: z
      .string()
      .optional()
      .describe("needed where the column's times name none: Asia/Shanghai, or +08:00"),
  })
  .superRefine(checkTime);

const valueField = z.strictObject({
  metric: metricId,
  unit: ucum,
  kind,
  scale: z.number().default(1).describe("value = number · scale"),
});

/** How the rows of a table become readings. */
export const valueColumns = {
  device: z
    .union([deviceId, z.strictObject({ column })], { error: "write a device id, or { column: NAME }" })
    .describe("device id, or the column that holds it"),
  columns: z
    .array(valueField.extend({ column }))
    .min(1)
    .optional()
    .describe("wide tables: one column for each metric"),
  rows: z
    .strictObject({
      metric: column.describe("column that names what is measured"),
      value: column.describe("column of the value"),
      metrics: z.record(z.string(), valueField).describe("by the name in the table; others are left out"),
    })
    .optional()
    .describe("long tables: one row for each value"),
  historical: z.boolean().default(true).describe("false where the table is the live source"),
};

/** Tables that other systems export: ERP, till, orders, inventory, loan book. */
export const fileConfig = z
  .strictObject({
    name: z.string().optional().describe("shown on the page; the folder when absent"),
    folder: filePath("watched for new files; nothing in it is changed"),
    files: z
      .string()
      .default("*")
      .describe("names to take; * stands for anything. Hidden, .tmp and .part files are never taken"),
    state: filePath("file that remembers what was stored"),
    format: z.enum(["csv", "jsonl", "parquet"]).describe("of every file taken"),
    delimiter: z.string().length(1).optional().describe("of csv; a comma when absent"),
    encoding: z
      .enum(["utf-8", "gb18030"])
      .default("utf-8")
      .describe("of csv and jsonl; gb18030 reads GBK too"),
    decimal: z
      .enum([".", ","])
      .default(".")
      .describe(
        "mark before a number's decimals; with a comma, dots, blanks and apostrophes may part thousands",
      ),
    ...valueColumns,
    time: time.describe("source time of a line"),
    document: z
      .union([column, z.array(column).min(1)])
      .optional()
      .describe(
        "column, or columns, that number a receipt, an order or a line of one: the same number at the same time is the same event in whatever file it stands. Without it a row is known by its file's name and its line",
      ),
    every: duration.default(5_000).describe("how often the folder is looked at"),
    settle: duration
      .default(5_000)
      .describe("how long size and time of a file must stand still before it is read"),
    batch: z.int().min(1).default(1_000).describe("rows handed on together"),
  })
  .superRefine((c, context) => {
    const problem = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if ((c.columns === undefined) === (c.rows === undefined)) problem("columns", "give columns, or rows");
    if (c.format !== "csv" && c.delimiter !== undefined) problem("delimiter", "goes with csv");
  });

export type FileConfig = z.output<typeof fileConfig>;
export type ValueField = z.output<typeof valueField>;
