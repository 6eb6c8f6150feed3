import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { temporaryDirectory } from "../../simulate/consortium.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));

/** @returns the process, once it collects or has ended; and what it said by then. */
async function collect(dir: string): Promise<{ node: ChildProcess; said: string }> {
  const node = spawn(process.execPath, ["--no-warnings", cli, "node", "collect", "--dir", dir, "--quiet"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  const runs = new Promise<void>((resolve) => {
    node.stderr!.on("data", (data) => {
      said += data;
      if (said.includes(" collecting ")) resolve();
    });
  });
  await Promise.race([runs, once(node, "close")]);
  return { node, said };
}

test("one process runs a folder; a second is turned away, and nothing is left of one that was killed", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true }));
  await mkdir(join(dir, "data"));
  await writeFile(join(dir, "node.yaml"), "enterprise: plant\ndataDir: data\nsites: []\n");
  const first = await collect(dir);
  t.regex(first.said, / collecting /);

  const second = await collect(dir);
  t.is(second.node.exitCode, 1);
  t.regex(
    second.said,
    /^fedcredit: error: a node runs on .* already \(folder_taken\)\nhint: stop the process/,
  );

  const killed = once(first.node, "close");
  first.node.kill("SIGKILL");
  await killed;
  const third = await collect(dir);
  t.regex(third.said, / collecting /);

  // The terminal that it was started in closes.
  const hungUp = once(third.node, "close");
  third.node.kill("SIGHUP");
  t.deepEqual(await hungUp, [0, null]);
});
