import { existsSync } from "node:fs";
import type { Bench } from "./bench.ts";

const [name, ...args] = process.argv.slice(2);
const file = new URL(`./${name}.ts`, import.meta.url);
if (name === undefined || !/^[a-z]+$/.test(name) || ["run", "bench"].includes(name) || !existsSync(file)) {
  console.error("usage: npm run bench -- NAME [--data DIR] [--json]\nexample: npm run bench -- seal --json");
  process.exit(2);
}
const { bench } = (await import(file.href)) as { bench: Bench };
const report = await bench(args, (line) => console.error(line));
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
