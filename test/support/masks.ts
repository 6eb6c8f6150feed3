import { addMasks, T } from "../../privacy/sum/mask.ts";

/** @returns one mask alone, shape [length]. */
export function expandMask(seed: Uint8Array, info: Uint8Array | string, length: number): Float64Array {
  const mask = new Float64Array(length);
  addMasks(mask, [{ seed, info, sign: 1 }]);
  return mask;
}

/** Adds sign × mask to `slots`, mod T, in place, as the definition says. */
export function addInPlace(slots: Float64Array, mask: Float64Array, sign: 1 | -1): void {
  for (let i = 0; i < slots.length; i++) slots[i] = (slots[i]! + sign * mask[i]! + T) % T;
}
