import { Worker } from "node:worker_threads";
import { Refusal } from "../../../core/reasons.ts";
import { maxParties, T } from "../layout.ts";
import { checkCiphertext, checkSecretKey, chunkCount, fullBytes, polynomialDegree } from "./bfv-format.ts";
import type { Reply, Request } from "./bfv-worker.ts";

export { checkCiphertext, checkSecretKey, chunkCount, polynomialDegree };

/** BFV with one key that all enterprises of an epoch hold. SEAL runs in a thread of its own. */
export interface Bfv {
  /** @returns a fresh secret key, serialized: the caller erases it. */
  generateKey(): Promise<Uint8Array>;
  /**
   * @param slots - integers in [0, T), any number; not modified.
   * @returns one ciphertext for each 4,096 slots, with fresh randomness; the last is filled up with zeros.
   * @throws Refusal key_mismatch.
   */
  encrypt(key: Uint8Array, slots: Float64Array): Promise<Uint8Array[]>;
  /** @returns a sum of `chunks` ciphertexts that holds nothing but the running sum. */
  openSum(chunks: number): RunningSum;
  /**
   * @returns the slots, shape [slotCount]. Another key than the one they were sealed under gives noise.
   * @throws Refusal ciphertext_malformed, key_mismatch.
   */
  decrypt(key: Uint8Array, chunks: readonly Uint8Array[], slotCount: number): Promise<Float64Array>;
  /** Ends the thread; what is under way is rejected. */
  close(): Promise<void>;
}

/** A ciphertext, and the chunk of a sum that it is added to. */
export interface Term {
  readonly index: number;
  readonly ciphertext: Uint8Array;
}

/** The coordinator's fold: ciphertexts of any number of parties, one sum in memory. */
export interface RunningSum {
  /**
   * Adds ciphertexts of parties, or chunks of another fold's result (a partial sum).
   * @throws Refusal ciphertext_malformed, internal when the thread that held the sum crashed: what passed
   *   `checkCiphertext` may have been added in part.
   */
  add(terms: readonly Term[]): Promise<void>;
  /**
   * Subtracts plain slots (the recomputed masks) mod T; chunk i must not be empty where slots reach it.
   * @param slots - integers in [0, T), at most chunks × 4096.
   */
  subtract(slots: Float64Array): Promise<void>;
  /**
   * @returns the sum's ciphertexts; the fold is freed.
   * @throws {RangeError} if nothing was added to a chunk.
   */
  finish(): Promise<Uint8Array[]>;
  /** Frees the fold without a result. */
  discard(): Promise<void>;
}

/**
 * Starts a thread with SEAL; several parties of one process may share it. After a crash the next call starts
 * a new one; what was under way, and every running sum, is refused as `internal`.
 *
 * @param module - the thread's program, other than SEAL's only to test what a crash does.
 */
export async function openBfv(module: URL = sealModule): Promise<Bfv> {
  const sealer = new ThreadedBfv(module);
  await sealer.generateKey();
  return sealer;
}

const sealModule = new URL(
  import.meta.url.endsWith(".ts") ? "./bfv-worker.ts" : "./bfv-worker.js",
  import.meta.url,
);

class ThreadedBfv implements Bfv {
  readonly #module: URL;
  #thread: Thread | undefined;
  #closed = false;

  constructor(module: URL) {
    this.#module = module;
  }

  async generateKey(): Promise<Uint8Array> {
    return await this.#current().call<Uint8Array>({ op: "generateKey" });
  }

  async encrypt(key: Uint8Array, slots: Float64Array): Promise<Uint8Array[]> {
    checkSecretKey(key);
    checkSlots(slots);
    return await this.#current().call<Uint8Array[]>({ op: "encrypt", key, slots });
  }

