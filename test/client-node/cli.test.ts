import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { temporaryDirectory } from "../../simulate/consortium.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function node(...args: string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      "--no-warnings",
      cli,
      "node",
      ...args,
    ]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as Outcome;
  }
}

const folder = await temporaryDirectory();
test.after.always(() => rm(folder, { recursive: true }));

test.serial(
  "init makes a folder whose policy allows nothing; what is wrong is one line and a hint",
  async (t) => {
    const dir = join(folder, "mill");
    const addresses = ["--coordinator", "127.0.0.1:1", "--enrolment", "127.0.0.1:1"];
    const names = ["--enterprise", "mill", "--consortium", "riverbank"];
    const made = await node("init", "--dir", dir, ...names, ...addresses, "--json");
    t.is(made.code, 0);
    t.regex((JSON.parse(made.stdout) as { identityKey: string }).identityKey, /^riverbank\/mill\+/);
    t.regex(await readFile(join(dir, "policy.yaml"), "utf8"), /algorithms: \[\]/);

    const outcomes: [string[], number, RegExp][] = [
      [["init", "--dir", dir, ...names, ...addresses], 1, /exists \(already_exists\)\nhint: /],
      [["init"], 2, /required option '--enterprise <id>' not specified \(usage\)\nhint: /],
      [["start", "--dir", dir], 1, /pins\.json: .*\(file_missing\)\nhint: run fedcredit node enrol/],
      [["enrol", "--dir", dir, "--token", "x"], 1, /\(token_invalid\)\nhint: /],
      [["enrol", "--dir", dir, "--token", `x.${"0".repeat(64)}`], 1, /\(unavailable\)\nhint: /],
      [["studies", "--dir", join(folder, "nowhere")], 1, /node\.yaml: .*\(file_missing\)\nhint: /],
    ];
    for (const [args, code, message] of outcomes) {
      const outcome = await node(...args);
      t.is(outcome.code, code, args.join(" "));
      t.regex(outcome.stderr, message);
      t.is(outcome.stderr.trimEnd().split("\n").length, 2, outcome.stderr);
      t.is(outcome.stdout, "");
    }
    await writeFile(join(dir, "node.yaml"), "enterprise: mill\ncolour: red\n");
    const unknown = await node("start", "--dir", dir);
    t.is(unknown.code, 1);
    t.regex(unknown.stderr, /node\.yaml: .*\(config_invalid\)\nhint: /);
  },
);
