import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "pino";
import { Refusal } from "../../core/reasons.ts";
import { foreignDatabase, readBelonging, shownAddress, writeBelonging } from "./belonging.ts";
import { startEmbedded } from "./embedded.ts";
import { type Ownership, takeOwnership } from "./ownership.ts";
import { inSnapshot, inTransaction, type Sql, sqlOf, storeRefusal, type Transaction } from "./sql.ts";

export interface Database {
  readonly sql: Sql;
  /** Rejects once another coordinator has taken the database over. */
  readonly taken: Promise<never>;
  /** Runs `work` in one transaction; a lost server, a full disk or another owner is a Refusal. */
  transaction<T>(work: (sql: Transaction) => Promise<T>): Promise<T>;
  /** Reads as of one moment. */
  snapshot<T>(read: (sql: Transaction) => AsyncIterable<T>): AsyncGenerator<T>;
  close(): Promise<void>;
}

const oldestVersion = 150_000;
const connectMillis = 10_000;
const closeMillis = 5000;
const mostConnections = 12;
const migrationsDirectory = join(import.meta.dirname, "migrations");
// Any constant that only migrations use.
const migrationLock = 0x66_65_64_31;

// Log indices and sizes stay far below 2^53.
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
};

/** A connection that has to stand within a time: what takes connections and says nothing is no PostgreSQL. */
class Session extends pg.Client {
  constructor(options: pg.ClientConfig = {}) {
    super({ ...options, connectionTimeoutMillis: connectMillis });
    // Whoever waits for an answer hears of a lost connection; nobody has to.
    this.on("error", () => {});
  }
}

/**
 * Connects and brings the schema up to date.
 * @param database - "embedded" (a server under `dataDir`) or postgres://….
 * @throws Refusal database_unavailable, database_version, database_mismatch, disk_full
 */
