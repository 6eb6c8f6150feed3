import { Command } from "commander";
import { caseCommands } from "./commands/cases.ts";
import { memberCommands } from "./commands/members.ts";
import { processCommands } from "./commands/process.ts";
import { registryCommand } from "./commands/registry.ts";
import { studyCommands } from "./commands/studies.ts";
import { userCommand } from "./commands/users.ts";
import { warningsCommand } from "./commands/warnings.ts";

/** `fedcredit coordinator …`: the bank's process and what its operator does. Failures are Refusals. */
export function coordinatorCommand(): Command {
  const coordinator = new Command("coordinator")
    .description("the bank's process: rounds, aggregation, log; and its operator's commands")
    .addHelpText(
      "after",
      `
Example, after fedcredit audit init --out auditor:
  fedcredit coordinator init --dir bank --consortium riverbank --quorum 1 \\
    --auditor-key "$(cat auditor/auditor.pub)"
  fedcredit coordinator start --config bank/coordinator.yaml`,
    );
  const { shown, hidden } = studyCommands();
  for (const command of [
    ...processCommands(),
    ...memberCommands(),
    userCommand(),
    ...caseCommands(),
    registryCommand(),
    warningsCommand(),
    ...shown,
  ])
    coordinator.addCommand(command);
  for (const command of hidden) coordinator.addCommand(command, { hidden: true });
  return coordinator;
}
