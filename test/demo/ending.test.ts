/** A demo ends when it is asked to, whatever its input is and however far it came, and leaves nothing behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { eventually, within } from "../../bench/cases/within.ts";
import { findProgram } from "../../collectors/simulators/programs.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { leftOut } from "../support/left-out.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const listener = fileURLToPath(new URL("../support/enter-child.ts", import.meta.url));

function watched(t: ExecutionContext, child: ChildProcess) {
  t.teardown(() => void child.kill("SIGKILL"));
  const said: string[] = [];
  for (const stream of [child.stdout!, child.stderr!])
    createInterface({ input: stream }).on("line", (line) => said.push(line.trim()));
  const ended = once(child, "close") as Promise<[number | null, string | null]>;
  const heard = (text: string | RegExp, seconds = 60): Promise<void> =>
    eventually(
      () => said.some((line) => (typeof text === "string" ? line === text : text.test(line))),
      () => `${text}: ${said.join("\n")}`,
      seconds,
    );
  return { child, said, ended, heard };
}

test("a process that waits for Enter ends by a signal while its input is held open by a pipe", async (t) => {
  const { child, heard, ended } = watched(
    t,
    spawn(process.execPath, ["--no-warnings", listener], { stdio: ["pipe", "pipe", "pipe"] }),
  );
  await heard("listens");
  child.stdin!.write("\n");
  await heard("entered");
  child.kill("SIGTERM");
  t.deepEqual(await within(() => "its end", ended), [0, null]);
});

test("… and one whose input is closed waits for the signal all the same", async (t) => {
  const { child, heard, ended } = watched(
    t,
    spawn(process.execPath, ["--no-warnings", listener], { stdio: ["ignore", "pipe", "pipe"] }),
  );
  await heard("listens");
  child.kill("SIGINT");
  t.deepEqual(await within(() => "its end", ended), [0, null]);
  await heard("interrupted");
});

test("… and by Ctrl-C at a terminal", async (t) => {
  const script = findProgram("script");
  if (script === undefined) {
    leftOut("script: Ctrl-C at a terminal");
    return t.pass();
  }
  // `exec`: a shell that stays between would have its own answer to Ctrl-C.
  const command = `exec ${process.execPath} --no-warnings ${listener}`;
  const { child, heard, ended } = watched(
    t,
    spawn(script, ["-qec", command, "/dev/null"], { stdio: ["pipe", "pipe", "pipe"] }),
  );
  await heard("listens");
  child.stdin!.write("\n");
  await heard("entered");
  child.stdin!.write("\x03");
  await heard(/interrupted$/);
  t.deepEqual(await within(() => "its end", ended), [0, null]);
});

/** Command lines of processes that name this folder. */
async function processesIn(folder: string): Promise<string[]> {
  const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(all.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")));
  return lines.filter((line) => line.includes(folder));
}

test("a demo that is interrupted while it begins process after process leaves no process and no file", async (t) => {
  t.timeout(600_000);
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [out, temporary] = [join(folder, "out"), join(folder, "tmp")];
  await mkdir(temporary);
  const { child, heard, said, ended } = watched(
    t,
    spawn(process.execPath, ["--no-warnings", cli, "demo", "--keep", "--out", out], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, TMPDIR: temporary },
    }),
  );
  // The coordinator runs, enterprises are being enrolled, and more of them wait for their turn.
  await heard("bank: certifies the auditor", 300);
  child.kill("SIGTERM");
  const [code] = await within(() => said.join("\n"), ended);
  t.is(code, 1);
  t.true(
    said.some((line) => line.includes("(interrupted)")),
    said.join("\n"),
  );
  t.deepEqual(await readdir(temporary), []);
  if (process.platform === "linux") t.deepEqual(await processesIn(temporary), []);
});
