import { Refusal } from "../../core/reasons.ts";
import type { NodeConfig } from "../config.ts";
import { fileRecords, type RecordReader } from "./sources.ts";

/**
 * @returns the enterprise's rows as node.yaml says, before anything is done to them.
 * @throws Refusal rows_missing where it names none.
 */
export const ownRecords =
  (config: Pick<NodeConfig, "rows" | "dataDir" | "sites">): RecordReader =>
  async (columns) => {
    const { files, features, csv } = config.rows ?? {};
    if (files !== undefined) return fileRecords(files, csv)(columns);
    if (features === undefined)
      throw new Refusal("rows_missing", "node.yaml names no rows", { hint: "name files under rows.files" });
    // Loaded where it is used: it brings the catalogue and its units.
    const { featureRecords } = await import("./feature-rows.ts");
    return featureRecords(features, config, csv);
  };
