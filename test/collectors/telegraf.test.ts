import test from "ava";
import { type CollectorInput, collectorEntries } from "../../collectors/config.ts";
import { importTelegraf } from "../../collectors/telegraf.ts";
import { Refusal } from "../../core/reasons.ts";

/** In the layout of Telegraf's own sample configuration, comments and settings we do not need included. */
const telegraf = `
[agent]
  interval = "5s"
  round_interval = true

[[outputs.influxdb]]
  urls = ["http://127.0.0.1:8086"]

# Retrieve data from MODBUS slave devices
[[inputs.modbus]]
  name = "SDM630"
  slave_id = 1
  timeout = "2s"
  busy_retries = 3
  controller = "tcp://10.0.0.7:502"
  configuration_type = "register"
  discrete_inputs = [
    { name = "start", address = [0] },
  ]
  coils = [
    { name = "motor1_run", address = [1] },
  ]
  holding_registers = [
    { name = "power_factor", byte_order = "AB", data_type = "FIXED", scale = 0.01, address = [8] },
    { name = "voltage", byte_order = "ABCD", data_type = "UFIXED", scale = 0.1, address = [9, 10] },
    { name = "firmware", byte_order = "AB", data_type = "STRING", address = [20, 21, 22] },
    { name = "half", byte_order = "AB", data_type = "FLOAT16-IEEE", scale = 1.0, address = [30] },
  ]
  input_registers = [
    { name = "energy", byte_order = "CDAB", data_type = "FLOAT32-IEEE", scale = 1.0, address = [0, 1] },
    { name = "total", byte_order = "GHEFCDAB", data_type = "UINT64", scale = 1.0, address = [4, 5, 6, 7] },
  ]
  [inputs.modbus.workarounds]
    pause_between_requests = "20ms"

[[inputs.modbus]]
  name = "bus"
  interval = "1m"
  controller = "file:///dev/ttyUSB0"
  baud_rate = 19200
  data_bits = 8
  parity = "E"
  stop_bits = 1
  transmission_mode = "RTU"
  configuration_type = "request"
  [[inputs.modbus.request]]
    slave_id = 3
    byte_order = "DCBA"
    register = "holding"
    fields = [
      { address = 1, name = "speed", type = "INT16", scale = 0.1 },
      { address = 2, name = "alarm", type = "BIT", bit = 4 },
      { address = 3, name = "low", type = "INT8L" },
    ]
  [[inputs.modbus.request]]
    slave_id = 4
    register = "coil"
    fields = [ { address = 7, name = "door" } ]

[[inputs.modbus]]
  name = "gateway"
  controller = "tcp://10.0.0.8:4001"
  transmission_mode = "RTUoverTCP"
  configuration_type = "metric"
  [[inputs.modbus.metric]]
    slave_id = 5
    byte_order = "BADC"
    fields = [ { register = "input", address = 12, name = "flow", type = "FLOAT32" } ]

[[inputs.modbus]]
  name = "ascii"
  controller = "tcp://10.0.0.9:502"
  transmission_mode = "ASCIIoverTCP"
  coils = [ { name = "x", address = [0] } ]

[[inputs.opcua]]
  name = "machine"
  endpoint = "opc.tcp://10.0.0.20:4840"
  connect_timeout = "10s"
  security_policy = "Basic256Sha256"
  security_mode = "SignAndEncrypt"
  certificate = "/etc/telegraf/cert.pem"
  private_key = "/etc/telegraf/key.pem"
  auth_method = "UserName"
  username = "press"
  password = "tower-of-secrets"
  nodes = [
    { name = "spindle_load", namespace = "3", identifier_type = "s", identifier = "Spindle.Load" },
  ]
  [[inputs.opcua.group]]
    name = "coolant"
    namespace = "4"
    identifier_type = "i"
    nodes = [ { name = "flow", identifier = "1001" }, { name = "level", identifier_type = "s", identifier = "L" } ]

[[inputs.opcua]]
  endpoint = "opc.tcp://10.0.0.21:4840"
  security_policy = "None"
  security_mode = "None"
  auth_method = "Anonymous"
  nodes = [ { name = "speed", namespace = "2", identifier_type = "s", identifier = "v" } ]

[[inputs.opcua]]
  name = "old"
  security_policy = "Basic128Rsa15"
  security_mode = "Sign"
  nodes = [ { name = "speed", namespace = "2", identifier_type = "s", identifier = "v" } ]
`;