export async function openDatabase(options: {
  readonly database: string;
  readonly dataDir: string;
  readonly log: Logger;
  /** Fills an empty database from a backup that has these migrations; later ones come after it. */
  readonly restore?: {
    readonly migrations: readonly string[];
    fill(sql: Transaction): Promise<void>;
    /** What is said of it in tables as they are now. */
    note(sql: Transaction): Promise<void>;
  };
  /** Waits before the lock of another coordinator is tried again. */
  readonly pause?: () => Promise<void>;
}): Promise<Database> {
  const { database, dataDir, log, restore, pause = () => delay(500) } = options;
  const known = readBelonging(dataDir);
  const folder = join(dataDir, "postgres");
  // Nothing is founded beside what there is.
  if (
    restore === undefined &&
    database === "embedded" &&
    known !== undefined &&
    !existsSync(join(folder, "PG_VERSION"))
  )
    throw foreignDatabase(dataDir, known, "there is no embedded one here");
  const embedded = database === "embedded" ? await startEmbedded(folder, log) : undefined;
  const server: pg.ClientConfig = {
    ...(embedded
      ? { host: embedded.socketDirectory, user: embedded.user, database: "postgres" }
      : serverOf(database)),
    types,
    keepAlive: true,
    application_name: "fedcredit",
  };
  const pool = new pg.Pool({ ...server, max: mostConnections, Client: Session });
  // A connection that is lost while nobody uses it.
  pool.on("error", () => {});
  const sql = sqlOf(pool);
  let ownership: Ownership | undefined;
  let owner = 0;
  let isTaken = false;
  const close = async (): Promise<void> => {
    await ownership?.release();
    const waiting = new AbortController();
    await Promise.race([pool.end(), delay(closeMillis, undefined, { signal: waiting.signal })]);
    waiting.abort();
    // A server found running belongs to whoever holds the lock.
    // Another coordinator's server is not kept up by one that was turned away.
    const isAnothers = isTaken || (ownership === undefined && embedded?.found !== false);
    await (isAnothers ? embedded?.leave() : embedded?.stop());
  };
  const { promise: taken, reject: onTaken } = Promise.withResolvers<never>();
  // Whoever waits for it hears of it; nobody has to.
  taken.catch(() => {});
  const transaction = <T>(work: (sql: Transaction) => Promise<T>): Promise<T> =>
    inTransaction(pool, async (open) => {
      // The next owner waits for what has begun, and nothing begins after it.
      const [row] = await open`SELECT number FROM owner FOR SHARE`;
      if (row!.number === owner) return work(open);
      isTaken = true;
      // The server is the new owner's to start again.
      embedded?.leave();
      const refusal = new Refusal("database_taken", "another coordinator has taken this database over");
      onTaken(refusal);
      throw refusal;
    });
  const lookAgain = (): void => void transaction(async () => {}).catch(() => {});
  try {
    await checkServer(sql);
    ownership = await takeOwnership(() => openSession(server), pause, lookAgain);
    if (ownership === undefined)
      throw new Refusal("database_unavailable", "another coordinator works on this database", {
        hint: "stop the other one first, or give this one a database of its own",
      });
    const belonging = await inTransaction(pool, async (open) => {
      if (restore !== undefined) {
        await migrate(open, restore.migrations);
        await restore.fill(open);
      }
      await migrate(open);
      await restore?.note(open);
      const [row] = await open`SELECT database FROM owner`;
      // What was just brought up to date is rolled back: it is somebody else's.
      if (known !== undefined && row!.database !== known.id)
        throw foreignDatabase(dataDir, known, `the one at ${shownAddress(database)} is another`);
      return { id: row!.database as string, at: shownAddress(database) };
    });
    if (known?.at !== belonging.at) await writeBelonging(dataDir, belonging);
    owner = await nextOwner(sql);
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
  return { sql, taken, transaction, snapshot: (read) => inSnapshot(pool, read), close };
}

async function openSession(server: pg.ClientConfig): Promise<pg.Client> {
  const session = new Session(server);
  try {
    await session.connect();
  } catch (error) {
    throw storeRefusal(error);
  }
  return session;
}

/** As libpq reads it: `?host=/directory` names a Unix socket's directory. */
function serverOf(database: string): pg.ClientConfig {
  const url = URL.canParse(database) ? new URL(database) : undefined;
  if (url === undefined || !["postgres:", "postgresql:"].includes(url.protocol))
    throw new Refusal("config_invalid", "database: not a postgres:// address");
  // What the driver makes of these modes, and warns about: a server whose certificate is checked.
  if (["prefer", "require", "verify-ca"].includes(url.searchParams.get("sslmode") ?? ""))
    url.searchParams.set("sslmode", "verify-full");
  return { connectionString: url.href };
}

async function checkServer(sql: Sql): Promise<void> {
  const [row] = await sql`
    SELECT current_setting('server_version_num')::int AS number, current_setting('server_encoding') AS encoding`;
  if (row!.number < oldestVersion)
    throw new Refusal("database_version", `PostgreSQL ${Math.floor(row!.number / 10_000)} is too old`);
  if (row!.encoding !== "UTF8")
    throw new Refusal(
      "database_unavailable",
      `the database keeps its text as ${row!.encoding}, not as UTF8`,
      {
        hint: "make another one: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
      },
    );
}

/** The lock alone is free again when the server restarts: what every transaction holds on to is this number. */
async function nextOwner(sql: Sql): Promise<number> {
  const [row] = await sql`UPDATE owner SET number = number + 1 RETURNING number`;
  return row!.number as number;
}

/**
 * Runs the migrations that the database lacks: numbered files, in order.
 * @param only - those of a backup, for a database that has none yet.
 */
const [firstMigration, secondMigration] = ["0001-initial.sql", "0002-sealed-sum-v2.sql"] as const;

/** The second migration drops what the first version's rounds kept: nothing that a log speaks of is lost in silence. */
async function requireNothingSummed(sql: Transaction): Promise<void> {
  const { count } = await sql`SELECT FROM log_entry LIMIT 1`;
  if (count === 0) return;
  throw new Refusal(
    "database_version",
    "the database is of the first version of sealed sums, whose rounds and log this version does not go on with",
    {
      hint: "nothing was changed: export the log with the version that wrote it (fedcredit coordinator export --out old.fcexport --config FILE) and keep both; then found the consortium anew in another folder and database (fedcredit coordinator init), and let enterprises join with new folders (fedcredit node init)",
    },
  );
}

async function migrate(sql: Transaction, only?: readonly string[]): Promise<void> {
  const all = (await readdir(migrationsDirectory)).filter((name) => /^\d{4}-.*\.sql$/.test(name)).sort();
  const missing = only?.find((name) => !all.includes(name));
  if (missing !== undefined)
    throw new Refusal("database_version", `the backup holds ${missing}, which this version does not know`, {
      hint: "update the coordinator",
    });
  const files = all.filter((name) => only?.includes(name) ?? true);
  await sql`SELECT pg_advisory_xact_lock(${migrationLock})`;
  await sql`CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL)`;
  const applied = new Set((await sql`SELECT name FROM migration`).map((row) => row.name as string));
  if (only !== undefined && applied.size > 0)
    throw new Refusal("already_exists", "the database holds a coordinator's tables already", {
      hint: "restore into an empty database: nothing that is there is overwritten",
    });
  const unknown = [...applied].find((name) => !files.includes(name));
  if (unknown !== undefined)
    throw new Refusal("database_version", `the database holds ${unknown}, which this version does not know`, {
      hint: "update the coordinator",
    });
  if (applied.has(firstMigration) && !applied.has(secondMigration)) await requireNothingSummed(sql);
  for (const name of files.filter((file) => !applied.has(file))) {
    await sql.script(await readFile(join(migrationsDirectory, name), "utf8"));
    await sql`INSERT INTO migration VALUES (${name}, now())`;
  }
}
