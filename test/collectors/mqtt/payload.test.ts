import test from "ava";
import fc from "fast-check";
import type { z } from "zod";
import { mqttConfig } from "../../../collectors/mqtt/config.ts";
import { readPayload } from "../../../collectors/mqtt/payload.ts";
import { Receipts } from "../../../collectors/mqtt/receipts.ts";
import { topicPattern } from "../../../collectors/mqtt/topics.ts";
import type { Refusal } from "../../../core/reasons.ts";

type MqttInput = z.input<typeof mqttConfig>;

type TopicInput = NonNullable<MqttInput["topics"]>[number];
const parse = (topic: TopicInput) =>
  mqttConfig.parse({ url: "mqtt://h", clientId: "c", identity: "anonymous", topics: [topic] }).topics[0]!;
const origin = { device: "d", metric: undefined, received: 5_000_000, delivery: 7, first: true };
const read = (topic: TopicInput, payload: string, metric?: string) =>
  readPayload(parse(topic), Buffer.from(payload), { ...origin, metric });

test("JSON: records, source time, sequence, position, gaps", (t) => {
  const topic: TopicInput = {
    topic: "fleet/{device}/up",
    format: "json",
    records: "data[0].points",
    time: { path: "ts", as: "s" },
    sequence: "seq",
    position: { lat: "gps.lat", lon: "gps.lon", datum: "WGS-84", source: "beidou", accuracyMetres: 5 },
    fields: [
      { path: "cargo.temp", metric: "cargo_temperature", unit: "Cel" },
      { path: "door", metric: "door_open", unit: "1" },
    ],
  };
  const readings = read(
    topic,
    JSON.stringify({
      data: [
        {
          points: [
            { ts: 1.5, seq: 9, cargo: { temp: -18.5 }, door: false, gps: { lat: 31.2, lon: 121.4 } },
            { ts: "x", cargo: { temp: null } },
            { ts: 2, cargo: { temp: [1] } },
          ],
        },
      ],
    }),
  );
  t.like(readings[0], {
    device: "d",
    metric: "cargo_temperature",
    value: -18.5,
    unit: "Cel",
    time: 1_500_000,
    received: 5_000_000,
    quality: "good",
    sequence: 9,
    position: { lat: 31.2, lon: 121.4, datum: "WGS-84", source: "beidou", accuracyMetres: 5 },
  });
  t.like(readings[1], { metric: "door_open", value: false });
  t.like(readings[2], { value: null, quality: "bad", status: "null", time: 5_000_000 });
  t.like(readings[3], { value: null, quality: "bad", status: "type object", time: 2_000_000 });
  t.is(readings.length, 4);
});

test("times: to the microsecond, in the configured zone; one that names none and has none is doubted", (t) => {
  const at = (as: "iso" | "s" | "ms" | "us" | "ns", ts: unknown, zone?: string) =>
    read(
      {
        topic: "{device}",
        format: "json",
        time: { path: "ts", as, zone },
        fields: [{ path: "v", metric: "m", unit: "1" }],
      },
      JSON.stringify({ ts, v: 1 }),
    )[0];
  const micros = Date.UTC(2026, 1, 3, 4, 5, 6) * 1000;
  t.is(at("iso", "2026-02-03T04:05:06Z")?.time, micros);
  t.like(at("iso", "2026-02-03T04:05:06"), { time: micros, quality: "uncertain", status: "no time zone" });
  t.like(at("iso", "2026-02-03T12:05:06", "Asia/Shanghai"), { time: micros, quality: "good" });
  t.is(at("iso", "2026-02-03T04:05:06.123456Z")?.time, micros + 123_456);
  t.is(at("iso", "2026-02-03 12:05:06,123456+0800")?.time, micros + 123_456);
  t.is(at("ns", String(BigInt(micros) * 1000n + 500_000n))?.time, micros + 500);
  t.is(at("iso", "2026-02-03T12:05:06+08:00")?.time, micros);
  t.is(at("ms", micros / 1000)?.time, micros);
  t.is(at("us", String(micros))?.time, micros);
  t.like(at("iso", "yesterday"), { quality: "uncertain", status: "no source time", time: 5_000_000 });
});

test("a topic's level is a name like any other, whatever objects inherit", (t) => {
  const topic: TopicInput = { topic: "{device}/{metric}", format: "text", units: { speed: "km/h" } };
  for (const name of ["constructor", "__proto__", "toString"]) t.deepEqual(read(topic, "1", name), []);
  t.is(read(topic, "1", "speed")[0]?.unit, "km/h");
});

