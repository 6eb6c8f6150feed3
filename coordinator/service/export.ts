import { utf8 } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseEntry } from "../../privacy/log/entry.ts";
import { type ExportItem, writeExport } from "../../privacy/log/export.ts";
import type { Bank } from "../bank.ts";
import { attached } from "../store/attachments.ts";

/**
 * The log as `fedcredit audit verify` reads it, up to the newest checkpoint that has the quorum of cosignatures.
 * @param sums - whether certificates and models go with it: without them nobody recomputes a state.
 * @throws Refusal witness_quorum, where none has it
 */
export async function* exportLog(bank: Bank, sums = true): AsyncGenerator<Uint8Array> {
  const underWay = Symbol("export");
  bank.exports.add(underWay);
  try {
    const { size, note } = await checkpointToExport(bank);
    yield* writeExport("log", note, items(bank, size, sums));
  } finally {
    bank.exports.delete(underWay);
  }
}

async function checkpointToExport({ privacyLog, config }: Bank): Promise<{ size: number; note: string }> {
  const { quorum } = config.witnesses;
  const witnessed = await privacyLog.witnessed(quorum);
  if (witnessed !== undefined) return witnessed;
  throw new Refusal(
    "witness_quorum",
    `quorum ${quorum}: no checkpoint of the log has so many cosignatures yet`,
  );
}

/** Every entry, each after what it names by digest and a check needs in full. */
async function* items(bank: Bank, size: number, sums: boolean): AsyncGenerator<ExportItem> {
  const { sql } = bank.database;
  for await (const { entry: bytes } of bank.privacyLog.entries(0, size)) {
    const entry = parseEntry(bytes);
    switch (entry.type) {
      case "roster.changed": {
        const [row] =
          await sql`SELECT note FROM roster WHERE digest = ${entry.roster} AND phase <> 'pending'`;
        yield { type: "roster", note: row!.note as string };
        break;
      }
      case "study.proposed": {
        const [row] = await sql`SELECT manifest FROM study WHERE digest = ${entry.study}`;
        yield { type: "manifest", bytes: utf8(row!.manifest as string) };
        break;
      }
      case "round.opened": {
        const [row] = await sql`SELECT header FROM attempt WHERE round_id = ${entry.roundId}`;
        yield { type: "header", bytes: utf8(row!.header as string) };
        break;
      }
      case "key.epoch": {
        const [row] = await sql`SELECT record FROM key_epoch WHERE digest = ${entry.digest}`;
        yield { type: "epoch", bytes: utf8(row!.record as string) };
        break;
      }
      case "epoch.complaint":
      case "round.rerun":
      case "round.split":
        yield { type: "evidence", bytes: utf8(await attached(sql, entry.evidence)) };
        break;
      case "round.released": {
        if (!sums) break;
        // Gone with a study that was pruned: its entry comes further on.
        const [row] = await sql`SELECT document FROM sum_certificate WHERE digest = ${entry.certificate}`;
        if (row !== undefined) yield { type: "certificate", bytes: utf8(row.document as string) };
        break;
      }
      case "model.published": {
        if (!sums) break;
        const [row] = await sql`SELECT document FROM model WHERE digest = ${entry.model}`;
        if (row !== undefined) yield { type: "model", bytes: utf8(row.document as string) };
        break;
      }
      case "consortium.created":
      case "study.consented":
      case "study.withdrawn":
      case "study.ordered":
      case "study.pruned":
      case "policy.changed":
      case "desensitization.ran":
      case "data.committed":
      case "round.submitted":
      case "round.survivors":
      case "round.unmasked":
      case "round.aborted":
      case "round.lost":
      case "member.expelled":
      case "certificate.issued":
      case "certificate.revoked":
      case "operator.removed":
      case "key.rotated":
      case "privacy.spent":
      case "model.evaluated":
      case "models.ruled":
      case "model.approved":
      case "model.standing":
      case "score.consented":
      case "score.withdrawn":
      case "score.issued":
      case "case.raised":
      case "case.assigned":
      case "case.commented":
      case "case.decided":
      case "ledger.reported":
      case "egress.sent":
      case "log.recovered":
        break;
    }
    yield { type: "entry", bytes };
  }
}
