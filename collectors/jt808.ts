import { Refusal } from "../core/reasons.ts";

/** Message ids this platform understands or sends. @see JT/T 808-2019, annex B */
export const messageId = {
  terminalReply: 0x0001,
  heartbeat: 0x0002,
  logout: 0x0003,
  register: 0x0100,
  authenticate: 0x0102,
  location: 0x0200,
  locationBatch: 0x0704,
  platformReply: 0x8001,
  registerReply: 0x8100,
} as const;

export interface Message {
  readonly id: number;
  /** Header layout: 2019 has a version byte and a longer phone number. */
  readonly version: "2013" | "2019";
  /** The terminal's number as sent, 12 digits (2013) or 20 (2019). */
  readonly phone: string;
  /** Counts the sender's messages, modulo 65,536. */
  readonly serial: number;
  readonly body: Buffer;
  /** A message too long for one frame: `index` from 1 to `total`. */
  readonly part?: { readonly total: number; readonly index: number };
}

/** Marks the start and the end of a frame; inside, 7E travels as 7D 02 and 7D as 7D 01. */
const flag = 0x7e;
const escapeByte = 0x7d;

const bodyLimit = 0x3ff;
const phoneBytes = { "2013": 6, "2019": 10 } as const;
const attribute = { encryption: 0x1c00, split: 0x2000, versioned: 0x4000 } as const;

/** More bytes than the longest frame has when every one of them is escaped. */
const frameLimit = 2 * (bodyLimit + 22) + 2;

const malformed = (message: string): Refusal => new Refusal("message_malformed", message);

/**
 * ```
 * 7E | id u16 | attributes u16 | [version u8, 2019] | phone BCD[6 or 10] | serial u16
 *    | [total u16 | index u16, if split] | body | XOR of all before u8 | 7E
 * attributes: body length 0–9 | encryption 10–12 | split 13 | version follows 14
 * ```
 * @throws {RangeError} if the body exceeds 1,023 bytes.
 * @see JT/T 808-2019, section 4.4; JT/T 808-2013, section 4.4
 */
export function encodeMessage(message: Message): Buffer {
  const { id, version, phone, serial, body, part } = message;
  if (body.length > bodyLimit) throw new RangeError(`a body of ${body.length} bytes has to be split`);
  const attributes =
    body.length | (part === undefined ? 0 : attribute.split) | (version === "2019" ? attribute.versioned : 0);
  const plain = Buffer.concat([
    u16(id),
    u16(attributes),
    ...(version === "2019" ? [Buffer.of(1)] : []),
    Buffer.from(phone.padStart(2 * phoneBytes[version], "0"), "hex"),
    u16(serial),
    ...(part === undefined ? [] : [u16(part.total), u16(part.index)]),
    body,
  ]);
  const frame = [flag];
  for (const byte of [...plain, xorOf(plain)]) {
    if (byte === flag) frame.push(escapeByte, 2);
    else if (byte === escapeByte) frame.push(escapeByte, 1);
    else frame.push(byte);
  }
  frame.push(flag);
  return Buffer.from(frame);
}

/**
 * Reads what stands between two flags. Length and checksum are checked before anything is believed.
 *
 * @throws {Refusal} message_malformed
 */
export function decodeMessage(escaped: Uint8Array): Message {
  const plain = withoutEscapes(escaped);
  if (plain.length < 13) throw malformed(`frame of ${plain.length} bytes`);
  if (xorOf(plain) !== 0) throw malformed("frame with a wrong checksum");
  const attributes = plain.readUInt16BE(2);
  const version = attributes & attribute.versioned ? "2019" : "2013";
  const phoneAt = version === "2019" ? 5 : 4;
  const serialAt = phoneAt + phoneBytes[version];
  const split = (attributes & attribute.split) !== 0;
  const bodyAt = serialAt + (split ? 6 : 2);
  if (plain.length !== bodyAt + (attributes & bodyLimit) + 1)
    throw malformed("frame whose length is not the one its header says");
  if (attributes & attribute.encryption) throw malformed("frame with an encrypted body");
  const phone = plain.toString("hex", phoneAt, serialAt);
  if (!/^\d+$/.test(phone)) throw malformed("frame whose phone number is not BCD");
  const message = {
    id: plain.readUInt16BE(0),
    version,
    phone,
    serial: plain.readUInt16BE(serialAt),
    body: plain.subarray(bodyAt, -1),
  } as const;
  if (!split) return message;
  const part = { total: plain.readUInt16BE(serialAt + 2), index: plain.readUInt16BE(serialAt + 4) };
  if (part.index < 1 || part.index > part.total) throw malformed(`part ${part.index} of ${part.total}`);
  return { ...message, part };
}

