/**
 * A run of entries of one vector that share a bound and a precision.
 * An entry x is refused unless |x| <= bound; it travels as the integer round(x / step).
 */
export interface Block {
  readonly name: string;
  /** Number of entries. */
  readonly length: number;
  /** B > 0: largest magnitude one party may contribute to an entry. */
  readonly bound: number;
  /** Spacing of the fixed-point grid, a power of two. Integer statistics use 1. */
  readonly step: number;
}

/** What an algorithm sums: entries in block order. */
export interface VectorLayout {
  readonly blocks: readonly Block[];
}

/** @returns the number of entries of a vector with this layout. */
export const vectorLength = (layout: VectorLayout): number =>
  layout.blocks.reduce((length, block) => length + block.length, 0);
