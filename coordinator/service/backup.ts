import { keysInForce } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import { writeBackup } from "../store/backup.ts";
import { neededBlobs } from "../studies/retention.ts";

const chunkBytes = 256 * 1024;

/** The whole database as of one moment, in pieces that fit a message. */
export async function* backupOf(bank: Bank): AsyncGenerator<Uint8Array> {
  const { blobs, clock, config, database } = bank;
  const of = { consortium: config.consortium, bankKey: keysInForce(bank).bank.key, time: clock.now() };
  const lines = database.snapshot((sql) => writeBackup(sql, of, blobs, neededBlobs));
  for await (const line of lines)
    for (let at = 0; at < line.length; at += chunkBytes) yield line.subarray(at, at + chunkBytes);
}

/** @returns when the last backup that was read back was begun, Unix milliseconds; undefined where none was. */
export async function lastBackup({ database }: Bank): Promise<number | undefined> {
  const [row] = await database.sql`SELECT max(begun_at) AS begun FROM backup`;
  return (row!.begun as Date | null)?.getTime();
}

/** @param timeMillis - when it was begun, Unix milliseconds. */
export async function noteBackup(bank: Bank, size: number, timeMillis: number): Promise<void> {
  const begun = new Date(timeMillis);
  await bank.database.transaction((sql) => sql`INSERT INTO backup VALUES (${begun}, ${size})`);
  bank.log.info({ entries: size }, "backed up");
}
