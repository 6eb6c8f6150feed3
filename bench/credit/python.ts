import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Table } from "../../models/table.ts";

/**
 * Runs bench/credit/NAME.py on rows, which it reads from a file: its argument.
 * @returns what it prints as JSON; undefined where Python or a library it imports is not installed. The environment
 *   variable PYTHON names another interpreter than `python3`.
 */
export async function inPython<T>(name: string, data: unknown): Promise<T | undefined> {
  const dir = await mkdtemp(join(tmpdir(), "fedcredit-bench-"));
  try {
    await writeFile(join(dir, "rows.json"), JSON.stringify(data));
    const script = fileURLToPath(new URL(`${name}.py`, import.meta.url));
    const run = promisify(execFile)(process.env.PYTHON ?? "python3", [script, join(dir, "rows.json")], {
      maxBuffer: 1e9,
    });
    const ended = await run.catch((error: { code?: unknown; stderr?: string }) => {
      if (error.code === "ENOENT" || /ModuleNotFoundError/.test(error.stderr ?? "")) return undefined;
      throw error;
    });
    return ended && (JSON.parse(ended.stdout) as T);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** @returns a column as Python reads it: numbers or codes, null where missing. */
export function cellsOf(table: Table, name: string): (number | null)[] {
  const column = table.columns.get(name)!;
  return column.kind === "numeric"
    ? Array.from(column.values, (x) => (Number.isNaN(x) ? null : x))
    : Array.from(column.codes, (code) => (code < 0 ? null : code));
}
