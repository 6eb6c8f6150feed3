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

/** The plaintext modulus of the sealed sum: a slot is an integer in [0, T). */
export const T = 2 ** 42;

/** How one block's integers lie in slots. */
export interface PackedBlock extends Block {
  /** First slot of the block. */
  readonly firstSlot: number;
  /** round(bound / step): added to every integer, so that digits are never negative. */
  readonly offset: bigint;
  /** Bits of a digit: enough for the sum of `nMax` digits. */
  readonly digitWidth: number;
  /** Digits that share a slot; 1 where an entry takes several limbs. */
  readonly digitsPerSlot: number;
  /** Slots an entry takes; 1 where several digits share a slot. */
  readonly limbs: number;
  /** Value bits of one limb. */
  readonly limbBits: number;
}

/** The plan that turns a vector into slots and a sum of slots into a vector. */
export interface Packing {
  readonly nMax: number;
  readonly blocks: readonly PackedBlock[];
  /** Number of entries of the vector. */
  readonly length: number;
  /** Number of slots, slot 0 (the count of contributors) included. */
  readonly slots: number;
}

/**
 * @param nMax - largest number of parties whose slots are added.
 * @throws Refusal layout_overflow where a sum of nMax parties could overflow a digit or a slot.
 */
export function planPacking(_layout: VectorLayout, _nMax: number): Packing {
  throw new Error("not written");
}

/**
 * @param vector - shape [packing.length]; not modified.
 * @returns slots in [0, T), shape [packing.slots]; slot 0 is 1.
 * @throws Refusal value_not_finite, value_out_of_bounds: the message names the block.
 */
export function quantize(_vector: Float64Array, _packing: Packing): Float64Array {
  throw new Error("not written");
}

/**
 * @param slots - the sum mod T of `parties` quantized vectors, shape [packing.slots].
 * @returns the sums, shape [packing.length]: the exact sum of the rounded entries, rounded once to float64.
 * @throws Refusal release_invalid when slot 0 is not `parties`, or a digit is out of range for that many.
 */
export function dequantizeSum(_slots: Float64Array, _packing: Packing, _parties: number): Float64Array {
  throw new Error("not written");
}
