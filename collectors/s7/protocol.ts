import { Refusal } from "../../core/reasons.ts";

/** Areas of a controller's memory, by their code on the line. */
export const areas = { DB: 0x84, M: 0x83, I: 0x81, Q: 0x82 } as const;
export type Area = keyof typeof areas;

export const tpktBytes = 4;
/** More than any PDU that is negotiated here. */
export const frameLimit = 2_048;
const wantedPdu = 960;
/** Head and parameters of an answer to one read. */
export const answerBytes = 18;

const malformed = (message: string): Refusal => new Refusal("message_malformed", message);

/**
 * ```
 * 03 00 | length u16, of all                                     (TPKT, RFC 1006)
 * ```
 * @returns the length of the frame that begins here, undefined while its head is not whole.
 * @throws {Refusal} message_malformed
 */
export function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length >= 1 && bytes[0] !== 3) throw malformed("no TPKT frame");
  if (bytes.length < tpktBytes) return undefined;
  const length = bytes.readUInt16BE(2);
  if (length < 7 || length > frameLimit) throw malformed(`frame of ${length} bytes`);
  return length;
}

const frame = (...parts: readonly Uint8Array[]): Buffer => {
  const head = Buffer.of(3, 0, 0, 0);
  const whole = Buffer.concat([head, ...parts]);
  whole.writeUInt16BE(whole.length, 2);
  return whole;
};
const data = Buffer.of(2, 0xf0, 0x80);

/** Connection request (ISO 8073 CR): rack and slot are in the called TSAP. */
export const connectRequest = (rack: number, slot: number): Buffer =>
  frame(Buffer.of(0x11, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 0x0a, 0xc1, 2, 1, 0, 0xc2, 2, 1, rack * 32 + slot));

/** @throws {Refusal} message_malformed where it is no connection confirm. */
export function checkConnected(answer: Buffer): void {
  if (answer[5] !== 0xd0) throw malformed("the controller refuses the connection: check rack and slot");
}

const header = (reference: number, parameters: Uint8Array): Buffer => {
  const head = Buffer.of(0x32, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  head.writeUInt16BE(reference, 4);
  head.writeUInt16BE(parameters.length, 6);
  return head;
};

/** Setup communication: one job at a time, PDUs of 960 bytes at most. */
export function setupRequest(reference: number): Buffer {
  const parameters = Buffer.of(0xf0, 0, 0, 1, 0, 1, wantedPdu >> 8, wantedPdu & 0xff);
  return frame(data, header(reference, parameters), parameters);
}

export interface Place {
  readonly area: Area;
  /** Of a data block; 0 elsewhere. */
  readonly db: number;
  /** First byte. */
  readonly start: number;
  readonly bytes: number;
}

/** Read variable, as bytes. */
export function readRequest(reference: number, { area, db, start, bytes }: Place): Buffer {
  const parameters = Buffer.alloc(14);
  parameters.set([4, 1, 0x12, 0x0a, 0x10, 2]);
  parameters.writeUInt16BE(bytes, 6);
  parameters.writeUInt16BE(db, 8);
  parameters.writeUInt8(areas[area], 10);
  parameters.writeUIntBE(start * 8, 11, 3);
  return frame(data, header(reference, parameters), parameters);
}

/** Parameters and data of an answer. @throws {Refusal} message_malformed; {Error} with the controller's error. */
function payload(answer: Buffer, reference: number, asked: number): { parameters: Buffer; data: Buffer } {
  if (answer.length < 19 || answer[5] !== 0xf0 || answer[7] !== 0x32 || answer[8] !== 3)
    throw malformed("no answer of a controller");
  if (answer.readUInt16BE(11) !== reference) throw malformed("an answer to another request");
  const [parameterBytes, dataBytes] = [answer.readUInt16BE(13), answer.readUInt16BE(15)];
  if (answer[17] !== 0 || answer[18] !== 0) throw new S7Error(`error ${hex(answer[17]!)}${hex(answer[18]!)}`);
  if (answer.length !== 19 + parameterBytes + dataBytes) throw malformed("answer of another length");
  const parameters = answer.subarray(19, 19 + parameterBytes);
  if (parameters[0] !== asked) throw malformed("an answer to another function");
  return { parameters, data: answer.subarray(19 + parameterBytes) };
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");

/** @returns the PDU that both keep to, bytes. */
export function setupAnswer(answer: Buffer, reference: number): number {
  const { parameters } = payload(answer, reference, 0xf0);
  const pdu = parameters.length === 8 ? parameters.readUInt16BE(6) : 0;
  if (pdu < 64) throw malformed(`PDU of ${pdu} bytes`);
  return Math.min(pdu, wantedPdu);
}

/** The controller's own word; the line stands. */
export class S7Error extends Error {
  readonly code: number | undefined;
  constructor(message: string, code?: number) {
    super(message);
    this.code = code;
  }
}

/** Return code of a block that is not there. */
export const noSuchBlock = 10;

/** @see the return codes of data items: 5 address out of range, 0x0a no such object */
const returnCodes: ReadonlyMap<number, string> = new Map([
  [1, "hardware fault"],
  [3, "access not allowed"],
  [5, "no such address"],
  [6, "type not supported"],
  [noSuchBlock, "no such block"],
]);

/** @throws {S7Error} where the controller does not give it; {Refusal} where the answer is none. */
export function readAnswer(answer: Buffer, reference: number, { bytes }: Place): Buffer {
  const { parameters, data } = payload(answer, reference, 4);
  if (parameters[1] !== 1 || data.length < 4) throw malformed("answer without its item");
  const code = data[0]!;
  if (code !== 0xff) throw new S7Error(returnCodes.get(code) ?? `code ${code}`, code);
  const unit = data[1] === 4 || data[1] === 5 ? 8 : 1;
  if (data.readUInt16BE(2) !== bytes * unit || data.length < 4 + bytes)
    throw malformed("item of another length");
  return data.subarray(4, 4 + bytes);
}
