import { once } from "node:events";
import type { Command } from "commander";
import type { Reading } from "../../collectors/reading.ts";
import { onEnding } from "../../core/ending.ts";
import { type LogFlags, logOptions, openLog } from "../../core/log.ts";
import { startMonitor } from "../../core/monitor.ts";
import { holdDataDir } from "../../core/one-process.ts";
import { secureRandom } from "../../core/random.ts";
import { tell } from "../../core/terminal.ts";
import { readNodeConfig } from "../config.ts";
import { logEvents } from "../event-log.ts";
import type { NodeEvent } from "../events.ts";
import { configFile } from "../init.ts";
import { nodeMeters } from "../meters.ts";
import { startOnSite } from "../on-site.ts";
import type { Operations } from "../operations/operations.ts";
import { type Common, commandOf } from "./node-folder.ts";
import { readingLine } from "./reading-line.ts";

const whatIsPrinted = `
Every reading is stored before it is printed. Printing never slows collecting: what stdout does not take in time is
left out there, and stderr says how many.
`;

/** `node collect`: a plant's node without a bank. */
export function addCollect(node: Command): void {
  const collecting = commandOf(
    node,
    "collect",
    "collect, warn and show the page without a bank, until stopped; print what comes in",
    "collect --dir plant",
    whatIsPrinted,
  )
    .option("--json", "print each reading as a line of JSON")
    .option("--quiet", "print no readings: store them, as under a service manager");
  for (const option of logOptions()) collecting.addOption(option);
  collecting.action(collect);
}

async function collect({ dir, json, quiet, ...flags }: Common & LogFlags & { readonly quiet?: true }) {
  const config = readNodeConfig(configFile(dir));
  const { dataDir, monitor } = config;
  const letGo = await holdDataDir(dataDir, "node");
  const nodeLog = openLog(flags, Date.now);
  const toLog = logEvents(nodeLog);
  let operations: Operations | undefined;
  const meters = nodeMeters({ dataDir, now: Date.now, operations: () => operations });
  const ending = new AbortController();
  onEnding(() => ending.abort());
  const printed = new Printed(json === true, () => ending.abort());
  const watched = monitor && (await startMonitor(monitor, meters.registry, meters.troubles));
  try {
    const onSite = await startOnSite({
      config,
      dir,
      now: Date.now,
      random: secureRandom,
      onEvent(event: NodeEvent) {
        meters.take(event);
        toLog(event);
      },
      log: (level, message, fields = {}) => nodeLog[level](fields, message),
      ...(quiet === true ? {} : { onReadings: (readings) => printed.take(readings) }),
    });
    operations = onSite.operations;
    nodeLog.info({ collectors: operations?.collectors().length ?? 0 }, "collecting");
    if (!ending.signal.aborted) await once(ending.signal, "abort");
    await onSite.stop();
  } finally {
    printed.end();
    await watched?.close();
    letGo();
  }
}

/** Readings on stdout, as far as it takes them: collecting waits for no terminal and no pipe. */
class Printed {
  readonly #json: boolean;
  #leftOut = 0;
  #isGone = false;

  /** @param onGone - whoever read stdout has gone. */
  constructor(json: boolean, onGone: () => void) {
    this.#json = json;
    process.stdout.on("error", () => {
      this.#isGone = true;
      onGone();
    });
    process.stdout.on("drain", () => this.#tellLeftOut());
  }

  take(readings: readonly Reading[]): void {
    if (this.#isGone) return;
    if (process.stdout.writableNeedDrain) {
      this.#leftOut += readings.length;
      return;
    }
    process.stdout.write(readings.map((one) => `${readingLine(one, this.#json)}\n`).join(""));
  }

  end(): void {
    this.#tellLeftOut();
  }

  #tellLeftOut(): void {
    if (this.#leftOut > 0) tell(`${this.#leftOut} readings were stored and not printed: stdout is too slow`);
    this.#leftOut = 0;
  }
}
