import type { LogHandlers } from "../../proto/generated/fedcredit/v1/Log.ts";
import type { Bank } from "../bank.ts";
import { backupOf, noteBackup } from "./backup.ts";
import { exportLog } from "./export.ts";
import { enterprise, everyone, only } from "./request.ts";
import type { Methods } from "./transport.ts";
import { Witnesses } from "./witnesses.ts";

export function logService(bank: Bank, methods: Methods): LogHandlers {
  const { privacyLog } = bank;
  const witnesses = new Witnesses(bank);
  return {
    GetCheckpoint: methods.unary(everyone, async () => ({ note: (await privacyLog.checkpoint()).note })),
    GetConsistency: methods.unary(everyone, async ({ oldSize, newSize }) => ({
      hashes: (await privacyLog.consistency(oldSize, newSize)).map((hash) => Buffer.from(hash)),
    })),
    GetInclusion: methods.unary(everyone, async ({ index, size }) => {
      const { hashes, entry } = await privacyLog.inclusion(index, size);
      return { hashes: hashes.map((hash) => Buffer.from(hash)), entry: Buffer.from(entry) };
    }),
    Cosign: methods.unary(only("auditor"), async (cosignature) => ({
      note: await witnesses.cosign(cosignature),
    })),
    ReportLedger: methods.unary(enterprise, async ({ note, cosignature }, { id }) => {
      await witnesses.reportLedger(id, note, cosignature);
      return {};
    }),
    Backup: methods.download(only("operator"), async function* () {
      for await (const data of backupOf(bank)) yield { data: Buffer.from(data) };
    }),
    BackedUp: methods.unary(only("operator"), async ({ size, timeMillis }) => {
      await noteBackup(bank, size, timeMillis);
      return {};
    }),
    Export: methods.download(only("operator", "auditor"), async function* ({ withoutSums }) {
      for await (const data of exportLog(bank, !withoutSums)) yield { data: Buffer.from(data) };
    }),
  };
}
