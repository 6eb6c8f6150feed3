import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

// Runs ava and ends by naming what hung, and what was left out for want of a program outside npm. The test files of
// which something was left out go to the file FEDCREDIT_LEFT_OUT_FILES, where it is set: .ci/run runs them again.
const scratch = mkdtempSync(join(tmpdir(), "fedcredit-test-"));
const leftOutFile = join(scratch, "left-out");
const ava = spawn("ava", process.argv.slice(2), {
  stdio: ["ignore", "pipe", "inherit"],
  env: {
    // Each file runs in a process of its own and starts others: they compile the same modules once.
    NODE_COMPILE_CACHE: join(import.meta.dirname, "../node_modules/.cache/compiled"),
    ...process.env,
    FEDCREDIT_LEFT_OUT: leftOutFile,
  },
});
let tail = "";
ava.stdout.on("data", (chunk: Buffer) => {
  process.stdout.write(chunk);
  tail = (tail + chunk.toString()).slice(-1_000_000);
});
const printed = once(ava, "close");
const [code] = (await once(ava, "exit")) as [number | null];
// What a test that hung leaves running may hold the pipe open for ever.
await Promise.race([printed, sleep(2_000)]);

const count = (pattern: RegExp) => Number([...tail.matchAll(pattern)].at(-1)?.[1] ?? 0);
// Of a run with a failure ava does not say how many passed.
const passed = count(/(\d+) tests? passed/g) || [...tail.matchAll(/^ *[✔√] /gm)].length;
const failed =
  count(/^ *(\d+) tests? failed/gm) +
  count(/^ *(\d+) hooks? failed/gm) +
  count(/^ *(\d+) unhandled rejections?/gm) +
  count(/^ *(\d+) uncaught exceptions?/gm) +
  count(/^ *(\d+) tests? remained pending/gm);
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
// ava lists them where it gave up, far above the failures of a long run.
const [, hung = ""] = /Timed out while running tests([\s\S]*?)\n *─/.exec(tail) ?? [];
for (const [, title, file] of hung.matchAll(/^ *(?:◌ (.+)|Failed to exit when running (.+))$/gm))
  console.log(`hung: ${title ?? `${file} does not end`}`);
console.log(names.length ? names.map((name) => `left out: ${name}`).join("\n") : "left out: nothing");
console.log(`${passed} passed, ${failed} failed`);
process.exit(code ?? 1);
