import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import mqtt from "mqtt";
import { type NodeConfig, readNodeConfig } from "../../client-node/config.ts";
import { collectorEntry } from "../../collectors/config.ts";
import { createCollector } from "../../collectors/create.ts";
import { encodeDigits } from "../../collectors/dlt645.ts";
import { encodeMessage, encodeTime } from "../../collectors/gb32960.ts";
import { encodeFrame } from "../../collectors/hj212.ts";
import { encode } from "../../collectors/modbus/registers.ts";
import type { Reading } from "../../collectors/reading.ts";
import { startBacnetServer } from "../../collectors/simulators/bacnet-server.ts";
import { startHttpServer } from "../../collectors/simulators/http-server.ts";
import { startIec104Server } from "../../collectors/simulators/iec104-server.ts";
import { startKeepingClient } from "../../collectors/simulators/keeping-client.ts";
import { startMeterServer } from "../../collectors/simulators/meter-server.ts";
import { startModbusServer } from "../../collectors/simulators/modbus-server.ts";
import { type MqttBroker, startBroker } from "../../collectors/simulators/mqtt-broker.ts";
import { encodeSentence, startNmeaSender } from "../../collectors/simulators/nmea-sender.ts";
import { startOpcuaServer } from "../../collectors/simulators/opcua-server.ts";
import { startS7Server } from "../../collectors/simulators/s7-server.ts";
import { startSparkplugEdge } from "../../collectors/simulators/sparkplug-edge.ts";
import { startTerminal } from "../../collectors/simulators/terminal-client.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { Collected, freePort, systemContext } from "../support/collecting.ts";
import { startPostgresql } from "../support/sql-servers.ts";
import { readVectors } from "../support/vectors.ts";

const text = await readFile(join(import.meta.dirname, "../../docs/collectors.md"), "utf8");

