/** Bulk weights inside JSON: base64 of little-endian float32. */
import { z } from "zod";

/** @param length - of weights: text of another length is refused before it is decoded. */
export const weightsSchema = (length: number) => z.base64().length(4 * Math.ceil((4 * length) / 3));

export function encodeWeights(weights: ArrayLike<number>): string {
  const bytes = Buffer.alloc(4 * weights.length);
  for (let i = 0; i < weights.length; i++) bytes.writeFloatLE(weights[i]!, 4 * i);
  return bytes.toString("base64");
}

export function decodeWeights(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}
