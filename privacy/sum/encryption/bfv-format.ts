import { Refusal } from "../../../core/reasons.ts";

/**
 * The BFV parameters and the bytes SEAL 4.1 writes for them, checked before SEAL's own parser sees them.
 *
 * N = 4096 with a 60-bit q is far inside the 109 bits that 128-bit security allows (homomorphicencryption.org
 * standard 2018, table 1: ternary secret). Only additions are needed, so slots are the plaintext's coefficients
 * and T need not be a batching prime. q is the largest prime k·2⁴² + 1 below 2⁶⁰: with q ≡ 1 mod T the scaling
 * round(q·m / T) is k·m + round(m / T), which costs no long division (encrypting takes a third of the time).
 *
 * **Decryption cannot fail for up to 4,096 parties.** Write v for the error of a sum, so that the phase is
 * q·m/T + v mod q. Adding plaintexts that wrap mod T adds no error, since T divides q·T.
 * - fresh symmetric encryption: |e| ≤ 21, SEAL's centred binomial sampler (difference of two 21-bit weights),
 *   plus at most 1/2 for rounding q·m/T;
 * - n ciphertexts: |v| ≤ 21.5·n; the masks subtracted as one plaintext: 1/2 more, whichever number there are;
 * - SEAL decrypts by BEHZ with γ > 2⁶⁰: right while |v| < (q/T)·(1/2 − 1/γ).
 * For n = 4096: 88,064.5 < 131,064, whatever the randomness: the failure probability is 0 (a test reads q and T
 * from SEAL and checks the inequality). A coordinator may merge partial sums and subtract masks once in each;
 * the slack allows 86,000 such subtractions.
 *
 * @see Fan and Vercauteren 2012, eprint 2012/144; Bajard, Eynard, Hasan and Zucca 2016, eprint 2016/510
 */
export const polynomialDegree = 4096;
export const coefficientModulus = 262_129n * 2n ** 42n + 1n;
/** Largest |coefficient| of SEAL's centred binomial sampler: the weights of two 21-bit words subtracted. */
const freshErrorMax = 21;

/**
 * @returns the largest error, in the phase, of `ciphertexts` added up and `plaintexts` subtracted.
 * @internal for the test of the noise bound
 */
export const ciphertextError = (ciphertexts: number, plaintexts: number): number =>
  (freshErrorMax + 1 / 2) * ciphertexts + plaintexts / 2;

/** SEAL's hash of the parameters: every object of ours carries it. */
export const parametersId: readonly bigint[] = [
  16016504121561148078n,
  13736286196431788079n,
  15883458973063551282n,
  18183008528484080973n,
];

/** @returns the ciphertexts needed for a number of slots: each holds one slot a coefficient. */
export const chunkCount = (slots: number): number => Math.ceil(slots / polynomialDegree);

const wordBytes = 8;
const headerBytes = 16;
const polynomialBytes = polynomialDegree * wordBytes;

// outer header ‖ parameters id (4 × u64) ‖ NTT form (u8) ‖ polynomials ‖ degree ‖ primes (u64 each)
// ‖ scale (f64) ‖ correction factor (u64) ‖ inner header ‖ number of words (u64) ‖ words ‖ seed, if seeded
const ciphertextFields = headerBytes + 4 * wordBytes + 1 + 5 * wordBytes;
const wordsHeader = headerBytes + wordBytes;
// header ‖ generator (u8) ‖ 64 bytes
const seedBytes = headerBytes + 1 + 64;

/** A fresh ciphertext: its second polynomial travels as the seed it is expanded from. */
export const seededBytes = ciphertextFields + wordsHeader + polynomialBytes + seedBytes;
/** A sum: two polynomials. */
export const fullBytes = ciphertextFields + wordsHeader + 2 * polynomialBytes;

// outer header ‖ parameters id ‖ number of coefficients (u64) ‖ scale (f64) ‖ inner header ‖ words (u64) ‖ words
const keyFields = headerBytes + 6 * wordBytes;
/** A serialized secret key: one polynomial in NTT form. */
export const secretKeyBytes = keyFields + wordsHeader + polynomialBytes;

