import type { DatabaseSync } from "node:sqlite";
import { Refusal } from "../../core/reasons.ts";
import type { Passage } from "../../models/cells.ts";
import { selectRows } from "../../models/rows.ts";
import { columnsRead, type StudyManifest } from "../../models/study.ts";
import type { Column, Table } from "../../models/table.ts";
import {
  categoricalSensitive,
  measureAnonymity,
  type QuasiColumn,
  type Reached,
  rankedColumn,
  type SensitiveColumn,
} from "../../privacy/desensitize/anonymity.ts";
import type { DesensitizationKeys } from "../../privacy/desensitize/keys.ts";
import { anonymize } from "../../privacy/desensitize/mondrian.ts";
import type { Field } from "../../privacy/desensitize/policy.ts";
import { Desensitizer } from "../../privacy/desensitize/run.ts";
import type { EntryOf } from "../../privacy/log/entry.ts";
import type { EgressLedger } from "../ledger/egress.ts";
import { policyVersion } from "../ledger/records.ts";
import { transact } from "../ledger/store.ts";
import { type Policy, policyDigest } from "../policy.ts";

/** What a run did to the rows of a study. */
export interface DesensitizationRun {
  /** Lines of the policy that the study's columns went by. */
  readonly fields: readonly Field[];
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly reached: Reached;
  /** Share of rows left out. */
  readonly suppressionRate: number;
}

export interface DesensitizedRows {
  readonly table: Table;
  readonly run: DesensitizationRun;
  /** Which of the rows read the table's are, ascending. */
  readonly kept: Int32Array;
}

type DesensitizationPolicy = Pick<Policy, "fields" | "anonymity">;

/**
 * Reads rows by the policy: each cell through its column's operator, then all rows to k, l and t over the
 * quasi-identifiers among them. Nothing is computed from a row before this.
 *
 * @param read - reads the rows through a passage.
 * @throws Refusal policy_refuses, cell_malformed, anonymity_unreachable, and those of `read`.
 */
export async function desensitizeRows(
  read: (passage: Passage) => Promise<Table>,
  manifest: Pick<StudyManifest, "features" | "label" | "holdout">,
  policy: DesensitizationPolicy,
  keys: DesensitizationKeys,
): Promise<DesensitizedRows> {
  const desensitizer = new Desensitizer(policy.fields, keys);
  const fields = columnsRead(manifest).map((column) => desensitizer.lineOf(column));
  const whole = await read(desensitizer);
  const { table, kept, reached, suppressionRate } = reachAnonymity(whole, manifest, fields, policy);
  const run = { fields, rowsIn: whole.rows, rowsOut: table.rows, reached, suppressionRate };
  return { table, run, kept };
}

function reachAnonymity(
  table: Table,
  { label }: Pick<StudyManifest, "label">,
  fields: readonly Field[],
  { anonymity }: DesensitizationPolicy,
): Omit<DesensitizedRows, "run"> & Pick<DesensitizationRun, "reached" | "suppressionRate"> {
  if (table.rows === 0) throw new Refusal("rows_missing", "no rows");
  const of = (kind: Field["class"]): string[] =>
    fields.filter((field) => field.class === kind).map(({ name }) => name);
  const quasi = of("quasi").filter((name) => table.columns.has(name));
  const sensitive = of("sensitive").flatMap((name): SensitiveColumn[] => {
    const column = table.columns.get(name);
    if (column !== undefined) return [sensitiveColumn(column)];
    if (name !== label.column) return [];
    // Both must be well represented: its levels, which may be studied, and whether they are bad.
    const classes = [table.label, ...(label.good.length + label.bad.length > 2 ? [table.outcome] : [])];
    return classes.map((codes) => ({ codes: Int32Array.from(codes), ordered: false }));
  });
  const columns = quasi.map((name): QuasiColumn => table.columns.get(name)!);
  if (quasi.length === 0 || anonymity === undefined) {
    const reached = measureAnonymity(columns, sensitive, table.rows);
    return {
      table,
      kept: Int32Array.from({ length: table.rows }, (_, row) => row),
      reached,
      suppressionRate: 0,
    };
  }
  const done = anonymize(columns, sensitive, table.rows, anonymity);
  const kept = new Set(done.kept);
  const left = selectRows(table, (row) => kept.has(row));
  const generalized = quasi.map((name, i): [string, Column] => [
    name,
    // The study's levels stay: a category that was given up is missing.
    { ...table.columns.get(name)!, ...done.quasi[i]! } as Column,
  ]);
  return {
    table: { ...left, columns: new Map([...left.columns, ...generalized]) },
    kept: done.kept,
    reached: done.reached,
    suppressionRate: done.suppressionRate,
  };
}

const sensitiveColumn = (column: Column): SensitiveColumn =>
  column.kind === "numeric" ? rankedColumn(column.values) : categoricalSensitive(column.codes);

/** @returns the ledger's entry of a run. */
export const desensitizationEntry = (
  run: DesensitizationRun,
  about: Pick<EntryOf<"desensitization.ran">, "enterprise" | "policy" | "version" | "time">,
): EntryOf<"desensitization.ran"> => ({
  type: "desensitization.ran",
  ...about,
  fields: run.fields.map((field) => ({
    field: field.name,
    class: field.class,
    level: field.level,
    operator: field.operator,
  })),
  rowsIn: run.rowsIn,
  rowsOut: run.rowsOut,
  ...run.reached,
  suppressionRate: run.suppressionRate,
});

export interface DesensitizationRecord {
  readonly db: DatabaseSync;
  readonly ledger: EgressLedger;
  readonly policy: Policy;
  readonly enterprise: string;
}

/** Writes a run to the ledger, after the policy it went by where that one is new. @throws LedgerFailure */
export function recordDesensitization(
  { db, ledger, policy, enterprise }: DesensitizationRecord,
  run: DesensitizationRun,
  time: number,
): void {
  const digest = policyDigest(policy);
  transact(db, () => {
    const { version, changed } = policyVersion(db, digest);
    const about = { enterprise, policy: digest, version, time };
    ledger.append([
      ...(changed ? [{ type: "policy.changed", ...about } as const] : []),
      desensitizationEntry(run, about),
    ]);
  });
}
