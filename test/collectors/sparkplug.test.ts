import test from "ava";
import mqtt from "mqtt";
import sparkplugPayload from "sparkplug-payload";
import type { UMetric } from "sparkplug-payload/lib/sparkplugbpayload.js";
import { mqttConfig } from "../../collectors/mqtt/config.ts";
import { mqttCollector } from "../../collectors/mqtt.ts";
import type { Reading } from "../../collectors/reading.ts";
import { startBroker } from "../../collectors/simulators/mqtt-broker.ts";
import { startSparkplugEdge } from "../../collectors/simulators/sparkplug-edge.ts";
import { SparkplugHost } from "../../collectors/sparkplug.ts";
import { Refusal } from "../../core/reasons.ts";
import { eventually } from "./compliance/reader.ts";

const codec = sparkplugPayload.get("spBv1.0")!;
const config = {
  group: "plant",
  devices: { "line/press": "press-1" },
  metrics: [
    { name: "Temp/Inlet", metric: "inlet_temperature", unit: "Cel" },
    { name: "Power", metric: "power", unit: "kW" },
  ],
};
const payload = (seq: number, metrics: UMetric[]) =>
  Buffer.from(codec.encodePayload({ timestamp: 1_000, seq, metrics }));
const bdSeq = (value: number): UMetric => ({ name: "bdSeq", type: "Int64", value });
const death = (value: number) =>
  Buffer.from(codec.encodePayload({ timestamp: 1_000, metrics: [bdSeq(value)] }));
const temp = (value: number | null, rest: Partial<UMetric> = {}): UMetric =>
  ({ alias: 1, type: "Double", value, ...rest }) as UMetric;

/** A host that has seen the births of edge `line` and its device `press`. */
function host() {
  const h = new SparkplugHost(config);
  let received = 10_000_000;
  const send = (topic: string, bytes: Buffer) => h.receive(`spBv1.0/plant/${topic}`, bytes, received++);
  send("NBIRTH/line", payload(0, [bdSeq(3)]));
  const born = send(
    "DBIRTH/line/press",
    payload(1, [
      { name: "Temp/Inlet", alias: 1, type: "Double", value: 20 },
      { name: "Power", alias: 2, type: "Double", value: 5 },
      { name: "Unlisted", alias: 3, type: "Double", value: 5 },
    ]),
  );
  return { send, born };
}
const brief = (readings: readonly Reading[]) => readings.map((r) => [r.metric, r.value, r.quality, r.status]);

test("births give the first values, data comes by alias, what is not listed is left out", (t) => {
  const { send, born } = host();
  t.deepEqual(brief(born.readings), [
    ["inlet_temperature", 20, "good", "GOOD"],
    ["power", 5, "good", "GOOD"],
  ]);
  t.is(born.readings[0]?.device, "press-1");
  const { readings, rebirth } = send(
    "DDATA/line/press",
    payload(2, [temp(21, { timestamp: 2_000 }), { ...temp(1), alias: 3 }]),
  );
  t.is(rebirth, undefined);
  t.is(readings.length, 1);
  t.like(readings[0], { value: 21, unit: "Cel", time: 2_000_000, sequence: 2, historical: false });
});

test("what a birth says is said again, what data says is not", (t) => {
  const { send, born } = host();
  t.true(born.readings.every(({ retold, firstDelivery }) => retold && !firstDelivery));
  const { readings } = send("DDATA/line/press", payload(2, [temp(21)]));
  t.true(readings.every(({ retold, firstDelivery }) => !retold && firstDelivery));
});

test("quality, null, historical and 64-bit values", (t) => {
  const { send } = host();
  const quality = (value: number) => ({ properties: { Quality: { type: "Int32" as const, value } } });
  const { readings } = send(
    "DDATA/line/press",
    payload(2, [
      temp(1, quality(192)),
      temp(2, quality(0)),
      temp(3, quality(500)),
      temp(4, quality(64)),
      temp(null, { isNull: true }),
      temp(5, { isHistorical: true }),
      { alias: 2, type: "UInt64", value: 2 ** 40 },
      temp(Number.NaN),
    ]),
  );
  t.deepEqual(brief(readings), [
    ["inlet_temperature", 1, "good", "GOOD"],
    ["inlet_temperature", 2, "bad", "BAD"],
    ["inlet_temperature", 3, "bad", "STALE"],
    ["inlet_temperature", 4, "uncertain", "quality 64"],
    ["inlet_temperature", null, "bad", "null"],
    ["inlet_temperature", 5, "good", "GOOD"],
    ["power", 2 ** 40, "good", "GOOD"],
    ["inlet_temperature", null, "bad", "NaN"],
  ]);
  t.deepEqual(readings.map((r) => r.historical).indexOf(true), 5);
});

