import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { wholeNumber } from "../../core/number-argument.ts";
import { print, tell } from "../../core/terminal.ts";
import { asOperator, type OperatorFlags, operatorCommand, requireEnterprise } from "./connection.ts";

/** `coordinator warnings`: what enterprises told of theirs. */
export const warningsCommand = (): Command =>
  operatorCommand(
    "warnings",
    "what enterprises told of their warnings: type, severity, coarse time and place",
    "warnings --since 2026-03-01 --config bank/coordinator.yaml",
  )
    .option("--enterprise <id>", "of one enterprise only")
    .option("--since <day>", "of periods that begin then or later, YYYY-MM-DD", dayArgument)
    .option("--limit <n>", "the latest so many", wholeNumber(1, 1_000_000), 1000)
    .action((flags: OperatorFlags & { enterprise?: string; since?: string; limit: number }) =>
      asOperator(flags, async (operator) => {
        const { enterprise, since, limit } = flags;
        const told = await operator.warnings({ enterprise, since, limit });
        if (told.length === 0) await requireEnterprise(operator, enterprise);
        if (flags.json) print(JSON.stringify(told));
        else
          for (const { enterprise, from, place, severity, type } of told)
            print([from, enterprise, severity, type, place].join("\t").trimEnd());
        if (told.length === 0 && !flags.json) tell("no enterprise told of a warning");
      }),
    );

function dayArgument(text: string): string {
  if (z.iso.date().safeParse(text).success) return text;
  throw new InvalidArgumentError("Give a day, YYYY-MM-DD");
}
