import { Refusal } from "../../core/reasons.ts";

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

/** The modulus of the sealed sum: a slot is an integer in [0, T), and masks are uniform in it. */
export const T = 2 ** 42;

/** Most parties of one sum: decryption is proven right up to here (see bfv.ts). */
export const maxParties = 4096;

const slotBits = 42;

/** How one block's integers lie in slots: several digits a slot, or several slots (limbs) an entry. */
export interface PackedBlock extends Block {
  /** First slot of the block. */
  readonly firstSlot: number;
  /** round(bound / step), with room for noise: added to every integer, so that digits are never negative. */
  readonly offset: bigint;
  /** Bits of the sum of nMax digits; of one limb's value where an entry takes several. */
  readonly digitWidth: number;
  /** Digits that share a slot; 1 where an entry takes several limbs. */
  readonly digitsPerSlot: number;
  /** Slots an entry takes; 1 where digits share a slot. */
  readonly limbs: number;
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
 * @param nMax - largest number of parties whose slots are added, 1…4096.
 * @param room - steps by which noise may take an integer beyond its bound, by block; none by default.
 * @throws {RangeError} when a step is not a power of two, or a bound is below its step.
 * @throws Refusal layout_overflow where a sum of nMax parties could overflow a digit, a slot or a float64.
 */
export function planPacking(layout: VectorLayout, nMax: number, room: readonly number[] = []): Packing {
  if (!(Number.isInteger(nMax) && nMax >= 1)) throw new RangeError("nMax must be an integer >= 1");
  if (nMax > maxParties)
    throw new Refusal("layout_overflow", `a sum of ${nMax} parties, more than ${maxParties}`);
  const blocks: PackedBlock[] = [];
  let firstSlot = 1;
  for (const [b, block] of layout.blocks.entries()) {
    const packed = packBlock(block, nMax, firstSlot, room[b] ?? 0);
    blocks.push(packed);
    firstSlot += slotsOf(packed);
  }
  return { nMax, blocks, length: vectorLength(layout), slots: firstSlot };
}

/** Wider than a float64 sum can show: more bits are a mistake in the study's parameters. */
const maxValueBits = 256;

function packBlock(block: Block, nMax: number, firstSlot: number, room: number): PackedBlock {
  const { name, length, bound, step } = block;
  if (!(Number.isInteger(length) && length >= 0)) throw new RangeError(`${name}: length must be >= 0`);
  if (!(step >= 2 ** -1022 && step === 2 ** Math.round(Math.log2(step))))
    throw new RangeError(`${name}: step must be a power of two >= 2^-1022`);
  if (!(bound >= step)) throw new RangeError(`${name}: bound must be >= step`);
  const levels = bound / step;
  if (!Number.isFinite(levels) || !Number.isFinite(2 * bound * nMax))
    throw new Refusal("layout_overflow", `${name}: the sum overflows a float64`);
  const offset = BigInt(Math.round(levels)) + BigInt(room);
  const digitWidth = bitLength(2n * offset * BigInt(nMax));
  if (digitWidth <= slotBits) {
    const digitsPerSlot = Math.floor(slotBits / digitWidth);
    return { ...block, firstSlot, offset, digitWidth, digitsPerSlot, limbs: 1 };
  }
  if (room > 0)
    throw new Refusal(
      "layout_overflow",
      `${name}: a digit of ${digitWidth} bits, noise included, where ${slotBits} are the most`,
      { hint: "take a smaller maxRowsPerParty, fewer enterprises, or less noise" },
    );
  const valueBits = bitLength(2n * offset);
  if (valueBits > maxValueBits)
    throw new Refusal("layout_overflow", `${name}: ${valueBits} bits a value, more than ${maxValueBits}`);
  // nMax limbs of at most 2^limbBits - 1 stay below T
  const limbBits = slotBits - bitLength(BigInt(nMax - 1));
  const limbs = Math.ceil(valueBits / limbBits);
  return { ...block, firstSlot, offset, digitWidth: limbBits, digitsPerSlot: 1, limbs };
}

const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);

const slotsOf = (block: PackedBlock): number => Math.ceil(block.length / block.digitsPerSlot) * block.limbs;

/**
 * @param vector - shape [packing.length]; not modified.
 * @returns slots in [0, T), shape [packing.slots]; slot 0 is 1.
 * @throws Refusal value_not_finite, value_out_of_bounds: the message names the block.
 */
export function quantize(vector: Float64Array, packing: Packing): Float64Array {
  if (vector.length !== packing.length) throw new RangeError("the vector does not have the packing's length");
  const slots = new Float64Array(packing.slots);
  slots[0] = 1;
  let first = 0;
  for (const block of packing.blocks) {
    const entries = vector.subarray(first, first + block.length);
    refuseOutside(entries, block);
    if (block.limbs === 1) packDigits(entries, block, slots);
    else packLimbs(entries, block, slots);
    first += block.length;
  }
  return slots;
}

