import { canonicalJson } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import { purposeKeys } from "../../privacy/desensitize/keys.ts";
import type { Policy } from "../policy.ts";
import { type DesensitizationRun, desensitizeRows } from "./desensitize.ts";
import { requireLearnable } from "./rows.ts";
import { type RecordReader, readRows } from "./sources.ts";

/**
 * Where a node's training rows come from, harmless as its policy wants them.
 * @param onRun - told what was done to them, before the rows are given.
 * @throws Refusal what is wrong with them.
 */
export type RowSource = (manifest: StudyManifest, onRun: (run: DesensitizationRun) => void) => Promise<Table>;

export interface RowSourceOptions {
  /** Gives the rows as they are. */
  readonly read: RecordReader;
  readonly policy: Pick<Policy, "fields" | "anonymity">;
  /** The enterprise's root key, 32 bytes. */
  readonly key: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** @throws Refusal value_out_of_bounds where there are more rows than the study's public bound; those of `read`. */
export const desensitizedRows =
  ({ read, policy, key, now }: RowSourceOptions): RowSource =>
  async (manifest, onRun) => {
    const { table, run } = await desensitizeRows(
      (passage) => readRows(read, manifest, passage),
      manifest,
      policy,
      purposeKeys(key, manifest.purpose, now()),
    );
    if (table.rows > manifest.maxRowsPerParty)
      throw new Refusal(
        "value_out_of_bounds",
        `${table.rows} rows, where the study allows ${manifest.maxRowsPerParty} a party`,
        { hint: "give the node fewer rows, or ask the bank to raise maxRowsPerParty" },
      );
    onRun(run);
    return requireLearnable(table);
  };

/** Keeps the last table: a study's rounds follow each other. A failure is not kept. */
export function remembered(source: (manifest: StudyManifest) => Promise<Table>): typeof source {
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
