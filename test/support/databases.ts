/** The PostgreSQL servers that store tests run on: the embedded one, Debian's, and one in DATABASE_URL. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import { programPrefixes } from "../../collectors/simulators/programs.ts";
import { type Database, openDatabase } from "../../coordinator/store/database.ts";
import { silent, temporaryDirectory } from "../../simulate/consortium.ts";
import { startInstalled } from "./installed-postgres.ts";
import { leftOut } from "./left-out.ts";

export interface TestDatabase {
  readonly database: Database;
  /** Opens the same database once more, after `database.close()`. */
  reopen(): Promise<Database>;
  remove(): Promise<void>;
}

export interface Server {
  readonly name: string;
  start(): Promise<TestDatabase>;
}

/** Between two tries for a lock that the server frees when it has noticed that its holder is gone. */
const shortPause = (): Promise<void> => delay(50);

/** Debian keeps each major version's programs in a folder of their own. */
const installed = programPrefixes()
  .map((prefix) => join(prefix, "lib", "postgresql"))
  .filter(existsSync)
  .flatMap((folder) => readdirSync(folder).map((version) => ({ version, bin: join(folder, version, "bin") })))
  .filter(({ bin }) => existsSync(join(bin, "initdb")));

/** A database of its own on the server of DATABASE_URL. */
async function ownDatabase(): Promise<TestDatabase> {
  const admin = postgres(process.env.DATABASE_URL!);
  const name = `fedcredit_test_${randomBytes(6).toString("hex")}`;
  await admin.unsafe(`CREATE DATABASE ${name}`);
  const url = new URL(process.env.DATABASE_URL!);
  url.pathname = `/${name}`;
  const open = (): Promise<Database> =>
    openDatabase({ database: url.href, dataDir: "", log: silent, pause: shortPause });
  return {
    database: await open(),
    reopen: open,
    remove: async () => {
      await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

if (installed.length === 0 && process.env.DATABASE_URL === undefined)
  leftOut("postgresql server: store tests on a server of its own");

export const servers: readonly Server[] = [
  {
    name: "embedded",
    start: async () => {
      const dataDir = await temporaryDirectory();
      const open = (): Promise<Database> =>
        openDatabase({ database: "embedded", dataDir, log: silent, pause: shortPause });
      return {
        database: await open(),
        reopen: open,
        remove: () => rm(dataDir, { recursive: true, force: true }),
      };
    },
  },
  ...(process.env.DATABASE_URL === undefined ? [] : [{ name: "DATABASE_URL", start: ownDatabase }]),
  ...installed.map(({ version, bin }) => ({
    name: `PostgreSQL ${version}`,
    start: async () => {
      const { dir, server } = await startInstalled(bin);
      const host = encodeURIComponent(server.socketDirectory);
      const database = `postgres://${server.user}@localhost/postgres?host=${host}`;
      const open = (): Promise<Database> =>
        openDatabase({ database, dataDir: dir, log: silent, pause: shortPause });
      return {
        database: await open(),
        reopen: open,
        remove: async () => {
          await server.stop();
          await rm(dir, { recursive: true, force: true });
        },
      };
    },
  })),
];
