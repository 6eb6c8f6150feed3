import type { StudyManifest } from "../models/study.ts";
import type { Table } from "../models/table.ts";
import { canonicalJson } from "../privacy/canonical.ts";
import { Refusal } from "../proto/reasons.ts";
import { readTable } from "./sources.ts";

/** Where a node's training rows come from. @throws Refusal what is wrong with them. */
export type RowSource = (manifest: StudyManifest) => Promise<Table>;

/**
 * @param files - CSV or Parquet; none is refused when rows are asked for.
 * @throws Refusal rows_missing; value_out_of_bounds where there are more rows than the study's public bound.
 */
export const rowsFromFiles =
  (files: readonly string[]): RowSource =>
  async (manifest) => {
    if (files.length === 0)
      throw new Refusal("rows_missing", "node.yaml names no rows", { hint: "name files under rows.files" });
    const table = await readTable(files, manifest);
    if (table.rows > manifest.maxRowsPerParty)
      throw new Refusal(
        "value_out_of_bounds",
        `${table.rows} rows, where the study allows ${manifest.maxRowsPerParty} a party`,
        { hint: "give the node fewer rows, or ask the bank to raise maxRowsPerParty" },
      );
    return table;
  };

/** Keeps the last table: a study's rounds follow each other. A failure is not kept. */
export function remembered(source: RowSource): RowSource {
  let last: { readonly key: string; readonly table: Promise<Table> } | undefined;
  return (manifest) => {
    const key = canonicalJson(manifest);
    if (last?.key !== key) {
      const table = source(manifest);
      last = { key, table };
      table.catch(() => {
        if (last?.table === table) last = undefined;
      });
    }
    return last.table;
  };
}
