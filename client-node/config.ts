import { statSync } from "node:fs";
import { normalize } from "node:path";
import { z } from "zod";
import { collectorEntries } from "../collectors/config.ts";
import { duration } from "../collectors/runtime/fields.ts";
import { addressSchema } from "../core/address.ts";
import { csvOptionsSchema } from "../core/csv.ts";
import { idSchema } from "../core/ids.ts";
import { monitorSchema } from "../core/monitor.ts";
import { filePath } from "../core/paths.ts";
import { Refusal } from "../core/reasons.ts";
import { readYaml } from "../core/yaml.ts";
import { usualTable } from "../models/study.ts";
import { checkSites, sitesSchema } from "./operations/sites.ts";
import { writtenOut } from "./repeat.ts";

const column = z.string().min(1);
const featureRows = z.strictObject({
  loans: z.array(filePath("CSV or Parquet file")).min(1).describe("repayments as they stand, one row a loan"),
  site: column.optional().describe("column that names the borrower's site; needed where there are several"),
  date: column.describe("column of the row's date: only windows that had ended by then are used"),
  window: z.enum(["day", "week", "month"]).describe("length of the windows"),
});

/** What a node is told of its bank. */
const bankKeys = ["consortium", "coordinator", "enrolment"] as const;

const rowsSchema = z
  .strictObject({
    files: z
      .array(filePath("file"))
      .min(1)
      .optional()
      .describe("CSV (.csv, .csv.gz) or Parquet files with one header and one row a loan, read as one table"),
    csv: csvOptionsSchema.optional().describe("how the CSV files are written, where that is not found out"),
    memoryMegabytes: z
      .number()
      .min(0)
      .default(1000)
      .describe(
        "a table of files that would take more than about so much memory, 10⁶ bytes, lies on dataDir's disk while it is used",
      ),
    features: featureRows.optional().describe("each loan with what its site's devices showed before"),
  })
  .refine(
    ({ files, features }) => (files === undefined) !== (features === undefined),
    "give files, or features",
  );

const filesOf = (table: z.output<typeof rowsSchema> | undefined): readonly string[] =>
  table?.files ?? table?.features?.loans ?? [];

/** @returns what a file has in common with itself by another path, such as a link's. */
function identityOf(file: string): string {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? normalize(file) : `${found.dev} ${found.ino}`;
}

/** node.yaml. Paths are relative to the file's own folder. */
export const nodeConfigSchema = z
  .strictObject({
    enterprise: idSchema.describe("this enterprise's id in the consortium, or any while it is in none"),
    consortium: idSchema
      .optional()
      .describe("id of the consortium; enrolment into any other is refused. None: the node only collects"),
    coordinator: addressSchema.optional().describe("host:port of the bank's coordinator (mutual TLS)"),
    enrolment: addressSchema.optional().describe("host:port of the bank's enrolment service, needed once"),
    dataDir: filePath("folder for keys, pins and the egress ledger; readable by this user only"),
    rows: rowsSchema.optional().describe("where training rows come from"),
    tables: z
      .record(idSchema, rowsSchema)
      .default({})
      .describe(
        "further tables, by the name that a study gives as `table`; policy.yaml says under `tables` what each allows, and each has its own budgets. No file may be in two of them",
      ),
    scores: z
      .strictObject({
        date: column
          .optional()
          .describe(
            "column of the rows' dates: a month's statement is about the rows of that month; rows.features.date where there is one, and otherwise all rows",
          ),
      })
      .optional()
      .describe("which rows this enterprise's score statements are about"),
    ...sitesSchema.shape,
    collectors: collectorEntries.optional().describe("what is read, and how; needs sites"),
    storage: z
      .strictObject({
        spoolGigabytes: z.number().positive().default(4).describe("readings not yet in segments, 10⁹ bytes"),
        keepDays: z.number().positive().default(400).describe("segments older than this are removed, days"),
      })
      .prefault({})
      .describe("how much of the readings is kept"),
    refresh: z
      .strictObject({
        every: duration.default(3_600_000).describe("how often quality and features are computed anew"),
        days: z.number().positive().max(3660).default(90).describe("how far back, days"),
      })
      .prefault({})
      .describe("quality and features of what was read"),
    monitor: monitorSchema
      .optional()
      .describe(
        "where the enterprise's own monitoring reads /health and Prometheus' /metrics; none without it",
      ),
    page: addressSchema
      .optional()
      .describe("host:port of the enterprise's page; anything but this machine itself needs node password"),
  })
  .superRefine(checkSites)
  .superRefine((config, context) => {
    const missing = bankKeys.filter((key) => config[key] === undefined);
    if (missing.length < bankKeys.length)
      for (const key of missing)
        context.addIssue({
          code: "custom",
          path: [key],
          message: `missing: ${bankKeys.join(", ")} go together, or none of them`,
        });
  })
  .superRefine(({ rows, tables }, context) => {
    if (Object.hasOwn(tables, usualTable))
      context.addIssue({ code: "custom", path: ["tables", usualTable], message: "write it as rows" });
    const seen = new Map(filesOf(rows).map((file) => [identityOf(file), usualTable]));
    for (const [name, table] of Object.entries(tables))
      for (const file of filesOf(table)) {
        const other = seen.get(identityOf(file));
        // Its rows would have two budgets.
        const message = `${file} is in the table ${other} already`;
        const key = table.files === undefined ? "features" : "files";
        if (other !== undefined) context.addIssue({ code: "custom", path: ["tables", name, key], message });
        seen.set(identityOf(file), name);
      }
  })
  .superRefine(({ collectors, rows, tables, sites }, context) => {
    if (sites.length > 0) return;
    for (const [name, { features }] of Object.entries(tables))
      if (features !== undefined)
        context.addIssue({
          code: "custom",
          path: ["tables", name, "features"],
          message: "needs sites: name at least one under sites",
        });
    const message = "needs sites: name at least one under sites";
    if (collectors !== undefined) context.addIssue({ code: "custom", path: ["collectors"], message });
    if (rows?.features !== undefined)
      context.addIssue({ code: "custom", path: ["rows", "features"], message });
  });

export type NodeConfig = z.infer<typeof nodeConfigSchema>;
/** Of a node that has a bank. */
export type MemberConfig = NodeConfig & Readonly<Record<(typeof bankKeys)[number], string>>;
export type RowsConfig = z.infer<typeof rowsSchema>;
export type FeatureRowsConfig = z.infer<typeof featureRows>;

/**
 * @param text - what the file says, where that was read before.
 * @returns the node's configuration, with absolute paths.
 * @throws Refusal file_missing, file_malformed (YAML), config_invalid naming the field.
 */
export const readNodeConfig = (file: string, text?: string): NodeConfig =>
  readYaml(file, nodeConfigSchema, (value) => writtenOut(value, file).value, text);

export const hasBank = (config: NodeConfig): config is MemberConfig => config.consortium !== undefined;

/** @throws Refusal as `readNodeConfig`; config_invalid where the file names no bank. */
export function readMemberConfig(file: string): MemberConfig {
  const config = readNodeConfig(file);
  if (hasBank(config)) return config;
  throw new Refusal("config_invalid", `${file} names no bank: this node only collects`, {
    hint: "fedcredit node collect runs it; fedcredit node init with the bank's addresses makes it a member",
  });
}
