import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { startFaultProxy } from "../../../collectors/simulators/fault-proxy.ts";
import { sqlConfig } from "../../../collectors/sql/config.ts";
import { sqlCollector } from "../../../collectors/sql.ts";
import { temporaryDirectory } from "../../../simulate/consortium.ts";
import { leftOut } from "../../support/left-out.ts";
import { findMariadb, type SqlServer, startMariadb, startPostgresql } from "../../support/sql-servers.ts";
import type { Adapter } from "./adapter.ts";

const devices = ["till-1", "till-2"] as const;

const adapter = (server: "postgresql" | "mysql", start: () => Promise<SqlServer>): Adapter => ({
  name: `sql ${server}`,
  source: "keeps",
  async open() {
    const database = await start();
    const line = await startFaultProxy(database.port, randomBytes);
    const folder = await temporaryDirectory();
    const id = server === "mysql" ? "BIGINT AUTO_INCREMENT PRIMARY KEY" : "BIGSERIAL PRIMARY KEY";
    await database.run(`CREATE TABLE receipts (id ${id}, till VARCHAR(10), at TIMESTAMP(6), n INT)`);
    const next = new Map<string, number>(devices.map((device) => [device, 0]));
    const dead = new Set<string>();
    process.env.SQL_TEST_PASSWORD = database.password;
    return {
      devices,
      line,
      collector: (context, limits) =>
        sqlCollector(
          sqlConfig.parse({
            server,
            host: "127.0.0.1",
            port: line.port,
            database: database.database,
            user: database.user,
            password: { env: "SQL_TEST_PASSWORD" },
            tls: "none",
            query: "SELECT id, till, at, n FROM receipts",
            cursor: { column: "id", as: "number", overlap: 10 },
            key: "id",
            device: { column: "till" },
            time: { column: "at", zone: "UTC" },
            columns: [{ column: "n", metric: "n", unit: "1" }],
            state: join(folder, "state.db"),
            every: "5ms",
            timeout: "1s",
            batch: 10,
          }),
          context,
          limits,
        ),
      async produce(device, count) {
        if (dead.has(device)) return;
        const first = next.get(device)!;
        next.set(device, first + count);
        const rows = Array.from(
          { length: count },
          (_, i) => `('${device}', CURRENT_TIMESTAMP(6), ${first + i})`,
        );
        await database.run(`INSERT INTO receipts (till, at, n) VALUES ${rows.join(", ")}`);
      },
      kill: (device) => void dead.add(device),
      revive: (device) => void dead.delete(device),
      async close() {
        await line.close();
        await database.close();
        await rm(folder, { recursive: true });
      },
    };
  },
});

const mariadb = findMariadb();
if (mariadb === undefined) leftOut("mariadb: collector compliance over a real MySQL server");

export const sqlAdapters: readonly Adapter[] = [
  adapter("postgresql", startPostgresql),
  ...(mariadb === undefined ? [] : [adapter("mysql", () => startMariadb(mariadb))]),
];
