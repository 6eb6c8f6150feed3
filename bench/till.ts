import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import mqtt from "mqtt";
import { type Operations, startOperations } from "../client-node/operations/operations.ts";
import { sitesSchema } from "../client-node/operations/sites.ts";
import type { CollectorHealth } from "../collectors/collector.ts";
import { type CollectorInput, collectorEntries } from "../collectors/config.ts";
import { startBroker } from "../collectors/simulators/mqtt-broker.ts";
import { secureRandom, seededRandom, uniform } from "../core/random.ts";
import { findMariadb, type SqlServer, startMariadb, startPostgresql } from "../test/support/sql-servers.ts";
import { atMost, type Bench, type BenchOptions, type Figure, option } from "./bench.ts";
import { within } from "./cases/within.ts";

/** Receipts a minute: a till that writes minutes and not seconds. */
const perMinute = 1000;
const noon = Date.UTC(2026, 2, 3, 12);

export interface Receipt {
  readonly number: string;
  /** As the till writes it: to the minute. */
  readonly time: string;
  /** Cents. */
  readonly cents: number;
}

/** Receipts of few prices, so that many of one minute are equal in all but their number. */
export function drawReceipts(count: number, seed: string): Receipt[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => ({
    number: `R-${String(i).padStart(7, "0")}`,
    time: new Date(noon - (1 + Math.floor(i / perMinute)) * 60_000).toISOString().slice(0, 16),
    cents: 50 * (1 + Math.floor(40 * uniform(random))) - 1,
  }));
}

const money = ({ cents }: Receipt): string => (cents / 100).toFixed(2);

/** What a way of delivery adds to the node, and how receipts go over it, each twice. */
export interface Way {
  readonly name: string;
  readonly collector: CollectorInput;
  /** @returns readings that the node will hand on. */
  deliverTwice(receipts: readonly Receipt[]): Promise<number>;
  /** Whether all are stored, where that is known better than by counting readings. */
  settled?(receipts: number): boolean;
  close(): Promise<void>;
}

/** A folder that the till exports to: the export again under another name, and within a longer one. */
export async function byFile(folder: string, { numbered }: { numbered: boolean }): Promise<Way> {
  const inbox = join(folder, "inbox");
  await mkdir(inbox);
  const put = async (name: string, receipts: readonly Receipt[]): Promise<void> => {
    const lines = receipts.map(
      (one) => (numbered ? `${one.time},${one.number},` : `${one.time},`) + money(one),
    );
    const header = numbered ? "time,receipt,amount" : "time,amount";
    await writeFile(join(inbox, `${name}.part`), `${header}\n${lines.join("\n")}\n`);
    await rename(join(inbox, `${name}.part`), join(inbox, `${name}.csv`));
  };
  return {
    name: numbered ? "file with receipt numbers" : "file without receipt numbers",
    collector: {
      file: {
        folder: inbox,
        files: "*.csv",
        state: join(folder, "seen.db"),
        format: "csv",
        device: "till",
        time: { column: "time", as: "iso", zone: "UTC" },
        ...(numbered ? { document: "receipt" } : {}),
        columns: [{ column: "amount", metric: "sales_amount", unit: "{CNY}" }],
        every: "10ms",
        settle: "10ms",
      },
    },
    async deliverTwice(receipts) {
      await put("a-part", receipts.slice(0, Math.ceil(receipts.length / 2)));
      await put("b-whole", receipts);
      await put("c-again", receipts);
      // With numbers the order and the file do not matter; without them, a row is known by where it stands.
      if (!numbered) return receipts.length;
      await put("d-turned", receipts.toReversed());
      // One receipt turned round is the same file again.
      return receipts.length === 1 ? 1 : 2 * receipts.length;
    },
    async close() {},
  };
}

/** A broker between till and node: every message is published twice. */
export async function byMqtt(): Promise<Way> {
  const broker = await startBroker();
  return {
    name: `MQTT (${broker.kind})`,
    collector: {
      mqtt: {
        url: `mqtt://127.0.0.1:${broker.port}`,
        protocol: broker.protocol,
        clientId: "node",
        identity: "anonymous",
        topics: [
          {
            topic: "shop/{device}/receipt",
            format: "json",
            time: { path: "at", as: "iso", zone: "UTC" },
            sequence: "receipt",
            fields: [{ path: "amount", metric: "sales_amount", unit: "{CNY}" }],
          },
        ],
      },
    },
    async deliverTwice(receipts) {
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, {
        protocolVersion: broker.protocol === "5" ? 5 : 4,
      });
      for (let from = 0; from < receipts.length; from += 500) {
        const sent = receipts.slice(from, from + 500).flatMap((one) => {
          const text = JSON.stringify({ at: one.time, receipt: one.number, amount: Number(money(one)) });
          return [0, 1].map(() => client.publishAsync("shop/till/receipt", text, { qos: 1 }));
        });
        await Promise.all(sent);
      }
      await client.endAsync();
      return 2 * receipts.length;
    },
    close: () => broker.close(),
  };
}

