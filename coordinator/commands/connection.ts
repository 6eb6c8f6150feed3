/** What the commands that speak to a running coordinator, with the operator's certificate, have in common. */
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { addressArgument } from "../../core/address-argument.ts";
import { readRefusal } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import { tell } from "../../core/terminal.ts";
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
    .option(
      "--address <host:port>",
      "of the coordinator; the config's address, or listen, by default",
      addressArgument,
    )
    .option("--json", "print JSON")
    .addHelpText("after", `\nExample:\n  fedcredit coordinator ${example}`);

/** @throws Refusal the coordinator's, and file_missing, config_invalid */
export async function asOperator<T>(
  flags: OperatorFlags,
  work: (operator: Operator) => Promise<T>,
): Promise<T> {
  const operator = await Operator.connect(readConfig(flags.config), flags.address);
  try {
    await renewed(operator);
    return await work(operator);
  } finally {
    operator.close();
  }
}

/** A certificate that is still valid must not keep anybody from working: why it was not renewed is only told. */
async function renewed(operator: Operator): Promise<void> {
  try {
    const until = await operator.renewIfDue(Date.now());
    if (until !== undefined)
      tell(`the operator's certificate was renewed, until ${new Date(until).toISOString().slice(0, 10)}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.reason === "certificate_invalid") throw error;
    tell(`the operator's certificate was not renewed: ${error.message} (${error.reason})`);
  }
}

/** @param enterprise - none asks for all of them. @throws Refusal not_found: nothing is said of one that never was. */
export async function requireEnterprise(operator: Operator, enterprise: string | undefined): Promise<void> {
  if (enterprise === undefined) return;
  const known = (await operator.enterprises()).map((one) => one.enterprise);
  if (!known.includes(enterprise))
    throw new Refusal("not_found", `no enterprise is called ${JSON.stringify(enterprise)}`, {
      hint: "fedcredit coordinator enterprise list names them",
    });
}

/** @throws Refusal file_missing */
export const readText = (file: string): Promise<string> =>
  readFile(file, "utf8").catch((cause: unknown) => {
    throw readRefusal(file, cause);
  });
