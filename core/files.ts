/** Files of both processes: whole or not there at all, and a failure is a refusal. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "./reasons.ts";

/** @returns the refusal that a failed read of a file stands for. */
export const readRefusal = (path: string, cause: unknown, hint?: string): Refusal =>
  new Refusal("file_missing", `${path}: cannot be read (${codeOf(cause)})`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });

const noSpace = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Whether an error of the file system says that nothing more fits: the disk, a quota, or a limit of the process. */
export const isFull = (cause: unknown): boolean => noSpace.has(codeOf(cause));

/** @returns the refusal that a failed write of a file stands for. */
export function writeRefusal(path: string, cause: unknown): Refusal {
  const code = codeOf(cause);
  if (isFull(cause)) return new Refusal("disk_full", `${path}: the disk is full`, { cause });
  if (code === "EEXIST") return new Refusal("already_exists", `${path} exists`, { cause });
  return new Refusal("file_missing", `${path}: cannot be written (${code})`, { cause });
}

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? "unknown";

/**
 * Writes all of `data` where the file stands: one write may take less than it was given, mostly of a disk that is
 * nearly full, and says so by nothing but a number.
 * @throws what the file throws; an Error ENOSPC where it takes nothing more and says nothing.
 */
export async function writeAll(file: Pick<FileHandle, "write">, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; ) {
    const { bytesWritten } = await file.write(data, at, data.length - at);
    if (bytesWritten === 0) throw Object.assign(new Error("a write took no byte"), { code: "ENOSPC" });
    at += bytesWritten;
  }
}

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
 * Writes a file that appears, or replaces the one before, when it is whole and on disk.
 * @throws Refusal disk_full, file_missing, and what `content` throws
 */
export async function writeWhole(
  path: string,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array> | string,
): Promise<void> {
  const part = `${path}.part`;
  try {
    const file = await open(part, "w");
    try {
      for await (const chunk of typeof content === "string" ? [Buffer.from(content)] : content)
        await writeAll(file, chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    throw (error as NodeJS.ErrnoException).syscall === undefined && !isFull(error)
      ? error
      : writeRefusal(path, error);
  }
}

/** As {@link replaceFile}, of a secret. @throws Refusal disk_full, file_missing */
export const replaceSecret = (path: string, text: string): void => replaceFile(path, text, 0o600);

/** As {@link writeWhole}, of a small file and at once. @param mode - access bits. @throws Refusal disk_full, file_missing */
export function replaceFile(path: string, text: string, mode: number): void {
  const part = `${path}.new`;
  try {
    writeFileSync(part, text, { mode, flush: true });
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw writeRefusal(path, error);
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

/** @throws Refusal file_missing, file_malformed */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw readRefusal(path, cause);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Refusal("file_malformed", `${path}: not JSON`, { hint: "it may be cut short", cause });
  }
}

/**
 * Writes files into a directory, which is made.
 * @param files - names without a path.
 * @returns their paths.
 * @throws Refusal disk_full, file_missing
 */
export async function writeInto(
  directory: string,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Promise<string[]> {
  await makeDirectory(directory);
  for (const { name, bytes } of files) await writeWhole(join(directory, name), [bytes]);
  return files.map(({ name }) => join(directory, name));
}
