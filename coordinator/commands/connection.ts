/** What the commands that speak to a running coordinator, with the operator's certificate, have in common. */
import { Command } from "commander";
import { readConfig } from "../config.ts";
import { Operator } from "../operator.ts";

export interface OperatorFlags {
  readonly config: string;
  readonly address?: string;
  readonly json?: true;
}

export const operatorCommand = (name: string, description: string, example: string): Command =>
  new Command(name)
    .description(description)
    .requiredOption("--config <file>", "coordinator.yaml")
    .option("--address <host:port>", "of the coordinator; the config's listen by default")
    .option("--json", "print JSON")
    .addHelpText("after", `\nExample:\n  fedcredit coordinator ${example}`);

/** @throws Refusal the coordinator's, and file_missing, config_invalid */
export async function asOperator<T>(
  flags: OperatorFlags,
  work: (operator: Operator) => Promise<T>,
): Promise<T> {
  const operator = await Operator.connect(readConfig(flags.config), flags.address);
  try {
    return await work(operator);
  } finally {
    operator.close();
  }
}
