import { Refusal } from "../core/reasons.ts";

/** A frame of DL/T 645-2007, its data already without the 33h added on the wire. */
export interface Frame {
  /** Twelve digits, as printed on the meter. */
  readonly address: string;
  readonly control: number;
  readonly data: Buffer;
}

/** Control codes; an answer sets bit 7, a refusal bits 7 and 6. */
export const control = { read: 0x11, answer: 0x91, answerMore: 0xb1, refusal: 0xd1 } as const;

const start = 0x68;
const end = 0x16;
const preamble = 0xfe;
const offset = 0x33;
/** Start, address, start, control, length; then data, checksum, end. */
const headBytes = 10;

const malformed = (message: string): Refusal => new Refusal("message_malformed", message);

/**
 * ```
 * 68 | address BCD[6], lowest first | 68 | control u8 | length u8 | data + 33h each | sum of all before u8 | 16
 * ```
 * @param preambles - FE bytes sent ahead to wake an optical or RS-485 receiver.
 * @see DL/T 645-2007, section 5
 */
export function encodeFrame({ address, control, data }: Frame, preambles = 0): Buffer {
  if (!/^\d{12}$/.test(address)) throw new RangeError("a meter's address has twelve digits");
  const frame = Buffer.concat([
    Buffer.of(start),
    Buffer.from(address, "hex").reverse(),
    Buffer.of(start, control, data.length),
    data.map((byte) => byte + offset),
  ]);
  return Buffer.concat([Buffer.alloc(preambles, preamble), frame, Buffer.of(sumOf(frame), end)]);
}

/** Read request for a data identifier written as in the standard, highest byte first: "00010000". */
export const readRequest = (address: string, identifier: string, preambles = 0): Buffer =>
  encodeFrame({ address, control: control.read, data: identifierBytes(identifier) }, preambles);

/**
 * Takes the first whole frame out of what a line received.
 *
 * @returns the frame and what follows it, or the bytes that may still become one.
 */
export function takeFrame(received: Buffer): { frame?: Frame; rest: Buffer; damaged: boolean } {
  let damaged = false;
  for (let at = received.indexOf(start); at >= 0; at = received.indexOf(start, at + 1)) {
    const rest = received.subarray(at);
    if (rest.length < headBytes) return { rest, damaged };
    if (rest[7] !== start) continue;
    const length = headBytes + rest[9]! + 2;
    if (rest.length < length) return { rest, damaged };
    const summed = rest.subarray(0, length - 2);
    const address = Buffer.from(rest.subarray(1, 7)).reverse().toString("hex");
    // A 68 within data may look like a start: the next one is tried, not the next frame.
    if (rest[length - 1] !== end || rest[length - 2] !== sumOf(summed) || !/^\d{12}$/.test(address)) {
      damaged = true;
      continue;
    }
    const data = Buffer.from(summed.subarray(headBytes).map((byte) => byte - offset));
    return { frame: { address, control: rest[8]!, data }, rest: rest.subarray(length), damaged };
  }
  return { rest: Buffer.alloc(0), damaged };
}

/** Bits of a refusal's error byte. @see DL/T 645-2007, annex G */
const refusals = [
  "other error",
  "no such data",
  "not authorised",
  "baud rate fixed",
  "too many year zones",
  "too many day periods",
  "too many tariffs",
] as const;

/** An answer to `readRequest`: the value's bytes, or the meter's refusal as text. */
export type Answer = { readonly value: Buffer } | { readonly refused: string };

/**
 * @returns undefined if the frame does not answer this request: another meter's, another identifier's, or late.
 */
export function answerTo(frame: Frame, address: string, identifier: string): Answer | undefined {
  if (frame.address !== address) return undefined;
  if (frame.control === control.refusal) {
    const said = refusals.filter((_, bit) => ((frame.data[0] ?? 0) >> bit) & 1);
    return { refused: `refused: ${said.join(", ") || "no reason given"}` };
  }
  if (frame.control !== control.answer && frame.control !== control.answerMore) return undefined;
  if (!frame.data.subarray(0, 4).equals(identifierBytes(identifier))) return undefined;
  if (frame.control === control.answerMore) return { refused: "answer continues in further frames" };
  return { value: frame.data.subarray(4) };
}

/** How a value's digits stand. */
export interface Digits {
  readonly bytes: number;
  readonly decimals: number;
  /** Whether the highest bit is a minus sign, as for power and current. */
  readonly signed: boolean;
}

/**
 * Reads BCD, lowest byte first.
 *
 * @throws {Refusal} message_malformed if the length differs or a digit is none (FF: the meter has no value).
 */
export function decodeDigits(value: Buffer, { bytes, decimals, signed }: Digits): number {
  if (value.length !== bytes) throw malformed(`${value.length} bytes where ${bytes} are configured`);
  const highFirst = Buffer.from(value).reverse();
  const negative = signed && (highFirst[0]! & 0x80) !== 0;
  // All ones is "no value" and not a number with a sign.
  if (highFirst.every((byte) => byte === 0xff)) throw malformed("no value");
  if (negative) highFirst[0]! &= 0x7f;
  const digits = highFirst.toString("hex");
  if (!/^\d+$/.test(digits)) throw malformed("value is not BCD");
  // Through decimal text: 26 / 100 and 0.26 are then the same number.
  const number = Number(`${digits}e-${decimals}`);
  return negative ? -number : number;
}

/** Inverse of `decodeDigits`. @throws {RangeError} if the value does not fit. */
export function encodeDigits(value: number, { bytes, decimals, signed }: Digits): Buffer {
  const digits = Math.round(Math.abs(value) * 10 ** decimals).toString();
  if (digits.length > 2 * bytes || (value < 0 && !signed)) throw new RangeError("value does not fit");
  const bcd = Buffer.from(digits.padStart(2 * bytes, "0"), "hex");
  if (value < 0) bcd[0]! |= 0x80;
  return bcd.reverse();
}

const identifierBytes = (identifier: string): Buffer => Buffer.from(identifier, "hex").reverse();

const sumOf = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0);
