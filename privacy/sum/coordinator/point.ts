/** What a coordinator stores of an attempt as text, bytes included. */
import { fromBase64, toBase64 } from "../../../core/bytes.ts";

const bytesKey = "base64";

/** @returns JSON in which bytes are `{"base64": …}`. */
export const storedText = (value: unknown): string => JSON.stringify(plain(value));

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { [bytesKey]: toBase64(value) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]));
}

/** @param text - of `storedText`, by this very program: its shape is not checked. */
export const readStored = <Value>(text: string): Value =>
  JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || !(bytesKey in value)) return value;
    return fromBase64(String(value[bytesKey]));
  }) as Value;
