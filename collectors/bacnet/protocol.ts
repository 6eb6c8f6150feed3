import { Refusal } from "../../core/reasons.ts";

const malformed = (message: string): Refusal => new Refusal("message_malformed", message);

/** Object types whose present value is read. @see ASHRAE 135-2020, clause 21, BACnetObjectType */
export const objectTypes = {
  "analog-input": 0,
  "analog-output": 1,
  "analog-value": 2,
  "binary-input": 3,
  "binary-output": 4,
  "binary-value": 5,
  "multi-state-input": 13,
  "multi-state-output": 14,
  "multi-state-value": 19,
  accumulator: 23,
  "pulse-converter": 24,
  "integer-value": 45,
  "large-analog-value": 46,
  "positive-integer-value": 48,
} as const;
export type ObjectType = keyof typeof objectTypes;

export interface ObjectId {
  readonly type: number;
  readonly instance: number;
}

export const property = {
  objectList: 76,
  objectName: 77,
  presentValue: 85,
  statusFlags: 111,
  units: 117,
} as const;
const service = { readProperty: 12 } as const;
/** @see ASHRAE 135-2020, clause 20.1 */
const pdu = { confirmed: 0, complexAck: 3, error: 5, reject: 6, abort: 7 } as const;
const tag = {
  boolean: 1,
  unsigned: 2,
  signed: 3,
  real: 4,
  double: 5,
  text: 7,
  bits: 8,
  enumerated: 9,
  object: 12,
} as const;

/**
 * ```
 * BVLC 81 0A length u16 | NPDU 01 04 | 00 max-apdu invoke 0C | [0] object id | [1] property | ([2] index u16)
 * ```
 * @see ASHRAE 135-2020, 15.5 and annex J
 */
export function readRequest(
  invoke: number,
  { type, instance }: ObjectId,
  propertyId: number,
  index?: number,
): Buffer {
  const frame = Buffer.alloc(index === undefined ? 17 : 20);
  // No segments, 1,476 bytes at most: what fits one datagram.
  frame.set([0x81, 0x0a, 0, frame.length, 1, 4, 0, 5, invoke, service.readProperty, 0x0c]);
  frame.writeUInt32BE(((type << 22) | instance) >>> 0, 11);
  frame.set([0x19, propertyId], 15);
  if (index !== undefined) frame.set([0x2a, index >> 8, index & 0xff], 17);
  return frame;
}

export type Value = number | boolean | string | readonly boolean[] | ObjectId | null;
export type Answer =
  | { readonly invoke: number; readonly object: ObjectId; readonly property: number; readonly value: Value }
  | { readonly invoke: number; readonly failed: string };

/**
 * @returns undefined for what is no answer to a read: broadcasts and requests of others.
 * @throws {Refusal} message_malformed
 */
export function decodeAnswer(datagram: Uint8Array): Answer | undefined {
  const bytes = Buffer.from(datagram);
  if (bytes.length < 9 || bytes[0] !== 0x81 || bytes.readUInt16BE(2) !== bytes.length)
    throw malformed("no BACnet/IP frame");
  if (bytes[1] !== 0x0a && bytes[1] !== 0x04) return undefined;
  const walk = new Walk(bytes);
  // Forwarded: the sender's own address comes first.
  walk.skip(bytes[1] === 0x04 ? 10 : 4);
  if (walk.u8() !== 1) throw malformed("another version of the network layer");
  const flags = walk.u8();
  if (flags & 0x80) return undefined;
  if (flags & 0x20) {
    walk.skip(2);
    walk.skip(walk.u8());
  }
  if (flags & 0x08) {
    walk.skip(2);
    walk.skip(walk.u8());
  }
  if (flags & 0x20) walk.skip(1);
  const head = walk.u8();
  const invoke = walk.u8();
  switch (head >> 4) {
    case pdu.complexAck:
      if (head & 0x08) return { invoke, failed: "an answer in segments" };
      if (walk.u8() !== service.readProperty) return { invoke, failed: "an answer to another service" };
      return { invoke, ...readAck(walk) };
    case pdu.error: {
      walk.skip(1);
      const [group, code] = [walk.value(), walk.value()];
      return { invoke, failed: `error ${String(group)}:${String(code)}` };
    }
    case pdu.reject:
      return { invoke, failed: `rejected ${walk.u8()}` };
    case pdu.abort:
      return { invoke, failed: `aborted ${walk.u8()}` };
    default:
      return undefined;
  }
}

/** `[0] object id | [1] property | ([2] index) | [3 opening] value [3 closing]` */
function readAck(walk: Walk): { object: ObjectId; property: number; value: Value } {
  if (walk.u8() !== 0x0c) throw malformed("answer without its object");
  const id = walk.take(4).readUInt32BE();
  const first = walk.u8();
  if (first >> 3 !== 0b00011 || (first & 7) < 1 || (first & 7) > 4)
    throw malformed("answer without its property");
  const property = walk.take(first & 7).readUIntBE(0, first & 7);
  let next = walk.u8();
  if (next >> 3 === 0b00101) {
    walk.skip(next & 7);
    next = walk.u8();
  }
  if (next !== 0x3e) throw malformed("answer without its value");
  const value = walk.value();
  if (walk.u8() !== 0x3f) throw malformed("answer of more than one value");
  return { object: { type: id >>> 22, instance: id & 0x3fffff }, property, value };
}

/** Walks over a datagram, and never past its end. */
class Walk {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  take(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw malformed("frame shorter than it says");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  skip(count: number): void {
    this.take(count);
  }

  u8(): number {
    return this.take(1)[0]!;
  }

  /** One application-tagged value. @see ASHRAE 135-2020, 20.2 */
  value(): Value {
    const head = this.u8();
    const kind = head >> 4;
    if (head & 0x08) throw malformed("a value that is tagged by its context");
    let length = head & 7;
    if (kind === tag.boolean) return length === 1;
    if (length === 5) {
      length = this.u8();
      if (length >= 254) throw malformed("a value that is too long");
    } else if (length > 5) throw malformed("a value of no length");
    const body = this.take(length);
    switch (kind) {
      case tag.unsigned:
      case tag.enumerated:
        if (length < 1 || length > 6) throw malformed(`a number of ${length} bytes`);
        return body.readUIntBE(0, length);
      case tag.signed:
        if (length < 1 || length > 6) throw malformed(`a number of ${length} bytes`);
        return body.readIntBE(0, length);
      case tag.real:
        if (length !== 4) throw malformed(`a real of ${length} bytes`);
        return body.readFloatBE();
      case tag.double:
        if (length !== 8) throw malformed(`a double of ${length} bytes`);
        return body.readDoubleBE();
      case tag.text:
        // UTF-8; other character sets are old, and read by nothing here.
        return body[0] === 0 ? body.subarray(1).toString() : null;
      case tag.object: {
        if (length !== 4) throw malformed(`an object id of ${length} bytes`);
        const id = body.readUInt32BE();
        return { type: id >>> 22, instance: id & 0x3fffff };
      }
      case tag.bits: {
        if (length < 1 || body[0]! > 7) throw malformed("bits without their number");
        const bits = [...body.subarray(1)].flatMap((byte) =>
          Array.from({ length: 8 }, (_, i) => (byte & (0x80 >> i)) !== 0),
        );
        return bits.slice(0, Math.max(0, bits.length - body[0]!));
      }
      default:
        return null;
    }
  }
}
