/**
 * Noise under a sum: what each party adds, and what of it is taken away again once it is known who survived.
 *
 * With c of the survivors colluding and s survivors in all, each keeps the variance ⌈σ² / (s − c)⌉, so that honest ones
 * alone reach σ². A party does not know s when it submits: it adds one part for the full cohort and a further one for
 * every member that may be missing, and reveals the parts that were not needed after T members agreed who survived.
 * Their seeds are a chain, each the hash of the one before: the first that is shown gives all later ones and none
 * earlier, and the one after the last is committed to with the submission.
 *
 * @see Jiang et al. 2023 (Dordis), arXiv:2209.12528
 */
import { type Digest, sha256 } from "../../core/canonical.ts";
import { keyedRandom, type Random } from "../../core/random.ts";
import { sampleDiscreteGaussian } from "../noise/discrete-gaussian.ts";
import { polynomialDegree } from "./encryption/bfv-format.ts";
import { type PackedBlock, type Packing, T } from "./layout.ts";
import { excessParts, isNoisy, mayReveal, type NoisyHeader, partVariances } from "./noise-terms.ts";

/** One part of a party's noise: independent discrete Gaussians in every entry. */
export interface NoisePart {
  /** 32 secret bytes. */
  readonly seed: Uint8Array;
  readonly info: string;
  /** By block. */
  readonly variances: readonly number[];
}

/** A party's noise in one attempt. */
export interface PartyNoise {
  /** All that is added. */
  readonly parts: readonly NoisePart[];
  /** The seed after the last of the chain, as hexadecimal text; "" where nothing may have to be revealed. */
  readonly commitment: Digest;
}

const infoOf = (roundId: Digest, part: number): string => `fedcredit/v2/noise ${roundId} ${part}`;

const nextSeed = (roundId: Digest, seed: Uint8Array): Uint8Array =>
  sha256("fedcredit/v2/noise-chain\0", Buffer.from(roundId, "hex"), seed);

/** @returns so many seeds of the chain, the first included. */
function chainFrom(roundId: Digest, seed: Uint8Array, count: number): Uint8Array[] {
  const seeds = [seed];
  while (seeds.length < count) seeds.push(nextSeed(roundId, seeds.at(-1)!));
  return seeds;
}

const commitmentOf = (roundId: Digest, last: Uint8Array): Digest =>
  Buffer.from(nextSeed(roundId, last)).toString("hex");

/**
 * Draws a party's noise. Vectors that are summed again keep the noise they had, and only what is missing to fewer
 * survivors' share is drawn: two independent draws over the same data would say more of them than one.
 * @param kept - of the attempt that is followed: what stayed in its sum; empty where none is.
 */
export function drawNoise(
  roundId: Digest,
  header: NoisyHeader,
  kept: readonly NoisePart[],
  random: Random,
): PartyNoise {
  if (!isNoisy(header)) return { parts: [], commitment: "" };
  const [own, ...later] = partVariances(header);
  const had = own!.map((_, b) => kept.reduce((sum, { variances }) => sum + variances[b]!, 0));
  const missing = own!.map((variance, b) => Math.max(variance - had[b]!, had[b]! > 0 ? leastExtra : 1));
  const first = { seed: random.bytes(32), info: infoOf(roundId, 0), variances: missing };
  if (!mayReveal(header)) return { parts: [...kept, first], commitment: "" };
  const seeds = chainFrom(roundId, random.bytes(32), later.length);
  const chain = later.map((variances, i) => ({
    seed: seeds[i]!,
    info: infoOf(roundId, i + 1),
    variances,
  }));
  return { parts: [first, ...chain], commitment: commitmentOf(roundId, seeds.at(-1)!) };
}

/** Of what is drawn beside kept noise: as much as makes a sum of two discrete Gaussians one. */
const leastExtra = 18;

/** @returns what of a party's noise stays in a sum of so many survivors, and the seed that gives the rest. */
export function splitNoise(
  header: NoisyHeader,
  { parts }: PartyNoise,
  survivors: number,
): { readonly kept: readonly NoisePart[]; readonly revealed: Uint8Array } {
  const excess = excessParts(header, survivors);
  const stay = parts.length - excess;
  return { kept: parts.slice(0, stay), revealed: parts[stay]?.seed ?? new Uint8Array() };
}

/**
 * @param seed - that a survivor revealed.
 * @returns whether it is the one committed to, for a sum of so many survivors.
 */
export function isRevealed(
  roundId: Digest,
  header: NoisyHeader,
  survivors: number,
  seed: Uint8Array,
  commitment: Digest,
): boolean {
  const excess = excessParts(header, survivors);
  if (excess === 0 || seed.length !== 32) return excess === 0 && seed.length === 0;
  return commitmentOf(roundId, chainFrom(roundId, seed, excess).at(-1)!) === commitment;
}

/** @returns the parts that a revealed seed gives. */
export function revealedParts(
  roundId: Digest,
  header: NoisyHeader,
  survivors: number,
  seed: Uint8Array,
): NoisePart[] {
  const excess = excessParts(header, survivors);
  if (!isNoisy(header) || excess === 0) return [];
  const all = partVariances(header);
  const first = all.length - excess;
  return chainFrom(roundId, seed, excess).map((one, i) => ({
    seed: one,
    info: infoOf(roundId, first + i),
    variances: all[first + i]!,
  }));
}

/**
 * Adds noise to slots, mod T, in place, as if it were added to the whole vector of which they are a part.
 * @param first - slot of the vector that they begin with: a multiple of what a ciphertext holds.
 */
export function addNoiseFrom(
  first: number,
  slots: Float64Array,
  packing: Packing,
  parts: readonly NoisePart[],
): void {
  for (const part of parts)
    for (let from = 0; from < slots.length; from += polynomialDegree) {
      const chunk = slots.subarray(from, from + polynomialDegree);
      addChunk(first + from, chunk, packing, part);
    }
}

/** Each ciphertext's noise is a stream of its own, so that one chunk is recomputed without the others. */
function addChunk(first: number, slots: Float64Array, packing: Packing, part: NoisePart): void {
  const random = keyedRandom(part.seed, `${part.info} ${first / polynomialDegree}`);
  for (const [b, block] of packing.blocks.entries()) {
    const blockSlots = Math.ceil(block.length / block.digitsPerSlot);
    const from = Math.max(block.firstSlot, first);
    const to = Math.min(block.firstSlot + blockSlots, first + slots.length);
    if (from >= to) continue;
    const { digitsPerSlot } = block;
    const entry = (from - block.firstSlot) * digitsPerSlot;
    const entries = Math.min((to - block.firstSlot) * digitsPerSlot, block.length) - entry;
    const noise = sampleDiscreteGaussian(part.variances[b]!, entries, random);
    addDigits(slots.subarray(from - first, to - first), noise, block);
  }
}

function addDigits(slots: Float64Array, noise: Float64Array, block: PackedBlock): void {
  const { digitsPerSlot } = block;
  const radix = 2 ** block.digitWidth;
  for (let slot = 0, at = 0; slot < slots.length; slot++, at += digitsPerSlot) {
    let value = 0;
    for (let j = Math.min(at + digitsPerSlot, noise.length) - 1; j >= at; j--)
      value = value * radix + noise[j]!;
    const sum = slots[slot]! + value;
    slots[slot] = sum - Math.floor(sum / T) * T;
  }
}
