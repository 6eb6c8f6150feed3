import { fromBase64, toBase64 } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Hash } from "./merkle.ts";

/** The state of a log: that it holds `size` entries under this root. */
export interface Checkpoint {
  /** The log's name, equal to the name of its key. */
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

/** @returns `origin\nsize\nbase64(root)\n`. @see C2SP tlog-checkpoint */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError("a size is an integer in 0…2^53 - 1");
  if (root.length !== 32) throw new RangeError("a root has 32 bytes");
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** @throws Refusal note_malformed, also for extension lines. */
export function parseCheckpoint(text: string): Checkpoint {
  const [, origin = "", digits = "", encoded = ""] =
    /^([^\n]+)\n(0|[1-9]\d{0,15})\n([^\n]+)\n$/.exec(text) ?? [];
  const size = Number(digits);
  const root = fromBase64(encoded);
  if (origin === "" || !Number.isSafeInteger(size) || root?.length !== 32)
    throw new Refusal("note_malformed", "not a checkpoint of three lines: origin, size, base64 of the root");
  return { origin, size, root };
}
