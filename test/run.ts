import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

// Runs ava and ends by naming what hung, and what was left out for want of a program outside npm. The test files of
// which something was left out go to the file FEDCREDIT_LEFT_OUT_FILES, where it is set: .ci/run runs them again.
const scratch = mkdtempSync(join(tmpdir(), "fedcredit-test-"));
const leftOutFile = join(scratch, "left-out");
/** Longer than any test is silent. Ava's own limit is lost where a test has asked for more time shortly before. */
const silenceMillis = Number(process.env.FEDCREDIT_TEST_SILENCE ?? 240) * 1000;

interface Run {
  readonly code: number;
  /** The end of what it printed. */
  readonly tail: string;
  /** It was ended, since nothing was heard of it any more. */
  readonly silent: boolean;
}

async function run(args: readonly string[]): Promise<Run> {
  const ava = spawn("ava", args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      // Each file runs in a thread of its own and starts processes: they compile the same modules once.
      NODE_COMPILE_CACHE: join(import.meta.dirname, "../node_modules/.cache/compiled"),
      ...process.env,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --report-on-signal --report-directory=${scratch}`,
      FEDCREDIT_LEFT_OUT: leftOutFile,
    },
  });
  let tail = "";
  let silent = false;
  const silence = setTimeout(async () => {
    silent = true;
    console.log(`nothing was heard of ava for ${silenceMillis / 1000} s`);
    ava.kill("SIGUSR2"); // it reports where its threads are
    await sleep(5_000);
    ava.kill("SIGINT"); // it names what is under way, and asks it to end
    await sleep(5_000);
    ava.kill("SIGKILL");
  }, silenceMillis);
  ava.stdout.on("data", (chunk: Buffer) => {
    silence.refresh();
    process.stdout.write(chunk);
    tail = (tail + chunk.toString()).slice(-1_000_000);
  });
  const printed = once(ava, "close");
  const [code] = (await once(ava, "exit")) as [number | null];
  clearTimeout(silence);
  // What a test that hung leaves running may hold the pipe open for ever.
  await Promise.race([printed, sleep(2_000)]);
  return { code: silent ? 1 : (code ?? 1), tail, silent };
}

/** Where the threads of a run that hung were, one for each test file under way, as Node reports it. */
function stacks(): string[] {
  return readdirSync(scratch)
    .filter((name) => name.startsWith("report."))
    .flatMap((name) => {
      const { workers } = JSON.parse(readFileSync(join(scratch, name), "utf8")) as NodeReport;
      return workers.map(({ javascriptStack, libuv }) => {
        const waitsFor = libuv.filter((handle) => handle.is_active && handle.is_referenced);
        return JSON.stringify({ at: javascriptStack.stack, waitsFor });
      });
    });
}

interface NodeReport {
  readonly workers: readonly {
    readonly javascriptStack: { readonly stack?: readonly string[] };
    readonly libuv: readonly { readonly is_active: boolean; readonly is_referenced: boolean }[];
  }[];
}

const first = await run(process.argv.slice(2));
// ava lists them where it gave up, far above the failures of a long run.
const [, hung = ""] =
  /(?:Timed out while running tests|Exiting due to SIGINT)([\s\S]*?)\n *─/.exec(first.tail) ?? [];
const hungFiles = [...hung.matchAll(/^ *(?:\d+ tests? were pending in|Failed to exit when running) (.+)$/gm)];
const runs = [first];
if (first.silent) {
  console.log(stacks().join("\n"));
  // While one file hung, the other thread went through all the others: they have run. It is run again and named below.
  const [only, ...more] = hungFiles.map(([, file]) => file!);
  if (only && more.length === 0) runs.push(await run([only]));
}

const count = (pattern: RegExp, tail: string) => Number([...tail.matchAll(pattern)].at(-1)?.[1] ?? 0);
// Of a run with a failure ava does not say how many passed.
const passedOf = ({ tail }: Run) =>
  count(/(\d+) tests? passed/g, tail) || [...tail.matchAll(/^ *[✔√] /gm)].length;
const failedOf = ({ tail }: Run) =>
  count(/^ *(\d+) tests? failed/gm, tail) +
  count(/^ *(\d+) hooks? failed/gm, tail) +
  count(/^ *(\d+) unhandled rejections?/gm, tail) +
  count(/^ *(\d+) uncaught exceptions?/gm, tail) +
  count(/^ *(\d+) tests? remained pending/gm, tail);
const again = runs.length > 1 ? runs.at(-1)!.code === 0 : false;
const passed = runs.reduce((sum, each) => sum + passedOf(each), 0);
const failed =
  runs.reduce((sum, each) => sum + failedOf(each), 0) + (first.silent && !again ? hungFiles.length : 0);
const code = again && failed === 0 ? 0 : first.code;
const leftOut = existsSync(leftOutFile)
  ? readFileSync(leftOutFile, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { name: string; file: string })
  : [];
rmSync(scratch, { recursive: true });
const names = [...new Set(leftOut.map(({ name }) => name))];
const files = [...new Set(leftOut.map(({ file }) => file))].sort();
const { FEDCREDIT_LEFT_OUT_FILES: filesList } = process.env;
if (filesList) writeFileSync(filesList, files.map((file) => `${file}\n`).join(""));
for (const [, title, file] of hung.matchAll(/^ *(?:◌ (.+)|Failed to exit when running (.+))$/gm))
  console.log(`hung${again ? " once, and passed when run again" : ""}: ${title ?? `${file} does not end`}`);
console.log(names.length ? names.map((name) => `left out: ${name}`).join("\n") : "left out: nothing");
console.log(`${passed} passed, ${failed} failed`);
process.exit(code);