/** A till's database: each receipt is written twice, as two tills that copy each other's do. */
export async function bySql(
  folder: string,
  server: "postgresql" | "mysql",
  database: SqlServer,
): Promise<Way> {
  const table = `receipts_${randomBytes(4).toString("hex")}`;
  await database.run(
    `CREATE TABLE ${table} (id INT, number VARCHAR(20), at TIMESTAMP NULL, amount DECIMAL(12, 2))`,
  );
  process.env.TILL_DATABASE_PASSWORD = database.password;
  return {
    name: `SQL (${server})`,
    collector: {
      sql: {
        server,
        host: "127.0.0.1",
        port: database.port,
        database: database.database,
        user: database.user,
        password: { env: "TILL_DATABASE_PASSWORD" },
        tls: "none",
        query: `SELECT * FROM ${table}`,
        cursor: { column: "at", as: "time", overlap: "2h" },
        key: "number",
        device: "till",
        time: { column: "at", zone: "UTC" },
        columns: [{ column: "amount", metric: "sales_amount", unit: "{CNY}" }],
        state: join(folder, "sql.db"),
        every: "10ms",
      },
    },
    async deliverTwice(receipts) {
      for (const copy of [0, 1])
        for (let from = 0; from < receipts.length; from += 1000) {
          const rows = receipts
            .slice(from, from + 1000)
            .map(
              (one, i) => `(${from + i}, '${one.number}', '${one.time.replace("T", " ")}:00', ${money(one)})`,
            );
          await database.run(`INSERT INTO ${table} VALUES ${rows.join(", ")}`);
          if (copy === 0 && from === 0) await delay(100);
        }
      // Rows that are alike in all that is read are one, and are handed on once.
      return receipts.length;
    },
    settled(receipts) {
      const state = new DatabaseSync(join(folder, "sql.db"), { readOnly: true });
      const rows = Number(state.prepare("SELECT count(*) AS n FROM row").get()!.n);
      state.close();
      return rows >= receipts;
    },
    close: () => database.run(`DROP TABLE ${table}`),
  };
}

/** @returns what the features say was sold, in cents, and what they should say. */
export async function tillTotal(
  folder: string,
  way: Way,
  receipts: readonly Receipt[],
): Promise<{ seen: number; truth: number; used: number }> {
  const operations = await startTill(folder, way);
  try {
    await within(
      () => `${way.name}: connected`,
      polled(() => operations.collectors()[0]?.health.state === "running"),
    );
    const expected = await way.deliverTwice(receipts);
    await within(
      () => `${way.name}: ${operations.collectors()[0]?.health.readings} of ${expected} readings`,
      polled(() => way.settled?.(receipts.length) ?? operations.collectors()[0]!.health.readings >= expected),
      60 + receipts.length / 100,
    );
    if (receipts.length >= 100_000) await quiet(() => operations.collectors()[0]!.health);
    const { features, quality } = await operations.refresh();
    const days = features.filter(({ window }) => window === "day");
    const seen = days.reduce((sum, { values }) => sum + (values.get("sales_total") ?? 0), 0);
    return {
      seen: Math.round(seen * 100),
      truth: receipts.reduce((sum, { cents }) => sum + cents, 0),
      used: quality.faults.reduce((sum, one) => sum + one.used, 0),
    };
  } finally {
    await operations.stop();
  }
}

/** What is delivered again, by a broker after a break, counts among the readings: the last may yet come. */
async function quiet(health: () => CollectorHealth): Promise<void> {
  for (let before = -1; before !== health().readings || health().state !== "running"; await delay(10_000))
    before = health().readings;
}

const startTill = (folder: string, { collector }: Way): Promise<Operations> =>
  startOperations({
    dataDir: folder,
    collectors: collectorEntries.parse([collector]),
    sites: sitesSchema.parse({
      sites: [{ id: "shop", industry: "restaurant", utcOffsetHours: 0 }],
      devices: [{ id: "till", site: "shop", class: "till" }],
    }),
    spoolBytes: 1e9,
    keepDays: 4000,
    refreshMillis: 3_600_000,
    refreshDays: 2,
    now: () => noon,
    random: secureRandom,
    log() {},
  });

function polled(holds: () => boolean, everyMillis = 20): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!holds()) return;
      clearInterval(timer);
      resolve();
    }, everyMillis);
  });
}

export const options: BenchOptions = {
  "--only <name>": "one way: numbered file, plain file, mqtt, postgresql, mysql (where MariaDB is installed)",
};

/**
 * Receipts of equal instants, each delivered twice: what the features say was sold is right to the cent.
 */
export const bench: Bench = async (args, progress) => {
  const figures: Figure[] = [];
  const only = option(args, "--only", "");
  const postgresql = await startPostgresql();
  const mariadb = findMariadb();
  const mysql = mariadb === undefined ? undefined : await startMariadb(mariadb);
  const ways: Readonly<Record<string, (folder: string) => Promise<Way>>> = {
    "numbered file": byNumberedFile,
    "plain file": byPlainFile,
    mqtt: byMqtt,
    postgresql: (folder) => bySql(folder, "postgresql", postgresql),
    ...(mysql === undefined ? {} : { mysql: (folder: string) => bySql(folder, "mysql", mysql) }),
  };
  try {
    for (const count of [1, 1_000, 100_000]) {
      const receipts = drawReceipts(count, `till ${count}`);
      for (const [key, open] of Object.entries(ways)) {
        if (!key.includes(only)) continue;
        const folder = await mkdtemp(join(tmpdir(), "fedcredit-till-"));
        const way = await open(folder);
        try {
          progress(`${count} receipts, ${way.name}`);
          const { seen, truth, used } = await tillTotal(folder, way, receipts);
          const name = `${count} receipts, ${way.name}`;
          figures.push(atMost(`${name}: error of the total`, Math.abs(seen - truth), "cents", 0));
          figures.push(atMost(`${name}: receipts lost or doubled`, Math.abs(used - count), "receipts", 0));
        } finally {
          await way.close();
          await rm(folder, { recursive: true });
        }
      }
    }
  } finally {
    await postgresql.close();
    await mysql?.close();
  }
  return { bench: "till", runs: 1, figures };
};

const byNumberedFile = (folder: string): Promise<Way> => byFile(folder, { numbered: true });
const byPlainFile = (folder: string): Promise<Way> => byFile(folder, { numbered: false });
