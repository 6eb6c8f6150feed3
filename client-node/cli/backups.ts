import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { readRefusal } from "../../core/files.ts";
import { secureRandom } from "../../core/random.ts";
import { print, tell } from "../../core/terminal.ts";
import { backUpNode, restoreNode } from "../backup.ts";
import { readMemberConfig } from "../config.ts";
import { accountFor } from "../federation/accounting.ts";
import { readCredentials } from "../federation/credentials.ts";
import { configFile } from "../init.ts";
import { openStore } from "../ledger/store.ts";
import { ledgerFile, requireLedger } from "../node.ts";
import { type Common, commandOf } from "./node-folder.ts";

/** Against the loss of the node's machine. */
export function addBackups(node: Command): void {
  commandOf(
    node,
    "backup",
    "copy the node's folder while it runs: readings, ledger, policy; no keys",
    "backup --dir mill --out mill-backup",
  )
    .requiredOption("--out <folder>", "a new folder for the backup")
    .option("--json", "print one JSON object")
    .action(backup);
  commandOf(
    node,
    "restore",
    "restore a backup into an empty folder, with a new identity and a new ledger",
    "restore mill-backup --dir mill",
  )
    .argument("<backup>", "folder that fedcredit node backup wrote")
    .option("--json", "print one JSON object")
    .action(restore);
  commandOf(
    node,
    "account",
    "charge what a lost ledger had spent, by an export of the bank's log",
    "account log.fcexport --dir mill",
  )
    .argument("<export>", "the bank's log as bank or auditor exported it (.fcexport)")
    .option("--json", "print one JSON object")
    .action(account);
}

async function backup({ dir, out, json }: Common & { readonly out: string }): Promise<void> {
  const { files, time } = await backUpNode(dir, out, Date.now());
  const count = Object.keys(files).length;
  if (json) print(JSON.stringify({ backup: resolve(out), files: count, time }));
  else print(`${out}: ${count} files as of ${new Date(time).toISOString()}, read back`);
}

async function restore(from: string, { dir, json }: Common): Promise<void> {
  const { backup, identityKey } = await restoreNode(from, dir, secureRandom);
  const asOf = new Date(backup.time).toISOString();
  if (json) print(JSON.stringify({ dir: resolve(dir), asOf, identityKey }));
  else print(`${dir}: restored as of ${asOf}\nidentity key  ${identityKey}`);
  tell(
    "ask the bank for a new token, enrol, and start the node once the auditor has signed that the old ledger ended (--accept-loss); then fedcredit node account",
  );
}

async function account(file: string, { dir, json }: Common): Promise<void> {
  const { dataDir } = readMemberConfig(configFile(dir));
  const credentials = readCredentials(dataDir, Date.now());
  requireLedger(dataDir);
  await stat(file).catch((cause: unknown) => {
    throw readRefusal(file, cause);
  });
  const db = openStore(ledgerFile(dataDir));
  try {
    const source = (): AsyncIterable<Uint8Array> => createReadStream(file) as AsyncIterable<Uint8Array>;
    const charged = await accountFor(source, { db, credentials }, Date.now());
    const { entries, exactSums, sumsWithNoise } = charged;
    if (json) print(JSON.stringify(charged));
    else
      print(
        `charged by ${entries} entries of the bank's log: ${exactSums} sums without noise, ${sumsWithNoise} with noise`,
      );
  } finally {
    db.close();
  }
}
