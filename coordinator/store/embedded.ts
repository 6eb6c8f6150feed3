/** A PostgreSQL of the coordinator's own: real server, real fsync, reached through a Unix socket only. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { access, chmod, chown, lstat, mkdir, readFile, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { makeDirectory } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import { closedAbove, loadPrograms, type Programs } from "./programs.ts";

export interface EmbeddedDatabase {
  /** Directory of the Unix socket. */
  readonly socketDirectory: string;
  readonly user: string;
  /** Whether it was running already: for another coordinator, or for one that was killed. */
  readonly found: boolean;
  /** Ends the server; a fast shutdown, nothing committed is lost. */
  stop(): Promise<void>;
  /** Leaves it to another coordinator: it outlives this process. */
  leave(): void;
}

/** The account a server started by root runs under: PostgreSQL refuses root. */
interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

const databaseUser = "fedcredit";
const socketName = ".s.PGSQL.5432";
// sun_path holds 108 bytes (unix(7)).
const maxSocketPath = 100;
const restartMillis = 500;
const lookMillis = 50;

async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const entry =
    accounts.find(([name]) => name === "postgres") ?? accounts.find(([name]) => name === "nobody");
  if (entry === undefined)
    throw new Refusal("database_unavailable", "PostgreSQL does not run as root", {
      hint: "start as another user, or set `database` to postgres://…",
    });
  return { name: entry[0]!, uid: Number(entry[2]), gid: Number(entry[3]) };
}

/**
 * A data directory, and how the server is told of it.
 *
 * As another account it may not reach the directory by its path: somewhere above, a directory can be closed to it.
 * This process passes through and makes it the server's working directory before it changes the account; the kernel
 * checks nothing above a working directory.
 */
interface Cluster {
  readonly path: string;
  /** The server's name for it. */
  readonly own: string;
  readonly account: Account | undefined;
}

function clusterOf(path: string, account: Account | undefined): Cluster {
  // proc(5): a link that leads to the directory itself, not along its path. Linux only.
  const own = account && process.platform === "linux" ? "/proc/self/cwd" : resolve(path);
  return { path: resolve(path), own, account };
}

function run({ path, account }: Cluster, program: string, args: readonly string[]) {
  return spawn(program, args, {
    env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    cwd: path,
    ...(account && { uid: account.uid, gid: account.gid }),
  });
}

/** @throws Refusal database_unavailable that names the directory which the account cannot pass. */
async function requireReachable(paths: readonly string[], account: Account): Promise<void> {
  for (const path of paths) {
    const closed = await closedAbove(path);
    if (closed !== undefined)
      throw new Refusal(
        "database_unavailable",
        `${closed} is closed to the account ${account.name}, which runs PostgreSQL because it refuses root`,
        { hint: `chmod o+x ${closed}, or start as another user, or set \`database\` to postgres://…` },
      );
  }
}

