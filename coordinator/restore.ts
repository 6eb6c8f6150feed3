/** Backups as files: written from a running coordinator, read back, and restored into an empty database. */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import type { Logger } from "pino";
import { readRefusal, writeWhole } from "../core/files.ts";
import { Refusal } from "../core/reasons.ts";
import { openBankKeys } from "./authority/keys.ts";
import type { CoordinatorConfig } from "./config.ts";
import type { Operator } from "./operator.ts";
import {
  type BackupHeader,
  type BackupRecord,
  checkRestoredLog,
  Filling,
  readBackup,
} from "./store/backup.ts";
import { BlobStore } from "./store/blobs.ts";
import { openDatabase } from "./store/database.ts";

/**
 * Writes a backup of a running coordinator, and reads it back.
 * @returns what it is a backup of. @throws Refusal disk_full, file_missing, file_malformed, and the coordinator's
 */
export async function backUp(operator: Operator, file: string): Promise<BackupHeader> {
  await writeWhole(file, zipped(operator.backup()));
  const header = await headerOf(file);
  await operator.backedUp(header);
  return header;
}

/** Streams begin when somebody reads: one that nobody does ends the process when the connection closes. */
async function* zipped(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* Readable.from(pieces).compose(createGzip());
}

/** Reads all of a backup. @throws Refusal file_missing, file_malformed */
async function headerOf(file: string): Promise<BackupHeader> {
  let header: BackupHeader | undefined;
  for await (const record of recordsOf(file)) if (record.kind === "header") header = record.header;
  return header!;
}

/** @throws Refusal file_missing, file_malformed */
async function* recordsOf(file: string): AsyncGenerator<BackupRecord> {
  const source = createReadStream(file);
  const text = createGunzip();
  // Readline ends in silence where its input breaks.
  let failure: Error | undefined;
  source.on("error", (error) => text.destroy(error));
  text.on("error", (error) => {
    failure = error;
  });
  source.pipe(text);
  try {
    yield* readBackup(createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY }));
  } catch (error) {
    throw failure === undefined ? error : unreadable(file, failure);
  } finally {
    source.destroy();
    text.destroy();
  }
  if (failure !== undefined) throw unreadable(file, failure);
}

const unreadable = (file: string, cause: NodeJS.ErrnoException): Refusal =>
  cause.code?.startsWith("E")
    ? readRefusal(file, cause)
    : new Refusal("file_malformed", `${file}: no backup, or a damaged one`, { cause });

/**
 * Restores a backup into an empty database, all of it or nothing. Enterprises are not let in before the auditor has
 * looked at the log.
 *
 * @throws Refusal file_missing, file_malformed; signature_invalid, where it is of another bank; already_exists, where
 *   the database is not empty; database_unavailable, where a coordinator works on it; log_forked, disk_full
 */
export async function restore(config: CoordinatorConfig, file: string, log: Logger): Promise<BackupHeader> {
  const header = await headerOf(file);
  // An older backup is of a key that another follows by now: its file is kept.
  const signer = (await openBankKeys(config)).find(({ verifier }) => verifier.key === header.bankKey);
  if (signer === undefined || header.consortium !== config.consortium)
    throw new Refusal(
      "signature_invalid",
      `the backup is of ${header.consortium}, under another bank's key`,
      {
        hint: "point --config at the coordinator.yaml of this consortium, with its keys beside it",
      },
    );
  const stores = {
    uploads: await BlobStore.open(join(config.blobs, "uploads"), { durable: true }),
    published: await BlobStore.open(join(config.blobs, "published")),
  };
  const database = await openDatabase({
    ...config,
    log,
    restore: {
      migrations: header.migrations,
      fill: async (sql) => {
        const filling = await Filling.begin(sql);
        for await (const record of recordsOf(file))
          if (record.kind === "rows") await filling.add(record.table, record.rows);
          else if (record.kind === "blob") await stores[record.store].put(record.bytes);
        await filling.end();
        await checkRestoredLog(sql, signer.verifier);
      },
      note: async (sql) => void (await sql`INSERT INTO restored (size) VALUES (${header.size})`),
    },
  });
  await database.close();
  return header;
}
