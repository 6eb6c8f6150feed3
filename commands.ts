/** The command line's tree. Each group's code lives beside what it starts and is loaded only when named. */
import { type Command, Help, type Option } from "commander";

export const groups: Readonly<Record<string, () => Promise<Command>>> = {
  coordinator: async () => (await import("./coordinator/cli.ts")).coordinatorCommand(),
  node: async () => (await import("./client-node/cli.ts")).nodeCommand(),
  audit: async () => (await import("./auditor/cli.ts")).auditCommand(),
  simulate: async () => (await import("./simulate/cli.ts")).simulateCommand(),
  demo: async () => (await import("./demo/cli.ts")).demoCommand(),
};

export const summaries: Readonly<Record<keyof typeof groups, string>> = {
  coordinator: "the bank's process and its operator's commands",
  node: "the enterprise's process and its commands",
  audit: "the auditor's tools: verify, countersign, watch",
  simulate: "many parties on one machine, on any CSV, through the same code",
  demo: "a bank, an auditor and four enterprises as processes on this machine",
};

const described = new Help();

const optionDescription = (option: Option): string => {
  const text = described.optionDescription(option);
  return option.mandatory ? `${text} (required)` : text;
};

/** Makes a command and those below it throw what is wrong with a call, and say in their help what they need. */
export function prepare(command: Command): void {
  // A wrong call gets one line and a hint; the page of help is printed only where it was asked for.
  command
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: () => {} })
    .configureHelp({ optionDescription });
  for (const child of command.commands) prepare(child);
}
