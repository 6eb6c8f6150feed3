import { z } from "zod";
import { filePath } from "../../core/paths.ts";
import { timeField, valueColumns } from "../file/config.ts";
import { duration, port, secret } from "../runtime/fields.ts";

const column = z.string().min(1).describe("column of the query's result, written as the result has it");

const cursor = z
  .discriminatedUnion("as", [
    z.strictObject({
      column,
      as: z.literal("number").describe("whole numbers that grow, as an automatic id"),
      overlap: z
        .int()
        .min(0)
        .default(1_000)
        .describe("numbers read again each time: a transaction may commit after one with a higher number"),
    }),
    z.strictObject({
      column,
      as: z.literal("time").describe("a date or timestamp column that grows"),
      overlap: duration
        .default(15 * 60_000)
        .describe(
          "read again each time: longer than the longest transaction, and than any step back of the column's clock",
        ),
    }),
  ])
  .describe("the column that tells new rows from old ones; the database should have an index on it");

/** A database of an ERP, a till or a warehouse: what a query of it gives, row by row. */
export const sqlConfig = z
  .strictObject({
    name: z.string().optional().describe("shown on the page; server, host and database when absent"),
    server: z.enum(["postgresql", "mysql"]).describe("mysql: MariaDB, too"),
    host: z.string().min(1).describe("name or address of the database server"),
    port: port.optional().describe("TCP port; 5432 of postgresql, 3306 of mysql when absent"),
    database: z.string().min(1).describe("its name"),
    user: z.string().min(1).describe("a user that may read what the query reads, and no more"),
    password: secret.describe("where the password stands"),
    tls: z
      .union(
        [
          z.literal("none"),
          z.strictObject({
            ca: filePath("PEM file of the server's CA; the system's when absent").optional(),
          }),
        ],
        { error: "write none, or { ca: FILE }, or {} for the system's CAs" },
      )
      .describe("none sends rows in the clear: on this machine or a network of your own only"),
    query: z
      .string()
      .min(1)
      .transform((text) => text.trim().replace(/;$/, ""))
      .describe("one SELECT without ORDER BY; only rows at or after the cursor are asked for"),
    cursor,
    key: z
      .union([column, z.array(column).min(1)])
      .describe(
        "column, or columns, that number a row: the same number at the same time is the same event, however often it is read",
      ),
    ...valueColumns,
    time: timeField.describe("source time of a row"),
    state: filePath("file that remembers what was stored"),
    every: duration.default(10_000).describe("how often new rows are asked for"),
    timeout: duration
      .default(60_000)
      .describe(
        "longest wait for a connection and for the next rows, and limit of a statement at the server",
      ),
    batch: z.int().min(1).max(100_000).default(1_000).describe("rows handed on together"),
  })
  .superRefine((c, context) => {
    if ((c.columns === undefined) === (c.rows === undefined))
      context.addIssue({ code: "custom", path: ["columns"], message: "give columns, or rows" });
  });

export type SqlConfig = z.output<typeof sqlConfig>;
