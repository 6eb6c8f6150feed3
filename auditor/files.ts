/** The files that the auditor's offline commands are given. */
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { Refusal } from "../core/reasons.ts";
import { type LogPolicy, parsePolicy } from "../privacy/log/policy.ts";
import type { ExportSource } from "../privacy/log/reconcile.ts";

export const policyOption = [
  "--policy <file>",
  "log key, witness keys and quorum, C2SP tlog-policy",
] as const;

export const ledgerOption = [
  "--ledger <file...>",
  "ledgers that enterprises exported: each is compared with the log",
] as const;

/** @throws Refusal file_missing and what a policy refuses */
export async function readPolicy(path: string): Promise<LogPolicy> {
  await requireFile(path);
  return parsePolicy(await readFile(path, "utf8"));
}

/** @throws Refusal file_missing */
export async function sourceOf(path: string): Promise<ExportSource> {
  await requireFile(path);
  return () => createReadStream(path) as AsyncIterable<Uint8Array>;
}

/** @throws Refusal file_missing */
export async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new Refusal("file_missing", `${path}: ${cause.code === "ENOENT" ? "no such file" : cause.message}`);
  });
  if (!found.isFile()) throw new Refusal("file_missing", `${path}: not a file`);
}