/**
 * Cuts a byte stream into messages. What does not check is reported once and passed over, and the flag that
 * ended it is tried as the start of the next: so one lost or added byte costs one frame.
 */
export class FrameSplitter {
  #pending = Buffer.alloc(0);
  /** Whether `#pending` starts after a flag. */
  #open = false;

  /** @returns in order, the messages and the faults between them. */
  push(chunk: Uint8Array): (Message | Refusal)[] {
    const found: (Message | Refusal)[] = [];
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const at = this.#pending.indexOf(flag);
      if (at < 0) break;
      const between = this.#pending.subarray(0, at);
      this.#pending = this.#pending.subarray(at + 1);
      if (!this.#open) {
        if (at > 0) found.push(malformed(`${at} bytes outside a frame`));
        this.#open = true;
      } else if (at > 0) {
        try {
          found.push(decodeMessage(between));
          this.#open = false;
        } catch (error) {
          found.push(error as Refusal);
        }
      }
    }
    if (this.#pending.length > frameLimit) {
      found.push(malformed(`${this.#pending.length} bytes without the end of a frame`));
      this.#pending = Buffer.alloc(0);
      this.#open = false;
    }
    return found;
  }
}

function withoutEscapes(escaped: Uint8Array): Buffer {
  const plain = Buffer.alloc(escaped.length);
  let length = 0;
  for (let i = 0; i < escaped.length; i++) {
    let byte = escaped[i]!;
    if (byte === escapeByte) {
      const next = escaped[++i];
      if (next !== 1 && next !== 2) throw malformed("frame with a broken escape");
      byte = next === 1 ? escapeByte : flag;
    }
    plain[length++] = byte;
  }
  return plain.subarray(0, length);
}

const xorOf = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum ^ byte, 0);

const u16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value & 0xffff);
  return bytes;
};

/** What the platform answers to a message. */
export type Result = "done" | "failed" | "malformed" | "unsupported";
const resultCode: Record<Result, number> = { done: 0, failed: 1, malformed: 2, unsupported: 3 };

/**
 * Platform general reply 0x8001.
 * ```
 * serial replied to u16 | id replied to u16 | result u8
 * ```
 */
export const platformReply = (to: Message, serial: number, result: Result): Message => ({
  id: messageId.platformReply,
  version: to.version,
  phone: to.phone,
  serial,
  body: Buffer.concat([u16(to.serial), u16(to.id), Buffer.of(resultCode[result])]),
});

/** Why a registration gets no code. */
export type RegisterRefusal = "registered already" | "not known";

/**
 * Registration reply 0x8100.
 * ```
 * serial replied to u16 | result u8 (0 done, 3 registered already, 4 no such terminal) | authentication code, if done
 * ```
 */
export const registerReply = (
  to: Message,
  serial: number,
  result: { readonly code: string } | RegisterRefusal,
): Message => ({
  id: messageId.registerReply,
  version: to.version,
  phone: to.phone,
  serial,
  body: Buffer.concat([
    u16(to.serial),
    ...(typeof result === "string"
      ? [Buffer.of(result === "not known" ? 4 : 3)]
      : [Buffer.of(0), Buffer.from(result.code)]),
  ]),
});

/** Where the terminal's own id stands in a registration, and how long the field is, bytes. */
const terminalIdField = { "2013": [29, 7], "2019": [45, 30] } as const;

/**
 * The id that its maker gave the terminal, from a registration 0x0100.
 * ```
 * province u16 | city u16 | maker [5; 2019: 11] | model [20; 2019: 30] | terminal id [7; 2019: 30] | plate …
 * ```
 * @throws {Refusal} message_malformed
 * @see JT/T 808-2019, section 8.8
 */
export function registeredTerminal({ version, body }: Message): string {
  const [at, length] = terminalIdField[version];
  if (body.length < at + length) throw malformed(`registration of ${body.length} bytes`);
  return body.toString("latin1", at, at + length).replace(/[\0 ]+$/, "");
}

/**
 * The authentication code of a message 0x0102: the whole body in 2013; in 2019 a length, the code, then the
 * terminal's IMEI and software version.
 *
 * @throws {Refusal} message_malformed
 */
export function authenticationCode({ version, body }: Message): string {
  if (version === "2013") return body.toString().replace(/\0$/, "");
  const length = body[0] ?? 0;
  if (body.length < 1 + length) throw malformed("authentication shorter than its code");
  return body.toString("utf8", 1, 1 + length);
}
