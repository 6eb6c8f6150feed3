import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import test from "ava";
import { secureRandom } from "../../core/random.ts";
import { newSignerKey } from "../../privacy/log/note.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { borrowerFeatures, studyOf } from "../support/rows.ts";

const child = join(import.meta.dirname, "../support/coordinator-child.ts");

type Running = ChildProcessByStdio<null, Readable, Readable>;

const run = (...args: string[]): Running =>
  spawn(process.execPath, ["--no-warnings", child, ...args], { stdio: ["ignore", "pipe", "pipe"] });

async function result(process: Running): Promise<{ code: number | null; out: string; err: string }> {
  let [out, err] = ["", ""];
  process.stdout.on("data", (data) => (out += data));
  process.stderr.on("data", (data) => (err += data));
  const [code] = (await once(process, "close")) as [number | null];
  return { code, out, err };
}

async function init(): Promise<{ dir: string; config: string }> {
  const dir = await temporaryDirectory();
  const { send } = newSignerKey("auditor", secureRandom);
  const args = ["--dir", dir, "--consortium", "riverbank", "--auditor-key", send, "--quorum", "1"];
  const made = await result(
    run("init", ...args, "--listen", "127.0.0.1:0", "--enrolment", "127.0.0.1:0", "--json"),
  );
  if (made.code !== 0) throw new Error(made.err);
  return { dir, config: JSON.parse(made.out).configFile };
}

/** @returns the process and its addresses, once it listens. */
async function start(config: string): Promise<{ process: Running; address: string }> {
  const process = run("start", "--config", config, "--json", "--log-level", "silent");
  const [line] = (await Promise.race([
    once(process.stdout, "data"),
    result(process).then(({ err }) => Promise.reject(new Error(err))),
  ])) as [Buffer];
  return { process, address: JSON.parse(line.toString()).address };
}

test("killed with -9 and started again over the same directory: nothing is lost; SIGTERM ends it cleanly", async (t) => {
  const { dir, config } = await init();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  t.is((await stat(join(dir, "keys", "ca.key"))).mode & 0o777, 0o600);
  const first = await start(config);
  const manifest = join(dir, "study.json");
  await writeFile(manifest, JSON.stringify(studyOf(borrowerFeatures, [{ name: "range" }])));
  const common = (address: string): string[] => ["--config", config, "--address", address, "--json"];
  const proposed = await result(run("propose", manifest, ...common(first.address)));
  t.is(proposed.code, 0, proposed.err);
  const nowhere = await result(run("backup", "--out", join(dir, "no", "where"), ...common(first.address)));
  t.is(nowhere.code, 1);
  t.regex(nowhere.err, /^file_missing: .*where: cannot be written \(ENOENT\)\n$/);
  const nobody = await result(run("statement", "list", "nobody", ...common(first.address)));
  t.is(nobody.err, 'not_found: no enterprise is called "nobody"\n');
  const file = join(dir, "bank.fcexport");
  const unwitnessed = await result(run("export", "--out", file, ...common(first.address)));
  t.regex(
    unwitnessed.err,
    /^witness_quorum: quorum 1: no checkpoint of the log has so many cosignatures yet/,
  );
  const gone = once(first.process, "close");
  first.process.kill("SIGKILL");
  await gone;

  // An operator may decide to export a log that nobody witnessed, but has to say so.
  await writeFile(config, (await readFile(config, "utf8")).replace("quorum: 1", "quorum: 0"));
  const second = await start(config);
  const studies = JSON.parse((await result(run("status", ...common(second.address)))).out);
  t.deepEqual(
    studies.map(({ name, phase, study }: Record<string, string>) => [name, phase, study]),
    [["study", "proposed", JSON.parse(proposed.out).study]],
  );
  t.is((await result(run("export", "--out", file, ...common(second.address)))).code, 0);
  t.regex(await readFile(file, "utf8"), /"type":"study\.proposed"/);

  const taken = join(dir, "taken.yaml");
  const text = (await readFile(config, "utf8")).replace(/^listen: .*$/m, `listen: ${second.address}`);
  await writeFile(taken, text.replace("./data", "./data-2"));
  const refused = await result(run("start", "--config", taken, "--log-level", "silent"));
  t.deepEqual([refused.code, refused.err], [1, `port_taken: ${second.address} is in use\n`]);

  const ended = once(second.process, "close");
  second.process.kill("SIGTERM");
  t.deepEqual(await ended, [0, null]);
  t.is((await stat(join(dir, "data", "postgres", "postmaster.pid")).catch(() => undefined))?.size, undefined);
});

test("asked to end while it starts, it ends its database too", async (t) => {
  const { dir, config } = await init();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const pidFile = join(dir, "data", "postgres", "postmaster.pid");
  const starting = run("start", "--config", config, "--log-level", "silent");
  const ended = once(starting, "close");
  while (!existsSync(pidFile) && starting.exitCode === null) await delay(5);
  starting.kill("SIGTERM");
  t.deepEqual(await ended, [0, null]);
  t.false(existsSync(pidFile));
});

test("bad input gets one line with its reason", async (t) => {
  const { dir, config } = await init();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const text = await readFile(config, "utf8");
  const bad = join(dir, "bad.yaml");
  const withConfig = async (changed: string): Promise<string> => {
    await writeFile(bad, changed);
    const { code, err } = await result(run("start", "--config", bad));
    t.is(code, 1);
    return err.replaceAll(dir, "");
  };
  t.is(await withConfig(`${text}colour: red\n`), "config_invalid: /bad.yaml: unknown key colour\n");
  t.regex(
    await withConfig(text.replace(/^ {2}quorum: 1$/m, "  quorum: many")),
    /^config_invalid: .*witnesses\.quorum/,
  );
  t.regex(await withConfig(text.replace("consortium:", "consortium")), /^file_malformed: /);
  t.regex(
    await withConfig(text.replace("embedded", "postgres://nobody@127.0.0.1:1/none")),
    /^database_unavailable: .*ECONNREFUSED/,
  );
  const missing = await result(run("start", "--config", join(dir, "nowhere.yaml")));
  t.regex(missing.err, /^file_missing: .*ENOENT/);
  const unreachable = await result(run("status", "--config", config, "--address", "127.0.0.1:1"));
  t.regex(unreachable.err, /^unavailable: /);
  const again = await result(
    run(
      "init",
      "--dir",
      dir,
      "--consortium",
      "riverbank",
      "--auditor-key",
      newSignerKey("auditor", secureRandom).send,
      "--quorum",
      "1",
    ),
  );
  t.regex(again.err, /^already_exists: /);
});
