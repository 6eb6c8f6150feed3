/** A node's folder, copied while it runs; restored into an empty folder, as a node that has lost its ledger. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { chmod, copyFile, open, readdir, rm } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import {
  makeDirectory,
  readJson,
  readRefusal,
  writeNewFiles,
  writeRefusal,
  writeWhole,
} from "../core/files.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { publicIdentity } from "../privacy/identity.ts";
import { readMemberConfig } from "./config.ts";
import { credentialFiles, readSecrets, secretFiles } from "./federation/credentials.ts";
import { createSecrets } from "./federation/enrol.ts";
import { configFile } from "./init.ts";
import { EgressLedger } from "./ledger/egress.ts";
import { noteBackup } from "./ledger/records.ts";
import { beginAnew } from "./ledger/recoveries.ts";
import { openStore } from "./ledger/store.ts";
import { ledgerFile } from "./node.ts";

const format = "fedcredit/node-backup/v1";
const contentsFile = "backup.json";
/** The ledger as of the backup, signed: the new one begins after it. */
const ledgerExport = "ledger.fcexport";

const contentsSchema = z.strictObject({
  format: z.literal(format),
  enterprise: z.string(),
  time: z.int().min(0).describe("when it was begun, Unix milliseconds"),
  files: z.record(z.string(), z.string()).describe("SHA-256 of each file, by its path in the backup"),
});
export type NodeBackup = z.infer<typeof contentsSchema>;

/** What is computed anew, what SQLite keeps beside a database, a running process's lock, and what was not whole yet. */
const isLeftOut = (path: string): boolean =>
  /^days(\/|$)|^running\.lock$|-(wal|shm|journal)$|\.(part|new)$/.test(path) ||
  credentialFiles.includes(path);

/**
 * Copies a node's folder, without its keys. A database is copied as of one moment; readings before the segments they
 * are cut into, so that none is lost in between: what is in both is known as such, as after a crash.
 *
 * @throws Refusal already_exists, usage, file_missing, file_malformed, disk_full; nothing is left of it then.
 */
