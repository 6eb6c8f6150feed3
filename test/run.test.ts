import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";

const root = join(import.meta.dirname, "..");

/**
 * Runs the suite's runner on a project of one file.
 * @param timeout - ava's: nothing having happened for so long is a hang.
 * @returns its exit code and the lines it printed.
 */
async function runOn(
  source: string,
  timeout = "2m",
  silenceSeconds = 240,
): Promise<{ code: number; lines: string[] }> {
  const project = mkdtempSync(join(tmpdir(), "fedcredit-run-"));
  try {
    symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
    const ava = { files: ["*.test.mjs"], timeout };
    writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", ava }));
    writeFileSync(join(project, "some.test.mjs"), `import test from "ava";\n${source}`);
    const runner = spawn(process.execPath, [join(root, "test/run.ts")], {
      cwd: project,
      env: { ...process.env, FEDCREDIT_TEST_SILENCE: String(silenceSeconds) },
    });
    let output = "";
    runner.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const [code] = (await once(runner, "close")) as [number];
    return { code, lines: output.trimEnd().split("\n") };
  } finally {
    rmSync(project, { recursive: true });
  }
}

test("a test that hangs ends the run, is named in the last lines and counts as failed", async (t) => {
  const { code, lines } = await runOn(
    `
    import { spawn } from "node:child_process";
    test("is right", (t) => t.pass());
    test("never ends", async (t) => {
      // Outlives the run, and holds its output open.
      spawn("sleep", ["90"], { stdio: "inherit", detached: true });
      await new Promise(() => setInterval(() => {}, 1000));
    });`,
    "20s",
  );
  t.is(code, 1);
  t.deepEqual(lines.slice(-3), ["hung: never ends", "left out: nothing", "1 passed, 1 failed"]);
});

/** A test that has asked for more time puts off ava's own limit, for good where nothing follows. */
const hangs = `t.timeout(600_000); await new Promise(() => setInterval(() => {}, 1000));`;

test("a test that hangs after ava's limit was put off is ended, named and failed again", async (t) => {
  const { code, lines } = await runOn(
    `test("is right", (t) => t.pass()); test("never ends", async (t) => { ${hangs} });`,
    "2m",
    15,
  );
  t.is(code, 1);
  t.deepEqual(lines.slice(-3), ["hung: never ends", "left out: nothing", "2 passed, 1 failed"]);
});

test("the one file that hung is run again, and the last lines say so", async (t) => {
  const { code, lines } = await runOn(
    `
    import { existsSync, writeFileSync } from "node:fs";
    test("hangs once", async (t) => {
      if (!existsSync("been-here")) { writeFileSync("been-here", ""); ${hangs} }
      t.pass();
    });`,
    "2m",
    15,
  );
  t.is(code, 0);
  const last = [
    "hung once, and passed when run again: hangs once",
    "left out: nothing",
    "1 passed, 0 failed",
  ];
  t.deepEqual(lines.slice(-3), last);
});

test("the last line counts what passed and what failed", async (t) => {
  const { code, lines } = await runOn(`
    test("is right", (t) => t.pass());
    test("is right too", (t) => t.pass());
    test("is wrong", (t) => t.fail());`);
  t.is(code, 1);
  t.is(lines.at(-1), "2 passed, 1 failed");
  t.is((await runOn(`test("is right", (t) => t.pass());`)).lines.at(-1), "1 passed, 0 failed");
});
