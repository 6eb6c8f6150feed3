/** One assertion of a case, and what was seen. */
export interface Check {
  readonly what: string;
  readonly seen: string;
  readonly holds: boolean;
}

/** A situation of the design, run through the node's own pipeline. */
export interface Case {
  /** C1 … C22. */
  readonly id: string;
  readonly title: string;
  /** What must be seen, and what must stay quiet. */
  readonly target: string;
  run(options: CaseOptions): Promise<Check[]>;
}

export interface CaseOptions {
  /** In proportion to the stated numbers, for cases whose size is the point. 1 = as stated. */
  readonly scale: number;
  /** Keep to the wall clock where latency is the point. */
  readonly paced: boolean;
}

export const check = (what: string, holds: boolean, seen: string | number | undefined): Check => ({
  what,
  seen: typeof seen === "number" ? String(Number(seen.toPrecision(4))) : (seen ?? "nothing"),
  holds,
});

/** |value − expected| ≤ tolerance; absent values do not hold. */
export const near = (what: string, value: number | undefined, expected: number, tolerance: number): Check =>
  check(what, value !== undefined && Math.abs(value - expected) <= tolerance, value);