const expected: CollectorInput[] = [
  {
    modbus: {
      name: "SDM630",
      host: "10.0.0.7",
      port: 502,
      framing: "tcp",
      timeout: "2s",
      pause: "20ms",
      units: [
        {
          unit: 1,
          device: "SDM630",
          registers: [
            {
              table: "coil",
              address: 1,
              type: "bit",
              order: "ABCD",
              metric: "motor1_run",
              unit: "1",
              every: "5s",
            },
            {
              table: "discrete",
              address: 0,
              type: "bit",
              order: "ABCD",
              metric: "start",
              unit: "1",
              every: "5s",
            },
            {
              table: "input",
              address: 0,
              type: "f32",
              order: "CDAB",
              scale: 1,
              metric: "energy",
              unit: "kW.h",
              every: "5s",
            },
            {
              table: "input",
              address: 4,
              type: "u64",
              order: "CDAB",
              scale: 1,
              metric: "total",
              unit: "1",
              every: "5s",
            },
            {
              table: "holding",
              address: 8,
              type: "i16",
              order: "ABCD",
              scale: 0.01,
              metric: "power_factor",
              unit: "1",
              every: "5s",
            },
            {
              table: "holding",
              address: 9,
              type: "u32",
              order: "ABCD",
              scale: 0.1,
              metric: "voltage",
              unit: "V",
              every: "5s",
            },
            {
              table: "holding",
              address: 20,
              type: "string",
              order: "ABCD",
              length: 3,
              metric: "firmware",
              unit: "1",
              every: "5s",
            },
          ],
        },
      ],
    },
  },
  {
    modbus: {
      name: "bus",
      serial: "/dev/ttyUSB0",
      baudRate: 19200,
      dataBits: 8,
      stopBits: 1,
      parity: "even",
      timeout: "1s",
      units: [
        {
          unit: 3,
          device: "bus.3",
          registers: [
            {
              table: "holding",
              address: 1,
              type: "i16",
              order: "DCBA",
              scale: 0.1,
              metric: "speed",
              unit: "1",
              every: "1m",
            },
            {
              table: "holding",
              address: 2,
              type: "bit",
              order: "DCBA",
              bit: 4,
              metric: "alarm",
              unit: "1",
              every: "1m",
            },
          ],
        },
        {
          unit: 4,
          device: "bus.4",
          registers: [
            { table: "coil", address: 7, type: "bit", order: "ABCD", metric: "door", unit: "1", every: "1m" },
          ],
        },
      ],
    },
  },
  {
    modbus: {
      name: "gateway",
      host: "10.0.0.8",
      port: 4001,
      framing: "rtu",
      timeout: "1s",
      units: [
        {
          unit: 5,
          device: "gateway",
          registers: [
            {
              table: "input",
              address: 12,
              type: "f32",
              order: "BADC",
              metric: "flow",
              unit: "1",
              every: "5s",
            },
          ],
        },
      ],
    },
  },
  {
    opcua: {
      name: "machine",
      endpoint: "opc.tcp://10.0.0.20:4840",
      security: { mode: "SignAndEncrypt", policy: "Basic256Sha256", pki: "./pki" },
      identity: { user: "press", password: { env: "OPCUA_PASSWORD" } },
      publishing: "5s",
      keepAlive: "5s",
      timeout: "10s",
      groups: [
        {
          device: "machine",
          sampling: "5s",
          nodes: [{ node: "ns=3;s=Spindle.Load", metric: "spindle_load", unit: "1" }],
        },
        {
          device: "coolant",
          sampling: "5s",
          nodes: [
            { node: "ns=4;i=1001", metric: "flow", unit: "1" },
            { node: "ns=4;s=L", metric: "level", unit: "1" },
          ],
        },
      ],
    },
  },
  {
    opcua: {
      name: "opcua",
      endpoint: "opc.tcp://10.0.0.21:4840",
      security: "none",
      identity: "anonymous",
      publishing: "5s",
      keepAlive: "5s",
      timeout: "10s",
      groups: [
        { device: "opcua", sampling: "5s", nodes: [{ node: "ns=2;s=v", metric: "speed", unit: "1" }] },
      ],
    },
  },
];

const units: Record<string, string> = { energy: "kW.h", voltage: "V" };

test("a Telegraf configuration becomes ours as it is, and passes our own schema", (t) => {
  const { collectors } = importTelegraf(telegraf, (metric) => units[metric]);
  t.deepEqual(collectors, expected);
  t.notThrows(() => collectorEntries.parse(collectors));
});

test("what is not taken over is said, and no secret is copied", (t) => {
  const { collectors, notes } = importTelegraf(telegraf, (metric) => units[metric]);
  const told = (pattern: RegExp) =>
    t.true(
      notes.some((note) => pattern.test(note)),
      `${pattern}\n${notes.join("\n")}`,
    );
  told(/\(half\) has the type FLOAT16-IEEE/);
  told(/\(low\) has the type INT8L/);
  told(/ASCIIoverTCP/);
  told(/Basic128Rsa15 Sign, which is no longer secure/);
  told(/password was not copied; set OPCUA_PASSWORD/);
  told(/unit of power_factor is not known/);
  told(/inputs\.modbus\[0\]\.busy_retries has no counterpart here/);
  t.false(notes.some((note) => /unit of voltage/.test(note)));
  t.notRegex(JSON.stringify({ collectors, notes }), /tower-of-secrets/);
});

