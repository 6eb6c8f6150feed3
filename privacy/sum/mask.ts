import { T } from "./layout.ts";

export { T };

/** One mask of a party: added by one end of a pair, subtracted by the other. */
export interface MaskTerm {
  /** 32 secret bytes. */
  readonly seed: Uint8Array;
  /** Binds the mask to its round, e.g. the roundId. */
  readonly info: Uint8Array | string;
  readonly sign: 1 | -1;
}

/** @returns a mask uniform in [0, T), shape [length]. */
export function expandMask(_seed: Uint8Array, _info: Uint8Array | string, _length: number): Float64Array {
  throw new Error("not written");
}

/** Adds sign × mask to `slots`, mod T, in place. */
export function addInPlace(_slots: Float64Array, _mask: Float64Array, _sign: 1 | -1): void {
  throw new Error("not written");
}

/** Adds every mask to `slots`, mod T, in place: the fast way for many masks. */
export function addMasks(_slots: Float64Array, _masks: readonly MaskTerm[]): void {
  throw new Error("not written");
}
