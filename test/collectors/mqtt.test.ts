import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import mqtt from "mqtt";
import type { z } from "zod";
import { within } from "../../bench/cases/within.ts";
import type { Batch, Collector } from "../../collectors/collector.ts";
import { mqttConfig } from "../../collectors/mqtt/config.ts";
import { mqttCollector } from "../../collectors/mqtt.ts";
import { startFaultProxy } from "../../collectors/simulators/fault-proxy.ts";
import {
  findMosquitto,
  startAedes,
  startBroker,
  startMosquitto,
} from "../../collectors/simulators/mqtt-broker.ts";
import { leftOut } from "../support/left-out.ts";
import { writeServerCertificate } from "../support/tls.ts";
import { eventually } from "./compliance/reader.ts";

type MqttInput = z.input<typeof mqttConfig>;

const topics: MqttInput["topics"] = [
  { topic: "plant/{device}/state", format: "json", fields: [{ path: "n", metric: "n", unit: "1" }] },
];

const collect = (port: number, rest: Partial<MqttInput> = {}, queueReadings = 1_000): Collector =>
  mqttCollector(
    mqttConfig.parse({
      url: `mqtt://127.0.0.1:${port}`,
      protocol: "3.1.1",
      clientId: "node",
      identity: "anonymous",
      topics,
      ...rest,
    }),
    { now: Date.now, random: Math.random, log() {} },
    { queueReadings, backoff: { baseMillis: 20, capMillis: 100 } },
  );

async function running(collector: Collector): Promise<Collector> {
  await collector.start();
  await eventually(() => collector.health().state === "running");
  return collector;
}

/** Takes batches until `count` readings are there; none is receipted. */
async function take(collector: Collector, count: number): Promise<{ values: unknown[]; batches: Batch[] }> {
  const batches: Batch[] = [];
  const values: unknown[] = [];
  const taken = (async () => {
    for await (const batch of collector) {
      batches.push(batch);
      values.push(...batch.readings.map((r) => r.value));
      if (values.length >= count) break;
    }
  })();
  await within(() => `${count} values (${values} came; ${collector.health().lastError})`, taken);
  return { values, batches };
}

const publisherTo = async (port: number) => {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
  return {
    send: (n: number, qos: 0 | 1 = 1) =>
      client.publishAsync("plant/press/state", JSON.stringify({ n }), { qos }),
    raw: (topic: string, payload: string) => client.publishAsync(topic, payload, { qos: 1 }),
    close: () => client.endAsync(true),
  };
};

test("a message is acknowledged when it is stored, not when it is received", async (t) => {
  const broker = await startAedes();
  const publisher = await publisherTo(broker.port);
  const collector = await running(collect(broker.port));
  for (const n of [1, 2, 3]) await publisher.send(n);
  const { values, batches } = await take(collector, 3);
  t.deepEqual(values, [1, 2, 3]);
  await publisher.send(4);
  const later = await take(collector, 1);
  t.is(broker.acknowledgedBy?.("node"), 0);
  for (const batch of batches) batch.stored();
  await eventually(() => broker.acknowledgedBy!("node") >= 3);
  t.is(broker.acknowledgedBy?.("node"), 3);
  for (const batch of later.batches) batch.stored();
  await collector.stop();
  t.is(broker.acknowledgedBy?.("node"), 4);
  await publisher.close();
  await broker.close();
});

test("what was received but not stored when the process ended comes again at the next start", async (t) => {
  const broker = await startBroker();
  const line = await startFaultProxy(broker.port, randomBytes);
  const publisher = await publisherTo(broker.port);
  const crashed = await running(collect(line.port));
  for (const n of [1, 2, 3]) await publisher.send(n);
  const { batches } = await take(crashed, 1);
  t.true(batches.length > 0);
  line.set("refuse");
  line.cut();
  const next = await running(collect(broker.port));
  const again = await take(next, 3);
  t.deepEqual(again.values, [1, 2, 3]);
  for (const batch of again.batches) batch.stored();
  await Promise.all([crashed.stop(), next.stop()]);
  await publisher.close();
  await line.close();
  await broker.close();
});

test("what the broker repeats after a broken line is recognised, and acknowledged once the first copy is stored", async (t) => {
  const broker = await startAedes();
  const line = await startFaultProxy(broker.port, randomBytes);
  const publisher = await publisherTo(broker.port);
  const collector = await running(collect(line.port));
  for (const n of [1, 2, 3]) await publisher.send(n);
  const first = await take(collector, 3);
  line.cut();
  await eventually(() => collector.health().reconnects === 1);
  for (const n of [3, 4]) await publisher.send(n);
  const rest = take(collector, 2);
  for (const batch of first.batches) batch.stored();
  const second = await rest;
  t.deepEqual(second.values, [3, 4], "an equal message that is new is handed on");
  for (const batch of second.batches) batch.stored();
  await eventually(() => broker.acknowledgedBy!("node") >= 5);
  await collector.stop();
  t.is(collector.health().readings, 5);
  await publisher.close();
  await line.close();
  await broker.close();
});

test("a message that cannot be read is counted and does not come back for ever", async (t) => {
  const broker = await startAedes();
  const publisher = await publisherTo(broker.port);
  const collector = await running(collect(broker.port));
  await publisher.raw("plant/press/state", "{ not json");
  await publisher.send(1);
  const { values, batches } = await take(collector, 2);
  // What cannot be read goes on as such, to be set aside.
  t.deepEqual(values, ["{ not json", 1]);
  t.is(collector.health().errors, 1);
  t.regex(collector.health().lastError ?? "", /not JSON/);
  for (const batch of batches) batch.stored();
  await eventually(() => broker.acknowledgedBy!("node") === 2);
  await collector.stop();
  await publisher.close();
  await broker.close();
});