test("an event is known by its number, whatever its kind, else by its delivery and place", (t) => {
  const topic: TopicInput = {
    topic: "{device}",
    format: "json",
    records: "r",
    sequence: "no",
    fields: [
      { path: "cash", metric: "sales_amount", unit: "{CNY}" },
      { path: "card", metric: "sales_amount", unit: "{CNY}" },
    ],
  };
  const events = read(
    topic,
    '{"r":[{"no":9223372036854775809,"cash":1,"card":1},{"cash":1},{"no":"A-1","card":1}]}',
  );
  t.deepEqual(
    events.map(({ event, firstDelivery, sequence }) => [event, firstDelivery, sequence]),
    [
      ["#9223372036854775809", undefined, undefined],
      ["#9223372036854775809/1", undefined, undefined],
      ["delivery 7/1", true, undefined],
      ["#A-1/1", undefined, undefined],
    ],
  );
});

test("JSON paths reach own properties only", (t) => {
  const topic: TopicInput = {
    topic: "{device}",
    format: "json",
    fields: [
      { path: "constructor.name", metric: "m", unit: "1" },
      { path: "__proto__.x", metric: "n", unit: "1" },
    ],
  };
  t.deepEqual(read(topic, "{}"), []);
});

test("CSV lines, with cells left empty or malformed", (t) => {
  const topic: TopicInput = {
    topic: "{device}",
    format: "csv",
    delimiter: ";",
    columns: [
      { time: "ms" },
      { metric: "kWh", unit: "kW.h" },
      "skip",
      { metric: "on", unit: "1", kind: "boolean" },
    ],
  };
  const readings = read(topic, "1000;12.5;x;on\n2000;;x;0\n3000;abc;x;maybe\n");
  t.deepEqual(
    readings.map((r) => [r.time, r.metric, r.value, r.quality]),
    [
      [1_000_000, "kWh", 12.5, "good"],
      [1_000_000, "on", true, "good"],
      [2_000_000, "kWh", null, "bad"],
      [2_000_000, "on", false, "good"],
      [3_000_000, "kWh", null, "bad"],
      [3_000_000, "on", null, "bad"],
    ],
  );
  t.like(read(topic, "1;2")[0], { value: "1;2", status: "unreadable: 2 columns where 4 are configured" });
});

test("text payloads take unit from the metric the topic names", (t) => {
  const topic: TopicInput = { topic: "{device}/{metric}", format: "text", units: { power: "kW" } };
  t.like(read(topic, " 3.5 ", "power")[0], { value: 3.5, unit: "kW", metric: "power", quality: "good" });
  t.deepEqual(read(topic, "1", "unlisted"), []);
});

test("any bytes are read or refused, never worse", (t) => {
  const formats: TopicInput[] = [
    { topic: "{device}", format: "json", fields: [{ path: "a", metric: "m", unit: "1" }] },
    { topic: "{device}", format: "csv", columns: [{ metric: "m", unit: "1" }] },
  ];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...formats), (bytes, format) => {
      try {
        readPayload(parse(format), Buffer.from(bytes), origin);
      } catch (error) {
        t.is((error as Refusal).reason, "message_malformed");
      }
    }),
  );
});

test("topic patterns", (t) => {
  const pattern = topicPattern("plant/{device}/+/{metric}/#");
  t.is(pattern.filter, "plant/+/+/+/#");
  t.deepEqual(pattern.match("plant/press/x/temp"), { device: "press", metric: "temp" });
  t.deepEqual(pattern.match("plant/press/x/temp/more/still"), { device: "press", metric: "temp" });
  t.is(pattern.match("plant/press/x"), undefined);
  t.is(pattern.match("hall/press/x/temp"), undefined);
  t.is(topicPattern("a/b").match("a/b/c"), undefined);
});

test("receipts: a repetition after a lost PUBACK is known by DUP and identifier, an equal new message is not", (t) => {
  const acknowledged: number[] = [];
  const receipts = new Receipts();
  const packet = (messageId: number, dup = false) => ({
    topic: "a",
    payload: Buffer.from("5"),
    messageId,
    dup,
  });
  receipts.connected(true, (id) => acknowledged.push(id));
  receipts.take(packet(1))!();
  t.deepEqual(acknowledged, [1]);
  receipts.disconnected();
  receipts.connected(true, (id) => acknowledged.push(id));
  t.is(receipts.take(packet(1, true)), undefined, "sent again: acknowledged again, not handed on");
  t.deepEqual(acknowledged, [1, 1]);
  t.not(receipts.take(packet(2)), undefined, "same content, new message");
  t.not(receipts.take(packet(3, true)), undefined, "repeated by the broker, but never seen here");
  t.is(receipts.waiting, 2);
  receipts.disconnected();
  receipts.connected(false, () => {});
  t.not(receipts.take(packet(2, true)), undefined, "the broker lost the session: nothing is a repetition");
});
