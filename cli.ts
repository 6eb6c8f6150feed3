import { Command, CommanderError } from "commander";
import { groups, prepare, summaries } from "./commands.ts";
import { type Reason, Refusal } from "./core/reasons.ts";
import software from "./package.json" with { type: "json" };

const program = new Command("fedcredit")
  .description(
    "Credit-risk models trained across enterprises; no enterprise's operating data leaves its premises.",
  )
  .version(software.version, "--version", "print the version")
  .addHelpText(
    "after",
    "\nExample:\n  fedcredit simulate --data loans.csv --label bad --parties 4 --algorithm logistic",
  );

// A reader such as `head` may close the pipe early: that is not an error. What was found out by then still counts, and a
// command that runs on ends as it is asked to otherwise.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  if (process.stdout.listenerCount("error") === 1) process.exit();
});
// Nor is it the end of a process that its log's reader is restarted.
process.stderr.on("error", () => {});

/** `help node consent`, and `node help consent`, are `node consent --help`: a group's commands come with the group. */
const given = process.argv.slice(2);
const help = given[0] === "help" ? 0 : given[1] === "help" && Object.hasOwn(groups, given[0]!) ? 1 : -1;
const args = help < 0 ? given : [...given.toSpliced(help, 1), "--help"];
const named = args[0];
const load = named !== undefined && Object.hasOwn(groups, named) ? groups[named] : undefined;
if (load) program.addCommand(await load());
else for (const [name, summary] of Object.entries(summaries)) program.command(name).description(summary);
prepare(program);

/** Prints one line with the reason and one with the hint. @returns the exit code: 1 a refusal, 2 wrong usage. */
function report(error: unknown): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const refusal = refusalOf(error);
  process.stderr.write(
    `fedcredit: error: ${oneLine(refusal.message)} (${refusal.reason})\nhint: ${oneLine(refusal.hint)}\n`,
  );
  if (refusal.reason === "internal" && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return refusal.reason === "usage" ? 2 : 1;
}

const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, " ");

/** What the file system says no to, wherever it happens. */
const fileReasons: Readonly<Record<string, Reason>> = {
  ENOSPC: "disk_full",
  EDQUOT: "disk_full",
  EEXIST: "already_exists",
  ENOENT: "file_missing",
  ENOTDIR: "file_missing",
  EISDIR: "file_missing",
  EACCES: "file_missing",
  EPERM: "file_missing",
  EROFS: "file_missing",
  ENAMETOOLONG: "file_missing",
  ELOOP: "file_missing",
};

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof CommanderError) return usageRefusal(error);
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : fileReasons[code];
  return new Refusal(reason ?? "internal", message ?? String(error));
}

/** The parser words its suggestion as a second line, which is a hint. */
function usageRefusal({ code, message }: CommanderError): Refusal {
  const path = namedCommands();
  if (code === "commander.help")
    return new Refusal("usage", `${path} needs a command`, { hint: `see ${path} --help` });
  const [, text, suggestion] = /^(?:error: )?(.*?)\s*(?:\((Did you mean .*\?)\))?$/s.exec(message)!;
  const help = `see ${path} --help`;
  return new Refusal("usage", text!, { hint: suggestion === undefined ? help : `${suggestion} ${help}` });
}

/** Whether a word stands where a command has to, and is none. */
function namesNoCommand(): boolean {
  let at: Command | undefined = program;
  for (const argument of args) {
    if (at.commands.length === 0 || argument.startsWith("-") || argument === "help") return false;
    at = at.commands.find((command) => command.name() === argument);
    if (at === undefined) return true;
  }
  return false;
}

/** @returns the part of the command line that names commands. */
function namedCommands(): string {
  const path = ["fedcredit"];
  let at: Command | undefined = program;
  for (const argument of args) {
    at = at.commands.find((command) => command.name() === argument);
    if (at === undefined) break;
    path.push(argument);
  }
  return path.join(" ");
}

try {
  if (args.length === 0) program.help();
  // The parser gives the help of what stands before: a command that does not exist would seem to.
  const asked = namesNoCommand() ? args.filter((argument) => !["-h", "--help"].includes(argument)) : args;
  await program.parseAsync(asked, { from: "user" });
} catch (error) {
  process.exitCode = report(error);
}
