import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import postgres from "postgres";
import { Refusal } from "../../core/reasons.ts";
import { startEmbedded } from "./embedded.ts";

const numberTypes = {
  // Log indices and sizes stay far below 2^53.
  bigint: { to: 20, from: [20], parse: Number, serialize: String },
};

export type Sql = postgres.Sql<{ bigint: number }>;
/** A transaction: whatever takes one leaves nothing behind when it is rolled back. */
export type Transaction = postgres.TransactionSql<{ bigint: number }>;

export interface Database {
  readonly sql: Sql;
  /** Rejects once another coordinator has taken the database over. */
  readonly taken: Promise<never>;
  /** Runs `work` in one transaction; a lost server, a full disk or another owner is a Refusal. */
  transaction<T>(work: (sql: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const answerSeconds = 15;
const oldestVersion = 150_000;
const migrationsDirectory = join(import.meta.dirname, "migrations");
// Any constant that only migrations use.
const migrationLock = 0x66_65_64_31;
const ownerLock = 0x66_65_64_30;
const ownershipTries = 10;

/**
 * Connects and brings the schema up to date.
 * @param database - "embedded" (a server under `dataDir`) or postgres://….
 * @throws Refusal database_unavailable, database_version, disk_full
 */
export async function openDatabase(options: {
  readonly database: string;
  readonly dataDir: string;
  readonly log: Logger;
  /** Waits before the lock of another coordinator is tried again. */
  readonly pause?: () => Promise<void>;
}): Promise<Database> {
  const { database, dataDir, log, pause = () => delay(500) } = options;
  const embedded = database === "embedded" ? await startEmbedded(join(dataDir, "postgres"), log) : undefined;
  const common = {
    max: 12,
    connect_timeout: 10,
    types: numberTypes,
    onnotice: () => {},
    connection: { application_name: "fedcredit" },
  };
  const sql: Sql = embedded
    ? postgres({ ...common, host: embedded.socketDirectory, username: embedded.user, database: "postgres" })
    : postgres(...serverOf(database, common));
  let ownership: { release(): void } | undefined;
  let owner = 0;
  let isTaken = false;
  const close = async (): Promise<void> => {
    ownership?.release();
    await sql.end({ timeout: 5 });
    // A server found running belongs to whoever holds the lock.
    if (isTaken) embedded?.leave();
    else if (ownership !== undefined || embedded?.found === false) await embedded?.stop();
  };
  try {
    await checkVersion(sql);
    ownership = await takeOwnership(sql, pause);
    await migrate(sql);
    owner = await nextOwner(sql);
  } catch (error) {
    await close().catch(() => {});
    throw storeRefusal(error);
  }
  const { promise: taken, reject: onTaken } = Promise.withResolvers<never>();
  // Whoever waits for it hears of it; nobody has to.
  taken.catch(() => {});
  const owned = async <T>(transaction: Transaction, work: (sql: Transaction) => Promise<T>): Promise<T> => {
    // The next owner waits for what has begun, and nothing begins after it.
    const [row] = await transaction`SELECT number FROM owner FOR SHARE`;
    if (row!.number === owner) return work(transaction);
    isTaken = true;
    const refusal = new Refusal("database_taken", "another coordinator has taken this database over");
    onTaken(refusal);
    throw refusal;
  };
  return {
    sql,
    taken,
    transaction: <T>(work: (transaction: Transaction) => Promise<T>) =>
      sql
        .begin((transaction) => owned(transaction, work))
        .catch((error: unknown) => {
          throw storeRefusal(error);
        }) as Promise<T>,
    close,
  };
}

/** As libpq reads it: `?host=/directory` names a Unix socket's directory. */
function serverOf<Options extends object>(
  database: string,
  options: Options,
): [string, Options & { host?: string }] {
  if (!URL.canParse(database)) throw new Refusal("config_invalid", "database: not a postgres:// address");
  const url = new URL(database);
  const host = url.searchParams.get("host");
  if (!host?.startsWith("/")) return [database, options];
  url.searchParams.delete("host");
  return [url.href, { ...options, host }];
}

/** The driver waits for ever for the first answer of something that takes connections but is no PostgreSQL. */
async function firstAnswer<T>(query: Promise<T>): Promise<T> {
  const answered = new AbortController();
  const silence = delay(answerSeconds * 1000, undefined, { signal: answered.signal }).then(() => {
    throw new Refusal("database_unavailable", `no answer of a PostgreSQL in ${answerSeconds} s`);
  });
  silence.catch(() => {});
  return Promise.race([query, silence]).finally(() => answered.abort());
}

async function checkVersion(sql: Sql): Promise<void> {
  const [row] = await firstAnswer(sql`SELECT current_setting('server_version_num')::int AS number`);
  if (row!.number < oldestVersion)
    throw new Refusal("database_version", `PostgreSQL ${Math.floor(row!.number / 10_000)} is too old`);
}

/**
 * One coordinator at a time works on a database. The lock is the session's: PostgreSQL frees it as soon as it
 * notices that the process which held it is gone.
 */
async function takeOwnership(sql: Sql, pause: () => Promise<void>): Promise<{ release(): void }> {
  const session = await sql.reserve();
  for (let tries = 1; ; tries++) {
    const [row] = await session`SELECT pg_try_advisory_lock(${ownerLock}) AS taken`;
    if (row!.taken) return session;
    if (tries === ownershipTries) break;
    await pause();
  }
  session.release();
  throw new Refusal("database_unavailable", "another coordinator works on this database", {
    hint: "stop the other one first, or give this one a database of its own",
  });
}

/** The lock alone is free again when the server restarts: what every transaction holds on to is this number. */
async function nextOwner(sql: Sql): Promise<number> {
  const [row] = await sql`UPDATE owner SET number = number + 1 RETURNING number`;
  return row!.number as number;
}

/** Runs the migrations that the database lacks: numbered files, in order, all in one transaction. */
async function migrate(sql: Sql): Promise<void> {
  const files = (await readdir(migrationsDirectory)).filter((name) => /^\d{4}-.*\.sql$/.test(name)).sort();
  await sql.begin(async (transaction) => {
    await transaction`SELECT pg_advisory_xact_lock(${migrationLock})`;
    await transaction`CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL)`;
    const applied = new Set((await transaction`SELECT name FROM migration`).map((row) => row.name as string));
    const unknown = [...applied].find((name) => !files.includes(name));
    if (unknown !== undefined)
      throw new Refusal(
        "database_version",
        `the database holds ${unknown}, which this version does not know`,
        {
          hint: "update the coordinator",
        },
      );
    for (const name of files.filter((file) => !applied.has(file))) {
      await transaction.unsafe(await readFile(join(migrationsDirectory, name), "utf8")).simple();
      await transaction`INSERT INTO migration VALUES (${name}, now())`;
    }
  });
}

const connectionCodes = new Set([
  // The system's.
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "ENOTFOUND",
  "EACCES",
  "ETIMEDOUT",
  "EPIPE",
  // The driver's.
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
]);

/** @returns what an error of the database stands for: itself, unless the server is gone, locked or full. */
export function storeRefusal(error: unknown): unknown {
  const { code, message } = error as { code?: string; message?: string };
  if (error instanceof Refusal || typeof code !== "string") return error;
  // SQLSTATE classes: 08 connection, 28 authorization, 3D no such database, 57P server shutting down.
  if (connectionCodes.has(code) || /^(08|28|3D|57P)/.test(code))
    return new Refusal("database_unavailable", `the database is not available: ${message ?? code}`, {
      cause: error,
    });
  if (code === "53100" || code === "ENOSPC")
    return new Refusal("disk_full", "the disk is full", { cause: error });
  return error;
}
