import { Command, CommanderError } from "commander";
import { Refusal } from "./proto/reasons.ts";

// The one command. Each subcommand's code lives beside what it starts and is loaded only when named.
const subcommands: Readonly<Record<string, () => Promise<Command>>> = {
  coordinator: async () => (await import("./coordinator/cli.ts")).coordinatorCommand(),
  node: async () => (await import("./client-node/cli.ts")).nodeCommand(),
  audit: async () => (await import("./coordinator/auditor/cli.ts")).auditCommand(),
  simulate: async () => (await import("./bench/simulate/cli.ts")).simulateCommand(),
  demo: async () => (await import("./bench/demo/cli.ts")).demoCommand(),
};

const summaries: Readonly<Record<string, string>> = {
  coordinator: "the bank's process and its operator's commands",
  node: "the enterprise's process and its commands",
  audit: "the auditor's tools: verify, countersign, watch",
  simulate: "many parties on one machine, on any CSV, through the same code",
  demo: "a bank, an auditor and four enterprises as processes on this machine",
};

const program = new Command("fedcredit")
  .description(
    "Credit-risk models trained across enterprises; no enterprise's operating data leaves its premises.",
  )
  .addHelpText(
    "after",
    "\nExample:\n  fedcredit simulate --data loans.csv --label bad --parties 4 --algorithm logistic",
  );

const throwInsteadOfExit = (command: Command): void => {
  command.exitOverride().configureOutput({ outputError: () => {} });
  for (const child of command.commands) throwInsteadOfExit(child);
};

// A reader such as `head` may close the pipe early: that is not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

const named = process.argv[2];
const load = named !== undefined && Object.hasOwn(subcommands, named) ? subcommands[named] : undefined;
if (load) program.addCommand(await load());
else for (const [name, summary] of Object.entries(summaries)) program.command(name).description(summary);
throwInsteadOfExit(program);

try {
  if (process.argv.length <= 2) program.help();
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Prints one line with the reason and one with the hint. @returns the exit code: 1 a refusal, 2 wrong usage. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    process.stderr.write(`fedcredit: ${error.message}\nhint: see fedcredit ${named ?? ""} --help\n`);
    return 2;
  }
  if (error instanceof Refusal) {
    process.stderr.write(`fedcredit: error: ${error.message} (${error.reason})\nhint: ${error.hint}\n`);
    return error.reason === "usage" ? 2 : 1;
  }
  process.stderr.write(
    `fedcredit: error: ${error instanceof Error ? error.stack : String(error)} (internal)\n`,
  );
  return 1;
}
