import { readdirSync } from "node:fs";
import { Command, CommanderError } from "commander";
import type { Bench, BenchOptions } from "./bench.ts";

/** What bench/NAME.ts exports. */
interface BenchFile {
  readonly bench: Bench;
  readonly options?: BenchOptions;
  /** What arguments that are no options pick. */
  readonly argument?: string;
}

const helpers = ["run", "bench", "consortium"];
const benches = readdirSync(import.meta.dirname)
  .flatMap((file) => /^([a-z]+)\.ts$/.exec(file)?.[1] ?? [])
  .filter((name) => !helpers.includes(name));

/** Says what a bench takes, and refuses what it does not. */
function callOf(name: string, { options = {}, argument }: BenchFile): Command {
  const command = new Command(`npm run bench -- ${name}`)
    .option("--data <dir>", "folder of public data sets, for benches that read any")
    .option("--json", "print one JSON object")
    .showHelpAfterError()
    .exitOverride();
  for (const [flags, does] of Object.entries(options)) command.option(flags, does);
  return argument === undefined ? command : command.argument("[names...]", argument);
}

const [name = "", ...rest] = process.argv.slice(2);
// Benches read an option's value from the argument behind it.
const args = rest.flatMap((arg) => /^(--[a-z-]+)=(.*)$/s.exec(arg)?.slice(1) ?? [arg]);
if (!benches.includes(name)) {
  const isAsked = ["-h", "--help"].includes(name);
  const lines = [
    "usage: npm run bench -- NAME [options]",
    `NAME is one of ${benches.join(", ")}`,
    "npm run bench -- NAME --help says its options",
    "example: npm run bench -- seal --json",
  ];
  (isAsked ? console.log : console.error)(lines.join("\n"));
  process.exit(isAsked ? 0 : 2);
}
const file = (await import(new URL(`./${name}.ts`, import.meta.url).href)) as BenchFile;
let names: readonly string[];
try {
  names = callOf(name, file).parse(args, { from: "user" }).args;
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exit(error.exitCode === 0 ? 0 : 2);
}
const report = await file.bench(args, (line) => console.error(line), names);
if (names.length > 0 && report.figures.length === 0) {
  console.error(`${name}: nothing is called ${names.join(", ")}`);
  process.exit(2);
}
if (args.includes("--json")) console.log(JSON.stringify(report));
else {
  console.log(`${report.bench}: ${report.runs} runs`);
  if (report.text !== undefined) console.log(report.text);
  for (const figure of report.figures) {
    const held = figure.holds === null ? "" : figure.holds ? "  holds" : "  MISSED";
    console.log(
      `  ${figure.name}: ${figure.value} ${figure.unit}${figure.target ? `  (target ${figure.target})` : ""}${held}`,
    );
  }
}
process.exit(0);
