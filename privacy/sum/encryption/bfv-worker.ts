import { parentPort } from "node:worker_threads";
import initialize, {
  type Ciphertext,
  type Evaluator,
  type MainModule,
  type Plaintext,
  type PublicKey,
  type SEALContext,
  type SecretKey,
} from "node-seal";
import { T } from "../layout.ts";
import { coefficientModulus, polynomialDegree } from "./bfv-format.ts";

/** Where a ciphertext lies in a tray, and the chunk of a sum that it is added to. */
export interface Served {
  readonly index: number;
  readonly first: number;
  readonly bytes: number;
}

/** What the thread is asked; `bfv.ts` checks every byte string before it comes here. */
export type Request =
  | { op: "generateKey" }
  | { op: "encrypt"; key: Uint8Array; slots: Float64Array }
  | { op: "decrypt"; key: Uint8Array; chunks: readonly Uint8Array[]; slotCount: number }
  | { op: "add"; sum: number; tray: SharedArrayBuffer; served: readonly Served[] }
  | { op: "subtract"; sum: number; slots: Float64Array }
  | { op: "finish"; sum: number; chunks: number }
  | { op: "discard"; sum: number };

export type Reply = { id: number } & (
  | { value: unknown }
  /** SEAL did not accept the bytes. */
  | { refused: string }
  /** The caller's mistake. */
  | { mistake: string }
);

/** BFV by Microsoft SEAL. Every method frees what it makes; only the running sums stay. */
class Sealer {
  readonly #seal: MainModule;
  readonly #context: SEALContext;
  /** The encryptor cannot be made without a public key: this one is nobody's, and encrypts nothing. */
  readonly #publicKey: PublicKey;
  readonly #evaluator: Evaluator;
  readonly #sums = new Map<number, (Ciphertext | undefined)[]>();
  /** A serialized plaintext; its words are replaced for every chunk. */
  readonly #plaintextBytes: Uint8Array;
  readonly #plaintextWords: Uint32Array;

  constructor(seal: MainModule) {
    this.#seal = seal;
    this.#context = contextOf(seal);
    this.#evaluator = new seal.Evaluator(this.#context);
    using generator = new seal.KeyGenerator(this.#context);
    this.#publicKey = generator.createPublicKey();
    using plaintext = new seal.Plaintext(polynomialDegree);
    this.#plaintextBytes = Uint8Array.from(this.#save(plaintext));
    this.#plaintextWords = new Uint32Array(
      this.#plaintextBytes.buffer,
      this.#plaintextBytes.length - 8 * polynomialDegree,
    );
  }

  generateKey(): Uint8Array {
    using generator = new this.#seal.KeyGenerator(this.#context);
    using key = generator.secretKey();
    return this.#save(key);
  }

  encrypt(keyBytes: Uint8Array, slots: Float64Array): Uint8Array[] {
    using key = this.#loadKey(keyBytes);
    using encryptor = new this.#seal.Encryptor(this.#context, this.#publicKey, key);
    using plaintext = new this.#seal.Plaintext(polynomialDegree);
    const chunks: Uint8Array[] = [];
    for (let first = 0; first < slots.length; first += polynomialDegree) {
      this.#plaintextOf(slots.subarray(first, first + polynomialDegree), plaintext);
      using ciphertext = encryptor.encryptSymmetricSerializable(plaintext);
      chunks.push(this.#save(ciphertext));
    }
    return chunks;
  }

  decrypt(keyBytes: Uint8Array, chunks: readonly Uint8Array[], slotCount: number): Float64Array {
    using key = this.#loadKey(keyBytes);
    using decryptor = new this.#seal.Decryptor(this.#context, key);
    using plaintext = new this.#seal.Plaintext();
    const slots = new Float64Array(chunks.length * polynomialDegree);
    for (const [index, chunk] of chunks.entries()) {
      using ciphertext = this.#loadCiphertext(chunk);
      decryptor.decrypt(ciphertext, plaintext);
      this.#slotsOf(plaintext, slots.subarray(index * polynomialDegree));
    }
    return slots.slice(0, slotCount);
  }

  add(sum: number, tray: SharedArrayBuffer, served: readonly Served[]): void {
    const chunks = this.#sums.get(sum) ?? [];
    this.#sums.set(sum, chunks);
    for (const { index, first, bytes } of served) {
      const running = chunks[index];
      const ciphertext = this.#loadCiphertext(new Uint8Array(tray, first, bytes));
      if (running === undefined) {
        chunks[index] = ciphertext;
        continue;
      }
      try {
        this.#evaluator.addInplace(running, ciphertext);
      } finally {
        ciphertext.delete();
      }
    }
  }

  subtract(sum: number, slots: Float64Array): void {
    using plaintext = new this.#seal.Plaintext(polynomialDegree);
    for (let index = 0; index * polynomialDegree < slots.length; index++) {
      const running = this.#chunk(sum, index);
      this.#plaintextOf(slots.subarray(index * polynomialDegree, (index + 1) * polynomialDegree), plaintext);
      this.#evaluator.subPlainInplace(running, plaintext);
    }
  }

  finish(sum: number, chunks: number): Uint8Array[] {
    const finished = Array.from({ length: chunks }, (_, index) => this.#save(this.#chunk(sum, index)));
    this.discard(sum);
    return finished;
  }

  discard(sum: number): void {
    for (const running of this.#sums.get(sum) ?? []) running?.delete();
    this.#sums.delete(sum);
  }

  #chunk(sum: number, index: number): Ciphertext {
    const running = this.#sums.get(sum)?.[index];
    if (running === undefined) throw new RangeError(`chunk ${index} of the sum is empty`);
    return running;
  }

  #loadKey(bytes: Uint8Array): SecretKey {
    return this.#load(new this.#seal.SecretKey(), bytes);
  }

  #loadCiphertext(bytes: Uint8Array): Ciphertext {
    return this.#load(new this.#seal.Ciphertext(this.#context), bytes);
  }

