import { existsSync } from "node:fs";
import type { Command } from "commander";
import { print, tell } from "../../core/terminal.ts";
import { readNodeConfig } from "../config.ts";
import { warningsToTell } from "../federation/warnings.ts";
import { configFile } from "../init.ts";
import { FindingsStore, findingsFile } from "../operations/findings-store.ts";
import { atDesk, type Common, commandOf } from "./node-folder.ts";
import { raisedBy } from "./running.ts";

/** `node warnings`: what the bank would be told next. */
export function addWarnings(node: Command): void {
  commandOf(
    node,
    "warnings",
    "show what of the warnings the bank would be told next, under policy.yaml and the bank's terms",
    "warnings --dir mill",
  )
    .option("--json", "print one JSON object")
    .action(warnings);
}

async function warnings({ dir, json }: Common): Promise<void> {
  const file = findingsFile(readNodeConfig(configFile(dir)).dataDir);
  const findings = existsSync(file) ? new FindingsStore(file) : undefined;
  try {
    const found = await atDesk(dir, (desk) =>
      warningsToTell(
        desk,
        raisedBy(() => findings),
      ),
    );
    if (json) return print(JSON.stringify(found ?? null));
    if (found === undefined) return tell("policy.yaml has no warnings: the bank is told of none");
    const { purpose, leastSeverity, period, places, keepDays } = found.terms;
    tell(
      `the bank asks, for "${purpose}", for ${leastSeverity} and graver, by the ${period}${places ? " and place" : ""}, kept ${keepDays} days`,
    );
    for (const { from, severity, type, place = "" } of found.warnings)
      print([from, severity, type, place].join("\t").trimEnd());
    if (found.warnings.length === 0) tell("nothing is to be told now");
  } finally {
    findings?.close();
  }
}
