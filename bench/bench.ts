/** One measured figure. Times are medians of `runs` runs, or ratios within one run. */
export interface Figure {
  readonly name: string;
  readonly value: number | string;
  readonly unit: string;
  /** The target as a reader would say it ("<= 100"), or null where none is set. */
  readonly target: string | null;
  /** Whether the target held; null where none is set. */
  readonly holds: boolean | null;
}

/** What every bench prints as one JSON object. */
export interface BenchReport {
  readonly bench: string;
  readonly runs: number;
  readonly figures: readonly Figure[];
  /** Tables for people, where figures do not say it all. */
  readonly text?: string;
  /** The same for programs. */
  readonly tables?: unknown;
}

/** Each bench/NAME.ts exports `bench`; options are what follows the name on the command line, names those of it that are none. */
export type Bench = (
  args: readonly string[],
  progress: (line: string) => void,
  names: readonly string[],
) => Promise<BenchReport>;

/** Each bench/NAME.ts may export `options`: by how an option is written, what it does. Every bench takes `--data` and `--json`. */
export type BenchOptions = Readonly<Record<string, string>>;

/** @returns the median; of two middle values, their mean. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** @returns a figure without a target. */
export const noted = (name: string, value: number | string, unit: string): Figure => ({
  name,
  value,
  unit,
  target: null,
  holds: null,
});

/** @returns a figure whose value must be at most `limit`. */
export const atMost = (name: string, value: number, unit: string, limit: number): Figure => ({
  name,
  value,
  unit,
  target: `<= ${limit}`,
  holds: value <= limit,
});

/** @returns a figure whose value must be at least `limit`. */
export const atLeast = (name: string, value: number, unit: string, limit: number): Figure => ({
  name,
  value,
  unit,
  target: `>= ${limit}`,
  holds: value >= limit,
});

/** @returns what follows an option among the arguments of a bench. */
export const option = (args: readonly string[], name: string, otherwise: string): string =>
  args.includes(name) ? args[args.indexOf(name) + 1]! : otherwise;

/** @returns a function that tells the CPU time since this call, of all threads of the process, in milliseconds. */
export function cpuTimer(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
}
