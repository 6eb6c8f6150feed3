import { createCipheriv, createSecretKey, hkdfSync } from "node:crypto";
import { T } from "./layout.ts";

export { T };

/** One mask of a party: one end of a pair adds it, the other subtracts it. */
export interface MaskTerm {
  /** 32 secret bytes. */
  readonly seed: Uint8Array;
  /** Binds the mask to its round and its use. */
  readonly info: Uint8Array | string;
  readonly sign: 1 | -1;
}

/**
 * Adds what sign × mask is at `first` and after it to `slots`, for every mask, mod T, in place: as if the masks had
 * been added to a whole vector of which these slots are a part.
 */
export function addMasksFrom(first: number, slots: Float64Array, masks: readonly MaskTerm[]): void {
  const skipped = first % 3;
  const padded = new Float64Array(skipped + slots.length);
  padded.set(slots, skipped);
  for (let m = 0; m < masks.length; m += lazyMasks)
    addBatch(padded, masks.slice(m, m + lazyMasks), (first - skipped) / 3);
  slots.set(padded.subarray(skipped));
}

/** Slots worked on at a time: what one call to the cipher gives stays in the processor's cache. */
const sliceSlots = 3 * 2048;
/** Masks added between two reductions. Up to 2^10 words below 2^42 add up exactly in a float64. */
const lazyMasks = 64;

/**
 * Adds sign × mask to `slots` for every mask, mod T, in place.
 * A mask is AES-256-CTR keystream under HKDF-SHA-256(seed, info), from counter 0; each 16-byte block gives
 * three little-endian 42-bit words and drops its two highest bits. T is 2^42, so every word is a uniform slot.
 *
 * @param slots - integers in [0, T).
 * @throws {RangeError} if a seed is not 32 bytes.
 */
export function addMasks(slots: Float64Array, masks: readonly MaskTerm[]): void {
  for (let first = 0; first < masks.length; first += lazyMasks)
    addBatch(slots, masks.slice(first, first + lazyMasks));
}

/** @param block - of the keystream where the slots begin; each block has three. */
function addBatch(slots: Float64Array, masks: readonly MaskTerm[], block = 0): void {
  const ciphers = masks.map(({ seed, info }) => keystream(seed, info, block));
  const zeros = new Uint8Array(Math.ceil(Math.min(sliceSlots, slots.length) / 3) * 16);
  for (let first = 0; first < slots.length; first += sliceSlots) {
    const slice = slots.subarray(first, first + sliceSlots);
    for (const [m, cipher] of ciphers.entries()) addWords(slice, cipher.update(zeros), masks[m]!.sign);
    reduce(slice);
  }
}

function keystream(seed: Uint8Array, info: Uint8Array | string, block: number) {
  if (seed.length !== 32) throw new RangeError("a mask seed has 32 bytes");
  const label = Buffer.concat([Buffer.from("fedcredit/mask\0"), Buffer.from(info)]);
  // Key objects: given bytes, the library first takes them for one, fails, and pays for its own exception.
  const key = createSecretKey(Buffer.from(hkdfSync("sha256", createSecretKey(seed), "", label, 32)));
  const counter = Buffer.alloc(16);
  counter.writeUInt32BE(block, 12);
  return createCipheriv("aes-256-ctr", key, counter);
}

function addWords(slice: Float64Array, stream: Buffer, sign: 1 | -1): void {
  const words = new Uint32Array(stream.buffer, stream.byteOffset, stream.length / 4);
  const high = sign * 2 ** 32;
  const middle = sign * 2 ** 22;
  const low = sign * 2 ** 12;
  const whole = slice.length - (slice.length % 3);
  let w = 0;
  let i = 0;
  for (; i < whole; i += 3, w += 4) {
    const a = words[w]!;
    const b = words[w + 1]!;
    const c = words[w + 2]!;
    const d = words[w + 3]!;
    slice[i]! += sign * a + high * (b & 0x3ff);
    slice[i + 1]! += sign * (b >>> 10) + middle * (c & 0xfffff);
    slice[i + 2]! += sign * (c >>> 20) + low * (d & 0x3fffffff);
  }
  if (i < slice.length) slice[i]! += sign * words[w]! + high * (words[w + 1]! & 0x3ff);
  if (i + 1 < slice.length)
    slice[i + 1]! += sign * (words[w + 1]! >>> 10) + middle * (words[w + 2]! & 0xfffff);
}

/** Brings exact integers of either sign into [0, T): T is a power of two, so both products are exact. */
function reduce(slice: Float64Array): void {
  for (let i = 0; i < slice.length; i++) {
    const value = slice[i]!;
    slice[i] = value - Math.floor(value / T) * T;
  }
}
