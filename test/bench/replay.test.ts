import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { day, device, hour, inWorld, minute, reading, second, site } from "../../bench/cases/world.ts";
import { heldClock } from "../../bench/recordings/held-clock.ts";
import { readNodes } from "../../bench/recordings/nodes.ts";
import { files, modbus, mqtt, opcua, terminals } from "../../bench/recordings/protocols.ts";
import { type MeterRegister, readMeters, shown } from "../../bench/recordings/registers.ts";
import { type Delivery, type Protocol, replay } from "../../bench/recordings/replay.ts";
import { bench } from "../../bench/recordings.ts";
import type { Reading } from "../../collectors/reading.ts";

const start = Date.UTC(2026, 2, 2, 23) * 1000;

async function played(recording: readonly Reading[], protocol: Protocol, patienceMillis?: number) {
  const ids = [...new Set(recording.map((one) => one.device))];
  const devices = ids.map((id) => device(id, "plant"));
  return inWorld({ sites: [site("plant", "machining")], devices }, async (world) => {
    const delivery = await replay(world, recording, protocol, patienceMillis);
    return { delivery, seen: await world.refresh({ from: start - 23 * hour, until: start + 2 * day }) };
  });
}

const complete = ({ sent, read, lost, doubled, changed }: Delivery) => ({
  sent,
  read,
  lost,
  doubled,
  changed,
});
const whole = (count: number) => ({ sent: count, read: count, lost: 0, doubled: 0, changed: 0 });

/** Over midnight, so that it goes out in two parts. */
const temperatures = Array.from({ length: 30 }, (_, i) =>
  reading("press-1", "machine_temperature", 150 + i / 8, "[degF]", start + i * 5 * minute),
);

test("a counter comes through Modbus at every quarter of an hour, and nothing in between", async (t) => {
  const meter = Array.from({ length: 12 }, (_, i) =>
    reading("meter-1", "active_energy", 70_000.25 + 3.17 * i, "kW.h", start + i * 15 * minute),
  );
  const { delivery, seen } = await played(meter, modbus(900, 0.01));
  t.deepEqual(complete(delivery), whole(12));
  const days = seen.features.filter((row) => row.window === "day");
  const energy = days.reduce((sum, row) => sum + (row.values.get("energy_total") ?? 0), 0);
  t.true(Math.abs(energy - 11 * 3.17) < 0.02, `${energy}`);
});

test("temperatures come through OPC UA with their source times, two of one time both", async (t) => {
  const twice = { ...temperatures[7]!, value: 151 };
  t.deepEqual(complete((await played([...temperatures, twice], opcua())).delivery), whole(31));
});

test("several metrics of a machine come through MQTT in one message, two of one time both", async (t) => {
  const torque = temperatures.map((one) => reading("press-1", "torque", 40, "N.m", one.time));
  const twice = { ...torque[3]!, value: 41 };
  t.deepEqual(complete((await played([...temperatures, ...torque, twice], mqtt())).delivery), whole(61));
});

test("fixes come through JT/T 808, from dead zones too, of two vehicles at once", async (t) => {
  const fixes = ["van-1", "van-2"].flatMap((id, vehicle) =>
    Array.from({ length: 90 }, (_, i) =>
      reading(id, "speed", 30 + i / 10, "km/h", start + (i * minute + vehicle * second), {
        position: { lat: 39.9 + i / 1e4, lon: 116.3, datum: "WGS-84", source: "gps", accuracyMetres: 10 },
      }),
    ),
  );
  t.deepEqual(complete((await played(fixes, terminals())).delivery), whole(180));
});

test("receipts come through a file a day", async (t) => {
  const receipts = Array.from({ length: 5 }, (_, i) =>
    reading("till-1", "transactions", 10 + i, "1", start + i * hour),
  );
  t.deepEqual(complete((await played(receipts, files())).delivery), whole(5));
});

test("what is changed, repeated or invented on the way is told", async (t) => {
  const spoilt: Protocol = async (recording, context) => {
    const inner = await mqtt()(recording, context);
    return {
      ...inner,
      send: ([first, second, ...rest]) =>
        inner.send([
          first!,
          first!,
          { ...second!, value: 0 },
          ...rest,
          { ...rest.at(-1)!, time: rest.at(-1)!.time + 1 },
        ]),
    };
  };
  const { delivery } = await played(temperatures.slice(0, 10), spoilt);
  t.deepEqual(complete(delivery), { sent: 10, read: 12, lost: 0, doubled: 2, changed: 1 });
});

