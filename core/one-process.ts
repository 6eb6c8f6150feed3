/** A folder's one process: two would take each other's connection, devices or database for ever. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeDirectory } from "./files.ts";
import { Refusal } from "./reasons.ts";

const runningFile = "running.lock";
// Primary result codes: https://www.sqlite.org/rescode.html
const busy = 5;
const full = 13;

/**
 * Holds a data directory for as long as this process lives: the lock is the kernel's, so nothing is left of one that was
 * killed, and no restarted database lets go of it.
 * @param who - what runs there, for the refusal.
 * @returns what lets it go.
 * @throws Refusal folder_taken where another process runs on it; disk_full, file_missing
 */
export async function holdDataDir(dataDir: string, who: "node" | "coordinator"): Promise<() => void> {
  await makeDirectory(dataDir, 0o700);
  const path = join(dataDir, runningFile);
  try {
    const db = new DatabaseSync(path, { timeout: 0 });
    db.exec("BEGIN EXCLUSIVE");
    return () => db.close();
  } catch (cause) {
    const code = (cause as { errcode?: number }).errcode;
    if (code === undefined) throw cause;
    const primary = code & 0xff;
    if (primary === busy) throw new Refusal("folder_taken", `a ${who} runs on ${dataDir} already`, { cause });
    if (primary === full) throw new Refusal("disk_full", `${path}: the disk is full`, { cause });
    throw new Refusal("file_missing", `${path}: cannot be written (SQLite ${code})`, { cause });
  }
}
