import { Command, InvalidArgumentError } from "commander";
import { writeWhole } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import { print } from "../../core/terminal.ts";
import { ledgerOption, policyOption, readPolicy, sourceOf } from "../files.ts";
import { dayOf, periodOf } from "./account.ts";
import { type Report, reportDocument } from "./document.ts";
import { reportOf } from "./gather.ts";

interface Flags {
  readonly policy: string;
  readonly from?: number;
  readonly to?: number;
  readonly ledger?: readonly string[];
  readonly out: string;
  readonly json?: true;
}

const date = (text: string): number => {
  const day = dayOf(text);
  if (day === undefined) throw new InvalidArgumentError("Give a date as 2026-03-31");
  return day;
};

export function reportCommand(): Command {
  return new Command("report")
    .description("write an audit report of a period as one HTML file, to read and to print")
    .argument("<bank-export>", "the bank's log (.fcexport)")
    .requiredOption(...policyOption)
    .requiredOption("--out <file>", "where the report goes (.html)")
    .option("--from <date>", "first day, UTC; by default the log's first", date)
    .option("--to <date>", "last day, UTC; by default the log's last", date)
    .option(...ledgerOption)
    .option("--json", "print the report's content as one JSON object too")
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit audit report bank.fcexport --policy log.policy --ledger mill.fcexport --out report.html",
    )
    .action(async (file: string, flags: Flags) => {
      if (flags.from !== undefined && flags.to !== undefined && flags.from > flags.to)
        throw new Refusal("usage", "--from is after --to", { hint: "give the earlier date as --from" });
      const bank = await sourceOf(file);
      const ledgers = await Promise.all((flags.ledger ?? []).map(sourceOf));
      const period = periodOf(flags.from, flags.to);
      const report = await reportOf(bank, ledgers, await readPolicy(flags.policy), period, Date.now());
      await writeWhole(flags.out, [Buffer.from(reportDocument(report))]);
      const failed = report.checks.filter(({ ok }) => !ok).length;
      const count = (weight: string) => report.findings.filter((one) => one.weight === weight).length;
      print(
        flags.json
          ? JSON.stringify({ file: flags.out, verified: failed === 0, ...shown(report) })
          : `${flags.out}: ${report.log.size} entries, ${failed === 0 ? "all checks hold" : `${failed} checks FAIL`}; ${count("violation")} violations, ${count("attention")} for attention, ${count("note")} notes`,
      );
    });
}

const shown = ({ account, checks, findings, ledgers, exportDigest, log, made }: Report) => ({
  period: account.period,
  made,
  log: { ...log, export: exportDigest },
  findings: findings.map(({ weight, text, entries }) => ({ weight, text, entries })),
  checks,
  members: [...account.members.values()],
  studies: [...account.studies.values()].map((study) => ({
    ...study,
    sumsOf: Object.fromEntries(study.sumsOf),
  })),
  ended: account.ended,
  ledgers: ledgers.map(({ enterprise, checks, departures, policies, desensitized }) => ({
    enterprise,
    checks,
    departures: [...departures.values()],
    policies,
    desensitized,
  })),
  entries: Object.fromEntries(account.byType),
});