function refuseOutside(entries: Float64Array, { name, bound }: PackedBlock): void {
  for (const x of entries) {
    if (Math.abs(x) <= bound) continue;
    if (!Number.isFinite(x)) throw new Refusal("value_not_finite", `${name} holds NaN or infinity`);
    throw new Refusal("value_out_of_bounds", `${name} holds a value beyond its bound ${bound}`);
  }
}

/** Digit j of a slot has weight 2^(j × digitWidth). */
function packDigits(entries: Float64Array, block: PackedBlock, slots: Float64Array): void {
  const { digitsPerSlot, length } = block;
  const scale = 1 / block.step;
  const offset = Number(block.offset);
  const radix = 2 ** block.digitWidth;
  let slot = block.firstSlot;
  for (let i = 0; i < length; i += digitsPerSlot) {
    let value = 0;
    for (let j = Math.min(i + digitsPerSlot, length) - 1; j >= i; j--)
      value = value * radix + Math.round(entries[j]! * scale) + offset;
    slots[slot++] = value;
  }
}

/**
 * Limb l of an entry has weight 2^(l × digitWidth). Every operation on an integer-valued float64 here is
 * exact: dividing by a power of two, flooring, and taking what lies below a power of two only drop bits.
 */
function packLimbs(entries: Float64Array, block: PackedBlock, slots: Float64Array): void {
  const { limbs, digitWidth } = block;
  const radix = 2 ** digitWidth;
  const offset = limbsOf(block.offset, limbs, digitWidth);
  let slot = block.firstSlot;
  for (const x of entries) {
    let rest = Math.round(x / block.step);
    let carry = 0;
    for (const offsetLimb of offset) {
      const above = Math.floor(rest / radix);
      const sum = rest - above * radix + offsetLimb + carry;
      carry = sum >= radix ? 1 : 0;
      slots[slot++] = sum - carry * radix;
      rest = above;
    }
  }
}

function limbsOf(value: bigint, limbs: number, width: number): number[] {
  return Array.from({ length: limbs }, (_, l) =>
    Number(BigInt.asUintN(width, value >> (BigInt(l) * BigInt(width)))),
  );
}

/**
 * @param slots - the sum mod T of `parties` quantized vectors, shape [packing.slots].
 * @returns the sums, shape [packing.length]: the exact sum of the rounded entries, rounded once to float64.
 * @throws Refusal release_invalid when slot 0 is not `parties`, or a digit is out of range for that many.
 */
export function dequantizeSum(slots: Float64Array, packing: Packing, parties: number): Float64Array {
  if (!(Number.isInteger(parties) && parties >= 1 && parties <= packing.nMax))
    throw new RangeError("parties must be 1…nMax");
  if (slots.length !== packing.slots) throw new Refusal("release_invalid", "the sum has another length");
  for (const slot of slots)
    if (!(Number.isInteger(slot) && slot >= 0 && slot < T))
      throw new Refusal("release_invalid", "a slot is not an integer below the modulus");
  if (slots[0] !== parties)
    throw new Refusal("release_invalid", `the sum counts other than ${parties} parties`);
  const sums = new Float64Array(packing.length);
  let first = 0;
  for (const block of packing.blocks) {
    const entries = sums.subarray(first, first + block.length);
    if (block.limbs === 1) unpackDigits(slots, block, parties, entries);
    else unpackLimbs(slots, block, parties, entries);
    first += block.length;
  }
  return sums;
}

const digitOutOfRange = (block: Block): Refusal =>
  new Refusal("release_invalid", `${block.name}: a digit of the sum is out of range`);

function unpackDigits(slots: Float64Array, block: PackedBlock, parties: number, entries: Float64Array): void {
  const { digitsPerSlot, length, step } = block;
  const offset = parties * Number(block.offset);
  const radix = 2 ** block.digitWidth;
  let slot = block.firstSlot;
  for (let i = 0; i < length; i += digitsPerSlot) {
    let rest = slots[slot++]!;
    const end = Math.min(i + digitsPerSlot, length);
    for (let j = i; j < end; j++) {
      const above = Math.floor(rest / radix);
      const digit = rest - above * radix;
      if (digit > 2 * offset) throw digitOutOfRange(block);
      entries[j] = (digit - offset) * step;
      rest = above;
    }
    if (rest !== 0) throw digitOutOfRange(block);
  }
}

function unpackLimbs(slots: Float64Array, block: PackedBlock, parties: number, entries: Float64Array): void {
  const { limbs, step } = block;
  const width = BigInt(block.digitWidth);
  const limbMax = parties * (2 ** block.digitWidth - 1);
  const offset = BigInt(parties) * block.offset;
  for (let i = 0; i < block.length; i++) {
    const first = block.firstSlot + i * limbs;
    let value = 0n;
    for (let l = limbs - 1; l >= 0; l--) {
      const limb = slots[first + l]!;
      if (limb > limbMax) throw digitOutOfRange(block);
      value = (value << width) + BigInt(limb);
    }
    if (value > 2n * offset) throw digitOutOfRange(block);
    entries[i] = Number(value - offset) * step;
  }
}