  openSum(chunks: number): RunningSum {
    return new ThreadedSum(this.#current(), chunks);
  }

  async decrypt(key: Uint8Array, chunks: readonly Uint8Array[], slotCount: number): Promise<Float64Array> {
    checkSecretKey(key);
    for (const chunk of chunks) checkCiphertext(chunk);
    if (chunkCount(slotCount) !== chunks.length)
      throw new Refusal("ciphertext_malformed", `${chunks.length} ciphertexts for ${slotCount} slots`);
    return await this.#current().call<Float64Array>({ op: "decrypt", key, chunks, slotCount });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.end();
  }

  #current(): Thread {
    if (this.#closed) throw new TypeError("the BFV thread is closed");
    if (this.#thread === undefined || this.#thread.ended) this.#thread = new Thread(this.#module);
    return this.#thread;
  }
}

class ThreadedSum implements RunningSum {
  static #opened = 0;
  readonly #sum = ++ThreadedSum.#opened;
  readonly #thread: Thread;
  readonly #chunks: number;
  /** Ciphertexts added to each chunk: decryption is proven for at most `maxParties`. */
  #added: readonly number[];

  constructor(thread: Thread, chunks: number) {
    if (!(Number.isInteger(chunks) && chunks >= 1)) throw new RangeError("a sum has at least one chunk");
    this.#thread = thread;
    this.#chunks = chunks;
    this.#added = new Array<number>(chunks).fill(0);
  }

  async add(terms: readonly Term[]): Promise<void> {
    const added = [...this.#added];
    for (const { index, ciphertext } of terms) {
      if (added[index] === undefined) throw new RangeError(`the sum has no chunk ${index}`);
      if (++added[index] > maxParties) throw new RangeError(`more than ${maxParties} ciphertexts in a chunk`);
      checkCiphertext(ciphertext);
    }
    this.#added = added;
    await this.#thread.add(this.#sum, terms);
  }

  async subtract(slots: Float64Array): Promise<void> {
    if (slots.length > this.#chunks * polynomialDegree) throw new RangeError("more slots than the sum has");
    checkSlots(slots);
    await this.#thread.call({ op: "subtract", sum: this.#sum, slots });
  }

  async finish(): Promise<Uint8Array[]> {
    return await this.#thread.call<Uint8Array[]>({ op: "finish", sum: this.#sum, chunks: this.#chunks });
  }

  async discard(): Promise<void> {
    if (!this.#thread.ended) await this.#thread.call({ op: "discard", sum: this.#sum });
  }
}

function checkSlots(slots: Float64Array): void {
  for (const slot of slots)
    if (!(slot >= 0 && slot < T && Number.isInteger(slot)))
      throw new RangeError("a slot is not an integer in [0, T)");
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Ciphertexts that are shown to the thread at once. */
const ciphertextsAtOnce = 16;

/** One worker thread; it keeps the process alive only while a call is under way. */
class Thread {
  readonly #worker: Worker;
  /** Memory that both threads see, for ciphertexts on their way: one is filled while the other is worked off. */
  readonly #trays = Array.from({ length: 2 }, () => ({
    memory: new SharedArrayBuffer(ciphertextsAtOnce * fullBytes),
    free: Promise.resolve(),
  }));
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  ended = false;

  constructor(module: URL) {
    this.#worker = new Worker(module);
    this.#worker.unref();
    this.#worker.on("message", (reply: Reply) => this.#settle(reply));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(undefined));
  }

  call<T = void>(request: Request): Promise<T> {
    if (this.ended) return Promise.reject(crash(undefined));
    const id = ++this.#calls;
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage({ id, request });
    });
  }

  async add(sum: number, terms: readonly Term[]): Promise<void> {
    for (let first = 0; first < terms.length; first += ciphertextsAtOnce)
      await this.#serve(sum, terms.slice(first, first + ciphertextsAtOnce));
  }

  async #serve(sum: number, terms: readonly Term[]): Promise<void> {
    const tray = this.#trays.shift()!;
    this.#trays.push(tray);
    const served = tray.free.then(() => {
      const bytes = new Uint8Array(tray.memory);
      const places = terms.map(({ index, ciphertext }, i) => {
        bytes.set(ciphertext, i * fullBytes);
        return { index, first: i * fullBytes, bytes: ciphertext.length };
      });
      return this.call({ op: "add", sum, tray: tray.memory, served: places });
    });
    tray.free = served.catch(() => {});
    return served;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ("value" in reply) waiting?.resolve(reply.value);
    else if ("mistake" in reply) waiting?.reject(new RangeError(reply.mistake));
    else waiting?.reject(new Refusal("ciphertext_malformed", `SEAL refuses the bytes: ${reply.refused}`));
  }

  #fail(cause: unknown): void {
    this.ended = true;
    for (const waiting of this.#waiting.values()) waiting.reject(crash(cause));
    this.#waiting.clear();
  }
}

const crash = (cause: unknown): Refusal =>
  new Refusal("internal", "the thread that runs BFV ended", { cause });
