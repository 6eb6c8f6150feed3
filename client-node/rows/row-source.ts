import { canonicalJson } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import { purposeKeys } from "../../privacy/desensitize/keys.ts";
import type { Policy } from "../policy.ts";
import { type DesensitizationRun, desensitizeRows } from "./desensitize.ts";
import { type RowCounts, requireLearnable } from "./rows.ts";
import { type RecordReader, readRows, type StreamReader } from "./sources.ts";

/** What the node gives to the reading of its rows. */
export interface RowMeans {
  readonly policy: Pick<Policy, "fields" | "anonymity">;
  /** Of the table: deals its rows to training and hold-out. */
  readonly salt: Uint8Array;
  /** Told what was done to the rows, before they are given. */
  readonly onRun: (run: DesensitizationRun, counts: RowCounts) => void;
}

/** Where a node's training rows come from, harmless as its policy wants them. @throws Refusal what is wrong with them. */
export type RowSource = (manifest: StudyManifest, means: RowMeans) => Promise<Table>;

export interface RowSourceOptions {
  /** Gives the rows as they are. */
  readonly read: RecordReader;
  /** Gives them where they are larger than memory may be. */
  readonly streams?: StreamReader | undefined;
  /** The enterprise's root key, 32 bytes. */
  readonly key: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** @throws Refusal value_out_of_bounds where there are more rows than the study's public bound; those of `read`. */
export const desensitizedRows =
  ({ read, streams, key, now }: RowSourceOptions): RowSource =>
  async (manifest, { policy, salt, onRun }) => {
    let counts: RowCounts = { records: 0, unlabelled: 0, indeterminate: 0 };
    const { table, run } = await desensitizeRows(
      (passage) => readRows(read, manifest, salt, passage, (seen) => (counts = seen), streams),
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
    onRun(run, counts);
    return requireLearnable(table);
  };

/** Tables kept: those of studies that run at once. */
const mostTables = 4;

/** Keeps the last tables: a study's rounds follow each other. A failure is not kept, nor a table under another policy. */
export function remembered(
  source: (manifest: StudyManifest, policy: Policy) => Promise<Table>,
): typeof source {
  const kept = new Map<string, Promise<Table>>();
  return (manifest, policy) => {
    const key = canonicalJson([manifest, policy]);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const table = source(manifest, policy);
    kept.set(key, table);
    table.catch(() => kept.delete(key));
    for (const oldest of kept.keys()) {
      if (kept.size <= mostTables) break;
      kept.delete(oldest);
    }
    return table;
  };
}
