/** A recording of one machine whose unusual stretches are known. */
export interface Recording {
  readonly name: string;
  /** µs UTC, ascending. */
  readonly times: readonly number[];
  /** By channel name, one value a row; NaN where there was none. */
  readonly channels: ReadonlyMap<string, readonly number[]>;
  /** Rows [from, until], inclusive, in which something was unusual. */
  readonly windows: readonly (readonly [from: number, until: number])[];
  /** Rows at the beginning from which may be learned; nothing before is judged. */
  readonly quiet: number;
  /** What was planted, where it was. */
  readonly planted?: readonly string[];
}