/** The examples by their headings; the one ahead of them is what they all need. A section may have none. */
const [shared, ...examples] = text
  .split(/^## /m)
  .map((section) => ({
    name: section.split("\n", 1)[0]!,
    yaml: /^```yaml\n([^`]*)^```$/m.exec(section)?.[1],
  }))
  .filter(({ yaml }) => yaml !== undefined);

/** node.yaml as a reader of the page would write it. */
async function configOf(folder: string, name: string, changed = (yaml: string) => yaml): Promise<NodeConfig> {
  const { yaml } = examples.find((one) => one.name === name)!;
  const head =
    "enterprise: mill\nconsortium: riverbank\ncoordinator: 127.0.0.1:1\nenrolment: 127.0.0.1:1\ndataDir: data\n";
  const file = join(folder, "node.yaml");
  await writeFile(file, head + shared!.yaml + changed(yaml!));
  return readNodeConfig(file);
}

interface Device {
  /** Puts the simulator's address in the place of the example's. */
  readonly changed: (yaml: string) => string;
  /** Makes the device say it, again and again: what it says before the collector is connected may be lost. */
  readonly produce?: () => void | Promise<void>;
}

const at =
  (port: number) =>
  (yaml: string): string =>
    yaml
      .replace(/(192\.168\.\d+\.\d+|0\.0\.0\.0)(:\d+)?/, (_, __, withPort) =>
        withPort === undefined ? "127.0.0.1" : `127.0.0.1:${port}`,
      )
      .replace(/ port: \d+/, ` port: ${port}`);

/** The embedded broker speaks MQTT 3.1.1 only. */
const atBroker =
  ({ kind, port }: MqttBroker) =>
  (yaml: string): string =>
    at(port)(kind === "aedes" ? yaml.replace("clientId:", 'protocol: "3.1.1"\n      clientId:') : yaml);

const position = {
  alarm: 0,
  status: 2,
  lat: 31.2,
  lon: 121.5,
  altitudeMetres: 4,
  speedKmh: 60,
  directionDegrees: 90,
};

/** A simulator for each example. Anything to end goes to the test's teardown. */
const simulators: Readonly<Record<string, (t: ExecutionContext, folder: string) => Promise<Device>>> = {
  async Modbus(t) {
    const load = encode(61.5, { type: "f32", order: "CDAB" });
    const unit = (table: string): Uint8Array =>
      table === "holding" ? load : encode(412, { type: "u16", order: "ABCD" });
    const server = await startModbusServer(new Map([[1, unit]]));
    t.teardown(() => server.close());
    return { changed: at(server.port) };
  },
  async "OPC UA"(t, folder) {
    const trusted = join(folder, "pki/trusted/certs");
    const server = await startOpcuaServer({
      pki: join(folder, "server"),
      variables: ["SpindleLoad"],
      users: { node: "tower" },
      now: Date.now,
    });
    t.teardown(() => server.close());
    await mkdir(trusted, { recursive: true });
    await copyFile(server.certificateFile, join(trusted, "server.pem"));
    process.env.OPCUA_PASSWORD = "tower";
    return { changed: at(server.port), produce: () => server.set("SpindleLoad", 61.5) };
  },
  async MQTT(t) {
    const broker = await startBroker();
    t.teardown(() => broker.close());
    const publisher = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
    t.teardown(() => publisher.endAsync(true));
    const state = JSON.stringify({ at: Date.now(), cargo: { celsius: 4.5 } });
    return {
      changed: atBroker(broker),
      produce: async () => void (await publisher.publishAsync("fleet/truck-1/state", state, { qos: 1 })),
    };
  },
  async "Sparkplug B"(t) {
    const broker = await startBroker();
    t.teardown(() => broker.close());
    const edge = await startSparkplugEdge({
      url: `mqtt://127.0.0.1:${broker.port}`,
      group: "plant",
      edge: "hall",
      devices: { lathe: ["Power"] },
      now: Date.now,
    });
    t.teardown(() => edge.close());
    return { changed: atBroker(broker), produce: () => edge.data("lathe", "Power", 12.5) };
  },
  async "Vehicle terminals: JT/T 808"(t) {
    const port = await freePort();
    const terminal = startTerminal({ port, phone: "13800000001" });
    t.teardown(() => terminal.close());
    const items = new Map([[6, Buffer.from([0x80, 18])]]);
    return {
      changed: at(port),
      produce: () => terminal.report({ ...position, time: Date.now() * 1000, items }),
    };
  },
  async "Receivers: NMEA 0183"(t) {
    const port = await freePort();
    const sentences = (): string[] => {
      const now = new Date().toISOString();
      const [time, date] = [
        now.slice(11, 22).replaceAll(":", ""),
        now.slice(2, 10).split("-").reverse().join(""),
      ];
      return [encodeSentence(`GNRMC,${time},A,3112.0,N,12130.0,E,32.4,90.0,${date},,,A`)];
    };
    const sender = startNmeaSender({ port, everyMillis: 100, sentences });
    t.teardown(() => sender.close());
    return { changed: at(port) };
  },
  async "Meters: DL/T 645-2007"(t) {
    const meter = (identifier: string): Buffer =>
      identifier === "00010000"
        ? encodeDigits(1234.56, { bytes: 4, decimals: 2, signed: false })
        : encodeDigits(-1.5, { bytes: 3, decimals: 4, signed: true });
    const server = await startMeterServer(new Map([["202600000001", meter]]));
    t.teardown(() => server.close());
    return { changed: at(server.port) };
  },
  async Files(_, folder) {
    await mkdir(join(folder, "exports"));
    await mkdir(join(folder, "data"));
    await writeFile(
      join(folder, "exports", "monday.csv"),
      "till,at,amount\ntill-1,2026-03-02 09:30:00,128.50\n",
    );
    return { changed: (yaml) => yaml.replace("settle: 5s", "settle: 50ms\n      every: 20ms") };
  },
  async Databases(t, folder) {
    const server = await startPostgresql();
    t.teardown(() => server.close());
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "sql.password"), `${server.password}\n`);
    await server.run("CREATE TABLE receipts (id BIGSERIAL, till TEXT, at TIMESTAMP, amount NUMERIC(12, 2))");
    await server.run("INSERT INTO receipts VALUES (1, 'till-1', '2026-03-02 09:30:00', 128.50)");
    return {
      changed: (yaml) =>
        at(server.port)(yaml)
          .replace("database: shop", "database: postgres")
          .replace("fedcredit_reader", server.user),
    };
  },
  async "HTTP: asked for"(t, folder) {
    const server = await startHttpServer((_, response) =>
      response.end(
        '{"data":{"rows":[{"till":"till-1","number":7,"at":"2026-03-02 09:30:00","amount":128.5}]}}',
      ),
    );
    t.teardown(() => server.close());
    await writeFile(join(folder, "http.token"), "tower\n");
    return { changed: at(server.port) };
  },
  async "HTTP: posted to the node"(_, folder) {
    const port = await freePort();
    await writeFile(join(folder, "till-1.token"), "tower\n");
    const body = JSON.stringify({ number: 7, at: Date.now(), amount: 128.5 });
    return {
      changed: at(port),
      produce: async () => {
        const headers = { authorization: "Bearer tower" };
        await fetch(`http://127.0.0.1:${port}/receipts`, { method: "POST", headers, body }).catch(() => {});
      },
    };
  },
  async "Emission monitors: HJ 212-2017"(t, folder) {
    const port = await freePort();
    await writeFile(join(folder, "station.password"), "123456\n");
    const client = startKeepingClient({ port, answers: (received) => received.includes("CN=9014") });
    t.teardown(() => client.switchOff());
    const now = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace(/\D/g, "");
    const head = `QN=${now}000;ST=32;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5`;
    client.send(encodeFrame(`${head};CP=&&DataTime=${now};w00000-Rtd=2.5,w00000-Flag=N&&`));
    return { changed: at(port) };
  },
  async "Electric vehicles: GB/T 32960"(t) {
    const port = await freePort();
    const time = encodeTime(Date.now() * 1000);
    const of = (command: number, data: Buffer) =>
      encodeMessage({ command, response: 0xfe, vin: "LA9DHKMT5HBJXK236", data });
    const iccid = Buffer.from("89860616030054478630");
    const client = startKeepingClient({
      port,
      hello: of(1, Buffer.concat([time, Buffer.of(0, 1), iccid, Buffer.of(0, 0)])),
      answers: (received) => received.includes("LA9DHKMT5HBJXK236"),
    });
    t.teardown(() => client.switchOff());
    const { report } = readVectors("gb32960.json") as { report: string };
    client.send(of(2, Buffer.concat([time, Buffer.from(report, "hex").subarray(30, -1)])));
    return { changed: at(port) };
  },
  async "Controllers: Siemens S7"(t) {
    const block = Buffer.alloc(6);
    block.writeFloatBE(61.5, 0);
    block.writeInt16BE(412, 4);
    const server = await startS7Server((_, start, bytes) => block.subarray(start, start + bytes));
    t.teardown(() => server.close());
    return { changed: at(server.port) };
  },
  async "Substations: IEC 60870-5-104"(t) {
    const server = await startIec104Server();
    t.teardown(() => server.close());
    return { changed: at(server.port), produce: () => server.tell(4001, 12_500) };
  },
  async "Buildings: BACnet/IP"(t) {
    const server = await startBacnetServer(() => 21.5);
    t.teardown(() => server.close());
    return { changed: at(server.port) };
  },
};

