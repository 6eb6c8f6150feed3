import { Refusal } from "../proto/reasons.ts";

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
