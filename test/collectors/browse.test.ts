import test from "ava";
import mqtt from "mqtt";
import { browseAddress, browseEntry } from "../../collectors/browse.ts";
import { collectorEntry } from "../../collectors/config.ts";
import { encode } from "../../collectors/modbus/registers.ts";
import type { Found } from "../../collectors/runtime/found.ts";
import { startBacnetServer } from "../../collectors/simulators/bacnet-server.ts";
import { startIec104Server } from "../../collectors/simulators/iec104-server.ts";
import { startModbusServer } from "../../collectors/simulators/modbus-server.ts";
import { startBroker } from "../../collectors/simulators/mqtt-broker.ts";
import { startS7Server } from "../../collectors/simulators/s7-server.ts";
import { startSparkplugEdge } from "../../collectors/simulators/sparkplug-edge.ts";
import { Refusal } from "../../core/reasons.ts";
import { systemContext } from "../support/collecting.ts";

const browse = (address: string, more: { seconds?: number; from?: string; count?: number } = {}) =>
  browseAddress(address, {
    context: systemContext(),
    signal: new AbortController().signal,
    seconds: 1,
    ...more,
  });

test("Modbus: holes, refusals and hang-ups between registers cost only themselves", async (t) => {
  const isThere = (address: number): boolean => address < 7 || (address > 40 && address < 44);
  const server = await startModbusServer(
    new Map([
      [
        3,
        (table, address, count) => {
          if (table !== "holding") return { exception: 1 };
          const asked = Array.from({ length: count }, (_, i) => address + i);
          if (asked.some((at) => at === 20)) return "silent";
          if (!asked.every(isThere)) return { exception: 2 };
          return Buffer.concat([
            encode(-12.5, { type: "f32", order: "CDAB" }),
            Buffer.alloc(200, 7),
          ]).subarray(2 * address, 2 * (address + count));
        },
      ],
    ]),
  );
  t.teardown(() => server.close());
  const entry = collectorEntry.parse({
    modbus: {
      host: "127.0.0.1",
      port: server.port,
      unit: 3,
      timeout: "100ms",
      registers: [{ address: 40001, type: "u16", metric: "x", unit: "1", every: "1s" }],
    },
  });
  const found = await browseEntry(entry, {
    context: systemContext(),
    signal: new AbortController().signal,
    seconds: 1,
    count: 30,
  });
  t.deepEqual(
    found.map((one) => one.address),
    ["40001", "40002", "40003", "40004", "40005", "40006", "40007"],
  );
  t.is(found[0]?.f32_CDAB, -12.5);
  t.is(found[0]?.unit, 3);
  const further = await browse(`modbus://127.0.0.1:${server.port}/3`, { from: "40036", count: 12 });
  t.deepEqual(
    further.map((one) => one.address),
    ["40042", "40043", "40044"],
  );
  t.deepEqual(await browse(`modbus://127.0.0.1:${server.port}/3`, { from: "00001", count: 3 }), []);
});

test("MQTT: topics with the paths in their messages, and what Sparkplug edges announce, once they are asked", async (t) => {
  const broker = await startBroker();
  t.teardown(() => broker.close());
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const edge = await startSparkplugEdge({
    url,
    group: "plant",
    edge: "hall",
    devices: { lathe: ["Power"] },
    now: Date.now,
  });
  t.teardown(() => edge.close());
  const client = await mqtt.connectAsync(url);
  t.teardown(() => client.endAsync(true));
  let found: Found[] = [];
  // What is said before the browser listens is lost: it is said until it was heard.
  const speaking = setInterval(() => {
    client.publish("fleet/truck-1/state", JSON.stringify({ at: 1, cargo: { celsius: [4.5] } }));
    client.publish("till", Buffer.from("12.50\u001b[2J"));
    void edge.data("lathe", "Power", 3);
  }, 50);
  t.teardown(() => clearInterval(speaking));
  const isHeard = (): boolean => found.some(({ path }) => path === "Power");
  for (let tries = 0; tries < 20 && !isHeard(); tries++) found = await browse(url, { seconds: 0.5 });
  const at = (topic: string) =>
    found.filter((one) => one.topic === topic).map(({ path, value }) => [path, value]);
  t.deepEqual(at("fleet/truck-1/state"), [
    ["at", 1],
    ["cargo.celsius[0]", 4.5],
  ]);
  t.deepEqual(at("till"), [["", "12.50\u001b[2J"]]);
  t.deepEqual(at("spBv1.0/plant/DBIRTH/hall/lathe"), [["Power", 0]]);
});

test("BACnet, S7 and IEC 60870-5-104: objects, blocks and points", async (t) => {
  const controller = await startBacnetServer((type) => (type === 0 ? 21.5 : undefined), 0, [
    { type: 8, instance: 1, name: "the device itself", units: 95 },
    { type: 0, instance: 4, name: "supply air", units: 62 },
    { type: 0, instance: 5, name: "a unit of its own", units: 200 },
  ]);
  t.teardown(() => controller.close());
  t.deepEqual(await browse(`bacnet://127.0.0.1:${controller.port}`), [
    { object: "analog-input,4", name: "supply air", unit: "Cel", value: 21.5 },
    { object: "analog-input,5", name: "a unit of its own", unit: "BACnet unit 200", value: 21.5 },
  ]);

  const lengths = new Map([
    [2, 1],
    [7, 300],
  ]);
  const plc = await startS7Server((db, start, bytes) =>
    start + bytes <= (lengths.get(db) ?? 0) ? Buffer.alloc(bytes, db) : undefined,
  );
  t.teardown(() => plc.close());
  t.deepEqual(await browse(`s7://127.0.0.1:${plc.port}/0/1`, { count: 10 }), [
    { block: "DB2", bytes: 1, begins: "02" },
    { block: "DB7", bytes: 300, begins: "07".repeat(32) },
  ]);

  const station = await startIec104Server();
  t.teardown(() => station.close());
  station.tell(100, 12.5);
  station.tell(101, 7);
  const points = await browse(`iec104://127.0.0.1:${station.port}/1`, { seconds: 0.5 });
  t.deepEqual(
    points.map(({ address, value }) => [address, value]),
    [
      [100, 12.5],
      [101, 7],
    ],
  );
  t.is(station.acknowledged, 0, "what the station keeps for its master stays with it");
});

test("what is no address, has nobody behind it, or holds a password is refused with what would do", async (t) => {
  const refusal = async (address: string): Promise<string> => {
    const error = await t.throwsAsync(browse(address), { instanceOf: Error }, address);
    return error instanceof Refusal ? `${error.reason}: ${error.hint}` : "unavailable";
  };
  t.regex(await refusal("modbus://"), /usage: write opc\.tcp/);
  t.regex(await refusal("ftp://host/x"), /usage: write opc\.tcp/);
  t.regex(await refusal("modbus://127.0.0.1:1/x"), /usage/);
  t.is(await refusal("modbus://127.0.0.1:1/1"), "unavailable");
  t.is(await refusal("iec104://127.0.0.1:1/1"), "unavailable");
  t.regex(await refusal("postgresql://user:secret@127.0.0.1/shop"), /--password-file/);
  t.regex(await refusal("postgresql://user@127.0.0.1/shop"), /usage/);
});
