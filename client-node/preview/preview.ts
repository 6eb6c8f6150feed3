import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import { textOf } from "../../core/cell.ts";
import type { Records } from "../../core/csv.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Passage } from "../../models/cells.ts";
import type { StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import type { DesensitizationKeys } from "../../privacy/desensitize/keys.ts";
import type { FieldClass, FieldLevel, Operator } from "../../privacy/desensitize/policy.ts";
import type { EntryOf } from "../../privacy/log/entry.ts";
import { checkStudy, type Policy, policyDigest } from "../policy.ts";
import { desensitizationEntry, desensitizeRows } from "../rows/desensitize.ts";
import { type RowCounts, requireLearnable, tableFromRecords } from "../rows/rows.ts";
import { type DryRun, type DryRunOptions, dryRun } from "./dry-run.ts";

/** What becomes of a column of the enterprise's rows in a study. */
export type PreviewedColumn =
  | {
      readonly passes: true;
      readonly name: string;
      readonly class: FieldClass;
      readonly level: FieldLevel;
      readonly operator: Operator;
      /** Of the first rows; `after` is "" where a value is missing and null where the row is left out. */
      readonly sample: readonly { readonly before: string; readonly after: string | null }[];
    }
  | {
      readonly passes: false;
      readonly name: string;
      readonly why: "no line" | "dropped" | "only parts the held-out rows" | "not in the study";
    };

/** Everything that a study would make of the rows and send, without any of it being sent or recorded. */
export interface Preview {
  readonly study: Digest;
  readonly name: string;
  readonly columns: readonly PreviewedColumn[];
  /** What the ledger would say of the run; it would count the policy's version itself. */
  readonly desensitization: Omit<EntryOf<"desensitization.ran">, "version">;
  /** What became of the records before that. */
  readonly counts: RowCounts;
  readonly dryRun: DryRun;
}

export interface PreviewOptions extends DryRunOptions {
  readonly policy: Policy;
  readonly keys: DesensitizationKeys;
  /** Deals the rows to training and hold-out, as the table's own does. */
  readonly salt: Uint8Array;
  /** How many rows to show. */
  readonly sampleRows: number;
  /** Milliseconds since the epoch. */
  readonly nowMillis: number;
}

/**
 * @param sources - all columns of the enterprise's rows, not only the study's.
 * @throws Refusal policy_refuses and whatever else consenting to the study would be refused for.
 */
export async function previewStudy(
  manifest: StudyManifest,
  sources: readonly Records[],
  options: PreviewOptions,
): Promise<Preview> {
  const { policy, keys, sampleRows, enterprise, nowMillis } = options;
  checkStudy(policy, manifest);
  const seen = new FirstRows(manifest, sampleRows);
  let counts: RowCounts = { records: 0, unlabelled: 0, indeterminate: 0 };
  const tell = (now: RowCounts): void => {
    counts = now;
  };
  const { table, run, kept } = await desensitizeRows(
    async (passage) => tableFromRecords(sources, manifest, options.salt, seen.watch(passage), tell),
    manifest,
    policy,
    keys,
  );
  requireLearnable(table);
  if (table.rows > manifest.maxRowsPerParty)
    throw new Refusal(
      "value_out_of_bounds",
      `${table.rows} rows, where the study allows ${manifest.maxRowsPerParty} a party`,
    );
  const columns = run.fields.map(({ name, class: fieldClass, level, operator }): PreviewedColumn => {
    const shown = seen.of(name).map((text, row) => ({
      before: text,
      after: afterOf(table, name, kept.indexOf(row)),
    }));
    return { passes: true, name, class: fieldClass, level, operator, sample: shown };
  });
  const entry = { enterprise, policy: policyDigest(policy), version: 0, time: nowMillis };
  const { version: _, ...desensitization } = desensitizationEntry(run, entry);
  return {
    study: digestOf(canonicalBytes(manifest)),
    name: manifest.name,
    columns: [...columns, ...columnsLeftBehind(manifest, sources, columns, policy)],
    desensitization,
    counts,
    dryRun: await dryRun(manifest, table, options),
  };
}

/** Cells as they are, of the first rows that become rows of the table. */
class FirstRows {
  readonly #cells = new Map<string, string[]>();
  readonly #label: string;
  readonly #firstFeature: string;
  readonly #rows: number;
  #labelCell = "";

  constructor({ label, features }: StudyManifest, rows: number) {
    this.#label = label.column;
    this.#firstFeature = features[0]!.name;
    this.#rows = rows;
  }

  of(column: string): readonly string[] {
    return this.#cells.get(column) ?? [];
  }

  watch(passage: Passage): Passage {
    return {
      reads: (column) => passage.reads(column),
      take: (column, header) => {
        const take = passage.take(column, header);
        const at = header.at(column);
        return (record, line) => {
          this.#note(column, textOf(record[at]));
          return take(record, line);
        };
      },
    };
  }

  /** A label is taken of every record; only where a feature follows does the record become a row. */
  #note(column: string, cell: string): void {
    if (column === this.#label) {
      this.#labelCell = cell;
      return;
    }
    if (column === this.#firstFeature) this.#push(this.#label, this.#labelCell);
    this.#push(column, cell);
  }

  #push(column: string, cell: string): void {
    const cells = this.#cells.get(column) ?? [];
    if (cells.length < this.#rows) this.#cells.set(column, [...cells, cell]);
  }
}

/** @param row - of the table; -1 where it was left out. */
function afterOf(table: Table, name: string, row: number): string | null {
  if (row < 0) return null;
  const column = table.columns.get(name);
  if (column === undefined) return table.label[row] === 1 ? "bad" : "good";
  if (column.kind === "categorical") return column.levels[column.codes[row]!] ?? "";
  const value = column.values[row]!;
  return Number.isNaN(value) ? "" : String(value);
}

function columnsLeftBehind(
  { subject }: StudyManifest,
  sources: readonly Records[],
  passing: readonly PreviewedColumn[],
  policy: Policy,
): PreviewedColumn[] {
  const passes = new Set(passing.map(({ name }) => name));
  const names = new Set(sources.flatMap(({ header }) => header));
  return [...names]
    .filter((name) => !passes.has(name))
    .map((name) => {
      const field = policy.fields.find((line) => line.name === name);
      if (field === undefined) return { passes: false, name, why: "no line" };
      if (field.operator === "drop") return { passes: false, name, why: "dropped" };
      const why = name === subject ? "only parts the held-out rows" : "not in the study";
      return { passes: false, name, why };
    });
}
