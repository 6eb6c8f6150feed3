import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { Command } from "commander";
import { secureRandom } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { print } from "../core/terminal.ts";
import { type LogPolicy, parsePolicy } from "../privacy/log/policy.ts";
import { type ExportSource, reconcile } from "../privacy/log/reconcile.ts";
import { allHold, type Check, verifyExport } from "../privacy/log/verify.ts";
import { createAuditorKey } from "./keys.ts";
import { remoteCommands } from "./remote.ts";

/** `fedcredit audit …`. Prints results on stdout; a failed verification is a refusal (log_invalid). */
export function auditCommand(): Command {
  const audit = new Command("audit")
    .description("the auditor's tools; needs no trust in bank or enterprise")
    .addHelpText("after", "\nExample:\n  fedcredit audit verify bank.fcexport --policy policy.txt");

  audit
    .command("init")
    .description("make the auditor's key, and print what bank and enterprises need of it")
    .requiredOption("--out <dir>", "directory for auditor.key (keep it secret) and auditor.pub")
    .option("--name <name>", "name of the key, no spaces", "auditor")
    .option("--json", "print one JSON object")
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

  audit
    .command("verify")
    .description("verify an export offline: one line a check; exit 0 if all hold, 1 otherwise")
    .argument("<export>", "file written by the coordinator or a node (.fcexport)")
    .requiredOption("--policy <file>", "log key, witness keys and quorum (C2SP tlog-policy)")
    .option("--json", "print one JSON object")
    .action(async (file: string, { policy, json }: { policy: string; json?: true }) => {
      finish(await verifyExport((await sourceOf(file))(), await readPolicy(policy)), json === true);
    });

  audit
    .command("reconcile")
    .description("compare the bank's export with an enterprise's egress ledger")
    .argument("<bank-export>", "the bank's log")
    .argument("<node-ledger>", "the ledger as the enterprise exported it")
    .requiredOption("--policy <file>", "policy of the bank's log")
    .option("--json", "print one JSON object")
    .action(async (bank: string, ledger: string, { policy, json }: { policy: string; json?: true }) => {
      finish(
        await reconcile(await sourceOf(bank), await sourceOf(ledger), await readPolicy(policy)),
        json === true,
      );
    });

  for (const command of remoteCommands()) audit.addCommand(command);
  return audit;
}

/** Prints the report. @throws Refusal log_invalid, naming the first check that fails. */
function finish(checks: readonly Check[], json: boolean): void {
  if (json) print(JSON.stringify({ verified: allHold(checks), checks }));
  else for (const check of checks) print(formatCheck(check));
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length > 0)
    throw new Refusal(
      "log_invalid",
      `${failed.length} of ${checks.length} checks fail: ${place(failed[0]!)}`,
    );
}

const place = ({ check, entry }: Check): string => (entry === undefined ? check : `${check}, entry ${entry}`);

function formatCheck(check: Check): string {
  const detail = check.detail === "" ? "" : `: ${check.detail}`;
  return `${check.ok ? "ok  " : "FAIL"}  ${place(check)}${detail}`;
}

async function readPolicy(path: string): Promise<LogPolicy> {
  await requireFile(path);
  return parsePolicy(await readFile(path, "utf8"));
}

async function sourceOf(path: string): Promise<ExportSource> {
  await requireFile(path);
  return () => createReadStream(path) as AsyncIterable<Uint8Array>;
}

/** @throws Refusal file_missing */
async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new Refusal("file_missing", `${path}: ${cause.code === "ENOENT" ? "no such file" : cause.message}`);
  });
  if (!found.isFile()) throw new Refusal("file_missing", `${path}: not a file`);
}
