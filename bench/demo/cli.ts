import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { runDemo } from "./demo.ts";
import { tableOf } from "./report.ts";

/** `fedcredit demo`: the whole system as separate processes on this machine. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("a bank, an auditor and four enterprises train together over mutual TLS on loopback")
    .option("--out <dir>", "where summary, model, log export and policy go", "demo-out")
    .option("--json", "print the summary as JSON")
    .addHelpText("after", "\nExample:\n  fedcredit demo --out demo-out")
    .action(async ({ out, json }: { out: string; json?: true }) => {
      await mkdir(out, { recursive: true });
      const summary = await runDemo(out, (line) => process.stderr.write(`${line}\n`));
      const file = join(out, "summary.json");
      await writeFile(file, `${JSON.stringify(summary, null, 2)}\n`);
      process.stdout.write(json ? `${JSON.stringify(summary)}\n` : `${tableOf(summary)}\nsummary: ${file}\n`);
      if (!summary.verified) process.exitCode = 1;
    });
}
