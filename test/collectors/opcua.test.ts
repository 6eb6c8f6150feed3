import { randomBytes } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import {
  type ClientSession,
  DataType,
  DataValue,
  HistoryData,
  StatusCodes,
  Variant,
  VariantArrayType,
} from "node-opcua";
import type { Collector, CollectorContext } from "../../collectors/collector.ts";
import { browseOpcua } from "../../collectors/opcua/browse.ts";
import { type OpcuaConfig, type OpcuaInput, opcuaConfig } from "../../collectors/opcua/config.ts";
import { mostValues, readHistory } from "../../collectors/opcua/history.ts";
import { qualityOf, toReading } from "../../collectors/opcua/values.ts";
import { inOrder, opcuaCollector } from "../../collectors/opcua.ts";
import type { Reading } from "../../collectors/reading.ts";
import { startFaultProxy } from "../../collectors/simulators/fault-proxy.ts";
import { type SimulatedOpcua, startOpcuaServer } from "../../collectors/simulators/opcua-server.ts";
import { systemContext } from "../support/collecting.ts";
import { survivesHostileServers } from "../support/hostile.ts";
import { eventually } from "./compliance/reader.ts";

const variables = ["spindle", "coolant", "load", "flood", "slow"];
let folder: string;
let server: SimulatedOpcua;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "opcua-"));
  server = await startOpcuaServer({
    now: Date.now,
    pki: join(folder, "server"),
    variables,
    users: { press: "tower" },
  });
  await mkdir(join(folder, "client/trusted/certs"), { recursive: true });
  await copyFile(server.certificateFile, join(folder, "client/trusted/certs/server.pem"));
  process.env.OPCUA_RIGHT = "tower";
  process.env.OPCUA_WRONG = "bridge";
});
test.after.always(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

const configured = (rest: Partial<OpcuaInput> = {}, pki = "client"): OpcuaConfig =>
  opcuaConfig.parse({
    endpoint: server.endpoint,
    security: { mode: "SignAndEncrypt", policy: "Basic256Sha256", pki: join(folder, pki) },
    identity: { user: "press", password: { env: "OPCUA_RIGHT" } },
    publishing: "50ms",
    keepAlive: "1s",
    timeout: "10s",
    groups: [{ device: "lathe", nodes: [{ node: "ns=1;s=spindle", metric: "speed", unit: "/min" }] }],
    ...rest,
  });
const context: CollectorContext = { now: Date.now, random: Math.random, log() {} };
const limits = { backoff: { baseMillis: 20, capMillis: 100 } };

/** Runs `body` while the collector fills `readings`. */
async function collecting(
  collector: Collector,
  body: (readings: readonly Reading[]) => Promise<void>,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  await collector.start();
  const done = (async () => {
    for await (const batch of collector) {
      readings.push(...batch.readings);
      batch.stored();
    }
  })();
  try {
    await body(readings);
  } finally {
    await collector.stop();
    await done;
  }
  return readings;
}

/** Starts a collector that must be refused; @returns the error it shows. */
async function refused(config: OpcuaConfig): Promise<string> {
  const collector = opcuaCollector(config, context, limits);
  await collecting(collector, () => eventually(() => collector.health().errors >= 1));
  if (collector.health().readings > 0) throw new Error("readings from a refused server");
  return collector.health().lastError ?? "";
}

test("a server whose certificate is not in the trust list is refused, and kept aside for the operator", async (t) => {
  t.regex(
    await refused(configured({}, "stranger")),
    /server certificate refused \(BadCertificateUntrusted\)/,
  );
  const rejected = await readdir(join(folder, "stranger/rejected"));
  t.is(rejected.length, 1);
  // Trusting it is moving it; no restart of the collector is needed.
  const collector = opcuaCollector(configured({}, "stranger"), context, limits);
  server.set("spindle", 1);
  await collecting(collector, async () => {
    await eventually(() => collector.health().errors >= 1);
    await rename(
      join(folder, "stranger/rejected", rejected[0]!),
      join(folder, "stranger/trusted/certs", rejected[0]!),
    );
    await eventually(() => collector.health().readings >= 1);
  });
  t.is(collector.health().state, "stopped");
});

test("a wrong password, no user, and a policy the server does not offer are refused", async (t) => {
  const wrong = configured({ identity: { user: "press", password: { env: "OPCUA_WRONG" } } });
  t.regex(await refused(wrong), /BadUserAccessDenied|BadIdentityTokenRejected/);
  t.regex(await refused(configured({ identity: "anonymous" })), /anonymous|Identity/i);
  const pki = join(folder, "client");
  const other = configured({ security: { mode: "Sign", policy: "Aes256_Sha256_RsaPss", pki } });
  t.regex(await refused(other), /offers no Sign/);
});

test("each security policy and each kind of identity the schema offers connects", async (t) => {
  const pki = join(folder, "client");
  const certificate = join(pki, "own/certs/client_certificate.pem");
  const key = join(pki, "own/private/private_key.pem");
  server.set("spindle", 1);
  const plain = await startOpcuaServer({ now: Date.now, pki: join(folder, "plain"), variables });
  for (const rest of [
    { security: "none", identity: "anonymous", endpoint: plain.endpoint },
    { security: { mode: "SignAndEncrypt", policy: "Aes128_Sha256_RsaOaep", pki } },
    { security: { mode: "SignAndEncrypt", policy: "Aes256_Sha256_RsaPss", pki } },
    { identity: { certificate, key } },
  ] satisfies Partial<OpcuaInput>[]) {
    const collector = opcuaCollector(configured(rest), context, limits);
    await collecting(collector, (seen) => eventually(() => seen.length >= 1));
    t.is(collector.health().errors, 0, collector.health().lastError);
  }
  await plain.close();
});

test("credentials without security are refused in the configuration", (t) => {
  const result = opcuaConfig.safeParse({
    endpoint: "opc.tcp://h",
    security: "none",
    identity: { user: "u", password: { file: "p" } },
    groups: [{ device: "d", nodes: [{ node: "ns=1;s=a", metric: "m", unit: "1" }] }],
  });
  t.regex(JSON.stringify(result.error?.issues), /in the clear/);
  const minimal = { endpoint: "opc.tcp://h", groups: [] };
  const issues = JSON.stringify(opcuaConfig.safeParse(minimal).error?.issues);
  for (const field of ["security", "identity"]) t.regex(issues, new RegExp(field), `${field} has no default`);
});

test("a subscription that falls silent is built anew after three keep-alives", async (t) => {
  const line = await startFaultProxy(server.port, randomBytes);
  const collector = opcuaCollector(
    configured({ endpoint: `opc.tcp://127.0.0.1:${line.port}`, keepAlive: "100ms", timeout: "20s" }),
    context,
    limits,
  );
  server.set("spindle", 1);
  await collecting(collector, async (readings) => {
    await eventually(() => readings.length === 1);
    line.set("freeze");
    await eventually(() => collector.health().errors >= 1);
    t.regex(collector.health().lastError ?? "", /no keep-alive for \d+ ms/);
    line.set("pass");
    server.set("spindle", 2);
    await eventually(() => readings.at(-1)?.value === 2);
    t.deepEqual(
      readings.map((r) => r.value),
      [1, 2],
    );
  });
  await line.close();
});

test("an outage is filled from the server's history, marked and in order; a restart goes on from the spool", async (t) => {
  const line = await startFaultProxy(server.port, randomBytes);
  const endpoint = `opc.tcp://127.0.0.1:${line.port}`;
  const groups = [{ device: "lathe", nodes: [{ node: "ns=1;s=coolant", metric: "flow", unit: "L/min" }] }];
  const collector = opcuaCollector(configured({ endpoint, groups, history: true }), context, limits);
  server.set("coolant", 0);
  const readings = await collecting(collector, async (seen) => {
    await eventually(() => seen.length === 1);
    line.set("refuse");
    line.cut();
    for (let n = 1; n <= 5; n++) server.set("coolant", n);
    line.set("pass");
    await eventually(() => seen.length === 6);
    server.set("coolant", 6);
    await eventually(() => seen.length === 7);
  });
  t.deepEqual(
    readings.map((r) => [r.value, r.historical]),
    [
      [0, false],
      [1, true],
      [2, true],
      [3, true],
      [4, true],
      [5, false],
      [6, false],
    ],
  );
  t.true(readings.every((r, i) => i === 0 || r.time > readings[i - 1]!.time));
  for (let n = 7; n <= 9; n++) server.set("coolant", n);
  const lastStored = () => readings.at(-1)!.time;
  const next = opcuaCollector(
    configured({ endpoint, groups, history: true }),
    { ...context, lastStored },
    limits,
  );
  const later = await collecting(next, (seen) => eventually(() => seen.length === 3));
  t.deepEqual(
    later.map((r) => r.value),
    [7, 8, 9],
  );
  await line.close();
});

test("values the server had to drop for want of room come from its history", async (t) => {
  const groups = [{ device: "lathe", queue: 3, nodes: [{ node: "ns=1;s=flood", metric: "n", unit: "1" }] }];
  const collector = opcuaCollector(configured({ groups, history: true }), context, limits);
  server.set("flood", 0);
  const readings = await collecting(collector, async (seen) => {
    await eventually(() => seen.length === 1);
    for (let n = 1; n <= 20; n++) server.set("flood", n);
    await eventually(() => seen.at(-1)?.value === 20);
  });
  t.deepEqual(
    readings.map((r) => r.value),
    Array.from({ length: 21 }, (_, i) => i),
  );
});

test("while the reader is behind, values wait at the server and not in memory", async (t) => {
  const groups = [{ device: "lathe", queue: 15, nodes: [{ node: "ns=1;s=slow", metric: "n", unit: "1" }] }];
  const collector = opcuaCollector(configured({ groups, history: true }), context, {
    ...limits,
    queueReadings: 5,
  });
  let n = 0;
  server.set("slow", n++);
  await collector.start();
  await eventually(() => collector.health().state === "running");
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 10; i++) server.set("slow", n++);
    await sleep(60);
  }
  const readings: Reading[] = [];
  for await (const batch of collector) {
    readings.push(...batch.readings);
    batch.stored();
    if (readings.at(-1)?.value === n - 1) break;
  }
  await collector.stop();
  t.deepEqual(
    readings.map((r) => r.value),
    Array.from({ length: n }, (_, i) => i),
  );
  t.true(
    readings.filter((r) => r.historical).length >= 30,
    "the server's queue of 15 overflowed, and its history filled in",
  );
});

