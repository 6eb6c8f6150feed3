import { Refusal } from "../core/reasons.ts";

/** A message between a monitoring station and a platform. */
export interface Hj212Message {
  /** Time of the request, which names it in its answer; "" where there is none. */
  readonly qn: string;
  readonly st: string;
  readonly cn: string;
  readonly pw: string;
  readonly mn: string;
  readonly flag: number;
  /** The groups of the command parameters; each is one time or one pollutant. */
  readonly groups: readonly ReadonlyMap<string, string>[];
}

/** Commands that bring data: now, and sums over minutes, hours and days. @see HJ 212-2017, 6.6.5 */
export const dataCommands: ReadonlyMap<string, string> = new Map([
  ["2011", "now"],
  ["2051", "minutes"],
  ["2061", "hour"],
  ["2031", "day"],
]);
export const dataAnswer = "9014";
/** Bits of `Flag`: an answer is wanted; the highest six are the version. */
export const flagBit = { answer: 1, version2017: 4 } as const;

/** The longest data segment that four digits can say. */
const segmentLimit = 9_999;
const headBytes = 6;
const tailBytes = 6;

const malformed = (message: string): Refusal => new Refusal("message_malformed", message);

/** CRC-16 of the data segment. @see HJ 212-2017, annex A */
export function crcOf(segment: Uint8Array): string {
  let crc = 0xffff;
  for (const byte of segment) {
    crc = (crc >> 8) ^ byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc.toString(16).toUpperCase().padStart(4, "0");
}

/**
 * ```
 * ## | length of the segment, 4 digits | segment | CRC, 4 hex digits | CR LF
 * ```
 * @see HJ 212-2017, 6.3.1
 */
export function encodeFrame(segment: string): Buffer {
  const bytes = Buffer.from(segment, "latin1");
  if (bytes.length > segmentLimit) throw new RangeError(`a segment of ${bytes.length} bytes`);
  return Buffer.from(`##${String(bytes.length).padStart(4, "0")}${segment}${crcOf(bytes)}\r\n`, "latin1");
}

/** @throws {Refusal} message_malformed */
export function decodeFrame(frame: Uint8Array): Hj212Message {
  const bytes = Buffer.from(frame);
  const text = bytes.toString("latin1");
  const length = /^##(\d{4})/.exec(text)?.[1];
  if (length === undefined) throw malformed("frame without its length");
  const end = headBytes + Number(length);
  if (text.length !== end + tailBytes || !text.endsWith("\r\n")) throw malformed("frame of another length");
  if (crcOf(bytes.subarray(headBytes, end)) !== text.slice(end, end + 4).toUpperCase())
    throw malformed("frame with a wrong checksum");
  return decodeSegment(text.slice(headBytes, end));
}

/**
 * ```
 * QN=…;ST=…;CN=…;PW=…;MN=…;Flag=…;CP=&&DataTime=…;w01018-Rtd=1.2,w01018-Flag=N;…&&
 * ```
 * @see HJ 212-2017, 6.3.2
 */
function decodeSegment(segment: string): Hj212Message {
  const found = /^(.*?)CP=&&(.*)&&$/s.exec(segment);
  if (found === null) throw malformed("segment without command parameters");
  const head = pairsOf(found[1]!.split(";"));
  const flag = Number(head.get("Flag") ?? 0);
  if (!Number.isInteger(flag) || flag < 0 || flag > 255) throw malformed("Flag is no byte");
  const of = (name: string): string => head.get(name) ?? "";
  if (!/^\d{4}$/.test(of("CN"))) throw malformed("CN is no command");
  const groups = found[2]!.split(";").map((group) => pairsOf(group.split(",")));
  return { qn: of("QN"), st: of("ST"), cn: of("CN"), pw: of("PW"), mn: of("MN"), flag, groups };
}

function pairsOf(fields: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const field of fields) {
    const at = field.indexOf("=");
    if (at > 0) pairs.set(field.slice(0, at).trim(), field.slice(at + 1).trim());
  }
  return pairs;
}

/** Cuts a byte stream into messages; what does not check is reported once, and the next `##` is looked for. */
export class Hj212Splitter {
  #pending = "";

  /** @returns in order, the messages and the faults between them. */
  push(chunk: Uint8Array): (Hj212Message | Refusal)[] {
    const found: (Hj212Message | Refusal)[] = [];
    this.#pending += Buffer.from(chunk).toString("latin1");
    let from = 0;
    for (;;) {
      const at = this.#pending.indexOf("##", from);
      const noise = (at < 0 ? this.#pending.slice(from, -1) : this.#pending.slice(from, at)).trim();
      if (noise !== "") found.push(malformed(`${noise.length} bytes outside a frame`));
      if (at < 0) {
        // A first # may wait for its second.
        from = Math.max(from, this.#pending.length - (this.#pending.endsWith("#") ? 1 : 0));
        break;
      }
      from = at;
      if (this.#pending.length < at + headBytes) break;
      const digits = this.#pending.slice(at + 2, at + headBytes);
      if (!/^\d{4}$/.test(digits)) {
        found.push(malformed("frame without its length"));
        from = at + 2;
        continue;
      }
      const end = at + headBytes + Number(digits) + tailBytes;
      if (this.#pending.length < end) break;
      try {
        found.push(decodeFrame(Buffer.from(this.#pending.slice(at, end), "latin1")));
        from = end;
      } catch (error) {
        found.push(error as Refusal);
        from = at + 2;
      }
    }
    this.#pending = this.#pending.slice(from);
    return found;
  }
}

/** The platform's answer to data. @see HJ 212-2017, annex C.5 */
export const answerTo = ({ qn, pw, mn }: Hj212Message): Buffer =>
  encodeFrame(`QN=${qn};ST=91;CN=${dataAnswer};PW=${pw};MN=${mn};Flag=${flagBit.version2017};CP=&&&&`);
