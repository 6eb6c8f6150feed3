import { Refusal } from "../../core/reasons.ts";
import { T } from "./layout.ts";

const slotBytes = 6;

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/** @returns each slot as 6 bytes, little-endian. @param slots - integers in [0, T). */
export function encodeSum(slots: Float64Array): Uint8Array {
  const bytes = new Uint8Array(slots.length * slotBytes);
  const view = viewOf(bytes);
  for (let i = 0, at = 0; i < slots.length; i++, at += slotBytes) {
    const high = Math.floor(slots[i]! / 2 ** 32);
    view.setUint32(at, slots[i]! - high * 2 ** 32, true);
    view.setUint16(at + 4, high, true);
  }
  return bytes;
}

/** @throws Refusal release_invalid unless the bytes are `count` slots in [0, T). */
export function decodeSum(bytes: Uint8Array, count: number): Float64Array {
  if (bytes.length !== count * slotBytes) throw new Refusal("release_invalid", "the sum has another length");
  const view = viewOf(bytes);
  const slots = new Float64Array(count);
  for (let i = 0, at = 0; i < count; i++, at += slotBytes)
    slots[i] = view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
  if (slots.some((slot) => slot >= T))
    throw new Refusal("release_invalid", "a slot of the sum is out of range");
  return slots;
}