test("a deadband hides small changes; a node that does not exist leaves the others alone", async (t) => {
  const collector = opcuaCollector(
    configured({
      groups: [
        {
          device: "lathe",
          deadband: { absolute: 1 },
          nodes: [
            { node: "ns=1;s=missing", metric: "x", unit: "1" },
            { node: "nsu=urn:simulator:opcua;s=load", metric: "load", unit: "%" },
          ],
        },
      ],
    }),
    context,
    limits,
  );
  server.set("load", 10);
  const readings = await collecting(collector, async (seen) => {
    await eventually(() => seen.length === 1);
    for (const value of [10.5, 11.5, 11.9, 13]) server.set("load", value);
    await eventually(() => seen.at(-1)?.value === 13);
  });
  t.deepEqual(
    readings.map((r) => r.value),
    [10, 11.5, 13],
  );
  t.regex(collector.health().lastError ?? "", /missing: BadNodeIdUnknown/);
});

test("browsing lists the variables with nodes as the configuration takes them", async (t) => {
  const found = await browseOpcua(configured(), context);
  t.deepEqual(
    found.filter((n) => n.path.startsWith("Plant/")).map((n) => [n.node, n.path, n.dataType]),
    variables.map((name) => [`nsu=urn:simulator:opcua;s=${name}`, `Plant/${name}`, "Double"]),
  );
});

