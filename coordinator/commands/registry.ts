/** Which published models the bank uses: `registry list` and its orders. */
import { Command } from "commander";
import { print } from "../../core/terminal.ts";
import type { ListModelsResponse__Output } from "../../proto/generated/fedcredit/v1/ListModelsResponse.ts";
import { asOperator, type OperatorFlags, operatorCommand } from "./connection.ts";
import { studyArgument } from "./study-life.ts";

const config = "--config bank/coordinator.yaml";

export const registryCommand = (): Command =>
  new Command("registry")
    .description("which published models are used: approved, champion, challenger, retired")
    .addHelpText(
      "after",
      `\nmodels.approvals in coordinator.yaml says how many different people have to approve a model first.\n\nExample:\n  fedcredit coordinator registry list ${config}`,
    )
    .addCommand(listCommand())
    .addCommand(orderCommand("approve", "say that a model may be used; each person once"))
    .addCommand(
      orderCommand(
        "promote",
        "make a model the champion of its purpose; the one before becomes its challenger",
      ),
    )
    .addCommand(orderCommand("challenge", "run a model beside the champion"))
    .addCommand(orderCommand("retire", "use a model no more; it can be promoted again"))
    .addCommand(orderCommand("roll-back", "bring back the champion before this one, which is retired"));

const listCommand = (): Command =>
  operatorCommand("list", "published models that score, the newest first", `registry list ${config}`).action(
    (flags: OperatorFlags) => asOperator(flags, async (operator) => show(await operator.models(), flags)),
  );

const orderCommand = (order: string, description: string): Command =>
  operatorCommand(
    order,
    `${description}; in the log, with the reason`,
    `registry ${order} sme-default-90 --reason "holds on the last quarter" ${config}`,
  )
    .argument(...studyArgument)
    .option("--result <name>", "which of the study's models; the only one by default", "")
    .requiredOption("--reason <text>", "one line, for the log")
    .action((wanted: string, flags: OperatorFlags & { readonly result: string; readonly reason: string }) =>
      asOperator(flags, async (operator) => {
        const { study } = await operator.find(wanted);
        const { result, reason } = flags;
        show(await operator.orderModel({ study, result, order, reason }), flags);
      }),
    );

function show({ models, approvalsNeeded }: ListModelsResponse__Output, { json }: OperatorFlags): void {
  const said = models.map(({ model, study, ...rest }) => ({
    model: model.toString("hex"),
    study: study.toString("hex"),
    ...rest,
  }));
  if (json) {
    print(JSON.stringify({ models: said, approvalsNeeded }));
    return;
  }
  for (const { model, name, result, standing, approvedBy } of said)
    print(
      `${name}: ${result}  ${standing || "published"}  approved by ${approvedBy.join(", ") || "nobody"}, ${approvalsNeeded} needed  ${model.slice(0, 12)}`,
    );
}
