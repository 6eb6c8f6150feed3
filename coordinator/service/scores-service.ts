import { Refusal } from "../../core/reasons.ts";
import type { Case } from "../../proto/generated/fedcredit/v1/Case.ts";
import type { CaseOrder__Output } from "../../proto/generated/fedcredit/v1/CaseOrder.ts";
import type { ScoresHandlers } from "../../proto/generated/fedcredit/v1/Scores.ts";
import type { Bank } from "../bank.ts";
import { assign, type CaseView, caseOf, cases, comment, decide } from "../cases/cases.ts";
import { agreeToScores, statementsOf, takeStatement, withdrawScores } from "../cases/scores.ts";
import { digestText, enterprise, operator } from "./request.ts";
import type { Methods } from "./transport.ts";

export const scoresService = (bank: Bank, methods: Methods): ScoresHandlers => ({
  Agree: methods.unary(enterprise, async ({ study, expiresMillis, note }, { id }) => {
    await agreeToScores(bank, id, { study: digestText(study), expiresMillis, note });
    return {};
  }),
  Withdraw: methods.unary(enterprise, async ({ study }, { id }) => {
    await withdrawScores(bank, id, digestText(study));
    return {};
  }),
  State: methods.unary(enterprise, async ({ note }, { id }) => ({
    note,
    entry: await takeStatement(bank, id, note),
  })),
  ListStatements: methods.unary(operator, async ({ enterprise: wanted }) => ({
    statements: await statementsOf(bank, wanted === "" ? undefined : wanted),
  })),
  ListCases: methods.unary(operator, async () => ({
    cases: (await cases(bank.database.sql)).map(caseMessage),
  })),
  GetCase: methods.unary(operator, ({ number }) => whole(bank, number)),
  OrderCase: methods.unary(operator, async (order, { id }) => {
    await give(bank, order, id);
    return whole(bank, order.number);
  }),
});

/** @throws Refusal message_malformed, and those of the order */
async function give(
  bank: Bank,
  { number, order, assign: to, comment: text, decide: decision }: CaseOrder__Output,
  by: string,
): Promise<void> {
  if (order === "assign") await assign(bank, number, by, to!);
  else if (order === "comment") await comment(bank, number, by, text!);
  else if (order === "decide") await decide(bank, number, by, decision!);
  else throw new Refusal("message_malformed", "an order of a case says what to do");
}

async function whole(bank: Bank, number: number): Promise<Case> {
  const { view, events } = await caseOf(bank.database.sql, number);
  return { ...caseMessage(view), events };
}

const caseMessage = ({
  enterprise: about,
  model,
  study: _,
  assignedTo,
  decision,
  decidedMillis,
  ...rest
}: CaseView): Case => ({
  ...rest,
  enterprise: about ?? "",
  model: model ?? "",
  assignedTo: assignedTo ?? "",
  decision: decision ?? "",
  decidedMillis: decidedMillis ?? 0,
});
