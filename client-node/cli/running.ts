import type { Command } from "commander";
import { askPassword } from "../../core/ask-password.ts";
import { onEnding } from "../../core/ending.ts";
import { writeWhole } from "../../core/files.ts";
import { type LogFlags, logOptions, openLog } from "../../core/log.ts";
import { startMonitor } from "../../core/monitor.ts";
import { holdDataDir } from "../../core/one-process.ts";
import { secureRandom } from "../../core/random.ts";
import { print, tell } from "../../core/terminal.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { readNodeConfig } from "../config.ts";
import { logEvents } from "../event-log.ts";
import type { NodeEvent } from "../events.ts";
import { readCredentials } from "../federation/credentials.ts";
import { shownCheckpoint } from "../federation/recovery.ts";
import { StatisticsThread } from "../federation/statistics.ts";
import type { RaisedSince } from "../federation/warnings.ts";
import { configFile } from "../init.ts";
import { openStore } from "../ledger/store.ts";
import { nodeMeters } from "../meters.ts";
import { ledgerFile, openDesk, type RunningNode, startNode } from "../node.ts";
import { passwordFile, startOnSite } from "../on-site.ts";
import type { FindingsStore } from "../operations/findings-store.ts";
import type { Operations } from "../operations/operations.ts";
import { removePassword, writePassword } from "../page/access.ts";
import { type Common, commandOf, readNode } from "./node-folder.ts";

/** The node's process, its page's password, and the record of what left it. */
export function addRunning(node: Command): void {
  const starting = commandOf(
    node,
    "start",
    "take part in every study consented to, until stopped",
    "start --dir mill",
  ).option("--json", "print every event on stdout, one JSON object a line");
  for (const option of logOptions()) starting.addOption(option);
  starting.action(start);
  commandOf(
    node,
    "password",
    "set the password of the enterprise's page",
    "password --dir mill --name anna",
    "\nWhere policy.yaml asks for two people, each needs a name.\n",
  )
    .option("--name <name>", "whose password it is: lowercase letters, digits and hyphens")
    .option("--remove", "whoever has the name signs in no more")
    .action(password);
  commandOf(
    node,
    "checkpoint",
    "print what this node saw last of the bank's log, as the bank signed it: for fedcredit coordinator recover",
    "checkpoint --dir mill",
  ).action(shown);
  commandOf(
    node,
    "ledger",
    "export what left this machine, for fedcredit audit reconcile",
    "ledger --dir mill --out mill.fcexport",
  )
    .requiredOption("--out <file>", "where to write the ledger (.fcexport)")
    .action(ledger);
}

function shown({ dir }: Common): void {
  const { dataDir } = readNodeConfig(configFile(dir));
  const db = openStore(ledgerFile(dataDir));
  try {
    print(shownCheckpoint(db, readCredentials(dataDir, Date.now()).bankKey).trimEnd());
  } finally {
    db.close();
  }
}

async function start({ dir, json, ...flags }: Common & LogFlags): Promise<void> {
  const options = readNode(dir);
  const letGo = await holdDataDir(options.config.dataDir, "node");
  let isAsked = false;
  let running: RunningNode | undefined;
  const stop = (): void => {
    isAsked = true;
    void running?.stop();
  };
  onEnding(stop);
  // Whoever read the events has gone.
  process.stdout.on("error", stop);
  const nodeLog = openLog(flags, Date.now);
  const toLog = logEvents(nodeLog);
  let operations: Operations | undefined;
  const { dataDir, monitor } = options.config;
  const { certificate } = options.credentials;
  const meters = nodeMeters({
    dataDir,
    now: options.now,
    certificate,
    ledger: options.ledger,
    operations: () => operations,
  });
  const onEvent = (event: NodeEvent): void => {
    if (json) print(JSON.stringify(event));
    meters.take(event);
    toLog(event);
    if (event.type === "warning") running?.tellWarnings();
  };
  const log = (level: "info" | "warn" | "error", message: string, fields = {}): void =>
    nodeLog[level](fields, message);
  const watched = monitor && (await startMonitor(monitor, meters.registry, meters.troubles));
  const bfv = await openBfv();
  const statistics = new StatisticsThread();
  try {
    const { config, now, random } = options;
    const onSite = await startOnSite({ config, dir, member: options, now, random, onEvent, log });
    operations = onSite.operations;
    try {
      const warnings = raisedBy(() => operations?.findings);
      const node = await startNode({ ...options, bfv, statistics, onEvent, warnings });
      running = node;
      onSite.join(node);
      if (isAsked) void node.stop();
      await node.finished;
    } finally {
      await onSite.stop();
    }
  } finally {
    await statistics.close();
    await bfv.close();
    await watched?.close();
    letGo();
  }
}

/** An enterprise's warnings, as what of them could be told. */
export const raisedBy =
  (findings: () => Pick<FindingsStore, "warningsSince"> | undefined): RaisedSince =>
  (since) =>
    (findings()?.warningsSince(since * 1000) ?? []).map(({ type, severity, site, detected }) => ({
      type,
      severity,
      site,
      known: detected / 1000,
    }));

interface PasswordFlags extends Common {
  readonly name?: string;
  readonly remove?: true;
}

async function password({ dir, name = "", remove }: PasswordFlags): Promise<void> {
  const file = passwordFile(readNodeConfig(configFile(dir)).dataDir);
  if (remove) removePassword(file, name);
  else await writePassword(file, await askPassword("password: "), secureRandom, undefined, name);
  tell("the page asks for it from the next start on");
}

async function ledger({ dir, out }: Common & { readonly out: string }): Promise<void> {
  const desk = openDesk(readNode(dir));
  try {
    await writeWhole(out, desk.ledger.export());
    print(out);
  } finally {
    desk.transport.close();
    desk.db.close();
  }
}
