import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { groups, prepare } from "../../commands.ts";

const run = promisify(execFile);

/** The whole tree, its actions doing nothing. @returns the root and what was called. */
async function tree(): Promise<{ root: Command; called: string[] }> {
  const root = new Command("fedcredit");
  for (const load of Object.values(groups)) root.addCommand(await load());
  prepare(root);
  const called: string[] = [];
  for (const command of leaves(root)) command.action(() => void called.push(pathOf(command)));
  return { root, called };
}

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({
    writeOut(part) {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

/** The commands of a help's last paragraph, or undefined where it is no example. */
function exampleOf(help: string): string[] | undefined {
  const last = help.trimEnd().split("\n\n").at(-1) ?? "";
  const [title = "", ...lines] = last.replaceAll(/ \\\n\s+/g, " ").split("\n");
  if (!/^Example(, .*)?:$/.test(title) || lines.length === 0) return undefined;
  return lines.map((line) => line.trim());
}

/** Splits a line as a shell does, as far as examples use it: words, and quotes around what holds spaces. */
const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);

test("every command's help ends in an example that its parser takes", async (t) => {
  const { root, called } = await tree();
  const commands = all(root).filter((command) => command !== root);
  t.true(commands.length > 25);
  for (const command of commands) {
    const path = pathOf(command);
    const example = exampleOf(helpOf(command));
    if (example === undefined) {
      t.fail(`${path} --help does not end in an example`);
      continue;
    }
    for (const line of example) {
      const [program, ...args] = words(line);
      t.is(program, "fedcredit", `${path}: ${line}`);
      called.length = 0;
      try {
        await root.parseAsync(args, { from: "user" });
      } catch (error) {
        t.fail(`${path}: ${line}: ${error instanceof CommanderError ? error.message : String(error)}`);
      }
      t.is(called.length, 1, `${path}: ${line}`);
      if (command.commands.length === 0) t.is(called[0], path, line);
    }
  }
});

/** In this order each needs no more than what those before it left, and no process that runs on. */
const alone = [
  "audit init",
  "coordinator init",
  "audit request",
  "coordinator certify-auditor",
  "audit policy",
  "coordinator operator renew",
  "node init",
  "node import telegraf",
  "node check",
];

test("the examples that need nothing but each other run as they stand", async (t) => {
  t.timeout(120_000);
  const { root } = await tree();
  const commands = new Map(
    leaves(root).map((command) => [pathOf(command).replace("fedcredit ", ""), command]),
  );
  const dir = await mkdtemp(join(tmpdir(), "fedcredit-help-"));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const bin = join(dir, "bin");
  await mkdir(bin);
  await symlink(join(import.meta.dirname, "../../cli.js"), join(bin, "fedcredit"));
  const registers = '{ name = "power", byte_order = "AB", data_type = "UINT16", scale = 1.0, address = [0] }';
  await writeFile(
    join(dir, "telegraf.conf"),
    `[[inputs.modbus]]
  name = "press"
  slave_id = 1
  controller = "tcp://127.0.0.1:502"
  holding_registers = [${registers}]
`,
  );
  const path = [bin, dirname(process.execPath), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path, NODE_COMPILE_CACHE: join(dir, "cache") };
  for (const name of alone) {
    const command = commands.get(name);
    if (command === undefined) {
      t.fail(`there is no ${name}`);
      continue;
    }
    for (const line of exampleOf(helpOf(command))!)
      await t.notThrowsAsync(run("sh", ["-ec", line], { cwd: dir, env }), `${name}: ${line}`);
  }
});

test("help says which options have to be given", async (t) => {
  const { root } = await tree();
  let required = 0;
  for (const command of leaves(root)) {
    const help = helpOf(command).replaceAll(/\s+/g, " ");
    for (const option of command.options) {
      const described = `${option.description.replaceAll(/\s+/g, " ")} (required)`;
      t.is(help.includes(described), option.mandatory, `${pathOf(command)} ${option.flags}`);
      if (option.mandatory) required++;
    }
  }
  t.true(required > 20);
});

test("an address is refused where it is given", async (t) => {
  const { root } = await tree();
  const options = leaves(root).flatMap(({ options }) =>
    options.filter(({ flags }) => flags.includes("host:port")),
  );
  t.true(options.length > 20);
  for (const { flags, parseArg } of options) {
    const parse = parseArg as undefined | ((text: string) => unknown);
    for (const wrong of ["bank", "bank:99999", "bank:1/", "::1:8443"])
      t.throws(() => parse?.(wrong), { instanceOf: InvalidArgumentError }, `${flags} ${wrong}`);
    for (const right of ["bank.example:8443", "127.0.0.1:0", "[::1]:8443"]) t.is(parse?.(right), right);
  }
});

test("numbers and days are refused where they are given", async (t) => {
  const { root } = await tree();
  const options = leaves(root).flatMap((command) =>
    command.options
      .filter(({ flags }) =>
        /<(n|number|count|seconds|day|date|month|YYYY-MM|delta|multiplier|epsilon|q|fraction)>/.test(flags),
      )
      .map(({ flags, parseArg }) => ({ name: `${pathOf(command)} ${flags}`, parseArg })),
  );
  t.true(options.length > 25);
  for (const { name, parseArg } of options) {
    const parse = parseArg as undefined | ((text: string) => unknown);
    for (const wrong of [
      "",
      " ",
      "-1",
      "NaN",
      "Infinity",
      "1e400",
      "٣",
      "9".repeat(30),
      "nowhere/x",
      "2026-13-45",
    ])
      t.throws(() => parse!(wrong), { instanceOf: InvalidArgumentError }, `${name} ${wrong}`);
  }
});

test("help is the same wherever the word stands", async (t) => {
  const cli = join(import.meta.dirname, "../../cli.js");
  const said = async (...args: string[]) => (await run(process.execPath, [cli, ...args])).stdout;
  const consent = await said("node", "consent", "--help");
  t.true(consent.startsWith("Usage: fedcredit node consent "));
  t.is(await said("help", "node", "consent"), consent);
  t.is(await said("node", "help", "consent"), consent);
  t.is(await said("help"), await said("--help"));
  for (const args of [
    ["bogus", "--help"],
    ["node", "bogus", "-h"],
    ["help", "bogus"],
    ["coordinator", "study", "bogus", "--help"],
  ]) {
    const error = await t.throwsAsync<Error & { code: number; stderr: string }>(said(...args));
    t.is(error?.code, 2, args.join(" "));
    t.regex(error!.stderr, /unknown command 'bogus' \(usage\)\nhint: see fedcredit/, args.join(" "));
  }
});
