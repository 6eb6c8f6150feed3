import { Command } from "commander";
import { secureRandom } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { print } from "../core/terminal.ts";
import { createAuditorKey } from "./keys.ts";
import { offlineCommands } from "./offline.ts";
import { serveCommand } from "./pages/command.ts";
import { remoteCommands } from "./remote.ts";
import { reportCommand } from "./report/command.ts";

/** `fedcredit audit …`. Prints results on stdout; a failed verification is a refusal (log_invalid). */
export function auditCommand(): Command {
  const audit = new Command("audit")
    .description("the auditor's tools; needs no trust in bank or enterprise")
    .addHelpText("after", "\nExample:\n  fedcredit audit verify bank.fcexport --policy log.policy");
  for (const command of [
    initCommand(),
    ...offlineCommands(),
    reportCommand(),
    serveCommand(),
    ...remoteCommands(),
  ])
    audit.addCommand(command);
  return audit;
}

function initCommand(): Command {
  return new Command("init")
    .description("make the auditor's key, and print what bank and enterprises need of it")
    .requiredOption("--out <dir>", "directory for auditor.key (keep it secret) and auditor.pub")
    .option("--name <name>", "name of the key, no spaces", "auditor")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  fedcredit audit init --out auditor")
    .action(async ({ out, name, json }: { out: string; name: string; json?: true }) => {
      if (!/^[^\s+]+$/u.test(name))
        throw new Refusal("usage", "--name holds neither spaces nor plus signs", {
          hint: "try --name auditor",
        });
      const key = await createAuditorKey(out, name, secureRandom);
      print(
        json
          ? JSON.stringify(key)
          : `verifier key  ${key.verifierKey}\nwitness key   ${key.witnessKey}\nfingerprint   ${key.fingerprint}`,
      );
    });
}
