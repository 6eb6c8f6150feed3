import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import pg from "pg";
import { within } from "../../../bench/cases/within.ts";
import { startEmbedded } from "../../../coordinator/store/embedded.ts";
import { closedAbove, openCopy } from "../../../coordinator/store/programs.ts";
import { silent } from "../../../simulate/consortium.ts";
import { leftOut } from "../../support/left-out.ts";

const isRoot = process.getuid?.() === 0;

/** A directory that only this account may pass through, as a home often is. */
async function closedDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "fedcredit-closed-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  t.is((await stat(directory)).mode & 0o777, 0o700);
  return directory;
}

async function answer(socketDirectory: string, user: string): Promise<number> {
  const client = new pg.Client({ host: socketDirectory, user, database: "postgres" });
  await client.connect();
  try {
    await client.query("CREATE TABLE IF NOT EXISTS seen (time timestamptz DEFAULT now())");
    await client.query("INSERT INTO seen DEFAULT VALUES");
    return (await client.query("SELECT count(*)::int AS count FROM seen")).rows[0].count;
  } finally {
    await client.end();
  }
}

/** As soon as the server answers, which is not now. */
async function answerAgain(socketDirectory: string, user: string): Promise<number> {
  for (;;)
    try {
      return await answer(socketDirectory, user);
    } catch {
      await delay(5);
    }
}

test("a database below a closed directory starts, and finds its data when it starts again", async (t) => {
  const closed = await closedDirectory(t);
  for (const starts of [1, 2]) {
    const server = await startEmbedded(join(closed, "data"), silent);
    t.is(server.socketDirectory, join(closed, "data"));
    t.is(await answer(server.socketDirectory, server.user), starts);
    await server.stop();
  }
});

test("a server that is killed is started again, by who started it and by who found it running", async (t) => {
  const data = join(await closedDirectory(t), "data");
  const pidOf = async () => Number.parseInt(await readFile(join(data, "postmaster.pid"), "utf8"), 10);
  const first = await startEmbedded(data, silent);
  t.is(await answer(first.socketDirectory, first.user), 1);
  process.kill(await pidOf(), "SIGKILL");
  t.is(await within(() => "the server's answer", answerAgain(first.socketDirectory, first.user)), 2);

  // As if the first were gone: the second found the server, and is the one that starts it again.
  first.leave();
  const second = await startEmbedded(data, silent);
  t.true(second.found);
  const pid = await pidOf();
  process.kill(pid, "SIGINT");
  t.is(await within(() => "the server's answer", answerAgain(second.socketDirectory, second.user)), 3);
  t.not(await pidOf(), pid);
  await second.stop();
  await t.throwsAsync(answer(second.socketDirectory, second.user));
});

test("a path too long for a socket below a closed directory: the socket lies elsewhere", async (t) => {
  const data = join(await closedDirectory(t), "long".repeat(30));
  const server = await startEmbedded(data, silent);
  t.teardown(() => rm(server.socketDirectory, { recursive: true, force: true }));
  t.not(server.socketDirectory, data);
  t.is(await answer(server.socketDirectory, server.user), 1);
  await server.stop();
});

if (isRoot)
  test("programs that the other account cannot reach: the refusal names the closed directory", async (t) => {
    const closed = await closedDirectory(t);
    const programs = { initdb: join(closed, "bin/initdb"), postgres: join(closed, "bin/postgres") };
    await mkdir(join(closed, "bin"));
    const error = await t.throwsAsync(startEmbedded(join(closed, "data"), silent, programs));
    t.like(error, { reason: "database_unavailable" });
    t.true(error!.message.includes(closed), error!.message);
    t.is(await closedAbove(programs.postgres), closed);
  });
else leftOut("root: PostgreSQL under another account");

test("a link that somebody laid where the socket's directory would be is not followed", async (t) => {
  const closed = await closedDirectory(t);
  const data = join(closed, "long".repeat(30));
  const server = await startEmbedded(data, silent);
  await server.stop();
  const victim = join(closed, "victim");
  await mkdir(victim);
  await rm(server.socketDirectory, { recursive: true });
  await symlink(victim, server.socketDirectory);
  t.teardown(() => rm(server.socketDirectory, { force: true }));
  const { uid } = await stat(victim);
  await t.throwsAsync(startEmbedded(data, silent), { message: /belongs to another user/ });
  t.is((await stat(victim)).uid, uid);
});

test("a copy of programs is open to all whatever the original's modes, and made once", async (t) => {
  const closed = await closedDirectory(t);
  const installation = join(closed, "native");
  await mkdir(join(installation, "bin"), { recursive: true, mode: 0o700 });
  await mkdir(join(installation, "share"), { mode: 0o700 });
  await writeFile(join(installation, "bin", "run"), "#!/bin/sh\necho ran\n", { mode: 0o700 });
  await writeFile(join(installation, "share", "text"), "sample", { mode: 0o600 });
  await symlink("run", join(installation, "bin", "link"));

  // Two at once, as two coordinators might start.
  const cache = join(closed, "cache");
  const [copy, same] = await Promise.all([openCopy(installation, cache), openCopy(installation, cache)]);
  t.is(copy, same);
  const mode = async (...path: string[]) => (await stat(join(copy, ...path))).mode & 0o777;
  t.deepEqual(await Promise.all([mode(), mode("bin"), mode("bin", "run")]), [0o755, 0o755, 0o755]);
  t.is(await mode("share", "text"), 0o644);
  t.is(await readlink(join(copy, "bin", "link")), "run");
  t.is(await readFile(join(copy, "share", "text"), "utf8"), "sample");
  if (isRoot) {
    await chmod(closed, 0o711);
    const ran = spawnSync(join(copy, "bin", "link"), {
      uid: 65_534,
      gid: 65_534,
      cwd: "/",
      encoding: "utf8",
    });
    t.is(ran.stdout, "ran\n");
  }

  await writeFile(join(installation, "share", "text"), "another");
  t.not(await openCopy(installation, cache), copy, "another installation is another copy");
});
