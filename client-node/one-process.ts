/** A folder's one process: two would take the connection to the bank from each other for ever, and read devices twice. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeDirectory } from "../core/files.ts";
import { Refusal } from "../core/reasons.ts";
import { guarded, LedgerFailure } from "./ledger/store.ts";

export const runningFile = "running.lock";

/**
 * Holds a data directory for as long as this process lives: the lock is the kernel's, so nothing is left of one that was
 * killed.
 * @returns what lets it go.
 * @throws Refusal ledger_locked where another process runs on it; disk_full, file_missing
 */
export async function holdDataDir(dataDir: string): Promise<() => void> {
  await makeDirectory(dataDir, 0o700);
  const path = join(dataDir, runningFile);
  try {
    const db = guarded(path, () => {
      const opened = new DatabaseSync(path, { timeout: 0 });
      opened.exec("BEGIN EXCLUSIVE");
      return opened;
    });
    return () => db.close();
  } catch (cause) {
    if (!(cause instanceof LedgerFailure) || cause.reason !== "ledger_locked") throw cause;
    throw new Refusal("ledger_locked", `a node runs on ${dataDir} already`, {
      hint: "stop that one first; other commands work beside it",
      cause,
    });
  }
}