test("a message beyond every size is set aside by its beginning", async (t) => {
  const broker = await startAedes();
  const publisher = await publisherTo(broker.port);
  const collector = await running(collect(broker.port));
  await publisher.raw("plant/press/state", JSON.stringify({ n: 7, more: "x".repeat(4 * 2 ** 20) }));
  await publisher.send(1);
  const { values, batches } = await take(collector, 2);
  t.is(String(values[0]).length, 2_000);
  t.is(values[1], 1);
  t.regex(collector.health().lastError ?? "", /where a message has at most 4194304/);
  for (const batch of batches) batch.stored();
  await collector.stop();
  await publisher.close();
  await broker.close();
});

test("a broker that never answers a subscription is left, and holds nobody up who stops", async (t) => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    // CONNACK and PINGRESP, and to a SUBSCRIBE not a word.
    socket.on("data", ([type]) => {
      if (type === 0x10) socket.write(Buffer.from([0x20, 2, 0, 0]));
      if (type === 0xc0) socket.write(Buffer.from([0xd0, 0]));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const impatient = collect(port, { timeout: "300ms" });
  await impatient.start();
  await eventually(() => /does not answer the subscription/.test(impatient.health().lastError ?? ""));
  await impatient.stop();
  const patient = collect(port, { timeout: "1h" });
  await patient.start();
  const before = sockets.size;
  await eventually(() => sockets.size > before);
  await within(() => "stop", patient.stop());
  for (const socket of sockets) socket.destroy();
  server.close();
  t.pass();
});

test("messages of QoS 0 that find the queue full are counted", async (t) => {
  const broker = await startAedes();
  const publisher = await publisherTo(broker.port);
  const collector = await running(collect(broker.port, {}, 2));
  for (const n of [1, 2, 3]) await publisher.send(n, 0);
  await eventually(() => collector.health().errors === 1);
  t.deepEqual((await take(collector, 2)).values, [1, 2]);
  await collector.stop();
  await publisher.close();
  await broker.close();
});

test("TLS: the broker's certificate is verified against the configured CA and its name", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "mqtt-tls-"));
  const files = await writeServerCertificate(folder, "localhost");
  const broker = await startBroker({ tls: files });
  const secured = (url: string, ca: string | undefined) =>
    collect(broker.port, { url, tls: ca === undefined ? {} : { ca } });

  const trusted = await running(secured(`mqtts://localhost:${broker.port}`, files.ca));
  const publisher = await mqtt.connectAsync(`mqtts://localhost:${broker.port}`, {
    ca: await import("node:fs/promises").then((fs) => fs.readFile(files.ca)),
  });
  await publisher.publishAsync("plant/press/state", JSON.stringify({ n: 7 }), { qos: 1 });
  const { values, batches } = await take(trusted, 1);
  t.deepEqual(values, [7]);
  for (const batch of batches) batch.stored();
  await trusted.stop();
  await publisher.endAsync(true);

  for (const refused of [
    secured(`mqtts://localhost:${broker.port}`, undefined),
    secured(`mqtts://127.0.0.1:${broker.port}`, files.ca),
  ]) {
    await refused.start();
    await eventually(() => refused.health().errors >= 1);
    t.regex(refused.health().lastError ?? "", /certificate|altname|IP/i);
    t.is(refused.health().connectMillis, undefined);
    await refused.stop();
  }
  await broker.close();
  await rm(folder, { recursive: true });
});

const mosquitto = findMosquitto();
test("members of a shared subscription divide the messages", async (t) => {
  if (mosquitto === undefined) {
    leftOut("mosquitto: shared MQTT subscriptions");
    return t.pass();
  }
  const broker = await startMosquitto(mosquitto);
  const publisher = await publisherTo(broker.port);
  const members = await Promise.all(
    ["a", "b"].map((clientId) => running(collect(broker.port, { protocol: "5", clientId, share: "nodes" }))),
  );
  const seen = members.map(() => [] as number[]);
  const reading = members.map(async (member, i) => {
    for await (const batch of member) {
      seen[i]!.push(...batch.readings.map((r) => r.value as number));
      batch.stored();
    }
  });
  for (let n = 0; n < 20; n++) await publisher.send(n);
  await eventually(() => seen.flat().length >= 20);
  await Promise.all(members.map((member) => member.stop()));
  await Promise.all(reading);
  t.deepEqual(
    seen.flat().sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, i) => i),
  );
  t.true(seen.every((own) => own.length > 0));
  await publisher.close();
  await broker.close();
});

test("a password over plain TCP needs a word of consent, and is never part of the configuration", async (t) => {
  const base = { url: "mqtt://h", clientId: "node", topics };
  const identity = { user: "u", password: { file: "/run/secrets/mqtt" } };
  const issues = (config: unknown) => JSON.stringify(mqttConfig.safeParse(config).error?.issues ?? []);
  t.regex(issues({ ...base, identity }), /in the clear/);
  t.is(issues({ ...base, identity, plainPassword: "accepted" }), "[]");
  t.is(issues({ ...base, url: "mqtts://h", identity }), "[]");
  t.regex(issues({ ...base, identity: { user: "u", password: "tower" } }), /identity/);
  t.regex(issues({ ...base, url: "mqtt://u:tower@h", identity: "anonymous" }), /without user or password/);
  const folder = await mkdtemp(join(tmpdir(), "mqtt-password-"));
  const file = join(folder, "password");
  await writeFile(file, "tower-of-secrets\n");
  const config = mqttConfig.parse({ ...base, url: "mqtts://h", identity: { user: "u", password: { file } } });
  t.notRegex(JSON.stringify(config), /tower-of-secrets/);
  await rm(folder, { recursive: true });
});
