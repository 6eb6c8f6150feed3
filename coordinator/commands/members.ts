/** Who belongs to the consortium: `token`, `admit`, `roster`. */

import type { Command } from "commander";
import { print, tell } from "../../core/terminal.ts";
import { tokenSeconds } from "../operator.ts";
import { asOperator, type OperatorFlags, operatorCommand } from "./connection.ts";
import { wholeNumber } from "./whole-number.ts";

const config = "--config bank/coordinator.yaml";

export const memberCommands = (): Command[] => [tokenCommand(), admitCommand(), rosterCommand()];

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
