import type { Command } from "commander";
import type { CollectorContext } from "../../collectors/collector.ts";
import type { Found } from "../../collectors/runtime/found.ts";
import { secondsArgument, wholeNumber } from "../../core/number-argument.ts";
import { secureRandom, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { print, printable, tell } from "../../core/terminal.ts";
import { readNodeConfig } from "../config.ts";
import { configFile } from "../init.ts";
import { type Common, commandOf } from "./node-folder.ts";

interface BrowseFlags extends Common {
  readonly from?: string;
  readonly count?: number;
  readonly seconds: number;
  readonly passwordFile?: string;
}

const whatIsListed = `
What is listed, by address:
  opc.tcp://HOST:4840              variables, from the Objects folder or --from
  modbus://HOST:502/UNIT           registers or bits that can be read, as the numbers they may be
  mqtt://HOST:1883                 topics heard, with the values in their messages; what Sparkplug edges announce
  bacnet://HOST:47808              objects, with name, unit and value
  s7://HOST:102/RACK/SLOT          data blocks that can be read, and how long they are
  iec104://HOST:2404/STATION       points, with their values
  postgresql://USER@HOST/DATABASE  tables and columns; mysql:// too
Servers that ask for a certificate, a user or TLS are browsed by their name in node.yaml.
`;

/** `node browse`: what there is to collect. */
export function addBrowse(node: Command): void {
  commandOf(
    node,
    "browse",
    "list what a device, a broker or a database has, to choose what to collect",
    "browse modbus://127.0.0.1:502/1 --from 40001 --count 100",
    whatIsListed,
  )
    .argument("<name>", "a collector of node.yaml, by its name, or an address as below")
    .option("--from <place>", "where to begin: a Modbus address, an OPC UA node id, an S7 block's number")
    .option(
      "--count <number>",
      "how many addresses or blocks are tried; 100 when absent",
      wholeNumber(1, 1_000_000),
    )
    .option("--seconds <number>", "how long is listened to a broker or a station", secondsArgument, 10)
    .option("--password-file <file>", "file with a database's password, for an address")
    .option("--json", "print one JSON array")
    .action(browse);
}

async function browse(name: string, { dir, json, ...flags }: BrowseFlags): Promise<void> {
  const { browseAddress, browseEntry } = await import("../../collectors/browse.ts");
  const context: CollectorContext = {
    now: Date.now,
    random: () => uniform(secureRandom),
    // What goes wrong ends the command and is said then.
    log() {},
  };
  const ending = new AbortController();
  process.once("SIGINT", () => ending.abort());
  const options = {
    context,
    signal: ending.signal,
    from: flags.from,
    count: flags.count,
    seconds: flags.seconds,
    passwordFile: flags.passwordFile,
  };
  const isAddress = /^[a-z][a-z0-9.+-]*:\/\//i.test(name);
  const entry = isAddress ? undefined : await entryCalled(name, dir, context);
  const found = await (entry === undefined
    ? browseAddress(name, options)
    : browseEntry(entry, options)
  ).catch((error: unknown) => {
    if (error instanceof Refusal) throw error;
    const text =
      error instanceof AggregateError
        ? error.errors.map(String).join("; ")
        : String((error as Error).message);
    throw new Refusal("unavailable", `${name}: ${printable(text)}`, {
      cause: error,
      hint: "is the address right, the device on, and its certificate, where it has one, under pki/trusted/certs?",
    });
  });
  if (json) print(JSON.stringify(found));
  else printFound(found);
  if (found.length === 0)
    tell(`${name}: nothing found${flags.from === undefined ? "" : ` from ${flags.from} on`}`);
}

function printFound(found: readonly Found[]): void {
  const columns = [...new Set(found.flatMap((one) => Object.keys(one)))];
  if (found.length > 0) tell(columns.join("\t"));
  for (const one of found) print(columns.map((column) => printable(String(one[column] ?? ""))).join("\t"));
}

async function entryCalled(name: string, dir: string, context: CollectorContext) {
  const { createCollector } = await import("../../collectors/create.ts");
  const entries = readNodeConfig(configFile(dir)).collectors ?? [];
  const names: string[] = [];
  for (const entry of entries) {
    const collector = await createCollector(entry, context);
    if (collector.name === name) return entry;
    names.push(collector.name);
  }
  throw new Refusal("not_found", `${configFile(dir)} has no collector called ${name}`, {
    hint:
      names.length === 0
        ? "give an address, as in fedcredit node browse --help"
        : `it has ${names.join(", ")}`,
  });
}
