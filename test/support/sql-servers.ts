/** Database servers that collectors read from: PostgreSQL, which comes with the package, and MariaDB where it is. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import mysql from "mysql2";
import pg from "pg";
import { findProgram } from "../../collectors/simulators/programs.ts";
import { startEmbedded } from "../../coordinator/store/embedded.ts";
import { silent, temporaryDirectory } from "../../simulate/consortium.ts";
import { freePort } from "./collecting.ts";

export interface SqlServer {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Runs one statement as a user that may write. */
  run(statement: string): Promise<void>;
  /** Another session, for a transaction of its own. */
  session(): Promise<{ run(statement: string): Promise<void>; close(): Promise<void> }>;
  close(): Promise<void>;
}

/** Reached over TCP through a bridge to its Unix socket. */
export async function startPostgresql(): Promise<SqlServer> {
  const folder = await temporaryDirectory();
  const server = await startEmbedded(join(folder, "cluster"), silent);
  const bridge = createServer((socket) => {
    const inside = connect(join(server.socketDirectory, ".s.PGSQL.5432"));
    for (const [one, other] of [
      [socket, inside],
      [inside, socket],
    ] as const)
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
    socket.pipe(inside).pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(bridge, "listening");
  const session = async () => {
    const client = new pg.Client({
      host: server.socketDirectory,
      user: server.user,
      database: "postgres",
    });
    await client.connect();
    return {
      run: async (statement: string) => void (await client.query(statement)),
      close: () => client.end(),
    };
  };
  const main = await session();
  return {
    port: (bridge.address() as AddressInfo).port,
    user: server.user,
    password: "not asked for",
    database: "postgres",
    run: main.run,
    session,
    async close() {
      await main.close();
      bridge.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const findMariadb = (): string | undefined =>
  findProgram("mariadb-install-db") === undefined ? undefined : findProgram("mariadbd");

export async function startMariadb(program: string): Promise<SqlServer> {
  const folder = await temporaryDirectory();
  const port = await freePort();
  const socketPath = join(folder, "s");
  const data = join(folder, "data");
  const account = process.getuid?.() === 0 ? ["--user=root"] : [];
  await promisify(execFile)(findProgram("mariadb-install-db")!, [
    "--no-defaults",
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    ...account,
  ]);
  const child = spawn(
    program,
    [
      "--no-defaults",
      `--datadir=${data}`,
      `--socket=${socketPath}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      "--innodb-buffer-pool-size=32M",
      "--innodb-flush-log-at-trx-commit=0",
      ...account,
    ],
    { stdio: "ignore" },
  );
  const session = async () => {
    const connection = mysql.createConnection({ socketPath, user: "root" });
    connection.on("error", () => {});
    const run = (statement: string): Promise<void> =>
      new Promise((resolve, reject) =>
        connection.query(statement, (error) => (error === null ? resolve() : reject(error))),
      );
    await run("SELECT 1");
    return { run, close: async () => connection.destroy() };
  };
  const untilUp = async (tries = 300): Promise<Awaited<ReturnType<typeof session>>> => {
    try {
      return await session();
    } catch (error) {
      if (tries === 0 || child.exitCode !== null) throw error;
      await delay(50);
      return untilUp(tries - 1);
    }
  };
  const main = await untilUp();
  await main.run("CREATE DATABASE shop");
  await main.run("USE shop");
  await main.run("CREATE USER node@'127.0.0.1' IDENTIFIED BY 'tower'");
  await main.run("GRANT ALL ON shop.* TO node@'127.0.0.1'");
  return {
    port,
    user: "node",
    password: "tower",
    database: "shop",
    run: main.run,
    async session() {
      const one = await session();
      await one.run("USE shop");
      return one;
    },
    async close() {
      await main.close();
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
