import type { WarningsHandlers } from "../../proto/generated/fedcredit/v1/Warnings.ts";
import type { Bank } from "../bank.ts";
import { takeReport, terms, toldWarnings } from "../warnings/reports.ts";
import { enterprise, operator } from "./request.ts";
import type { Methods } from "./transport.ts";

export const warningsService = (bank: Bank, methods: Methods): WarningsHandlers => ({
  GetTerms: methods.unary(enterprise, async () => terms(bank)),
  Report: methods.unary(enterprise, async (report, { id }) => ({
    taken: await takeReport(bank, id, report),
  })),
  List: methods.unary(operator, async ({ enterprise, since, limit }) => ({
    warnings: (
      await toldWarnings(bank, { enterprise: enterprise || undefined, since: since || undefined, limit })
    ).map(({ received, place = "", ...rest }) => ({ ...rest, place, receivedMillis: received })),
  })),
});
