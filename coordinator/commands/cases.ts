/** What enterprises say of themselves, and the bank's cases: `statement list`, `case list`, `case show` and its orders. */
import { Command, InvalidArgumentError } from "commander";
import { shortDigest } from "../../core/ids.ts";
import { print } from "../../core/terminal.ts";
import type { ScoreStatement } from "../../privacy/log/score-statement.ts";
import { saidIn } from "../../privacy/log/score-statement.ts";
import type { Case__Output } from "../../proto/generated/fedcredit/v1/Case.ts";
import type { CaseOrder } from "../../proto/generated/fedcredit/v1/CaseOrder.ts";
import { asOperator, type OperatorFlags, operatorCommand, requireEnterprise } from "./connection.ts";

const config = "--config bank/coordinator.yaml";

export const caseCommands = (): Command[] => [
  new Command("statement")
    .description("what enterprises say of their own scores")
    .addHelpText("after", `\nExample:\n  fedcredit coordinator statement list ${config}`)
    .addCommand(statementsCommand()),
  new Command("case")
    .description("changes of grade, warnings and shifted models, and what is decided about limits")
    .addHelpText(
      "after",
      `\nThey are raised by the policy that coordinator.yaml names under cases.\n\nExample:\n  fedcredit coordinator case list ${config}`,
    )
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(orderCommand("assign", "say whose case it is", "maria", "<user>", (assign) => ({ assign })))
    .addCommand(
      orderCommand("comment", "write something into it", '"called the mill"', "<text>", (comment) => ({
        comment,
      })),
    )
    .addCommand(decideCommand()),
];

const statementsCommand = (): Command =>
  operatorCommand("list", "score statements, the newest first", `statement list mill ${config}`)
    .argument("[enterprise]", "whose; everybody's without it")
    .action((enterprise: string | undefined, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => {
        const taken = await operator.statements(enterprise);
        if (taken.length === 0) await requireEnterprise(operator, enterprise);
        const said = taken.map(({ note, entry }) => ({ entry, ...saidIn(note), note }));
        if (flags.json) print(JSON.stringify(said));
        else for (const one of said) print(statementLine(one));
      }),
    );

const statementLine = (one: ScoreStatement & { readonly entry: number }): string =>
  `${one.enterprise}  ${one.from} until ${one.until}  ${one.grade}  ${one.probability.toFixed(4)}  ${one.reasons.join(", ") || "no reasons"}  (log entry ${one.entry})`;

const listCommand = (): Command =>
  operatorCommand("list", "cases, open ones first", `case list ${config}`).action((flags: OperatorFlags) =>
    asOperator(flags, async (operator) => {
      const all = await operator.cases();
      if (flags.json) print(JSON.stringify(all));
      else for (const one of all) print(caseLine(one));
    }),
  );

const caseLine = ({
  number,
  enterprise,
  model,
  cause,
  suggestion,
  assignedTo,
  decision,
}: Case__Output): string =>
  `${number}  ${model === "" ? enterprise : `model ${shortDigest(model)}`}  ${cause}  suggested ${suggestion}  ${decision === "" ? `open, ${assignedTo === "" ? "nobody's" : `${assignedTo}'s`}` : `decided ${decision}`}`;

const showCommand = (): Command =>
  operatorCommand("show", "a case and what happened in it", `case show 1 ${config}`)
    .argument("<number>", "of the case", caseNumber)
    .action((number: number, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => show(await operator.case(number), flags)),
    );

function show(one: Case__Output, { json }: OperatorFlags): void {
  if (json) {
    print(JSON.stringify(one));
    return;
  }
  print(caseLine(one));
  for (const { atMillis, what, by, said, step, entry } of one.events) {
    const told = [step, said].filter((text) => text !== "").join(": ");
    print(
      `  ${new Date(atMillis).toISOString()}  ${what}${by === "" ? "" : ` by ${by}`}  ${told}  (log entry ${entry})`,
    );
  }
}

const orderCommand = (
  name: "assign" | "comment",
  description: string,
  example: string,
  argument: string,
  order: (text: string) => Pick<CaseOrder, "assign" | "comment">,
): Command =>
  operatorCommand(name, description, `case ${name} 1 ${example} ${config}`)
    .argument("<number>", "of the case", caseNumber)
    .argument(argument, name === "assign" ? "of the console, an operator or credit officer" : "one line")
    .action((number: number, text: string, flags: OperatorFlags) =>
      asOperator(flags, async (operator) => show(await operator.orderCase(number, order(text)), flags)),
    );

const decideCommand = (): Command =>
  operatorCommand(
    "decide",
    "decide about the limit, for good",
    `case decide 1 hold --reason "paid up" ${config}`,
  )
    .argument("<number>", "of the case", caseNumber)
    .argument("<decision>", "increase, hold, review or reduce")
    .option("--reason <text>", "one line; needed where it is not what was suggested", "")
    .action((number: number, decision: string, flags: OperatorFlags & { readonly reason: string }) =>
      asOperator(flags, async (operator) =>
        show(await operator.orderCase(number, { decide: { decision, reason: flags.reason } }), flags),
      ),
    );

function caseNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give the number of a case: fedcredit coordinator case list");
}