const node = { device: "d", metric: "m", unit: "1" };
const data = (dataType: DataType, value: unknown, statusCode = StatusCodes.Good) =>
  new DataValue({
    value: new Variant({ dataType, arrayType: VariantArrayType.Scalar, value }),
    statusCode,
    sourceTimestamp: new Date(5),
  });

test("status codes become quality by their severity", (t) => {
  t.is(qualityOf(StatusCodes.Good), "good");
  t.is(qualityOf(StatusCodes.GoodClamped), "good");
  t.is(qualityOf(StatusCodes.UncertainLastUsableValue), "uncertain");
  t.is(qualityOf(StatusCodes.BadSensorFailure), "bad");
  const reading = toReading(node, data(DataType.Double, 3, StatusCodes.BadSensorFailure), 9, false);
  t.like(reading, { value: 3, quality: "bad", status: "BadSensorFailure", time: 5_000, received: 9 });
});

test("values a reading can hold, and those it cannot", (t) => {
  const value = (dataType: DataType, raw: unknown) => toReading(node, data(dataType, raw), 0, false).value;
  t.is(value(DataType.Int64, [0xffff_ffff, 0xffff_fffe]), -2);
  t.is(value(DataType.UInt64, [1, 0]), 2 ** 32);
  t.is(value(DataType.Boolean, true), true);
  t.is(value(DataType.DateTime, new Date(0)), "1970-01-01T00:00:00.000Z");
  t.is(value(DataType.DateTime, new Date(Number.NaN)), null);
  t.like(toReading(node, data(DataType.Double, Number.NaN), 0, false), {
    value: null,
    quality: "bad",
    status: "NaN",
  });
  t.like(toReading(node, data(DataType.ByteString, Buffer.from([1])), 0, false), {
    value: null,
    quality: "bad",
    status: "type ByteString",
  });
});