test("a password that Telegraf reads from the environment stays there", (t) => {
  const toml = telegraf.replace("tower-of-secrets", `\${PRESS_PASSWORD}`);
  t.regex(JSON.stringify(importTelegraf(toml).collectors), /"password":\{"env":"PRESS_PASSWORD"\}/);
});

test("malformed files are refused with the line, or the place", (t) => {
  const refusal = (toml: string) => t.throws<Refusal>(() => importTelegraf(toml), { instanceOf: Refusal })!;
  t.is(refusal("[[inputs.modbus]\nx = 1").reason, "file_malformed");
  t.regex(refusal("\n\nx = = 1").message, /line 3/);
  t.regex(
    refusal("[[inputs.modbus]]\ncontroller = 5").message,
    /inputs\.modbus\[0\]\.controller is not a string/,
  );
  t.deepEqual(importTelegraf("[agent]\ninterval = '1s'"), { collectors: [], notes: [] });
});

test("one style only is read, measurements and tags stay apart, and what Telegraf omits is omitted", (t) => {
  const { collectors, notes } = importTelegraf(`
[global_tags]
  company = "mill"
[[processors.rename]]
[[inputs.modbus]]
  name = "line"
  controller = "tcp://10.0.0.7:502"
  configuration_type = "request"
  holding_registers = [ { name = "power", byte_order = "AB", data_type = "FIXED", scale = 1.0, address = [8] } ]
  [inputs.modbus.tags]
    plant = "east/1"
  [[inputs.modbus.request]]
    slave_id = 1
    measurement = "pump"
    fields = [
      { address = 0, name = "flow", type = "UINT16" },
      { address = 1, name = "pad", type = "UINT16", omit = true },
      { address = 2, name = "flow", type = "UINT16", measurement = "spare" },
    ]
    [inputs.modbus.request.tags]
      side = "a"
  [[inputs.modbus.request]]
    slave_id = 1
    fields = [
      { address = 10, name = "flow", type = "UINT16" },
      { address = 11, name = "flow", type = "UINT16" },
    ]
    tags = { side = "b" }
  [[inputs.modbus.metric]]
    slave_id = 2
    fields = [ { register = "holding", address = 10, name = "heat", type = "UINT16" } ]
[[inputs.modbus]]
  name = "default"
  controller = "tcp://10.0.0.8:502"
  holding_registers = [
    { name = "power", byte_order = "AB", data_type = "INT16", address = [8], measurement = "drive" },
  ]
  [[inputs.modbus.request]]
    fields = [ { address = 10, name = "never", type = "UINT16" } ]
[[inputs.opcua]]
  name = "o"
  security_policy = "None"
  security_mode = "None"
  [[inputs.opcua.group]]
    name = "g"
    namespace = "4"
    identifier_type = "i"
    default_tags = { line = "1" }
    nodes = [
      { name = "flow", identifier = "1", default_tags = { side = "l" } },
      { name = "flow", identifier = "2", default_tags = { side = "r" } },
    ]
`);
  const read = collectors.flatMap(({ modbus, opcua }) => [
    ...(modbus?.units ?? []).flatMap(({ device, registers }) =>
      registers.map(({ metric, address }) => `${device} ${metric} ${address}`),
    ),
    ...(opcua?.groups ?? []).flatMap(({ device, nodes }) =>
      nodes.map(({ metric, node }) => `${device} ${metric} ${node}`),
    ),
  ]);
  t.deepEqual(read, [
    "line.pump.plant=east_1.side=a flow 0",
    "line.spare.plant=east_1.side=a flow 2",
    "line.plant=east_1.side=b flow 10",
    "default.drive power 8",
    "g.line=1.side=l flow ns=4;i=1",
    "g.line=1.side=r flow ns=4;i=2",
  ]);
  t.deepEqual(
    notes.filter((note) => !/^unit of/.test(note)),
    [
      "inputs.modbus[0].holding_registers is left out: configuration_type is request, so Telegraf reads none of it",
      "inputs.modbus[0].metric is left out: configuration_type is request, so Telegraf reads none of it",
      "flow of line.plant=east_1.side=b is named twice; the one at 11 is left out",
      "inputs.modbus[1].request is left out: configuration_type is register, so Telegraf reads none of it",
      "global_tags.company says the same of every device and is left out",
      "processors.rename changes what was read, and is left out: look at its metrics' names and values",
    ],
  );
  t.notThrows(() => collectorEntries.parse(collectors));
});
