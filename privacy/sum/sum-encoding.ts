import { Refusal } from "../../core/reasons.ts";
import { T } from "./layout.ts";

const slotBytes = 6;

/** @returns each slot as 6 bytes, little-endian. @param slots - integers in [0, T). */
export function encodeSum(slots: Float64Array): Uint8Array {
  const bytes = Buffer.alloc(slots.length * slotBytes);
  for (const [i, slot] of slots.entries()) bytes.writeUIntLE(slot, i * slotBytes, slotBytes);
  return bytes;
}

/** @throws Refusal release_invalid unless the bytes are `count` slots in [0, T). */
export function decodeSum(bytes: Uint8Array, count: number): Float64Array {
  if (bytes.length !== count * slotBytes) throw new Refusal("release_invalid", "the sum has another length");
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const slots = Float64Array.from({ length: count }, (_, i) => view.readUIntLE(i * slotBytes, slotBytes));
  if (slots.some((slot) => slot >= T))
    throw new Refusal("release_invalid", "a slot of the sum is out of range");
  return slots;
}