export async function backUpNode(dir: string, out: string, nowMillis: number): Promise<NodeBackup> {
  const { dataDir, enterprise } = readMemberConfig(configFile(dir));
  if (existsSync(out))
    throw new Refusal("already_exists", `${out} exists`, { hint: "name a new folder for each backup" });
  for (const folder of [dir, dataDir])
    if (isInside(out, folder))
      throw new Refusal("usage", `${out} lies in ${folder}, which is backed up`, {
        hint: "write the backup to another disk, or at least another folder",
      });
  const { identity } = readSecrets(dataDir);
  try {
    await makeDirectory(out, 0o700);
    await makeDirectory(join(out, "data"), 0o700);
    await chmod(out, 0o700);
    const inDataDir = await filesIn(dataDir);
    for (const path of inDataDir.filter((path) => path.endsWith(".db")))
      await copyDatabase(join(dataDir, path), join(out, "data", path));
    // What was cut from readings meanwhile is listed now.
    for (const path of await filesIn(dataDir))
      if (!isLeftOut(path) && !path.endsWith(".db")) await copy(join(dataDir, path), join(out, "data", path));
    for (const path of await filesIn(dir))
      if (!isInside(join(dir, path), dataDir)) await copy(join(dir, path), join(out, "folder", path));
    const copied = openStore(ledgerFile(join(out, "data")));
    try {
      await writeWhole(join(out, ledgerExport), new EgressLedger(copied, { identity }).export());
      // One file again, as it was copied.
      copied.exec("PRAGMA journal_mode = DELETE");
    } finally {
      copied.close();
    }
    const files: Record<string, string> = {};
    for (const path of await filesIn(out)) files[path] = await digestOfFile(join(out, path));
    const contents: NodeBackup = { format, enterprise, time: nowMillis, files };
    await writeWhole(join(out, contentsFile), `${JSON.stringify(contents, undefined, 2)}\n`);
    const db = openStore(ledgerFile(dataDir));
    try {
      noteBackup(db, nowMillis);
    } finally {
      db.close();
    }
    return contents;
  } catch (error) {
    await rm(out, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Restores a backup. What the node signed after it nobody can know: it gets a new identity and a new ledger, enrols with
 * a new token, and takes part in what is proposed after bank and auditor have signed that the old ledger ended.
 *
 * @returns what was restored, and the new identity's verifier key.
 * @throws Refusal already_exists, where a folder is not empty; file_missing, file_malformed, disk_full
 */
export async function restoreNode(
  from: string,
  dir: string,
  random: Random,
): Promise<{ backup: NodeBackup; identityKey: string }> {
  const backup = await contentsOf(from);
  const paths = Object.keys(backup.files);
  for (const path of paths)
    if ((await digestOfFile(join(from, path))) !== backup.files[path])
      throw new Refusal("file_malformed", `${join(from, path)} is not as it was backed up`, {
        hint: "take another backup: nothing was restored",
      });
  await requireEmpty(dir);
  const made = [dir];
  try {
    for (const path of paths.filter((path) => path.startsWith("folder/")))
      await copy(join(from, path), join(dir, relative("folder", path)));
    // Paths in node.yaml are read from where the file lies.
    const { dataDir, consortium } = readMemberConfig(configFile(dir));
    await requireEmpty(dataDir);
    made.push(dataDir);
    await makeDirectory(dataDir, 0o700);
    await chmod(dataDir, 0o700);
    for (const path of paths.filter((path) => path.startsWith("data/")))
      await copy(join(from, path), join(dataDir, relative("data", path)));
    const db = openStore(ledgerFile(dataDir));
    try {
      beginAnew(db);
    } finally {
      db.close();
    }
    // Last: without keys, what is half restored does nothing.
    const secrets = await createSecrets(consortium, backup.enterprise, random);
    writeNewFiles(secretFiles(dataDir, secrets));
    return { backup, identityKey: publicIdentity(secrets.identity).verifierKey };
  } catch (error) {
    for (const folder of made) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

const isInside = (path: string, folder: string): boolean =>
  `${resolve(path)}${sep}`.startsWith(`${resolve(folder)}${sep}`);

async function requireEmpty(dir: string): Promise<void> {
  if (existsSync(dir) && (await readdir(dir)).length > 0)
    throw new Refusal("already_exists", `${dir} is not empty`, {
      hint: "restore into a new folder: nothing that is there is overwritten",
    });
}

async function contentsOf(from: string): Promise<NodeBackup> {
  const path = join(from, contentsFile);
  if (!existsSync(path))
    throw new Refusal("file_missing", `${path}: no such file`, {
      hint: "name a folder that fedcredit node backup wrote to its end",
    });
  const contents = contentsSchema.safeParse(await readJson(path)).data;
  const isAstray = (file: string): boolean => !isInside(join(from, file), from);
  if (contents === undefined || Object.keys(contents.files).some(isAstray))
    throw new Refusal("file_malformed", `${path} is damaged, or of another version`);
  return contents;
}

/** @returns paths of the files below a folder, relative to it. @throws Refusal file_missing */
async function filesIn(dir: string): Promise<string[]> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw readRefusal(dir, cause);
  });
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .sort();
}

async function copy(from: string, to: string): Promise<void> {
  await makeDirectory(dirname(to), 0o700);
  try {
    await copyFile(from, to);
    const file = await open(to);
    await file.sync().finally(() => file.close());
  } catch (cause) {
    // A segment that was too old, or joined with others, since it was listed.
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw writeRefusal(to, cause);
  }
}

async function copyDatabase(from: string, to: string): Promise<void> {
  await makeDirectory(dirname(to), 0o700);
  const source = new DatabaseSync(from, { timeout: 5000 });
  try {
    // In one transaction: SQLite's page-wise backup would begin again with every write of the running node.
    source.prepare("VACUUM INTO ?").run(to);
  } catch (cause) {
    const { errcode } = cause as { errcode?: number };
    if (errcode === 11 || errcode === 26)
      throw new Refusal("file_malformed", `${from} is damaged`, { cause });
    throw errcode === 13 ? new Refusal("disk_full", `${to}: the disk is full`, { cause }) : cause;
  } finally {
    source.close();
  }
}

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  } catch (cause) {
    throw readRefusal(path, cause);
  }
  return hash.digest("hex");
}
