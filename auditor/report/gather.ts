/** Gathers a report: the log verified once, each ledger compared with it. */
import { createHash } from "node:crypto";
import { toBase64 } from "../../core/bytes.ts";
import { orUndefined, Refusal } from "../../core/reasons.ts";
import { studyArithmetic } from "../../models/recompute.ts";
import { openCheckpoint } from "../../privacy/log/checkpoint.ts";
import { witnessName } from "../../privacy/log/cosignature.ts";
import { canonicalEntry } from "../../privacy/log/entry.ts";
import { readExport } from "../../privacy/log/export.ts";
import type { LogPolicy } from "../../privacy/log/policy.ts";
import { type ExportSource, reconcileAll } from "../../privacy/log/reconcile.ts";
import { verifyExport } from "../../privacy/log/verify.ts";
import { followingPolicy, type Succession } from "../../privacy/succession.ts";
import { Account, type Period } from "./account.ts";
import type { Report } from "./document.ts";
import { findingsOf } from "./findings.ts";
import { LedgerAccount } from "./ledger.ts";

/**
 * @param made - Unix milliseconds.
 * @throws Refusal file_malformed, where the export has no checkpoint; not_found, where a ledger is no member's. What
 *   does not verify is a finding.
 */
export async function reportOf(
  bank: ExportSource,
  ledgerSources: readonly ExportSource[],
  policy: LogPolicy,
  period: Period,
  made: number,
): Promise<Report> {
  const account = new Account(period);
  const hash = createHash("sha256");
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bank()) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const checks = await verifyExport(hashed(), policy, {
    arithmetic: studyArithmetic,
    onEntry: (entry, index, facts) => account.take(entry, index, facts),
  });
  const ledgers: LedgerAccount[] = [];
  const compared = await reconcileAll(bank, ledgerSources, policy, studyArithmetic);
  for (const [i, { id, checks: found }] of compared.entries()) {
    const ledger = new LedgerAccount(id, found, period);
    const { records } = await readExport(ledgerSources[i]!());
    for await (const record of records) {
      if (record.type !== "entry") continue;
      const entry = orUndefined(() => canonicalEntry(record.bytes, record.value));
      if (entry !== undefined) ledger.take(entry, record.index);
    }
    ledgers.push(ledger);
  }
  return {
    account,
    checks,
    ledgers,
    findings: findingsOf(account, checks, ledgers),
    exportDigest: hash.digest("hex"),
    log: await checkpointOf(bank, policy, account.successions),
    made,
  };
}

async function checkpointOf(
  bank: ExportSource,
  policy: LogPolicy,
  successions: readonly Succession[],
): Promise<Report["log"]> {
  const { log, witnesses } = followingPolicy(policy, successions);
  const { records } = await readExport(bank());
  const first = await records.next();
  if (first.done || first.value.type !== "checkpoint")
    throw new Refusal("file_malformed", "the export has no checkpoint before its entries");
  const { note } = first.value;
  // What does not open is a failed check already, and a report of a bad log is wanted most.
  const opened = orUndefined(() => openCheckpoint(note, log, witnesses));
  return {
    origin: log.name,
    size: opened?.checkpoint.size ?? 0,
    root: opened === undefined ? "" : toBase64(opened.checkpoint.root),
    cosignedBy: opened?.cosigned.map(({ witness }) => witnessName(witness)) ?? [],
  };
}
