/** Files of both processes: whole or not there at all, and a failure is a refusal. */
import { createWriteStream, rmSync, writeFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Refusal } from "./reasons.ts";

/** @returns the refusal that a failed read of a file stands for. */
export const readRefusal = (path: string, cause: unknown, hint?: string): Refusal =>
  new Refusal("file_missing", `${path}: cannot be read (${codeOf(cause)})`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });

/** @returns the refusal that a failed write of a file stands for. */
export function writeRefusal(path: string, cause: unknown): Refusal {
  const code = codeOf(cause);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new Refusal("disk_full", `${path}: the disk is full`, { cause });
  if (code === "EEXIST") return new Refusal("already_exists", `${path} exists`, { cause });
  return new Refusal("file_missing", `${path}: cannot be written (${code})`, { cause });
}

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? "unknown";

export interface NewFile {
  readonly path: string;
  readonly text: string;
  /** Access bits; 0o600 for a secret. */
  readonly mode: number;
}

/**
 * Makes files that belong together: all of them, or none.
 * @throws Refusal already_exists, rather than replace one; disk_full, file_missing
 */
export function writeNewFiles(files: readonly NewFile[]): void {
  const made: string[] = [];
  for (const { path, text, mode } of files) {
    try {
      writeFileSync(path, text, { mode, flag: "wx", flush: true });
      made.push(path);
    } catch (error) {
      // What exists was not made here. A write that failed half-way left a file that was.
      if (codeOf(error) !== "EEXIST") made.push(path);
      for (const half of made) rmSync(half, { force: true });
      throw writeRefusal(path, error);
    }
  }
}

/**
 * Writes a file that appears, or replaces the one before, when it is whole.
 * @throws Refusal disk_full, file_missing, and what `content` throws
 */
export async function writeWhole(
  path: string,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array> | string,
): Promise<void> {
  const part = `${path}.part`;
  const chunks = typeof content === "string" ? [Buffer.from(content)] : content;
  try {
    await pipeline(Readable.from(chunks), createWriteStream(part, { flush: true }));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw error instanceof Refusal ? error : writeRefusal(path, error);
  }
}

/** Makes a directory and those above it. @throws Refusal disk_full, file_missing */
export async function makeDirectory(path: string, mode = 0o755): Promise<void> {
  await mkdir(path, { recursive: true, mode }).catch((cause: unknown) => {
    throw codeOf(cause) === "EEXIST"
      ? new Refusal("file_missing", `${path}: not a directory`, { cause })
      : writeRefusal(path, cause);
  });
}
