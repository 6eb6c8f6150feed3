import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { addressArgument } from "../../core/address-argument.ts";
import { onEnding } from "../../core/ending.ts";
import { print, tell } from "../../core/terminal.ts";
import { parsePolicy } from "../../privacy/log/policy.ts";
import { ledgerOption, policyOption, requireFile, sourceOf } from "../files.ts";
import { startAuditorPages } from "./desk.ts";
import { ShownLog } from "./shown-log.ts";

interface Flags {
  readonly policy: string;
  readonly ledger?: readonly string[];
  readonly listen: string;
  readonly json?: true;
}

export function serveCommand(): Command {
  return new Command("serve")
    .description("verify an export, and show it as pages to this machine's browser, until Ctrl-C")
    .argument("<bank-export>", "the bank's log (.fcexport); it is held in memory")
    .requiredOption(...policyOption)
    .option(...ledgerOption)
    .option(
      "--listen <host:port>",
      "an address of this machine; port 0 takes a free one",
      addressArgument,
      "127.0.0.1:8095",
    )
    .option("--json", "print the address as one JSON object")
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit audit serve bank.fcexport --policy log.policy --ledger mill.fcexport",
    )
    .action(async (file: string, { policy, ledger = [], listen, json }: Flags) => {
      await requireFile(policy);
      const policyText = await readFile(policy, "utf8");
      const files = {
        bank: await sourceOf(file),
        ledgers: await Promise.all(ledger.map(sourceOf)),
        policy: parsePolicy(policyText),
        policyText,
      };
      const log = await ShownLog.open(files, Date.now());
      const pages = await startAuditorPages(log, listen);
      const failed = log.report.checks.filter(({ ok }) => !ok).length;
      print(json ? JSON.stringify({ url: pages.url, verified: failed === 0 }) : pages.url);
      tell(failed === 0 ? "all checks hold" : `${failed} checks FAIL`);
      await new Promise<void>((resolve) => onEnding(resolve));
      await pages.close();
    });
}
