import { Refusal } from "../../core/reasons.ts";
import type { ListModelsResponse } from "../../proto/generated/fedcredit/v1/ListModelsResponse.ts";
import type { RegistryHandlers } from "../../proto/generated/fedcredit/v1/Registry.ts";
import type { Bank } from "../bank.ts";
import { type RegisteredModel, registeredModels, registryOrders } from "../studies/standing.ts";
import { digestText, operator } from "./request.ts";
import type { Methods } from "./transport.ts";

export const registryService = (bank: Bank, methods: Methods): RegistryHandlers => ({
  List: methods.unary(operator, async () => listOf(bank, await registeredModels(bank.database.sql))),
  Order: methods.unary(operator, async ({ study: wanted, result, order, reason }, { id }) => {
    const study = digestText(wanted);
    const give = registryOrders.get(order);
    if (give === undefined) throw new Refusal("message_malformed", "an order about a model says what to do");
    const ofStudy = (all: readonly RegisteredModel[]) => all.filter((one) => one.study === study);
    const known = ofStudy(await registeredModels(bank.database.sql));
    const [one, another] = known.filter((model) => result === "" || model.result === result);
    if (one === undefined)
      throw new Refusal("not_found", `the study published no model ${result}`.trimEnd(), {
        hint: "fedcredit coordinator registry list says which there are",
      });
    if (another !== undefined)
      throw new Refusal(
        "parameters_invalid",
        `the study has several: ${known.map((m) => m.result).join(", ")}`,
        {
          hint: "say which with --result",
        },
      );
    await give(bank, { model: one.model, result: one.result, reason, by: id });
    return listOf(bank, ofStudy(await registeredModels(bank.database.sql)));
  }),
});

const listOf = ({ config }: Bank, models: readonly RegisteredModel[]): ListModelsResponse => ({
  approvalsNeeded: config.models.approvals,
  models: models.map(({ model, study, standing, ...rest }) => ({
    ...rest,
    model: Buffer.from(model, "hex"),
    study: Buffer.from(study, "hex"),
    standing: standing ?? "",
    approvedBy: [...rest.approvedBy],
  })),
});
