import { Refusal } from "../../core/reasons.ts";
import { usualTable } from "../../models/study.ts";
import type { NodeConfig, RowsConfig } from "../config.ts";
import { fileRecords, fileStreams, type RecordReader, type StreamReader } from "./sources.ts";

/** @throws Refusal rows_missing, where node.yaml has no such table */
function rowsOf({ rows, tables }: Pick<NodeConfig, "rows" | "tables">, table: string): RowsConfig {
  const own = table === usualTable ? rows : Object.hasOwn(tables, table) ? tables[table] : undefined;
  if (own !== undefined) return own;
  const names = Object.keys(tables);
  if (table === usualTable && names.length === 0)
    throw new Refusal("rows_missing", "node.yaml names no rows", { hint: "name files under rows.files" });
  throw new Refusal("rows_missing", `node.yaml has no table ${table}`, {
    hint: `it has ${[...(rows === undefined ? [] : [usualTable]), ...names].join(", ") || "none"}`,
  });
}

/**
 * @returns the enterprise's rows as node.yaml says, before anything is done to them.
 * @throws Refusal rows_missing where it names none.
 */
export const ownRecords =
  (
    config: Pick<NodeConfig, "rows" | "tables" | "dataDir" | "sites">,
    table: string = usualTable,
  ): RecordReader =>
  async (columns) => {
    const { files, features, csv } = rowsOf(config, table);
    if (features === undefined) return fileRecords(files!, csv)(columns);
    // Loaded where it is used: it brings the catalogue and its units.
    const { featureRecords } = await import("./feature-rows.ts");
    return featureRecords(features, config, csv);
  };

/** @returns the same rows as streams, where they are files; those of devices are few and stay in memory. */
export function ownStreams(
  config: Pick<NodeConfig, "rows" | "tables" | "dataDir">,
  table: string,
): StreamReader | undefined {
  const { files, csv, memoryMegabytes } = rowsOf(config, table);
  return files && fileStreams(files, csv, config.dataDir, memoryMegabytes * 1e6);
}
