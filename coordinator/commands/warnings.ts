import type { Command } from "commander";
import { print, tell } from "../../core/terminal.ts";
import { asOperator, type OperatorFlags, operatorCommand } from "./connection.ts";
import { wholeNumber } from "./whole-number.ts";

/** `coordinator warnings`: what enterprises told of theirs. */
export const warningsCommand = (): Command =>
  operatorCommand(
    "warnings",
    "what enterprises told of their warnings: type, severity, coarse time and place",
    "warnings --since 2026-03-01 --config bank/coordinator.yaml",
  )
    .option("--enterprise <id>", "of one enterprise only")
    .option("--since <day>", "of periods that begin then or later, YYYY-MM-DD")
    .option("--limit <n>", "the latest so many", wholeNumber, 1000)
    .action((flags: OperatorFlags & { enterprise?: string; since?: string; limit: number }) =>
      asOperator(flags, async (operator) => {
        const { enterprise, since, limit } = flags;
        const told = await operator.warnings({ enterprise, since, limit });
        if (flags.json) print(JSON.stringify(told));
        else
          for (const { enterprise, from, place, severity, type } of told)
            print([from, enterprise, severity, type, place].join("\t").trimEnd());
        if (told.length === 0 && !flags.json) tell("no enterprise told of a warning");
      }),
    );
