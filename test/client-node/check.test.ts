import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { checkNodeFile } from "../../client-node/cli/check.ts";
import { forTrying, tryCollector } from "../../client-node/cli/try.ts";
import { readNodeConfig } from "../../client-node/config.ts";
import { readCatalogue } from "../../client-node/operations/features/catalogue.ts";
import { readProfiles } from "../../client-node/operations/warnings/profiles.ts";
import { writtenOut } from "../../client-node/repeat.ts";
import { collectorEntry } from "../../collectors/config.ts";
import { modbusConfig } from "../../collectors/modbus/config.ts";
import { modbusCollector } from "../../collectors/modbus.ts";
import type { Reading } from "../../collectors/reading.ts";
import { startModbusServer } from "../../collectors/simulators/modbus-server.ts";
import { freePort, systemContext } from "../support/collecting.ts";

const good = `enterprise: mill
consortium: riverbank
coordinator: 127.0.0.1:8443
enrolment: 127.0.0.1:8444
dataDir: data
sites:
  - { id: hall-1, industry: machining, utcOffsetHours: 8 }
collectors:
  - modbus:
      host: 127.0.0.1
      unit: 1
      device: lathe-1
      registers:
        - { address: 40001, type: f32, metric: active_power, unit: kW }
`;

test("everything that will not work is said, with its line and what would be valid", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-check-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "node.yaml");
  const check = (text: string) => {
    writeFileSync(file, text);
    return checkNodeFile(file, readCatalogue());
  };
  t.deepEqual(check(good), []);
  const bad = good
    .replace("dataDir: data", "dataDir: data\npolling: 5s")
    .replace("metric: active_power, unit: kW", "metric: active_powr, unit: kW, evry: 1s")
    .concat("        - { address: 40003, type: f32, metric: active_energy, unit: kWh }\n");
  const problems = check(bad);
  t.deepEqual(
    problems.map(({ line, path }) => [line, path]),
    [
      [6, "polling"],
      [15, "collectors.0.modbus.registers.0.evry"],
      [15, "collectors.0.modbus.registers.0.metric"],
      [16, "collectors.0.modbus.registers.1.unit"],
    ],
  );
  t.true(problems[0]!.valid!.includes("refresh"));
  t.is(problems[1]!.valid![0], "every", "the nearest first");
  t.throws(() => readNodeConfig(file), { message: /unknown key|dataDir|polling/ });
  t.is(problems[2]!.valid![0], "active_power");
  t.deepEqual(problems[3]!.valid, ["kW.h"]);
  t.is(check("sites: [")[0]!.line, 1);
});