/** @returns whether something accepts connections on the socket. */
function answers(socketDirectory: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(join(socketDirectory, socketName));
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

/** @returns the process id of the server that holds the data directory, if one is alive. */
async function livingServer(dataDirectory: string): Promise<number | undefined> {
  const text = await readFile(join(dataDirectory, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number.parseInt(text, 10);
  if (!(pid > 0)) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}

/** A server that runs, from here or for another coordinator. */
interface Running {
  readonly found: boolean;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
  leave(): void;
}

/**
 * Starts the server under `dataDirectory`, which is made on first use. A server that outlived a killed
 * coordinator is taken over as it is; one that ends by itself, killed or out of space, is started again.
 * @param programs - of another PostgreSQL than the one that comes with the package.
 * @throws Refusal database_unavailable, disk_full
 */
export async function startEmbedded(
  dataDirectory: string,
  log: Logger,
  programs?: Programs,
): Promise<EmbeddedDatabase> {
  const account = await unprivilegedAccount();
  const { initdb, postgres } = programs ?? (await loadPrograms(account !== undefined));
  await makeDirectory(dataDirectory, 0o700);
  if (account) await giveTo(account, dataDirectory);
  await chmod(dataDirectory, 0o700);
  const cluster = clusterOf(dataDirectory, account);
  const socketDirectory = await makeSocketDirectory(dataDirectory, account);
  if (account) {
    const elsewhere = socketDirectory === dataDirectory ? [] : [socketDirectory];
    await requireReachable([postgres, cluster.own, ...elsewhere], account);
  }
  if (!existsSync(join(dataDirectory, "PG_VERSION"))) await initialize(cluster, initdb);

  let running = await takeUp(cluster, postgres, socketDirectory, log);
  let isOver = false;
  const { found } = running;
  const keep = async (): Promise<void> => {
    for (;;) {
      await running.ended;
      if (isOver) return;
      log.error("the embedded database ended: it is started again");
      const next = await again();
      if (next === undefined) return;
      // Given up while it was being started.
      if (isOver) return next.found ? undefined : next.stop();
      running = next;
    }
  };
  const again = async (): Promise<Running | undefined> => {
    while (!isOver)
      try {
        return await takeUp(cluster, postgres, socketDirectory, log);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        // What is left of a killed server holds its memory for a moment; a full disk lasts longer.
        log.error({ reason: error.reason, detail: error.message }, "the embedded database does not start");
        await delay(restartMillis);
      }
    return undefined;
  };
  const kept = keep();
  return {
    socketDirectory,
    user: databaseUser,
    found,
    leave: () => {
      isOver = true;
      running.leave();
    },
    stop: async () => {
      isOver = true;
      await running.stop();
      // One that was being started at this moment.
      await kept;
      await running.stop();
    },
  };
}

/** The server that runs already, or a new one. @throws Refusal database_unavailable, disk_full */
async function takeUp(
  cluster: Cluster,
  postgres: string,
  socketDirectory: string,
  log: Logger,
): Promise<Running> {
  const orphan = await livingServer(cluster.path);
  if (orphan !== undefined && (await answers(socketDirectory))) {
    log.info({ pid: orphan }, "embedded database is running already");
    const ended = endOf(orphan, cluster.path);
    return { found: true, ended, stop: () => endServer(orphan, ended), leave() {} };
  }
  const socket = socketDirectory === cluster.path ? cluster.own : socketDirectory;
  const child = run(cluster, postgres, [
    ...["-D", cluster.own, "-k", socket, "-h", "", "-p", "5432"],
    ...["-c", "max_connections=40", "-c", "shared_buffers=64MB", "-c", "jit=off"],
    ...["-c", "log_min_messages=error", "-c", "unix_socket_permissions=0700"],
  ]);
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  await untilReady(child);
  // The server must not keep a finished process alive; stop() waits for it again.
  child.unref();
  for (const pipe of [child.stdout, child.stderr]) (pipe as Socket).unref();
  const endWithProcess = (): boolean => child.kill("SIGINT");
  process.once("exit", endWithProcess);
  void ended.then(() => process.off("exit", endWithProcess));
  return {
    found: false,
    ended,
    leave: () => void process.off("exit", endWithProcess),
    stop: async () => {
      process.off("exit", endWithProcess);
      child.ref();
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
      await ended;
    },
  };
}

async function giveTo(account: Account, directory: string): Promise<void> {
  try {
    await chown(directory, account.uid, account.gid);
  } catch (cause) {
    throw new Refusal(
      "database_unavailable",
      `PostgreSQL refuses root, and ${directory} cannot be given to ${account.name}`,
      { hint: "start as another user, or set `database` to postgres://…", cause },
    );
  }
}

async function makeSocketDirectory(dataDirectory: string, account: Account | undefined): Promise<string> {
  if (join(dataDirectory, socketName).length <= maxSocketPath) return dataDirectory;
  const id = createHash("sha256").update(resolve(dataDirectory)).digest("hex").slice(0, 16);
  const directory = join(tmpdir(), `fedcredit-${userInfo().uid}-${id}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { uid } = userInfo();
  const found = await lstat(directory);
  // Anybody may have made it: the directory for temporary files is everybody's.
  if (!found.isDirectory() || (found.uid !== uid && found.uid !== account?.uid))
    throw new Refusal("database_unavailable", `${directory} belongs to another user`);
  if (account) await giveTo(account, directory);
  await access(directory, constants.W_OK);
  return directory;
}

async function initialize(cluster: Cluster, initdb: string): Promise<void> {
  // Only the directory's owner reaches the socket, so no password is needed.
  const args = ["-D", cluster.own, "-U", databaseUser, "-A", "trust", "-E", "UTF8", "--no-locale"];
  const child = run(cluster, initdb, args);
  const output = collectOutput(child);
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", (cause) => fail(startFailure("initdb", cause.message)));
    child.once("close", done);
  });
  if (code === 0) return;
  await rm(cluster.path, { recursive: true, force: true });
  throw startFailure("initdb", output());
}

type Child = ReturnType<typeof run>;

function collectOutput(child: Child): () => string {
  let text = "";
  const append = (data: Buffer): void => {
    text = (text + data.toString()).slice(-4000);
  };
  child.stdout.on("data", append);
  child.stderr.on("data", append);
  return () => text;
}

function untilReady(child: Child): Promise<void> {
  const output = collectOutput(child);
  return new Promise((ready, fail) => {
    child.once("error", (cause) => fail(startFailure("postgres", cause.message)));
    child.once("exit", () => fail(startFailure("postgres", output())));
    child.stderr.on("data", () => {
      if (output().includes("ready to accept connections")) ready();
    });
  });
}

function startFailure(program: string, output: string): Refusal {
  const [line] = /\b(fatal|panic|error): .*/i.exec(output) ?? output.split("\n");
  const message = `${program}: ${line!.trim()}`;
  if (/no space left/i.test(output)) return new Refusal("disk_full", message);
  return new Refusal("database_unavailable", message, {
    hint: "check `dataDir` and its permissions, or set `database` to postgres://…",
  });
}

/** Of a server that is no child of this process. */
async function endOf(pid: number, dataDirectory: string): Promise<void> {
  while ((await livingServer(dataDirectory)) === pid) await delay(lookMillis, undefined, { ref: false });
}

async function endServer(pid: number, ended: Promise<void>): Promise<void> {
  try {
    process.kill(pid, "SIGINT");
  } catch (error) {
    // Another has ended it.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
  // The wait alone would not keep this process alive.
  const alive = setInterval(() => {}, lookMillis);
  await ended.finally(() => clearInterval(alive));
}
