import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { enterprises } from "./economy.ts";
import { pairwise, run } from "./processes.ts";

export interface Verdict {
  readonly verified: boolean;
  readonly checks: number;
  /** Of all enterprises together. */
  readonly bytesUp: number;
  /** Export, policy and ledgers, as a command of the auditor takes them. */
  readonly files: readonly string[];
}

/** Exports every ledger, and verifies the bank's log and reconciles the two: one command does both. */
export async function verify(out: string, at: (...parts: string[]) => string): Promise<Verdict> {
  const log = join(out, "log.fcexport");
  const logPolicy = join(out, "log.policy");
  const ledgers = new Map(enterprises.map(({ id }) => [id, join(out, `${id}.fcexport`)]));
  let bytesUp = 0;
  await pairwise(enterprises, async ({ id }) => {
    const ledger = ledgers.get(id)!;
    await run("node", "ledger", "--dir", at(id), "--out", ledger);
    bytesUp += await sentBytes(ledger);
  });
  const printed = await run("audit", "reconcile", log, ...ledgers.values(), "--policy", logPolicy, "--json");
  const { verified, checks } = JSON.parse(printed);
  const files = [log, "--policy", logPolicy, "--ledger", ...ledgers.values()];
  return { verified, checks: checks.length, bytesUp, files };
}

/** What a ledger says left the machine, bytes. */
async function sentBytes(ledger: string): Promise<number> {
  const lines = (await readFile(ledger, "utf8")).trimEnd().split("\n");
  return lines
    .map((line) => JSON.parse(line).entry)
    .reduce((sum, entry) => sum + (entry?.type === "egress.sent" ? entry.bytes : 0), 0);
}