test("two hundred equal controllers, with a metric, thresholds and a limit of their own, in forty lines", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-check-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const guide = readFileSync(new URL("../../docs/plant.md", import.meta.url), "utf8");
  const plant = /^```yaml\n([^`]*)^```$/m.exec(guide)![1]!;
  const head = good.slice(0, good.indexOf("sites:"));
  const file = join(folder, "node.yaml");
  const check = (text: string) => {
    writeFileSync(file, head + text);
    return checkNodeFile(file, readCatalogue());
  };
  t.true(plant.trim().split("\n").length <= 40);
  t.deepEqual(check(plant), []);
  const { collectors, devices, limits, metrics, thresholds } = readNodeConfig(file);
  t.is(devices.length, 200);
  t.is(collectors!.length, 200);
  t.like(devices[6], { id: "press-007", source: "controller 7" });
  t.like(collectors![199]!.modbus, {
    name: "controller 200",
    transport: { kind: "tcp", host: "10.20.0.220", port: 502 },
  });
  t.is(new Set(collectors!.map(({ modbus }) => JSON.stringify(modbus!.transport))).size, 200);
  t.is(readCatalogue(metrics).metrics.get("oil_pressure")!.unit, "bar");
  t.is(limits[0]!.below, 120);
  const profiles = readProfiles(thresholds);
  t.is(profiles.of("machining").stoppage.openAfter, 3600);
  t.is(profiles.of("machining").stoppage.weekend, false, "the rest of the group stays");
  t.is(profiles.of("retail").anomaly.returnBlocks, readProfiles().of("retail").anomaly.returnBlocks);

  // One mistake in what is repeated is one problem, at the line where it was written.
  const wrong = check(plant.replace("metric: oil_pressure, unit: bar", "metric: oil_presure, unit: bar"));
  const line = head.split("\n").length - 1 + plant.split("\n").findIndex((one) => one.includes("40001")) + 1;
  t.deepEqual(
    wrong.map((one) => [one.line, one.valid![0]]),
    [[line, "oil_pressure"]],
  );
  const refusedBy = (from: string, to: string) => check(plant.replace(from, to)).map((one) => one.message);
  t.regex(refusedBy("n: [1, 200]", "n: [1, 2000000]").join(), /more than 20000/);
  t.regex(refusedBy("n: [1, 200]", "n: [9, 2]").join(), /lower end first/);
  t.regex(refusedBy("n: [1, 200]", "constructor: 1").join(), /repeat/);
  t.regex(refusedBy("unit: bar\n", "unit: furlongs\n").join(), /furlongs is not a UCUM unit/);
  t.regex(refusedBy("openAfter: 3600", "openAfter: -1").join(), />0|positive|greater/i);
  t.regex(refusedBy("returnBlocks: 10000", "quiet: 3600").join(), /100 steps/);
  t.regex(refusedBy("below: 120", "below: 300").join(), /below is less than above/);
  t.regex(refusedBy("class: press\n    below", "device: press-201\n    below").join(), /no device press-201/);
});

test("numbers in a repeated item: alone a number, with others a text, shifted and padded; others' places stay", (t) => {
  const { value } = writtenOut(
    {
      list: [
        {
          repeat: { n: [9, 10] },
          port: "{n+5000}",
          id: "a-{n:2}-{n-9}",
          topic: "{device}/{n}",
          deep: ["{n}"],
        },
      ],
    },
    "here",
  );
  t.deepEqual(value, {
    list: [
      { port: 5009, id: "a-09-0", topic: "{device}/9", deep: [9] },
      { port: 5010, id: "a-10-1", topic: "{device}/10", deep: [10] },
    ],
  });
  const nested = writtenOut(
    { all: [{ repeat: { a: [1, 2] }, of: [{ repeat: { b: [1, 2] }, at: "{a}.{b}" }] }, "last"] },
    "here",
  );
  t.deepEqual(nested.value, {
    all: [{ of: [{ at: "1.1" }, { at: "1.2" }] }, { of: [{ at: "2.1" }, { at: "2.2" }] }, "last"],
  });
  t.deepEqual(nested.origin(["all", 1, "of", 1, "at"]), ["all", 0, "of", 0, "at"]);
  t.deepEqual(nested.origin(["all", 2]), ["all", 1]);
  const bomb = { repeat: { a: [1, 2000] }, of: [{ repeat: { b: [1, 2000] }, x: "{a}" }] };
  t.throws(() => writtenOut({ all: [bomb] }, "here"), { name: "Refusal", message: /more than 20000/ });
});

test("try shows what a source says and stores nothing; a dead one says why", async (t) => {
  const server = await startModbusServer(new Map([[1, () => Buffer.of(0, 42)]]));
  const config = (port: number) =>
    modbusConfig.parse({
      host: "127.0.0.1",
      port,
      unit: 1,
      device: "lathe-1",
      registers: [{ address: 40001, type: "u16", metric: "active_power", unit: "kW", every: "10ms" }],
    });
  const seen: Reading[] = [];
  const never = new AbortController().signal;
  const collector = modbusCollector(config(server.port), systemContext());
  t.deepEqual(await tryCollector(collector, never, 3, (one) => void seen.push(one)), { readings: 3 });
  t.deepEqual(
    seen.map(({ value }) => value),
    [42, 42, 42],
  );
  t.is(collector.health().state, "stopped");
  await server.close();
  const ending = new AbortController();
  const dead = modbusCollector(config(await freePort()), {
    ...systemContext(),
    log: () => ending.abort(),
  });
  const { readings, lastError } = await tryCollector(dead, ending.signal, 1, () => {});
  t.is(readings, 0);
  t.regex(lastError!, /ECONNREFUSED/);
});

test("at a broker, a try is another client: without a session, a share or a word that the host is there", (t) => {
  const entry = collectorEntry.parse({
    mqtt: {
      url: "mqtt://127.0.0.1:1883",
      clientId: "mill",
      identity: "anonymous",
      share: "pair",
      sparkplug: {
        group: "plant",
        host: "mill",
        metrics: [{ name: "P", metric: "active_power", unit: "kW" }],
      },
    },
  });
  const { mqtt } = forTrying(entry);
  t.like(mqtt, { clientId: "mill-try", sessionExpiry: 0 });
  t.is(mqtt!.share, undefined);
  t.is(mqtt!.sparkplug!.host, undefined);
  t.is(entry.mqtt!.clientId, "mill");
});
