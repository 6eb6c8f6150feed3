import test from "ava";
import { Command, CommanderError } from "commander";
import { groups, prepare } from "../../commands.ts";

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