test("what never arrives is lost, and nothing is waited for beyond patience", async (t) => {
  const silent: Protocol = async (recording, context) => {
    const inner = await mqtt()(recording, context);
    return { ...inner, send: (readings) => inner.send(readings.filter((one) => one !== recording[4])) };
  };
  const { delivery } = await played(temperatures.slice(0, 10), silent, 2_000);
  t.deepEqual(complete(delivery), { sent: 10, read: 9, lost: 1, doubled: 0, changed: 0 });
});

test("a held clock moves by being waited on, and no further than it was released", async (t) => {
  const clock = heldClock(1_000);
  const signal = new AbortController().signal;
  let done = false;
  const waiting = clock.timer.wait(500, signal).then(() => {
    done = true;
  });
  clock.release(1_499);
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual([done, clock.now()], [false, 1_000]);
  clock.release(2_000);
  await waiting;
  t.deepEqual([done, clock.now()], [true, 1_500]);
  await clock.timer.wait(500, AbortSignal.abort());
  t.is(clock.now(), 1_500);
});

const register = (address: number, rest: Partial<MeterRegister>): MeterRegister => ({
  model: "a",
  table: "input",
  address,
  measurement: "VoltageL1",
  type: "f32",
  order: "ABCD",
  scale: 1,
  ...rest,
});

test("every register of every model is read with the meter's value, in each encoding", async (t) => {
  const registers = [
    register(0, {}),
    register(2, { order: "CDAB", measurement: "Power" }),
    register(30, { type: "i32", scale: 0.01, measurement: "Import" }),
    register(32, { type: "u16", scale: 0.1, measurement: "CurrentL1" }),
    register(23_296, { model: "b", table: "holding", type: "i32", scale: 0.1, measurement: "Export" }),
    register(23_296, { model: "b", table: "holding", type: "i32", scale: 0.1, measurement: "Import" }),
  ];
  const { models, read, equal } = await readMeters(registers);
  t.deepEqual([models, read, equal], [2, 6, 6]);
  t.is(shown(registers[0]!), Math.fround(225));
});

const example = `<?xml version="1.0" encoding="utf-8"?>
<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd">
  <NamespaceUris><Uri>http://opcfoundation.org/UA/Machinery_Example/</Uri></NamespaceUris>
  <Models><Model ModelUri="http://opcfoundation.org/UA/Machinery_Example/" Version="1.0.0" PublicationDate="2022-05-01T00:00:00Z">
    <RequiredModel ModelUri="http://opcfoundation.org/UA/" Version="1.05.02" PublicationDate="2022-11-01T00:00:00Z"/>
  </Model></Models>
  <UAObject NodeId="ns=1;i=5003" BrowseName="1:Press"><DisplayName>Press</DisplayName><References>
    <Reference ReferenceType="i=40">i=58</Reference>
    <Reference ReferenceType="i=35" IsForward="false">i=85</Reference>
  </References></UAObject>
  <UAVariable NodeId="ns=1;i=6001" BrowseName="1:Model" DataType="String"><DisplayName>Model</DisplayName><References>
    <Reference ReferenceType="i=40">i=68</Reference>
    <Reference ReferenceType="i=46" IsForward="false">ns=1;i=5003</Reference>
  </References><Value><String xmlns="http://opcfoundation.org/UA/2008/02/Types.xsd">P 12</String></Value></UAVariable>
</UANodeSet>`;

test("nodes of a table are found by browsing and subscribed to; one the server does not have is not", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-nodes-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "example.xml");
  writeFileSync(file, example);
  const uri = "http://opcfoundation.org/UA/Machinery_Example/";
  const ids = new Map([
    [6001, "Machines_Press_Model"],
    [6002, "Machines_Press_Gone"],
  ]);
  const found = await readNodes(file, [{ specification: "example", uri, ids }]);
  t.deepEqual([found.instance, found.browsed, found.valued], [2, 1, 1]);
  t.deepEqual(found.subscribed, [{ specification: "example", variables: 2, answered: 1 }]);
});

test("without the recordings every figure says so", async (t) => {
  const { figures } = await bench(["--data", "no-such-folder"], () => {}, []);
  t.true(figures.length >= 8);
  t.true(figures.every(({ value, holds }) => value === "no data" && holds === null));
});
