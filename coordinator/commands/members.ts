/** Who belongs to the consortium: `token`, `admit`, `roster`, `enterprise`. */

import { Command } from "commander";
import { print, tell } from "../../core/terminal.ts";
import { tokenSeconds } from "../operator.ts";
import { asOperator, type OperatorFlags, operatorCommand } from "./connection.ts";
import { wholeNumber } from "./whole-number.ts";

const config = "--config bank/coordinator.yaml";

export const memberCommands = (): Command[] => [
  tokenCommand(),
  admitCommand(),
  rosterCommand(),
  enterpriseCommand(),
];

const tokenCommand = (): Command =>
  operatorCommand(
    "token",
    "make a one-time enrolment token",
    `token mill --organisation "Mill Ltd" ${config}`,
  )
    .argument("<enterprise>", "its id: lowercase letters, digits and hyphens")
    .requiredOption("--organisation <name>", "the legal person behind it")
    .option("--valid-hours <n>", "how long the token works", wholeNumber, tokenSeconds / 3600)
    .action((enterprise: string, flags: OperatorFlags & { organisation: string; validHours: number }) =>
      asOperator(flags, async (operator) => {
        const made = await operator.createToken(enterprise, flags.organisation, flags.validHours * 3600);
        print(flags.json ? JSON.stringify({ enterprise, token: made }) : made);
      }),
    );

const admitCommand = (): Command =>
  operatorCommand(
    "admit",
    "propose a roster with enrolled enterprises, for the auditor to sign",
    `admit ${config}`,
  )
    .argument("[enterprises...]", "ids; everyone enrolled by default")
    .action((enterprises: string[], flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const note = await operator.admit(enterprises);
        print(flags.json ? JSON.stringify({ note }) : note.trimEnd());
        tell("the roster counts once the auditor has signed it: fedcredit audit countersign");
      }),
    );

const rosterCommand = (): Command =>
  operatorCommand("roster", "print the roster in force, with both signatures", `roster ${config}`).action(
    (flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const note = await operator.roster();
        print(flags.json ? JSON.stringify({ note }) : note.trimEnd());
      }),
  );

const enterpriseCommand = (): Command =>
  new Command("enterprise")
    .description("who has enrolled; expel one, revoke its certificates")
    .addHelpText("after", `\nExample:\n  fedcredit coordinator enterprise list ${config}`)
    .addCommand(listCommand())
    .addCommand(removeCommand())
    .addCommand(revokeCommand());

const listCommand = (): Command =>
  operatorCommand(
    "list",
    "enterprises, their standing and valid certificates",
    `enterprise list ${config}`,
  ).action((flags: OperatorFlags) =>
    asOperator(flags, async (operator) => {
      const all = await operator.enterprises();
      if (flags.json) print(JSON.stringify(all));
      else
        for (const { enterprise, organisation, standing, serials } of all)
          print(`${enterprise}: ${standing}; ${organisation}; certificates ${serials.join(", ") || "none"}`);
    }),
  );

const removeCommand = (): Command =>
  operatorCommand(
    "remove",
    "expel an enterprise: cut off at once, and not in the next roster",
    `enterprise remove mill --reason "left the programme" ${config}`,
  )
    .argument("<enterprise>", "its id")
    .option("--reason <text>", "for the log, in a sentence", "")
    .action((enterprise: string, flags: OperatorFlags & { reason: string }) =>
      asOperator(flags, async (operator) => {
        const note = await operator.remove(enterprise, flags.reason);
        if (flags.json) print(JSON.stringify({ enterprise, note }));
        else if (note !== "") print(note.trimEnd());
        if (note !== "")
          tell("the roster without it counts once the auditor has signed it: fedcredit audit countersign");
      }),
    );

const revokeCommand = (): Command =>
  operatorCommand(
    "revoke",
    "revoke an enterprise's certificates, at once and for good",
    `enterprise revoke mill ${config}`,
  )
    .argument("<enterprise>", "its id")
    .action((enterprise: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const serials = await operator.revoke(enterprise);
        print(flags.json ? JSON.stringify({ enterprise, serials }) : serials.join("\n"));
        tell("it can enrol again with a new token: fedcredit coordinator token");
      }),
    );