test("a history without end is left, and one of too many values is taken in part", async (t) => {
  let pages = 0;
  const historyOf = (size: number) => {
    pages = 0;
    const historyRead = async () => {
      const at = ++pages * size;
      const dataValues = Array.from(
        { length: size },
        (_, i) => new DataValue({ sourceTimestamp: new Date(at + i) }),
      );
      const historyData = new HistoryData({ dataValues });
      return {
        results: [{ statusCode: StatusCodes.Good, historyData, continuationPoint: Buffer.from("on") }],
      };
    };
    return readHistory({ historyRead } as unknown as ClientSession, "ns=1;s=press", 1, 9e15);
  };
  await t.throwsAsync(historyOf(0), { message: /does not end/ });
  t.is(pages, 1);
  t.is((await historyOf(10_000)).length, mostValues);
  t.is(pages, mostValues / 10_000);
});

test("a server that publishes on although it was told to hold is left", async (t) => {
  const failures: unknown[] = [];
  const stuck = Promise.withResolvers<void>();
  const link = {
    emit: () => stuck.promise,
    failed: () => {},
    now: () => 0,
    signal: new AbortController().signal,
  };
  const subscription = { setPublishingMode: async () => StatusCodes.Good };
  const item = { device: "press", metric: "n", unit: "1", node: "ns=1;s=n", afterGap: false, history: false };
  const handOn = inOrder(
    link,
    {} as ClientSession,
    subscription,
    (node) => node,
    (error) => failures.push(error),
  );
  const change = { item, value: data(DataType.Double, 1) } as unknown as Parameters<typeof handOn>[0];
  handOn(change);
  await sleep(0);
  for (let i = 0; i < 100_000; i++) handOn(change);
  t.is(failures.length, 0);
  handOn(change);
  t.regex(String(failures[0]), /told to hold/);
  stuck.resolve();
});

test("what a hostile server says ends its connection, not the process", (t) => {
  // HEL is answered by an ACK, and in the same packet a chunk of four gigabytes begins.
  const ack = Buffer.from(`${"41434b461c000000"}${"00000000000001000000010000000000"}00000000`, "hex");
  return survivesHostileServers(t, Buffer.concat([ack, Buffer.from("4f504e46ffffffff", "hex")]), (port) =>
    opcuaCollector(
      opcuaConfig.parse({
        endpoint: `opc.tcp://127.0.0.1:${port}`,
        security: "none",
        identity: "anonymous",
        timeout: "500ms",
        groups: [{ device: "press", nodes: [{ node: "ns=1;s=n", metric: "n", unit: "1" }] }],
      }),
      systemContext(),
    ),
  );
});
