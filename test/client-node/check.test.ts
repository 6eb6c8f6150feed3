import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { checkNodeFile } from "../../client-node/cli/check.ts";
import { tryCollector } from "../../client-node/cli/try.ts";
import { readCatalogue } from "../../client-node/operations/features/catalogue.ts";
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
  t.true(problems[1]!.valid!.includes("every"));
  t.is(problems[2]!.valid![0], "active_power");
  t.deepEqual(problems[3]!.valid, ["kW.h"]);
  t.is(check("sites: [")[0]!.line, 1);
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
