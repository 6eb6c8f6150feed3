import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { within } from "../../bench/cases/within.ts";
import { startEmbedded } from "../../coordinator/store/embedded.ts";
import { secureRandom } from "../../core/random.ts";
import { newSignerKey } from "../../privacy/log/note.ts";
import { silent, temporaryDirectory } from "../../simulate/consortium.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const socketName = ".s.PGSQL.5432";

/** A command as a process: what it said on both outputs, and its exit code once it ended. */
class Command {
  readonly process: ChildProcess;
  said = "";
  readonly #waiting = new Map<string, () => void>();
  readonly ended: Promise<unknown>;

  constructor(args: readonly string[]) {
    this.process = spawn(process.execPath, ["--no-warnings", cli, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const output of [this.process.stdout!, this.process.stderr!])
      output.on("data", (data) => {
        this.said += data;
        for (const [text, done] of this.#waiting) if (this.said.includes(text)) done();
      });
    this.ended = once(this.process, "close");
  }

  /** Resolves once it has said `text`, or has ended. */
  says(text: string): Promise<unknown> {
    const said = new Promise<void>((resolve) => this.#waiting.set(text, resolve));
    return within(() => `${text}; said: ${this.said}`, Promise.race([said, this.ended]));
  }
}

/** Stands before a PostgreSQL, and goes away with all connections when a statement that has `text` comes. */
async function goesAt(text: string, directory: string, behind: string) {
  await mkdir(directory, { recursive: true });
  const path = join(directory, socketName);
  const open = new Set<Socket>();
  let isGone = false;
  let server: Server;
  const listen = async (): Promise<void> => {
    server = createServer((socket) => {
      const answers = dial(join(behind, socketName));
      for (const [one, other] of [
        [socket, answers],
        [answers, socket],
      ] as const) {
        open.add(one);
        one.on("error", () => {});
        one.on("close", () => other.destroy());
      }
      socket.on("data", (data) => {
        if (isGone || !data.includes(text)) return void answers.write(data);
        isGone = true;
        server.close();
        for (const each of open) each.destroy();
      });
      answers.on("data", (data) => socket.write(data));
    });
    server.listen(path);
    await once(server, "listening");
  };
  await listen();
  return {
    comesBack: listen,
    isGone: () => isGone,
    close: () => {
      server.close();
      for (const each of open) each.destroy();
    },
  };
}

/** A coordinator's folder, whose database goes away while it starts. */
async function bankOf(t: ExecutionContext) {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const server = await startEmbedded(join(dir, "cluster"), silent);
  t.teardown(() => server.stop());
  const directory = join(dir, "before");
  const before = await goesAt("SET number = number + 1", directory, server.socketDirectory);
  t.teardown(() => before.close());
  const home = join(dir, "bank");
  const init = new Command([
    ...["coordinator", "init", "--dir", home, "--consortium", "mills", "--quorum", "0"],
    ...["--auditor-key", newSignerKey("auditor", secureRandom).send],
    ...["--database", `postgres://${server.user}@localhost/postgres?host=${encodeURIComponent(directory)}`],
    ...["--listen", "127.0.0.1:0", "--enrolment", "127.0.0.1:0"],
  ]);
  await init.ended;
  t.is(init.process.exitCode, 0, init.said);
  const start = (): Command => {
    const config = join(home, "coordinator.yaml");
    const started = new Command(["coordinator", "start", "--config", config, "--log-level", "error"]);
    t.teardown(() => started.process.kill("SIGKILL"));
    return started;
  };
  return { before, start };
}

test("a database that goes away while the coordinator starts is waited for; its folder is nobody else's meanwhile", async (t) => {
  const { before, start } = await bankOf(t);
  const first = start();
  await first.says("it starts again");
  t.true(before.isGone());
  t.is(first.process.exitCode, null, first.said);

  const second = start();
  await second.ended;
  t.is(second.process.exitCode, 1);
  t.regex(
    second.said,
    /^fedcredit: error: a coordinator runs on .* already \(folder_taken\)\nhint: stop the process/m,
  );

  await before.comesBack();
  await first.says("listening on");
  t.is(first.process.exitCode, null, first.said);
  first.process.kill("SIGTERM");
  await first.ended;
  t.is(first.process.exitCode, 0, first.said);
});

test("a coordinator that waits for its database ends when it is asked to", async (t) => {
  const { start } = await bankOf(t);
  const first = start();
  await first.says("it starts again");
  first.process.kill("SIGTERM");
  await within(() => `its end; said: ${first.said}`, first.ended);
  t.is(first.process.exitCode, 1, first.said);
  t.regex(first.said, /database_unavailable/);
});
