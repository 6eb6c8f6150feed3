import type { Command } from "commander";
import { writeWhole } from "../../core/files.ts";
import { shortDigest } from "../../core/ids.ts";
import { secureRandom } from "../../core/random.ts";
import { print, tell } from "../../core/terminal.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { readNodeConfig } from "../config.ts";
import type { NodeEvent } from "../events.ts";
import { StatisticsThread } from "../federation/statistics.ts";
import { configFile } from "../init.ts";
import { openDesk, startNode } from "../node.ts";
import { passwordFile, startOnSite } from "../on-site.ts";
import { writePassword } from "../page/access.ts";
import { askPassword } from "../page/ask-password.ts";
import { type Common, commandOf, readNode } from "./node-folder.ts";

/** The node's process, its page's password, and the record of what left it. */
export function addRunning(node: Command): void {
  commandOf(node, "start", "take part in every study consented to, until stopped", "start --dir mill")
    .option("--json", "print one JSON object a line for each event")
    .action(start);
  commandOf(node, "password", "set the password of the enterprise's page", "password --dir mill").action(
    password,
  );
  commandOf(
    node,
    "ledger",
    "export what left this machine, for fedcredit audit reconcile",
    "ledger --dir mill --out mill.fcexport",
  )
    .requiredOption("--out <file>", "where to write the ledger (.fcexport)")
    .action(ledger);
}

async function start({ dir, json }: Common): Promise<void> {
  const options = readNode(dir);
  const onEvent = (event: NodeEvent): void => (json ? print(JSON.stringify(event)) : tell(describe(event)));
  const log = (level: string, message: string, fields = {}): void =>
    tell(`${level}: ${message} ${JSON.stringify(fields)}`);
  const bfv = await openBfv();
  const statistics = new StatisticsThread();
  try {
    const onSite = await startOnSite({ config: options.config, node: options, onEvent, log });
    try {
      const node = await startNode({ ...options, bfv, statistics, onEvent });
      onSite.join(node);
      const stop = (): void => void node.stop();
      process.once("SIGINT", stop).once("SIGTERM", stop);
      await node.finished;
    } finally {
      await onSite.stop();
    }
  } finally {
    await statistics.close();
    await bfv.close();
  }
}

async function password({ dir }: Common): Promise<void> {
  const { dataDir } = readNodeConfig(configFile(dir));
  await writePassword(passwordFile(dataDir), await askPassword("password: "), secureRandom);
  tell("the page asks for it from the next start on");
}

function describe(event: NodeEvent): string {
  switch (event.type) {
    case "connected":
      return "connected";
    case "disconnected":
      return `disconnected: ${event.message} (${event.reason}); next try in ${(event.retryMillis / 1000).toFixed(1)} s`;
    case "round":
      return `${shortDigest(event.study)}  ${event.algorithm}  round ${event.round}.${event.attempt}  ${event.phase}`;
    case "closed":
      return `attempt ${shortDigest(event.roundId)} ${event.outcome} ${event.reason}`.trimEnd();
    case "epoch":
      return "epoch" in event
        ? `key epoch ${shortDigest(event.epoch)} is open`
        : `key epoch not opened: ${event.detail} (${event.reason})`;
    case "refused":
      return `refused: ${event.message} (${event.reason})`;
    case "warning": {
      const { type, severity, device, site, explanation, closed } = event.warning;
      return `${severity}${closed === undefined ? "" : " over"}: ${type.replaceAll("_", " ")}, ${device ?? site}: ${explanation}`;
    }
    case "refreshed":
      return `features of ${event.windows} windows, quality of ${event.series} series`;
    case "page":
      return `page at ${event.url}`;
  }
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
