import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { stringify } from "yaml";
import type { CollectorContext } from "../../collectors/collector.ts";
import { readRefusal } from "../../core/files.ts";
import { secondsArgument, wholeNumber } from "../../core/number-argument.ts";
import { secureRandom, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { print, tell } from "../../core/terminal.ts";
import { readNodeConfig } from "../config.ts";
import { configFile } from "../init.ts";
import { type Common, commandOf } from "./node-folder.ts";
import { readingLine } from "./reading-line.ts";

/** What helps to connect devices; nothing is stored, and no bank is needed. */
export function addDevices(node: Command): void {
  node
    .command("import")
    .description("turn another program's configuration into `collectors:` for node.yaml")
    .addHelpText("after", "\nExample:\n  fedcredit node import telegraf telegraf.conf")
    .command("telegraf")
    .description("take the inputs.modbus and inputs.opcua sections of a Telegraf configuration")
    .argument("<file>", "telegraf.conf")
    .addHelpText(
      "after",
      `
Prints a fragment of node.yaml on stdout, and on stderr a line for each thing it could not take.

Example:
  fedcredit node import telegraf telegraf.conf`,
    )
    .action(importFrom);
  commandOf(
    node,
    "set-aside",
    "show which readings were not let in and why, or write them out",
    "set-aside --dir mill",
  )
    .option("--json", "write each reading that is kept as a line of JSON, with its reason")
    .action(setAside);
  commandOf(node, "check", "say everything in node.yaml that will not work", "check --dir mill")
    .option("--json", "print one JSON array")
    .action(check);
  commandOf(
    node,
    "try",
    "show what one source says, live; nothing is stored or acknowledged",
    'try --dir mill "modbus 192.168.1.20:502"',
  )
    .argument("<name>", "a collector of node.yaml, by its name")
    .option("--seconds <number>", "how long", secondsArgument, 10)
    .option("--count <number>", "ends earlier, with so many readings", wholeNumber(1, 1_000_000_000))
    .option("--json", "print one JSON object a line")
    .action(tryOne);
}

async function setAside({ dir, json }: Common): Promise<void> {
  const { openSetAside } = await import("../operations/set-aside.ts");
  const { asideReasons } = await import("../operations/door.ts");
  const { dataDir } = readNodeConfig(configFile(dir));
  const opened = openSetAside(dataDir);
  if (opened === undefined) {
    if (!json) print("nothing was set aside: this node has not collected yet");
    return;
  }
  try {
    if (json) {
      for (const entry of opened.store.entries()) print(JSON.stringify(entry));
      return;
    }
    const counts = opened.store.counts();
    if (counts.length === 0) print("nothing was set aside");
    for (const { reason, device, metric, readings, lastAt } of counts)
      print(`${readings}\t${reason}\t${device}\t${metric}\tlast ${new Date(lastAt).toISOString()}`);
    for (const reason of new Set(counts.map((one) => one.reason)))
      tell(`${reason}: ${asideReasons[reason as keyof typeof asideReasons] ?? ""}`);
  } finally {
    opened.close();
  }
}

async function check({ dir, json }: Common): Promise<void> {
  const { checkNodeFile } = await import("./check.ts");
  const { readCatalogue } = await import("../operations/features/catalogue.ts");
  const file = configFile(dir);
  const problems = checkNodeFile(file, readCatalogue());
  if (json) print(JSON.stringify(problems));
  else
    for (const { line, path, message, valid } of problems)
      print(
        `${file}:${line}: ${path === "" ? "" : `${path}: `}${message}${valid === undefined ? "" : `; valid: ${valid.join(", ")}`}`,
      );
  if (problems.length === 0) tell(`${file} is in order`);
  else process.exitCode = 1;
}

async function tryOne(
  name: string,
  {
    dir,
    json,
    seconds,
    count = Number.POSITIVE_INFINITY,
  }: Common & { readonly seconds: number; readonly count?: number },
): Promise<void> {
  const { createCollector } = await import("../../collectors/create.ts");
  const { forTrying, tryCollector } = await import("./try.ts");
  const context: CollectorContext = { now: Date.now, random: () => uniform(secureRandom), log() {} };
  const entries = readNodeConfig(configFile(dir)).collectors ?? [];
  const collectors = await Promise.all(entries.map((entry) => createCollector(forTrying(entry), context)));
  const found = collectors.find((one) => one.name === name);
  if (found === undefined)
    throw new Refusal("not_found", `${configFile(dir)} has no collector called ${name}`, {
      hint:
        collectors.length === 0
          ? "add one under collectors"
          : `it has ${collectors.map((one) => one.name).join(", ")}`,
    });
  const { readings, lastError } = await tryCollector(
    found,
    AbortSignal.timeout(seconds * 1000),
    count,
    (reading) => print(readingLine(reading, json)),
  );
  if (readings === 0)
    throw new Refusal(
      "unavailable",
      `${name}: no reading in ${seconds} s${lastError ? `: ${lastError}` : ""}`,
      {
        hint: "is the address right, and the device on?",
      },
    );
}

async function importFrom(file: string): Promise<void> {
  // Loaded where they are used: units and protocol libraries take a while.
  const { importTelegraf } = await import("../../collectors/telegraf.ts");
  const { readCatalogue } = await import("../operations/features/catalogue.ts");
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw readRefusal(file, error);
  });
  const { metrics } = readCatalogue();
  const { collectors, notes } = inFile(file, () =>
    importTelegraf(text, (metric) => metrics.get(metric)?.unit),
  );
  for (const note of notes) tell(note);
  if (collectors.length === 0)
    throw new Refusal("config_invalid", `${file}: nothing in it could be taken`, {
      hint: "sections inputs.modbus and inputs.opcua are",
    });
  print(stringify({ collectors }).trimEnd());
}

/** Names the file in what is wrong with it. */
function inFile<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.reason, `${file}: ${error.message}`, { cause: error });
  }
}
