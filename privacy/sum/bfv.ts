/** BFV with one key that all enterprises of an epoch hold, in a thread of its own. */
export interface Bfv {
  /** @returns a fresh secret key, serialized: the caller erases it. */
  generateKey(): Promise<Uint8Array>;
  /**
   * @param slots - integers in [0, T), any number.
   * @returns one ciphertext for each 4,096 slots, with fresh randomness; the last is filled with zeros.
   */
  encrypt(key: Uint8Array, slots: Float64Array): Promise<Uint8Array[]>;
  /** @returns a sum of `chunks` ciphertexts that holds nothing but the running sum. */
  openSum(chunks: number): RunningSum;
  /**
   * @returns the slots, shape [slotCount].
   * @throws Refusal ciphertext_malformed, key_mismatch.
   */
  decrypt(key: Uint8Array, chunks: readonly Uint8Array[], slotCount: number): Promise<Float64Array>;
  /** Ends the thread; what is under way is rejected. */
  close(): Promise<void>;
}

/** The coordinator's fold: ciphertexts of any number of parties, one sum in memory. */
export interface RunningSum {
  /**
   * Adds one party's ciphertext, or another fold's (a partial sum), at a chunk index.
   * @throws Refusal ciphertext_malformed.
   */
  add(index: number, ciphertext: Uint8Array): Promise<void>;
  /** Subtracts plain slots (the recomputed masks) mod T, shape [at most chunks × 4096]. */
  subtract(slots: Float64Array): Promise<void>;
  /** @returns the sum's ciphertexts; the fold is freed. A chunk nothing was added to is refused. */
  finish(): Promise<Uint8Array[]>;
  /** Frees the fold without a result. */
  discard(): Promise<void>;
}

/** Slots of one ciphertext. */
export const chunkSlots = 4096;

/** @returns the ciphertexts needed for a number of slots. */
export const chunkCount = (slots: number): number => Math.ceil(slots / chunkSlots);

/**
 * Checks a ciphertext's bytes before any parser sees them.
 * @throws Refusal ciphertext_malformed.
 */
export function checkCiphertext(_bytes: Uint8Array): void {
  throw new Error("not written");
}

/**
 * Checks a serialized secret key before any parser sees it.
 * @throws Refusal key_mismatch.
 */
export function checkSecretKey(_bytes: Uint8Array): void {
  throw new Error("not written");
}

/** Several parties of one process may share one. */
export async function openBfv(): Promise<Bfv> {
  throw new Error("not written");
}
