/** The PostgreSQL servers that store tests run on: the embedded one, Debian's, and one in DATABASE_URL. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { programPrefixes } from "../../collectors/simulators/programs.ts";
import { type Database, openDatabase } from "../../coordinator/store/database.ts";
import { silent, temporaryDirectory } from "../../simulate/consortium.ts";
import { startInstalled } from "./installed-postgres.ts";
import { leftOut } from "./left-out.ts";

export interface TestDatabase {
  readonly database: Database;
  /** Opens the same database once more, as another coordinator would. */
  reopen(): Promise<Database>;
  remove(): Promise<void>;
}

export interface Server {
  readonly name: string;
  /** @param pause - of the first coordinator, before it tries again for a lock. */
  start(pause?: () => Promise<void>): Promise<TestDatabase>;
}

/** Between two tries for a lock that the server frees when it has noticed that its holder is gone. */
const shortPause = (): Promise<void> => delay(50);

/** Debian keeps each major version's programs in a folder of their own. */
export const installed = programPrefixes()
  .map((prefix) => join(prefix, "lib", "postgresql"))
  .filter(existsSync)
  .flatMap((folder) => readdirSync(folder).map((version) => ({ version, bin: join(folder, version, "bin") })))
  .filter(({ bin }) => existsSync(join(bin, "initdb")));

/** A database of its own on the server of DATABASE_URL. */
async function ownDatabase(ofFirst = shortPause): Promise<TestDatabase> {
  const admin = new pg.Client({ connectionString: process.env.DATABASE_URL! });
  await admin.connect();
  const dataDir = await temporaryDirectory();
  const name = `fedcredit_test_${randomBytes(6).toString("hex")}`;
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(process.env.DATABASE_URL!);
  url.pathname = `/${name}`;
  const open = (pause = shortPause): Promise<Database> =>
    openDatabase({ database: url.href, dataDir, log: silent, pause });
  return {
    database: await open(ofFirst),
    reopen: () => open(),
    remove: async () => {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

if (installed.length === 0 && process.env.DATABASE_URL === undefined)
  leftOut("postgresql server: store tests on a server of its own");

export const servers: readonly Server[] = [
  {
    name: "embedded",
    start: async (ofFirst = shortPause) => {
      const dataDir = await temporaryDirectory();
      const open = (pause = shortPause): Promise<Database> =>
        openDatabase({ database: "embedded", dataDir, log: silent, pause });
      return {
        database: await open(ofFirst),
        reopen: () => open(),
        remove: () => rm(dataDir, { recursive: true, force: true }),
      };
    },
  },
  ...(process.env.DATABASE_URL === undefined ? [] : [{ name: "DATABASE_URL", start: ownDatabase }]),
  ...installed.map(({ version, bin }) => ({
    name: `PostgreSQL ${version}`,
    start: async (ofFirst = shortPause) => {
      const { dir, server } = await startInstalled(bin);
      const host = encodeURIComponent(server.socketDirectory);
      const database = `postgres://${server.user}@localhost/postgres?host=${host}`;
      const open = (pause = shortPause): Promise<Database> =>
        openDatabase({ database, dataDir: dir, log: silent, pause });
      return {
        database: await open(ofFirst),
        reopen: () => open(),
        remove: async () => {
          await server.stop();
          await rm(dir, { recursive: true, force: true });
        },
      };
    },
  })),
];
