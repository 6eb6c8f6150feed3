/** What the bank's own monitoring sees: rounds, connections, room. No figure of an enterprise's data. */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Gauge } from "prom-client";
import { freeBytes } from "../../core/monitor.ts";
import type { Bank } from "../bank.ts";
import type { Participants } from "../rounds/participants.ts";
import { shifted } from "../studies/stability.ts";
import { lastBackup } from "./backup.ts";

const dayMillis = 86_400_000;

/** Adds what is looked up whenever somebody asks. */
export function addGauges(bank: Bank, participants: Participants): void {
  const { config, clock, database, privacyLog } = bank;
  const { registry } = bank.meters;
  /** What cannot be told is left out, and the rest is shown. */
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    look: () => Promise<readonly (readonly [labels: Partial<Record<Label, string>>, value: number])[]>,
  ): void => {
    new Gauge({
      name: `fedcredit_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      async collect() {
        this.reset();
        const values = await look().catch(() => []);
        for (const [labels, value] of values) this.set(labels, value);
      },
    });
  };
  gauge("connected_enterprises", "enterprises with a connection", [], async () => [
    [{}, participants.present().length],
  ]);
  gauge("database_up", "whether the database answers", [], async () => [
    [
      {},
      await database.sql`SELECT 1`.then(
        () => 1,
        () => 0,
      ),
    ],
  ]);
  gauge("attempts", "attempts of rounds, by how they stand", ["phase"], async () => {
    const rows = await database.sql`SELECT phase, count(*)::int AS count FROM attempt GROUP BY phase`;
    return rows.map(({ phase, count }) => [{ phase }, count] as const);
  });
  gauge("studies", "studies, by how they stand", ["phase"], async () => {
    const rows = await database.sql`SELECT phase, count(*)::int AS count FROM study GROUP BY phase`;
    return rows.map(({ phase, count }) => [{ phase }, count] as const);
  });
  gauge("study_round", "the round that a running study is at", ["study"], async () => {
    const rows = await database.sql`SELECT name, round FROM study WHERE phase = 'running'`;
    return rows.map(({ name, round }) => [{ study: name }, round] as const);
  });
  gauge(
    "study_cohort",
    "enterprises in the cohort of a running study's last attempt",
    ["study"],
    async () => {
      const rows = await database.sql`
      SELECT name, jsonb_array_length(header::jsonb -> 'cohort') AS cohort FROM study
        JOIN attempt ON attempt.study = study.digest AND attempt.round = study.round AND attempt.attempt = study.attempt
      WHERE study.phase = 'running'`;
      return rows.map(({ name, cohort }) => [{ study: name }, cohort] as const);
    },
  );
  gauge("log_entries", "entries of the privacy log", [], async () => [
    [{}, (await privacyLog.checkpoint()).size],
  ]);
  gauge(
    "log_witnessed_entries",
    "entries up to the last checkpoint with the quorum of cosignatures",
    [],
    async () => [[{}, (await privacyLog.witnessed(config.witnesses.quorum))?.size ?? 0]],
  );
  gauge("backup_age_seconds", "since the last backup that was read back was begun", [], async () => {
    const begun = await lastBackup(bank);
    return begun === undefined ? [] : [[{}, (clock.now() - begun) / 1000]];
  });
  gauge(
    "stability_breaches",
    "scores and columns beyond the bank's thresholds, in each purpose's last study with drift",
    ["stability"],
    async () => {
      const found = await shifted(bank);
      return (["watch", "shifted"] as const).map(
        (stability) => [{ stability }, found.filter((one) => one.stability === stability).length] as const,
      );
    },
  );
  gauge("disk_free_bytes", "room where a folder is", ["folder"], async () => [
    [{ folder: "blobs" }, await freeBytes(config.blobs)],
    [{ folder: "dataDir" }, await freeBytes(config.dataDir)],
  ]);
  gauge("certificate_days_left", "until a certificate ends", ["certificate"], async () =>
    Promise.all(
      (["operator", "ca"] as const).map(async (certificate) => {
        const { validToDate } = new X509Certificate(await readFile(join(config.keys, `${certificate}.pem`)));
        return [{ certificate }, (+validToDate - clock.now()) / dayMillis] as const;
      }),
    ),
  );
}

/** @returns what keeps the coordinator from its work. */
export async function troublesOf(bank: Bank, isDraining: () => boolean): Promise<string[]> {
  const database = await bank.database.sql`SELECT 1`.then(
    () => [],
    () => ["the database does not answer"],
  );
  return isDraining() ? [...database, "it shuts down"] : database;
}
