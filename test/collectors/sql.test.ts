import { rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import type { z } from "zod";
import { eventually } from "../../bench/cases/within.ts";
import { sqlConfig } from "../../collectors/sql/config.ts";
import { positionsOf } from "../../collectors/sql/position.ts";
import { sqlCollector } from "../../collectors/sql.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { Collected, systemContext } from "../support/collecting.ts";
import { leftOut } from "../support/left-out.ts";
import { findMariadb, type SqlServer, startMariadb, startPostgresql } from "../support/sql-servers.ts";

type SqlInput = z.input<typeof sqlConfig>;

let postgresql: SqlServer;
test.before(async () => {
  postgresql = await startPostgresql();
});
test.after.always(() => postgresql?.close());

process.env.SQL_TEST_PASSWORD = "tower";
const backoff = { baseMillis: 20, capMillis: 100 };
let tables = 0;
const table = (): string => `sales_${tables++}`;

/** A till's table, read by number. */
const input = (name: string, state: string, changes: Partial<SqlInput> = {}): SqlInput => ({
  server: "postgresql",
  host: "127.0.0.1",
  port: postgresql.port,
  database: postgresql.database,
  user: postgresql.user,
  password: { env: "SQL_TEST_PASSWORD" },
  tls: "none",
  query: `SELECT * FROM ${name}`,
  cursor: { column: "id", as: "number" },
  key: "id",
  device: "till",
  time: { column: "at" },
  columns: [{ column: "amount", metric: "sales_amount", unit: "{CNY}" }],
  state,
  every: "10ms",
  timeout: "30s",
  ...changes,
});

async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const collect = async (t: ExecutionContext, given: SqlInput) => {
  const collector = sqlCollector(sqlConfig.parse(given), systemContext(), { backoff });
  return { collector, collected: await Collected.start(t, collector) };
};
const values = (collected: Collected) => collected.readings.map(({ value }) => value);

test.serial("a position and its literal are one, to the microsecond, before and after 1970", (t) => {
  const { of, literal } = positionsOf({
    cursor: { column: "at", as: "time", overlap: 0 },
    time: { column: "at", as: "iso" },
  });
  t.is(literal(of("2026-03-03 12:34:56.123456")!), "'2026-03-03 12:34:56.123456'");
  t.is(of("infinity"), undefined);
  fc.assert(fc.property(fc.bigInt(-(10n ** 15n), 10n ** 16n), (at) => of(literal(at).slice(1, -1)) === at));
  const number = positionsOf({
    cursor: { column: "id", as: "number", overlap: 0 },
    time: { column: "at", as: "iso" },
  });
  t.is(number.of("9223372036854775807"), 9223372036854775807n);
  for (const cell of ["9223372036854775808", "1e3", "1.5", "", null, "1; DROP TABLE x"])
    t.is(number.of(cell), undefined, String(cell));
});

test.serial(
  "a transaction that commits after one with a higher number is not lost, and nothing comes twice",
  async (t) => {
    const folder = await folderOf(t);
    for (const overlap of [1000, 0]) {
      const name = table();
      await postgresql.run(
        `CREATE TABLE ${name} (id BIGSERIAL, at TIMESTAMPTZ DEFAULT now(), amount NUMERIC)`,
      );
      const given = input(name, join(folder, "state"), { cursor: { column: "id", as: "number", overlap } });
      const { collector, collected } = await collect(t, given);
      const late = await postgresql.session();
      await late.run("BEGIN");
      await late.run(`INSERT INTO ${name} (amount) VALUES (1.10)`);
      await postgresql.run(`INSERT INTO ${name} (amount) VALUES (2.20), (2.20)`);
      await eventually(() => collected.readings.length === 2);
      await late.run("COMMIT");
      await late.close();
      await postgresql.run(`INSERT INTO ${name} (amount) VALUES (3.30)`);
      await eventually(() => values(collected).includes(3.3));
      await collector.stop();
      // Without an overlap it is lost: the control.
      t.deepEqual(values(collected), overlap === 0 ? [2.2, 2.2, 3.3] : [2.2, 2.2, 1.1, 3.3]);
      t.is(new Set(collected.readings.map(({ event }) => event)).size, values(collected).length);

      const again = await collect(t, given);
      await postgresql.run(`INSERT INTO ${name} (amount) VALUES (4.40)`);
      await eventually(() => again.collected.readings.length > 0);
      await again.collector.stop();
      t.deepEqual(values(again.collected), [4.4], "it goes on where it stood");
    }
  },
);

test.serial("types: exact decimals, times with and without a zone, truth, what is no number", async (t) => {
  const folder = await folderOf(t);
  const name = table();
  await postgresql.run(
    `CREATE TABLE ${name} (id INT, at TIMESTAMPTZ, wall TIMESTAMP, amount NUMERIC, open BOOL)`,
  );
  await postgresql.run(`SET TIME ZONE 'Asia/Shanghai'`);
  await postgresql.run(`INSERT INTO ${name} VALUES
    (1, '2026-03-03 12:00:00.123456+08', '2026-03-03 12:00:00.000001', 0.10, true),
    (2, '2026-03-03 12:00:01+08', '2026-03-03 12:00:01', 'NaN', NULL),
    (3, 'infinity', 'infinity', 5, false)`);
  const columns = [
    { column: "amount", metric: "sales_amount", unit: "{CNY}" },
    { column: "open", metric: "open", unit: "1", kind: "boolean" as const },
  ];
  const zoned = await collect(t, input(name, join(folder, "a"), { columns }));
  await eventually(() => zoned.collected.readings.length === 5);
  const [amount, open, nan, none, infinite] = zoned.collected.readings;
  t.like(amount, { value: 0.1, quality: "good", time: Date.UTC(2026, 2, 3, 4) * 1000 + 123_456 });
  t.like(open, { value: true, quality: "good" });
  t.like(nan, { value: null, quality: "bad", status: "unreadable" });
  t.like(none, { value: null, quality: "bad", status: "empty" });
  t.true(infinite!.status.startsWith("unreadable"), "set aside at the door, with its key");
  t.is(infinite!.metric, "id 3");
  await zoned.collector.stop();

  const wall = await collect(
    t,
    input(name, join(folder, "b"), { time: { column: "wall", zone: "Asia/Shanghai" } }),
  );
  await eventually(() => wall.collected.readings.length === 3);
  t.is(wall.collected.readings[0]!.time, Date.UTC(2026, 2, 3, 4) * 1000 + 1);
  await wall.collector.stop();

  const zoneless = await collect(t, input(name, join(folder, "c"), { time: { column: "wall" } }));
  await eventually(() => zoneless.collector.health().errors > 0);
  t.regex(zoneless.collector.health().lastError!, /name no zone: set time.zone/);
  await zoneless.collector.stop();
  t.is(zoneless.collected.readings.length, 0, "none is guessed, none is marked as read");
});

test.serial("the session cannot write", async (t) => {
  const folder = await folderOf(t);
  const name = table();
  await postgresql.run(`CREATE TABLE ${name} (id BIGSERIAL, at TIMESTAMPTZ DEFAULT now(), amount NUMERIC)`);
  await postgresql.run(`INSERT INTO ${name} (amount) VALUES (1)`);
  const query = `SELECT nextval('${name}_id_seq') AS id, at, amount FROM ${name}`;
  const { collector } = await collect(t, input(name, join(folder, "state"), { query }));
  await eventually(() => collector.health().errors > 0);
  t.regex(collector.health().lastError!, /read-only transaction/);
});

test.serial("a row with a clock years ahead hides none behind it", async (t) => {
  const folder = await folderOf(t);
  const name = table();
  await postgresql.run(`CREATE TABLE ${name} (id BIGSERIAL, at TIMESTAMPTZ DEFAULT now(), amount NUMERIC)`);
  await postgresql.run(`INSERT INTO ${name} (at, amount) VALUES ('2099-01-01Z', 1)`);
  const given = input(name, join(folder, "state"), { cursor: { column: "at", as: "time", overlap: "1m" } });
  const { collected } = await collect(t, given);
  await eventually(() => collected.readings.length === 1);
  await postgresql.run(`INSERT INTO ${name} (amount) VALUES (2)`);
  await eventually(() => collected.readings.length === 2);
  await postgresql.run(`INSERT INTO ${name} (amount) VALUES (3)`);
  await eventually(() => collected.readings.length === 3);
  t.deepEqual(values(collected), [1, 2, 3]);
});

test.serial("numbers that began anew are said, and a column that is not there is named", async (t) => {
  const folder = await folderOf(t);
  const name = table();
  await postgresql.run(`CREATE TABLE ${name} (id BIGINT, at TIMESTAMPTZ DEFAULT now(), amount NUMERIC)`);
  await postgresql.run(`INSERT INTO ${name} (id, amount) VALUES (1000000, 1)`);
  const { collector, collected } = await collect(t, input(name, join(folder, "state")));
  await eventually(() => collected.readings.length === 1);
  await postgresql.run(`UPDATE ${name} SET id = 1`);
  await eventually(() => collector.health().errors > 0);
  t.regex(collector.health().lastError!, /id went back/);
  const other = await collect(t, input(name, join(folder, "other"), { key: "number" }));
  await eventually(() => other.collector.health().errors > 0);
  t.regex(other.collector.health().lastError!, /no column number; it has id, at, amount/);
});

test.serial("a result of many pages waits for the store, and comes whole", async (t) => {
  const folder = await folderOf(t);
  const name = table();
  await postgresql.run(
    `CREATE TABLE ${name} AS SELECT i AS id, timestamptz '2026-03-03Z' AS at, 0.01 * i AS amount FROM generate_series(1, 20000) i`,
  );
  const collector = sqlCollector(sqlConfig.parse(input(name, join(folder, "state"))), systemContext(), {
    queueReadings: 2000,
    batchReadings: 1000,
  });
  await collector.start();
  const batches = collector[Symbol.asyncIterator]();
  await batches.next();
  let readings = 1000;
  t.true(collector.health().readings <= 1000);
  while (readings < 20_000) {
    const { value } = await batches.next();
    readings += value!.readings.length;
    value!.stored();
  }
  t.is(readings, 20_000);
  await collector.stop();
});

/** What a server may do to a client that believes it. */
const hostile: Readonly<Record<string, (socket: Socket) => void>> = {
  "states a length of 2 GiB and floods": (socket) => {
    // To PostgreSQL's client; to MySQL's, it is an error whose text has no end.
    socket.write(Buffer.from("527fffffff", "hex"));
    const chunk = Buffer.alloc(1 << 20);
    const pour = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on("drain", pour);
    pour();
  },
  "says nothing": () => {},
  "asks for an authentication nobody knows": (socket) =>
    socket.write(Buffer.from("520000000800000063", "hex")),
  "states a length below its own": (socket) => socket.write(Buffer.from("5200000000", "hex")),
  "closes at once": (socket) => socket.destroy(),
};
for (const server of ["postgresql", "mysql"] as const)
  test.serial(`${server}: a hostile server costs bounded memory, and the connection`, async (t) => {
    const folder = await folderOf(t);
    for (const [what, act] of Object.entries(hostile)) {
      const sockets = new Set<Socket>();
      const listening = createServer((socket) => {
        sockets.add(socket.on("error", () => {}));
        socket.once("data", () => {}).resume();
        act(socket);
      });
      await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
      const { port } = listening.address() as AddressInfo;
      const given = input("x", join(folder, what), {
        server,
        port,
        timeout: what.endsWith("floods") ? "10s" : "500ms",
      });
      const before = process.memoryUsage().rss;
      const { collector } = await collect(t, given);
      await eventually(() => collector.health().errors > 0);
      if (what.endsWith("floods") && server === "postgresql")
        t.regex(collector.health().lastError!, /more than 64 MiB/);
      t.true(collector.health().lastError!.length <= 1000, what);
      t.true(process.memoryUsage().rss - before < 400 * 2 ** 20, what);
      await collector.stop();
      t.is(collector.health().readings, 0);
      for (const socket of sockets) socket.destroy();
      listening.close();
    }
  });

const mariadb = findMariadb();
if (mariadb === undefined) leftOut("mariadb: sql collector, types and refusal");
else
  test.serial("mysql: decimals, TIMESTAMP and DATETIME, a wrong password", async (t) => {
    const server = await startMariadb(mariadb);
    t.teardown(() => server.close());
    const folder = await folderOf(t);
    await server.run("SET time_zone = '+08:00'");
    await server.run(
      "CREATE TABLE sales (id BIGINT PRIMARY KEY, at TIMESTAMP(6) NULL, wall DATETIME(6), amount DECIMAL(20, 2))",
    );
    await server.run(`INSERT INTO sales VALUES
      (1, '2026-03-03 12:00:00.123456', '2026-03-03 12:00:00.000001', 0.10),
      (9007199254740993, '2026-03-03 12:00:00', '2026-03-03 12:00:00', 21457.60)`);
    const mysql = { server: "mysql", port: server.port, database: "shop", user: "node" } as const;
    const good = await collect(t, input("sales", join(folder, "a"), mysql));
    await eventually(() => good.collected.readings.length === 2);
    t.like(good.collected.readings[0], { value: 0.1, time: Date.UTC(2026, 2, 3, 4) * 1000 + 123_456 });
    t.like(good.collected.readings[1], { value: 21457.6, event: "#9007199254740993" });
    const wall = { ...mysql, time: { column: "wall", zone: "Asia/Shanghai" } };
    const zoned = await collect(t, input("sales", join(folder, "b"), wall));
    await eventually(() => zoned.collected.readings.length === 2);
    t.is(zoned.collected.readings[0]!.time, Date.UTC(2026, 2, 3, 4) * 1000 + 1);

    process.env.SQL_TEST_WRONG = "not the tower";
    const refused = await collect(
      t,
      input("sales", join(folder, "c"), { ...mysql, password: { env: "SQL_TEST_WRONG" } }),
    );
    await eventually(() => refused.collector.health().state === "refused");
    t.regex(refused.collector.health().lastError!, /refuses this user/);
  });
