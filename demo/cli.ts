import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { type TOTP, URI } from "otpauth";
import { Refusal } from "../core/reasons.ts";
import { tell } from "../core/terminal.ts";
import { runDemo } from "./demo.ts";
import { onEnter } from "./on-enter.ts";
import { type DemoSummary, tableOf } from "./report.ts";

/** `fedcredit demo`: the whole system as separate processes on this machine. */
export function demoCommand(): Command {
  return new Command("demo")
    .description(
      "a bank, an auditor and four enterprises read their devices and train together, on this machine alone",
    )
    .option("--out <dir>", "where summary, model, log export and policy go", "demo-out")
    .option("--json", "print the summary as JSON")
    .option(
      "--keep",
      "leave everything running until Ctrl-C, so that the pages of bank, enterprises and auditor can be looked at",
    )
    .addHelpText("after", "\nExample:\n  fedcredit demo --out demo-out --keep")
    .action(async ({ out, json, keep }: { out: string; json?: true; keep?: true }) => {
      await mkdir(out, { recursive: true });
      const report = async (summary: DemoSummary): Promise<void> => {
        const file = join(out, "summary.json");
        await writeFile(file, `${JSON.stringify(summary, null, 2)}\n`);
        process.stdout.write(
          json ? `${JSON.stringify(summary)}\n` : `${tableOf(summary)}\nsummary: ${file}\n`,
        );
        if (!isSound(summary)) process.exitCode = 1;
      };
      if (!keep) return report(await runDemo({ out, say: tell }));
      let shown = false;
      await runDemo({
        out,
        say: tell,
        async linger(summary, pages, { bank, auditor, pagePassword }, interruption) {
          const { url, user, password, codes } = bank;
          await report(summary);
          for (const [enterprise, page] of pages) tell(`${enterprise}: page at ${page}`);
          tell(`  password ${pagePassword}`);
          tell(`auditor: pages at ${auditor}`);
          const code = (): string => (URI.parse(codes) as TOTP).generate();
          tell(`bank: console at ${url}`);
          tell(
            `  user ${user}, password ${password}, code ${code()} (Enter prints the next: each works once)`,
          );
          tell(`  ${codes}`);
          using _ = onEnter(() => tell(`  code ${code()}`));
          tell("everything runs until Ctrl-C");
          shown = true;
          await interruption;
        },
      }).catch((error: unknown) => {
        // With everything shown, Ctrl-C is how it ends.
        if (!(shown && error instanceof Refusal && error.reason === "interrupted")) throw error;
      });
    });
}

const isSound = ({ decided, missingWarnings, stored, verified }: DemoSummary): boolean =>
  verified &&
  decided !== undefined &&
  missingWarnings.length === 0 &&
  stored.lost === 0 &&
  stored.doubled === 0;