test("a death makes every metric of the node and its devices STALE, once", (t) => {
  const { send } = host();
  t.deepEqual(send("NDEATH/line", death(2)).readings, [], "the will of an earlier connection says nothing");
  t.deepEqual(brief(send("NDEATH/line", death(3)).readings), [
    ["inlet_temperature", null, "bad", "STALE"],
    ["power", null, "bad", "STALE"],
  ]);
  t.deepEqual(send("NDEATH/line", death(3)).readings, []);
});

test("a device's death leaves its node alive", (t) => {
  const { send } = host();
  t.is(send("DDEATH/line/press", payload(2, [])).readings.length, 2);
  t.is(
    send("DBIRTH/line/press", payload(3, [{ name: "Power", alias: 2, type: "Double", value: 1 }])).readings
      .length,
    1,
  );
});

test("a gap in the sequence, an unknown node or alias ask for a rebirth, once until it comes", (t) => {
  const { send } = host();
  t.is(send("DDATA/line/press", payload(2, [temp(1)])).rebirth, undefined);
  const gap = send("DDATA/line/press", payload(4, [temp(2)]));
  t.is(gap.readings.length, 1, "what is understood is kept");
  t.is(gap.rebirth?.topic, "spBv1.0/plant/NCMD/line");
  t.is(codec.decodePayload(gap.rebirth!.payload).metrics?.[0]?.name, "Node Control/Rebirth");
  t.is(send("DDATA/line/press", payload(7, [temp(2)])).rebirth, undefined, "not asked twice");
  const unknown = send("DDATA/other/pump", payload(9, [temp(2)]));
  t.is(unknown.rebirth?.topic, "spBv1.0/plant/NCMD/other");
  t.deepEqual(unknown.readings, []);
  const fresh = host();
  t.truthy(fresh.send("DDATA/line/press", payload(2, [{ ...temp(1), alias: 99 }])).rebirth);
});

test("sequence numbers wrap at 256", (t) => {
  const { send } = host();
  for (let i = 2; i < 600; i++)
    t.is(send("DDATA/line/press", payload(i % 256, [temp(i)])).rebirth, undefined);
});

test("other groups are left alone, malformed payloads refused", (t) => {
  const h = new SparkplugHost(config);
  t.deepEqual(h.receive("spBv1.0/hall/NBIRTH/x", payload(0, []), 0).readings, []);
  const refusal = t.throws<Refusal>(() => h.receive("spBv1.0/plant/NBIRTH/x", Buffer.from([255, 255]), 0), {
    instanceOf: Refusal,
  });
  t.is(refusal?.reason, "message_malformed");
});

test("over a broker: a collector that starts late asks for births, and learns of a death by the will", async (t) => {
  const broker = await startBroker();
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const edge = await startSparkplugEdge({
    url,
    group: "plant",
    edge: "line",
    devices: { press: ["Temp/Inlet", "Power"] },
    now: Date.now,
  });
  const states: { online: boolean; timestamp: number }[] = [];
  const watcher = await mqtt.connectAsync(url);
  watcher.on("message", (_, text) => states.push(JSON.parse(String(text))));
  await watcher.subscribeAsync("spBv1.0/STATE/mill", { qos: 1 });
  const collector = mqttCollector(
    mqttConfig.parse({
      url,
      protocol: "3.1.1",
      clientId: "node",
      identity: "anonymous",
      sparkplug: { ...config, host: "mill" },
    }),
    { now: Date.now, random: Math.random, log() {} },
  );
  const readings: Reading[] = [];
  await collector.start();
  const reading = (async () => {
    for await (const batch of collector) {
      readings.push(...batch.readings);
      batch.stored();
    }
  })();
  await eventually(() => collector.health().state === "running");
  await eventually(() => states.at(-1)?.online === true);
  // The will of a connection that was lost may come when the next one is there already.
  await watcher.publishAsync("spBv1.0/STATE/mill", JSON.stringify({ ...states.at(-1)!, online: false }), {
    qos: 1,
    retain: true,
  });
  await eventually(() => states.length >= 3 && states.at(-1)!.online);
  await edge.data("press", "Power", 1);
  await eventually(() => edge.births === 2 && readings.length >= 2);
  await edge.data("press", "Power", 42, { time: 1_700_000_000_000, historical: true });
  await eventually(() => readings.some((r) => r.value === 42));
  t.like(
    readings.find((r) => r.value === 42),
    {
      device: "press-1",
      metric: "power",
      time: 1_700_000_000_000_000,
      historical: true,
    },
  );
  edge.die();
  await eventually(() => readings.filter((r) => r.status === "STALE").length === 2);
  await collector.stop();
  await reading;
  await eventually(() => !states.at(-1)!.online);
  await watcher.endAsync(true);
  await edge.close();
  await broker.close();
  t.pass();
});
