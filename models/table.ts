/** Rows as columns. Every array has length `rows`. */
export interface Table {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Column>;
  /** 1 = bad, 0 = good. */
  readonly label: Uint8Array;
  /** Which of the study's outcomes: a position among the label's good values and, after them, its bad ones. */
  readonly outcome: Uint8Array;
  /** Which rows are of one data subject: equal numbers are; without a subject in the study every row has its own. */
  readonly subject: Int32Array;
  /** 1 = held out: evaluated on, never trained on. */
  readonly holdout: Uint8Array;
  /** 1 = of the first month that is held out, and its subject has no later one, where a study holds out by time. */
  readonly firstHeldOut?: Uint8Array;
  /** Where the rows were read; absent where nothing was. */
  readonly records?: ReadRecords;
}

/** The records that rows were read from, those of no row included. */
export interface ReadRecords {
  /** Of each row, its record's number from 0. */
  readonly of: Int32Array;
  /** Of each record, equal numbers where they are one subject's. */
  readonly subject: Int32Array;
}

/** A value of the label. */
export interface Outcome {
  readonly value: string;
  readonly bad: boolean;
}

export type Column = NumericColumn | CategoricalColumn;

/** Of a column that does not lie in memory: what reads its values as a whole reads them anew each time. */
interface StoredColumn {
  /** How many rows are best looked at together, of all columns: a multiple of four. */
  readonly rowsAtOnce: number;
  /** @returns rows `from` (inclusive) to `to` (exclusive), in memory. */
  read(from: number, to: number): Column;
  /** @param rows - ascending. @returns those rows, where they lie. */
  pick(rows: Int32Array): Column;
}

export interface NumericColumn {
  readonly kind: "numeric";
  /** Missing entries hold NaN; nothing else may. */
  readonly values: Float64Array;
  readonly stored?: StoredColumn;
}

export interface CategoricalColumn {
  readonly kind: "categorical";
  /** Index into `levels`; -1 = missing. */
  readonly codes: Int32Array;
  readonly levels: readonly string[];
  readonly stored?: StoredColumn;
}

/** The columns a study reads, in the order every party uses. Public: part of the manifest. */
export interface StudySchema {
  readonly features: readonly FeatureSchema[];
  /** What the label says, good before bad. */
  readonly outcomes: readonly Outcome[];
  /** Public bound on one enterprise's rows: every layout's bounds rest on it. */
  readonly maxRowsPerParty: number;
}

export type FeatureSchema =
  | { readonly name: string; readonly kind: "numeric" }
  | { readonly name: string; readonly kind: "categorical"; readonly levels: readonly string[] };
