import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import test from "ava";

const program = fileURLToPath(new URL("../../bench/run.ts", import.meta.url));

/** Nothing here may come to a bench: each ends before one begins. */
const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const call = execFile(process.execPath, ["--no-warnings", program, ...args], (_error, stdout, stderr) =>
      resolve({ code: call.exitCode ?? -1, stdout, stderr }),
    );
  });

test("a bench says its options, and refuses what is none of them", async (t) => {
  const help = await run("fuzz", "--help");
  t.is(help.code, 0, help.stderr);
  for (const option of ["--seconds <n>", "--only <name>", "--json"]) t.true(help.stdout.includes(option));
  const unknown = await run("fuzz", "--rounds=3");
  t.is(unknown.code, 2);
  t.is(unknown.stdout, "");
  t.regex(unknown.stderr, /unknown option '--rounds'.*--seconds <n>/s);
  const valueless = await run("fuzz", "--only");
  t.is(valueless.code, 2);
  t.regex(valueless.stderr, /argument missing/);
});

test("what picks by name names what there is", async (t) => {
  const none = await run("attack", "--data", "somewhere", "no such attack");
  t.is(none.code, 2);
  t.regex(none.stderr, /nothing is called no such attack/);
});

test("an unknown bench is answered by those that there are", async (t) => {
  const { code, stderr } = await run("seals");
  t.is(code, 2);
  t.regex(stderr, /\bcohort\b.*\bseal\b/);
  t.notRegex(stderr, /\bconsortium\b/);
});
