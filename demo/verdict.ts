import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { enterprises } from "./economy.ts";
import { pairwise, run } from "./processes.ts";

export interface Verdict {
  readonly verified: boolean;
  readonly checks: number;
  /** Of all enterprises together. */
  readonly bytesUp: number;
}

/** Exports every ledger, verifies the bank's log and reconciles the two. */
export async function verify(out: string, at: (...parts: string[]) => string): Promise<Verdict> {
  const log = join(out, "log.fcexport");
  const logPolicy = join(out, "log.policy");
  const reports = [JSON.parse(await run("audit", "verify", log, "--policy", logPolicy, "--json"))];
  let bytesUp = 0;
  await pairwise(enterprises, async ({ id }) => {
    const ledger = join(out, `${id}.fcexport`);
    await run("node", "ledger", "--dir", at(id), "--out", ledger);
    reports.push(JSON.parse(await run("audit", "reconcile", log, ledger, "--policy", logPolicy, "--json")));
    bytesUp += await sentBytes(ledger);
  });
  return {
    verified: reports.every(({ verified }) => verified),
    checks: reports.reduce((sum, { checks }) => sum + checks.length, 0),
    bytesUp,
  };
}

/** What a ledger says left the machine, bytes. */
async function sentBytes(ledger: string): Promise<number> {
  const lines = (await readFile(ledger, "utf8")).trimEnd().split("\n");
  return lines
    .map((line) => JSON.parse(line).entry)
    .reduce((sum, entry) => sum + (entry?.type === "egress.sent" ? entry.bytes : 0), 0);
}
