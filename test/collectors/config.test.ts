import test from "ava";
import { parse } from "yaml";
import { collectorEntries } from "../../collectors/config.ts";
import { createCollector } from "../../collectors/create.ts";

const node = `
- modbus:
    host: 10.0.0.5
    unit: 1
    registers:
      - { address: 40001, type: f32, order: CDAB, metric: spindle_load, unit: "%", every: 1s }
- modbus:
    name: hall 2
    serial: /dev/ttyUSB0
    baudRate: 19200
    pause: 20ms
    units:
      - unit: 3
        device: press-3
        registers:
          - { table: input, address: "0x5b00", type: u32, scale: 0.1, metric: voltage, unit: V, every: 10s }
- opcua:
    endpoint: opc.tcp://10.0.0.6:4840
    security: { mode: SignAndEncrypt, policy: Basic256Sha256, pki: ./pki }
    identity: { user: press, password: { file: /run/secrets/opcua } }
    history: true
    groups:
      - device: lathe-1
        sampling: 500ms
        deadband: { absolute: 0.1 }
        nodes:
          - { node: "nsu=http://example.com/lathe;s=Spindle.Load", metric: spindle_load, unit: "%" }
- mqtt:
    url: mqtts://broker.example:8883
    clientId: lathe-works
    identity: { user: node, password: { env: MQTT_PASSWORD } }
    tls: { ca: ./ca.pem }
    topics:
      - topic: fleet/{device}/state
        format: json
        time: { path: ts, as: iso }
        fields: [{ path: cargo.temp, metric: cargo_temperature, unit: Cel }]
    sparkplug:
      group: plant
      metrics: [{ name: Power, metric: power, unit: kW }]
`;

const context = { now: Date.now, random: Math.random, log() {} };

test("entries as users write them make collectors that carry their names", async (t) => {
  const entries = collectorEntries.parse(parse(node));
  const collectors = await Promise.all(entries.map((entry) => createCollector(entry, context)));
  t.deepEqual(
    collectors.map((collector) => collector.name),
    ["modbus 10.0.0.5:502", "hall 2", "opc.tcp://10.0.0.6:4840", "mqtts://broker.example:8883"],
  );
  for (const collector of collectors) {
    t.is(collector.health().state, "stopped");
    await collector.stop();
  }
});

test("a dump names where secrets are and not what they are", (t) => {
  process.env.MQTT_PASSWORD = "tower-of-secrets";
  const dump = JSON.stringify(collectorEntries.parse(parse(node)));
  t.regex(dump, /\/run\/secrets\/opcua/);
  t.notRegex(dump, /tower-of-secrets/);
});

test("mistakes are refused where they stand", (t) => {
  const path = (yaml: string) =>
    collectorEntries.safeParse(parse(yaml)).error?.issues.map((issue) => issue.path.join("."));
  t.deepEqual(path(node.replace("type: f32", "type: f31")), ["0.modbus.registers.0.type"]);
  t.deepEqual(path(node.replace("every: 10s", "every: 10")), ["1.modbus.units.0.registers.0.every"]);
  t.deepEqual(path(node.replace("policy: Basic256Sha256", "policy: Basic128Rsa15")), ["2.opcua.security"]);
  t.deepEqual(path(node.replace("{ env: MQTT_PASSWORD }", "tower")), ["3.mqtt.identity"]);
  t.deepEqual(path(node.replace("format: json", "format: xml")), ["3.mqtt.topics.0.format"]);
  t.deepEqual(path(node.replace("    name: hall 2", "    nam: hall 2")), ["1.modbus"]);
  t.deepEqual(path("- { modbus: null }"), ["0.modbus"]);
  t.deepEqual(path("- {}"), ["0"]);
});
