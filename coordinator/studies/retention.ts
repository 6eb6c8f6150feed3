/** What is kept no longer: sums and models after their study's retention, and what no one can ask for any more. */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { readManifest } from "../../models/study.ts";
import { parseEntry } from "../../privacy/log/entry.ts";
import { readStored } from "../../privacy/sum/coordinator/point.ts";
import type { RoundPoint } from "../../privacy/sum/coordinator/state.ts";
import type { Bank } from "../bank.ts";
import type { Sql } from "../store/sql.ts";
import { pruneWarnings } from "../warnings/reports.ts";

export interface Pruned {
  /** Names of studies whose sums and model were removed. */
  readonly removed: string[];
  /** Names of studies that wait until the log's entry about it has the quorum of cosignatures. */
  readonly awaited: string[];
  /** Checkpoints of the log that newer ones stand for. */
  readonly checkpoints: number;
}

const daySeconds = 86_400;
/** Newest checkpoints that are kept, cosigned or not: a cosignature may still be on its way. */
const keptCheckpoints = 1000;

/** Prunes at the start and once a day. @returns what ends that, once what is under way has ended. */
export function pruneDaily(bank: Bank): () => Promise<void> {
  let callOff = (): void => {};
  let closed = false;
  const run = (): Promise<void> =>
    prune(bank).then(
      () => {},
      (error: unknown) => bank.log.error({ err: error }, "nothing was pruned"),
    );
  const repeat = async (): Promise<void> => {
    underWay = run();
    await underWay;
    if (!closed) callOff = bank.clock.after(daySeconds, repeat);
  };
  let underWay: Promise<void> = Promise.resolve();
  void repeat();
  return async () => {
    closed = true;
    callOff();
    await underWay;
  };
}

/**
 * Removes the sums and the model of each study that ended longer ago than its `retentionDays`. The log says so first:
 * they go once a checkpoint with that entry has the quorum of cosignatures, so that whatever is exported verifies.
 * Entries, headers, rosters and key epochs stay for ever.
 * @throws Refusal unavailable while the log is exported
 */
export async function prune(bank: Bank): Promise<Pruned> {
  if (bank.exports.size > 0) throw new Refusal("unavailable", "the log is being exported: try again later");
  await announce(bank);
  await pruneWarnings(bank);
  const witnessed = (await bank.privacyLog.witnessed(bank.config.witnesses.quorum))?.size ?? 0;
  const { sql } = bank.database;
  const rows = await sql`
    SELECT digest, name, pruned, EXISTS (SELECT FROM sum_certificate WHERE study = digest)
      OR EXISTS (SELECT FROM model WHERE study = study.digest) AS held
    FROM study WHERE pruned IS NOT NULL ORDER BY number`;
  const held = rows.filter((row) => row.held as boolean);
  const removable = held.filter((row) => (row.pruned as number) < witnessed);
  const checkpoints = await bank.database.transaction(async (transaction) => {
    for (const { digest } of removable) {
      await transaction`DELETE FROM sum_certificate WHERE study = ${digest}`;
      await transaction`DELETE FROM model WHERE study = ${digest}`;
    }
    const old = await transaction`
      DELETE FROM log_checkpoint WHERE size < ${witnessed} AND size NOT IN
        (SELECT size FROM log_checkpoint ORDER BY size DESC LIMIT ${keptCheckpoints})`;
    await transaction`
      DELETE FROM ledger_checkpoint older WHERE EXISTS
        (SELECT FROM ledger_checkpoint newer WHERE newer.enterprise = older.enterprise AND newer.size > older.size)`;
    return old.count;
  });
  await removeOldBlobs(bank);
  const pruned = {
    removed: removable.map(({ name }) => name as string),
    awaited: held.filter((row) => !removable.includes(row)).map(({ name }) => name as string),
    checkpoints,
  };
  for (const study of pruned.removed) bank.log.info({ study }, "sums and model removed: retention is over");
  return pruned;
}

/** What was last written a day ago, unless an attempt that is not finished goes on from it. */
export async function removeOldBlobs(bank: Pick<Bank, "blobs" | "clock" | "database">): Promise<void> {
  const before = bank.clock.now() - daySeconds * 1000;
  const needed = await neededBlobs(bank.database.sql);
  await bank.blobs.uploads.removeOlder(before, new Set(needed.uploads));
  await bank.blobs.published.removeOlder(before, new Set(needed.published));
}

/** @returns digests of the blobs that attempts which are not finished go on from. */
export async function neededBlobs(sql: Sql): Promise<Record<"uploads" | "published", Digest[]>> {
  const rows = await sql`SELECT point FROM attempt WHERE point IS NOT NULL`;
  const points = rows.map(({ point }) => readStored<RoundPoint>(point as string));
  return {
    uploads: points.flatMap(({ submissions }) => submissions.flatMap(({ chunks }) => chunks)),
    published: points.flatMap((point) => (point.at === "releasing" ? point.chunks : [])),
  };
}

/** Writes into the log which studies' retention is over. */
async function announce(bank: Bank): Promise<void> {
  const rows = await bank.database.sql`
    SELECT digest, manifest, ended_at FROM study WHERE ended_at IS NOT NULL AND pruned IS NULL`;
  for (const { digest, manifest, ended_at } of rows) {
    const retentionMillis = readManifest(manifest as string).retentionDays * daySeconds * 1000;
    const isOver = (since: number): boolean => bank.clock.now() >= since + retentionMillis;
    // The database's clock may be another one: the log's own times decide.
    if (!isOver(+(ended_at as Date)) || !isOver(await lastTold(bank, digest as Digest))) continue;
    await bank.database.transaction(async (sql) => {
      const [sums] = await sql`SELECT count(*)::int AS count FROM sum_certificate WHERE study = ${digest}`;
      const [model] = await sql`SELECT digest FROM model WHERE study = ${digest}`;
      const index = await bank.privacyLog.append(sql, [
        {
          type: "study.pruned",
          study: digest,
          sums: sums!.count,
          ...(model === undefined ? {} : { model: model.digest }),
        },
      ]);
      await sql`UPDATE study SET pruned = ${index} WHERE digest = ${digest}`;
    });
  }
}

/** @returns when the log last spoke of a study's rounds and models, Unix milliseconds. */
async function lastTold(bank: Bank, study: Digest): Promise<number> {
  const { sql } = bank.database;
  const [last] =
    await sql`SELECT coalesce(max(entry), 0) AS entry FROM sum_certificate WHERE study = ${study}`;
  const rows = await sql`SELECT round_id FROM attempt WHERE study = ${study}`;
  const rounds = new Set(rows.map(({ round_id }) => round_id as Digest));
  const { size } = await bank.privacyLog.checkpoint();
  let told = 0;
  for await (const { entry: bytes } of bank.privacyLog.entries(last!.entry as number, size)) {
    const entry = parseEntry(bytes);
    const isAbout =
      ("study" in entry && entry.study === study) || ("roundId" in entry && rounds.has(entry.roundId!));
    if (isAbout) told = entry.time;
  }
  return told;
}
