import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Runs ava and ends by naming what was left out for want of a program outside npm.
const scratch = mkdtempSync(join(tmpdir(), "fedcredit-test-"));
const leftOutFile = join(scratch, "left-out");
const ava = spawn("ava", process.argv.slice(2), {
  stdio: ["ignore", "pipe", "inherit"],
  env: { ...process.env, FEDCREDIT_LEFT_OUT: leftOutFile },
});
let tail = "";
ava.stdout.on("data", (chunk: Buffer) => {
  process.stdout.write(chunk);
  tail = (tail + chunk.toString()).slice(-1_000_000);
});
ava.on("close", (code) => {
  const count = (pattern: RegExp) => Number([...tail.matchAll(pattern)].at(-1)?.[1] ?? 0);
  const passed = count(/(\d+) tests? passed/g);
  const failed = count(/(\d+) (?:tests?|uncaught exceptions?|unhandled rejections?|hooks?) failed/g);
  const names = existsSync(leftOutFile)
    ? [...new Set(readFileSync(leftOutFile, "utf8").trim().split("\n"))]
    : [];
  rmSync(scratch, { recursive: true });
  console.log(names.length ? names.map((name) => `left out: ${name}`).join("\n") : "left out: nothing");
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(code ?? 1);
});