/** What each example reads of its simulator. */
const expected: Readonly<Record<string, readonly (readonly [string, string, unknown, string])[]>> = {
  Modbus: [
    ["lathe-1", "spindle_load", 61.5, "%"],
    ["lathe-1", "machine_temperature", 41.2, "Cel"],
  ],
  "OPC UA": [["lathe-1", "spindle_load", 61.5, "%"]],
  MQTT: [["truck-1", "cargo_temperature", 4.5, "Cel"]],
  "Sparkplug B": [["lathe-1", "active_power", 12.5, "kW"]],
  "Vehicle terminals: JT/T 808": [
    ["truck-1", "position", 1, "1"],
    ["truck-1", "speed", 60, "km/h"],
    ["truck-1", "cargo_temperature", -18, "Cel"],
  ],
  "Receivers: NMEA 0183": [["truck-1", "position", 1, "1"]],
  "Meters: DL/T 645-2007": [
    ["meter-1", "active_energy", 1234.56, "kW.h"],
    ["meter-1", "active_power", -1.5, "kW"],
  ],
  Files: [["till-1", "sales_amount", 128.5, "{CNY}"]],
  "HTTP: asked for": [["till-1", "sales_amount", 128.5, "{CNY}"]],
  "HTTP: posted to the node": [["till-1", "sales_amount", 128.5, "{CNY}"]],
  "Emission monitors: HJ 212-2017": [["meter-1", "water_flow", 2.5, "L/s"]],
  "Electric vehicles: GB/T 32960": [
    ["truck-1", "position", 1, "1"],
    ["truck-1", "speed", 0, "km/h"],
    ["truck-1", "odometer", 58950, "km"],
  ],
  "Controllers: Siemens S7": [
    ["lathe-1", "spindle_load", 61.5, "%"],
    ["lathe-1", "machine_temperature", 41.2, "Cel"],
  ],
  "Substations: IEC 60870-5-104": [["meter-1", "active_power", 12.5, "kW"]],
  "Buildings: BACnet/IP": [["lathe-1", "machine_temperature", 21.5, "Cel"]],
  Databases: [["till-1", "sales_amount", 128.5, "{CNY}"]],
};

const line = ({ device, metric, value, unit }: Reading): string =>
  JSON.stringify([device, metric, typeof value === "number" ? Number(value.toPrecision(9)) : value, unit]);

test("every example has a simulator, and every key of `collectors` an example", (t) => {
  t.deepEqual(
    Object.keys(simulators),
    examples.map(({ name }) => name),
  );
  const protocols = examples.map(({ yaml }) => /^ {2}- (\w+):/m.exec(yaml!)![1]);
  t.deepEqual([...new Set(protocols)].sort(), Object.keys(collectorEntry.shape).sort());
});

for (const { name } of examples)
  test.serial(`the example for ${name} reads what its device shows`, async (t) => {
    const folder = await temporaryDirectory();
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    // As the page has it, it is a node.yaml too.
    await configOf(folder, name);
    const { changed, produce } = await simulators[name]!(t, folder);
    const { collectors } = await configOf(folder, name, changed);
    t.is(collectors!.length, 1);
    const collected = await Collected.start(t, await createCollector(collectors![0]!, systemContext()));
    const wanted = expected[name]!.map((one) => JSON.stringify(one));
    const limit = AbortSignal.timeout(20_000);
    const seen = (): Set<string> => new Set(collected.readings.map(line));
    while (!wanted.every((one) => seen().has(one))) {
      if (limit.aborted) return t.deepEqual([...seen()].slice(0, 10), wanted, "not read within 20 s");
      await produce?.();
      await sleep(50);
    }
    t.pass();
  });