  #load<T extends SecretKey | Ciphertext>(object: T, bytes: Uint8Array): T {
    try {
      object.loadFromArray(this.#context, bytes);
      return object;
    } catch (error) {
      object.delete();
      throw error;
    }
  }

  /** Coefficient i is slot i, little-endian 64-bit; what lies past the slots is 0. */
  #plaintextOf(slots: Float64Array, plaintext: Plaintext): void {
    const words = this.#plaintextWords;
    words.fill(0, 2 * slots.length);
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      const high = Math.floor(slot / 2 ** 32);
      words[2 * i] = slot - high * 2 ** 32;
      words[2 * i + 1] = high;
    }
    plaintext.loadFromArray(this.#context, this.#plaintextBytes);
  }

  /** SEAL leaves the highest coefficients out where they are 0. */
  #slotsOf(plaintext: Plaintext, slots: Float64Array): void {
    const bytes = this.#save(plaintext);
    const count = plaintext.coeffCount();
    const words = new Uint32Array(bytes.slice(bytes.length - 8 * count).buffer);
    for (let i = 0; i < count; i++) slots[i] = words[2 * i]! + words[2 * i + 1]! * 2 ** 32;
  }

  #save(object: { saveToArray(mode: MainModule["ComprModeType"]["none"]): unknown }): Uint8Array {
    return object.saveToArray(this.#seal.ComprModeType.none) as Uint8Array;
  }
}

function contextOf(seal: MainModule): SEALContext {
  using parameters = new seal.EncryptionParameters(seal.SchemeType.bfv);
  using q = new seal.Modulus(coefficientModulus);
  using primes = seal.vecFromArrayModulus([q]);
  using t = new seal.Modulus(BigInt(T));
  parameters.setPolyModulusDegree(polynomialDegree);
  parameters.setCoeffModulus(primes);
  parameters.setPlainModulus(t);
  const context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128);
  if (!context.parametersSet()) throw new Error("SEAL refuses the parameters");
  return context;
}

function answer(sealer: Sealer, request: Request): unknown {
  switch (request.op) {
    case "generateKey":
      return sealer.generateKey();
    case "encrypt":
      return sealer.encrypt(request.key, request.slots);
    case "decrypt":
      return sealer.decrypt(request.key, request.chunks, request.slotCount);
    case "add":
      return sealer.add(request.sum, request.tray, request.served);
    case "subtract":
      return sealer.subtract(request.sum, request.slots);
    case "finish":
      return sealer.finish(request.sum, request.chunks);
    case "discard":
      return sealer.discard(request.sum);
  }
}

/** What SEAL throws is no Error; an Error that is no RangeError is a crash, and ends the thread. */
function reply(sealer: Sealer, id: number, request: Request): Reply {
  try {
    return { id, value: answer(sealer, request) };
  } catch (error) {
    if (error instanceof RangeError) return { id, mistake: error.message };
    if (error instanceof Error) throw error;
    return { id, refused: String((error as { message?: unknown }).message) };
  }
}

/** @returns the memory of what is answered, which nobody needs here: it is handed over, not copied. */
function handedOver(answered: Reply): ArrayBufferLike[] {
  const value = "value" in answered ? answered.value : undefined;
  return (Array.isArray(value) ? value : [value]).flatMap((one) =>
    ArrayBuffer.isView(one) ? one.buffer : [],
  );
}

const sealer = new Sealer(await initialize());
parentPort?.on("message", ({ id, request }: { id: number; request: Request }) => {
  const answered = reply(sealer, id, request);
  parentPort?.postMessage(answered, handedOver(answered) as ArrayBuffer[]);
});
