import { execFile } from "node:child_process";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { nodeCommand } from "../../client-node/cli.ts";
import { coordinatorCommand } from "../../coordinator/cli.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { leftOut } from "../support/left-out.ts";

const execute = promisify(execFile);
const deploy = join(import.meta.dirname, "../../deploy");
const units = ["fedcredit-coordinator.service", "fedcredit-node.service"];
const program = "/usr/local/bin/fedcredit";

/** What systemd says of a unit, with a program that every machine has in the place of ours. */
async function verified(text: string): Promise<string> {
  const dir = await temporaryDirectory();
  const file = join(dir, "fedcredit.service");
  try {
    await writeFile(file, text.replace(program, "/bin/true"));
    const { stderr } = await execute("systemd-analyze", ["verify", "--man=no", file]).catch(
      (error: { stderr: string }) => error,
    );
    return stderr
      .split("\n")
      .filter((line) => line.includes("fedcredit.service"))
      .join("\n");
  } finally {
    await rm(dir, { recursive: true });
  }
}

test("the units are what systemd takes", async (t) => {
  const found = await execute("systemd-analyze", ["--version"]).then(
    () => true,
    () => false,
  );
  if (!found) {
    leftOut("systemd-analyze: the units of deploy/");
    return t.pass();
  }
  for (const name of units) {
    const text = await readFile(join(deploy, name), "utf8");
    t.is(await verified(text), "", name);
    t.regex(await verified(text.replace("NoNewPrivileges=yes", "NoNewPrivilege=yes")), /NoNewPrivilege/);
  }
});

test("the units start commands that there are, and may neither gain rights nor write elsewhere", async (t) => {
  const groups = { coordinator: coordinatorCommand(), node: nodeCommand() };
  for (const name of units) {
    const text = await readFile(join(deploy, name), "utf8");
    const [, command = ""] = new RegExp(`^ExecStart=${program} (.*)$`, "m").exec(text) ?? [];
    const [group, verb, option] = command.split(" ");
    const start = groups[group as keyof typeof groups].commands.find((one) => one.name() === verb);
    t.true(
      start?.options.some(({ long }) => long === option),
      command,
    );
    for (const line of [
      "NoNewPrivileges=yes",
      "CapabilityBoundingSet=",
      "ProtectSystem=strict",
      "UMask=0077",
    ])
      t.true(text.split("\n").includes(line), `${name}: ${line}`);
    t.false(/^MemoryDenyWriteExecute=yes/m.test(text), "V8 compiles while it runs");
  }
});

test("what the container file copies is there, and it does not run as root", async (t) => {
  const text = await readFile(join(deploy, "Dockerfile"), "utf8");
  const files = [...text.matchAll(/^COPY (.*) \S+$/gm)].flatMap(([, sources]) => sources!.split(" "));
  t.true(files.length > 3);
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true }));
  for (const file of files.filter((name) => name !== "."))
    await t.notThrowsAsync(cp(join(deploy, "..", file), join(dir, file)), file);
  t.regex(text, /^USER node$/m);
  t.true(text.indexOf("USER node") < text.indexOf("ENTRYPOINT"));
});