/** BLAKE2Xb, the only generator our encryptions use. */
const blake2xb = 1;

/**
 * Checks a ciphertext's bytes: length, headers, no compression, parameters, two polynomials in coefficient
 * form, every coefficient below q, and not transparent.
 * @throws Refusal ciphertext_malformed.
 */
export function checkCiphertext(bytes: Uint8Array): void {
  const refuse = (what: string) => new Refusal("ciphertext_malformed", `ciphertext: ${what}`);
  const seeded = bytes.length === seededBytes;
  if (!seeded && bytes.length !== fullBytes) throw refuse("wrong length");
  const view = viewOf(bytes);
  checkHeader(view, 0, bytes.length, refuse);
  checkParameters(view, refuse);
  if (view.getUint8(48) !== 0) throw refuse("not in coefficient form");
  const words = (seeded ? 1 : 2) * polynomialDegree;
  const fields = [2n, BigInt(polynomialDegree), 1n, oneAsFloat, 1n];
  for (const [i, expected] of fields.entries())
    if (view.getBigUint64(49 + i * wordBytes, true) !== expected) throw refuse("wrong shape");
  checkWords(view, ciphertextFields, words, refuse);
  if (seeded) {
    const seedAt = bytes.length - seedBytes;
    checkHeader(view, seedAt, seedBytes, refuse);
    if (view.getUint8(seedAt + headerBytes) !== blake2xb) throw refuse("unknown generator");
  } else if (bytes.subarray(fullBytes - polynomialBytes).every((byte) => byte === 0)) {
    throw refuse("transparent");
  }
}

/**
 * Checks a serialized secret key's bytes.
 * @throws Refusal key_mismatch.
 */
export function checkSecretKey(bytes: Uint8Array): void {
  const refuse = (what: string) => new Refusal("key_mismatch", `secret key: ${what}`);
  if (bytes.length !== secretKeyBytes) throw refuse("wrong length");
  const view = viewOf(bytes);
  checkHeader(view, 0, bytes.length, refuse);
  checkParameters(view, refuse);
  if (view.getBigUint64(48, true) !== BigInt(polynomialDegree)) throw refuse("wrong shape");
  if (view.getBigUint64(56, true) !== oneAsFloat) throw refuse("wrong shape");
  checkWords(view, keyFields, polynomialDegree, refuse);
}

/** 1.0 as float64. */
const oneAsFloat = 0x3ff0_0000_0000_0000n;

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

type Refuse = (what: string) => Refusal;

/** Magic 0xA15E ‖ header size 16 ‖ version 4.1 ‖ no compression ‖ reserved 0 (u16) ‖ total size (u64). */
function checkHeader(view: DataView, at: number, size: number, refuse: Refuse): void {
  const tag = view.getBigUint64(at, true);
  if (tag !== 0x0000_00_01_04_10_a15en) throw refuse("wrong header");
  if (view.getBigUint64(at + 8, true) !== BigInt(size)) throw refuse("wrong size in a header");
}

function checkParameters(view: DataView, refuse: Refuse): void {
  for (let i = 0; i < 4; i++)
    if (view.getBigUint64(headerBytes + i * wordBytes, true) !== parametersId[i])
      throw refuse("other parameters");
}

function checkWords(view: DataView, at: number, words: number, refuse: Refuse): void {
  checkHeader(view, at, wordsHeader + words * wordBytes, refuse);
  if (view.getBigUint64(at + headerBytes, true) !== BigInt(words)) throw refuse("wrong number of words");
  // q = qHigh·2³² + 1: a coefficient is below it when its high half is, or equals it over a low half of 0
  const qHigh = Number(coefficientModulus >> 32n);
  const first = at + wordsHeader;
  for (let low = first; low < first + words * wordBytes; low += wordBytes) {
    const high = view.getUint32(low + 4, true);
    if (high > qHigh || (high === qHigh && view.getUint32(low, true) !== 0))
      throw refuse("a coefficient is not below q");
  }
}
