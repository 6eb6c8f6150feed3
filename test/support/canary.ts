/** Raw values and every form in which they might leave a machine. */
import { createHash } from "node:crypto";

export type Canary = string | number;

interface Form {
  readonly canary: Canary;
  /** How it is written, for a failed test. */
  readonly form: string;
  readonly bytes: Buffer;
}

const leastBytes = 4;
/** Of a rounded number: shorter runs of digits stand in every time stamp. */
const leastDigits = 8;
/** Of base64 text: four letters of it are a word's now and then. */
const leastLetters = 5;

/** @returns all forms of a canary that are long enough to look for. */
export function formsOf(canary: Canary): Form[] {
  const forms: Form[] = [];
  const add = (form: string, bytes: Buffer): void => void forms.push({ canary, form, bytes });
  /** Bytes in both directions, each as it is and as it looks inside hexadecimal or base64 text. */
  const addCoded = (form: string, bytes: Buffer): void => {
    for (const [direction, there] of [
      [form, bytes],
      [`${form} reversed`, Buffer.from(bytes).reverse()],
    ] as const) {
      add(direction, there);
      add(`${direction} hex`, Buffer.from(there.toString("hex")));
      add(`${direction} HEX`, Buffer.from(there.toString("hex").toUpperCase()));
      for (const [alphabet, shift, text] of base64Forms(there))
        add(`${direction} ${alphabet}+${shift}`, text);
    }
  };
  for (const [form, text] of textsOf(canary)) {
    addCoded(`${form} UTF-8`, Buffer.from(text, "utf8"));
    addCoded(`${form} UTF-16LE`, Buffer.from(text, "utf16le"));
    addCoded(`${form} UTF-16BE`, Buffer.from(text, "utf16le").swap16());
    for (const algorithm of ["md5", "sha1", "sha256", "sha512"])
      addCoded(`${form} ${algorithm}`, createHash(algorithm).update(text).digest());
  }
  if (typeof canary === "number") for (const [form, bytes] of binariesOf(canary)) addCoded(form, bytes);
  return forms.filter(({ bytes }) => bytes.length >= leastBytes);
}

function* textsOf(canary: Canary): Generator<[string, string]> {
  if (typeof canary === "string") {
    yield ["text", canary];
    yield ["lower case", canary.toLowerCase()];
    yield ["upper case", canary.toUpperCase()];
    return;
  }
  const text = String(canary);
  yield ["decimal", text];
  yield ["scientific", canary.toExponential()];
  yield ["digits", text.replaceAll(/\D/g, "")];
  yield ["decimal comma", text.replace(".", ",")];
  for (let places = 1; places <= 4; places++)
    for (const [form, rounded] of [
      [`rounded to ${places} places`, canary.toFixed(places)],
      [`digits ×10^${places}`, String(Math.round(canary * 10 ** places))],
    ] as const)
      if (rounded.length >= leastDigits) yield [form, rounded];
}

function* binariesOf(x: number): Generator<[string, Buffer]> {
  const made = (bytes: number, write: (buffer: Buffer) => void): Buffer => {
    const buffer = Buffer.alloc(bytes);
    write(buffer);
    return buffer;
  };
  // Big-endian is little-endian reversed.
  yield ["float32", made(4, (b) => b.writeFloatLE(x))];
  yield ["float64", made(8, (b) => b.writeDoubleLE(x))];
  for (const [scale, factor] of [
    ["", 1],
    [" ×10", 10],
    [" ×10²", 100],
    [" ×10³", 1000],
    [" ×10⁴", 10_000],
    [" ×2¹⁶", 65_536],
    [" ×2³²", 2 ** 32],
  ] as const) {
    const scaled = Math.round(x * factor);
    if (Math.abs(scaled) < 2 ** 31 && Math.abs(scaled) >= 2 ** 16)
      yield [`int32${scale}`, made(4, (b) => b.writeInt32LE(scaled))];
    if (Math.abs(scaled) >= 2 ** 16)
      yield [`int64${scale}`, made(8, (b) => b.writeBigInt64LE(BigInt(scaled)))];
  }
}

/** Bytes within base64 text begin at any of three places of a group; the characters they share with neighbours are cut off. */
function* base64Forms(bytes: Buffer): Generator<[string, number, Buffer]> {
  for (const alphabet of ["base64", "base64url"] as const)
    for (let shift = 0; shift < 3; shift++) {
      const text = Buffer.concat([Buffer.alloc(shift), bytes])
        .toString(alphabet)
        .replaceAll("=", "");
      const tail = (shift + bytes.length) % 3 === 0 ? 0 : 1;
      const letters = text.slice([0, 2, 3][shift], text.length - tail);
      if (letters.length >= leastLetters) yield [alphabet, shift, Buffer.from(letters)];
    }
}

export interface Hit extends Omit<Form, "bytes"> {
  readonly where: string;
}

/** Looks for many canaries at once. */
export class CanaryScanner {
  /** Forms by their first four bytes. */
  readonly #byStart = new Map<number, Form[]>();

  constructor(canaries: Iterable<Canary>) {
    for (const canary of new Set(canaries))
      for (const form of formsOf(canary)) {
        const start = form.bytes.readUInt32BE(0);
        const forms = this.#byStart.get(start) ?? [];
        forms.push(form);
        this.#byStart.set(start, forms);
      }
  }

  /** @returns each form that occurs, once. */
  scan(bytes: Uint8Array, where: string): Hit[] {
    const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found = new Map<Form, Hit>();
    let start = 0;
    for (let at = 0; at < haystack.length; at++) {
      start = ((start << 8) | haystack[at]!) >>> 0;
      if (at < leastBytes - 1) continue;
      const from = at - (leastBytes - 1);
      for (const form of this.#byStart.get(start) ?? []) {
        if (!haystack.subarray(from, from + form.bytes.length).equals(form.bytes)) continue;
        found.set(form, { canary: form.canary, form: form.form, where });
      }
    }
    return [...found.values()];
  }
}
