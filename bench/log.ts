import { rm } from "node:fs/promises";
import { openDatabase } from "../coordinator/store/database.ts";
import { LogStore, type NewEntry } from "../coordinator/store/log.ts";
import { digestOf } from "../core/canonical.ts";
import { knownSigner } from "../privacy/log/note.ts";
import { verifyExport } from "../privacy/log/verify.ts";
import { silent, temporaryDirectory } from "../simulate/consortium.ts";
import { bank, type LogBuilder, policy, sampleLog } from "../test/support/log.ts";
import { atLeast, atMost, type Bench, type BenchOptions, noted, option } from "./bench.ts";

/** Entries that are appended together: a round's submissions. */
const together = 100;
const appendSeconds = 10;

/** The nth of many days that enterprises commit to; it carries no signature of its own. */
const committed = (nth: number): NewEntry => ({
  type: "data.committed",
  enterprise: "cold-chain",
  day: "2026-03-02",
  root: digestOf(String(nth)),
  segments: 2,
  readings: nth,
});

export const options: BenchOptions = {
  "--entries <n>": "of the log (1000000)",
};

/**
 * A long log: how long an export takes to be verified offline, and how fast entries are appended to an embedded
 * PostgreSQL, each transaction durable before the next begins. Signatures are the sample log's only: each one more
 * costs what the figure says.
 */
export const bench: Bench = async (args, progress) => {
  const entries = Number(option(args, "--entries", "1000000"));
  const log: LogBuilder = sampleLog();
  const time = 1_790_000_100_000;
  for (let i = log.range.size; i < entries; i++) log.append({ ...committed(i), time });
  const bytes = await log.export();
  progress(`${entries} entries, ${(bytes.length / 1e6).toFixed(0)} MB`);
  const begun = performance.now();
  const checks = await verifyExport([bytes], policy);
  const verifySeconds = (performance.now() - begun) / 1000;
  const failed = checks.find(({ ok }) => !ok);
  if (failed !== undefined) throw new Error(`${failed.check}: ${failed.detail}`);

  const dataDir = await temporaryDirectory();
  const database = await openDatabase({ database: "embedded", dataDir, log: silent });
  let appended = 0;
  try {
    const store = new LogStore(database, [knownSigner(bank.name, bank.signingSeed)], Date.now);
    const end = performance.now() + appendSeconds * 1000;
    while (performance.now() < end) {
      const some = Array.from({ length: together }, (_, i) => committed(appended + i));
      await database.transaction((sql) => store.append(sql, some));
      appended += together;
    }
  } finally {
    await database.close();
    await rm(dataDir, { recursive: true, force: true });
  }
  return {
    bench: "log",
    runs: 1,
    figures: [
      noted("entries verified", log.range.size, "entries"),
      atMost("an export verified offline", Math.round(verifySeconds * 10) / 10, "s", 20),
      atLeast(
        `appended, ${together} a transaction, durable`,
        Math.round(appended / appendSeconds),
        "entries/s",
        3000,
      ),
    ],
  };
};
