import { link, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { nodeConfigSchema, readNodeConfig } from "../../client-node/config.ts";
import type { CollectorEntry } from "../../collectors/config.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseYaml } from "../../core/yaml.ts";

const valid = `enterprise: lathe-works
consortium: riverbank
coordinator: bank.example:8443
enrolment: bank.example:8444
dataDir: ./data
`;

test("paths are relative to the file's folder", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-config-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, "node.yaml");
  await writeFile(file, `${valid}rows: { files: [loans.csv, /abs/more.parquet] }\n`);
  t.deepEqual(readNodeConfig(file), {
    enterprise: "lathe-works",
    consortium: "riverbank",
    coordinator: "bank.example:8443",
    enrolment: "bank.example:8444",
    dataDir: join(folder, "data"),
    rows: { files: [join(folder, "loans.csv"), "/abs/more.parquet"], memoryMegabytes: 1000 },
    tables: {},
    sites: [],
    devices: [],
    fences: [],
    specialDays: [],
    metrics: {},
    thresholds: {},
    limits: [],
    maintenanceStatuses: [],
    storage: { spoolGigabytes: 4, keepDays: 400 },
    refresh: { every: 3_600_000, days: 90 },
  });
});

const collectors = `sites: [{ id: s, industry: retail, utcOffsetHours: 8 }]
collectors:
  - mqtt:
      url: mqtts://broker.example:8883
      clientId: key
      identity: { user: file, password: { file: broker.password } }
      tls: { ca: ca.pem, certificate: own.pem, key: own.key }
      topics: [{ topic: "{device}/{metric}", format: text, units: { state: "1", file: "%", key: "1", folder: "1" } }]
  - opcua:
      endpoint: opc.tcp://plc.example
      security: { mode: Sign, policy: Basic256Sha256, pki: ./pki }
      identity: { certificate: user.pem, key: user.key }
      groups: [{ device: ca, nodes: [{ node: ns=2;s=state, metric: run_state, unit: "1" }] }]
  - terminal:
      listen: 127.0.0.1:7611
      protocol: jt808
      datum: WGS-84
      authentication: { key: { file: terminals.key }, registered: terminals.registered }
      terminals: [{ phone: "1", device: key, terminal: key }]
  - file:
      folder: inbox
      state: seen.db
      format: csv
      device: key
      time: { column: at }
      rows: { metric: file, value: state, metrics: { state: { metric: run_state, unit: "1" } } }
`;

test("what a collector's schema marks is a path, and nothing else is, whatever its key is called", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-config-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, "node.yaml");
  await writeFile(file, valid + collectors);
  const [{ mqtt }, { opcua }, { terminal }, { file: table }] = readNodeConfig(file).collectors as [
    CollectorEntry,
    CollectorEntry,
    CollectorEntry,
    CollectorEntry,
  ];
  const beside = (name: string): string => join(folder, name);
  t.deepEqual(mqtt?.tls, { ca: beside("ca.pem"), certificate: beside("own.pem"), key: beside("own.key") });
  t.deepEqual(mqtt?.identity, { user: "file", password: { file: beside("broker.password") } });
  const [topic] = mqtt!.topics;
  t.deepEqual(topic?.format === "text" && topic.units, { state: "1", file: "%", key: "1", folder: "1" });
  t.deepEqual(opcua?.identity, { certificate: beside("user.pem"), key: beside("user.key") });
  t.is(opcua?.security !== "none" && opcua?.security.pki, beside("pki"));
  t.is(opcua?.groups[0]?.device, "ca");
  t.like(terminal, {
    authentication: { key: { file: beside("terminals.key") }, registered: beside("terminals.registered") },
  });
  t.is(table?.folder, beside("inbox"));
  t.is(table?.state, beside("seen.db"));
  t.like(table, { device: "key", rows: { metric: "file", value: "state" } });
  t.deepEqual(Object.keys(table!.rows!.metrics), ["state"]);
});

const bad: [string, string, string, RegExp][] = [
  ["unknown key", `${valid}colour: red\n`, "config_invalid", /node\.yaml: unknown key colour$/],
  [
    "unknown key further down",
    `${valid}rows: { files: [a], glob: b }`,
    "config_invalid",
    /unknown key rows\.glob$/,
  ],
  ["missing key", "enterprise: a\n", "config_invalid", /: dataDir: /],
  ["half a bank", valid.replace(/^enrolment:.*\n/m, ""), "config_invalid", /: enrolment: .*go together/],
  ["id with capitals", valid.replace("lathe", "Lathe"), "config_invalid", /: enterprise: lowercase/],
  ["no port", valid.replace(":8443", ""), "config_invalid", /: coordinator: host:port/],
  ["port beyond 65535", valid.replace("8443", "84430"), "config_invalid", /: coordinator: the port/],
  ["no file", `${valid}rows: { files: [] }`, "config_invalid", /: rows\.files: /],
  [
    "the usual table by its name",
    `${valid}tables: { rows: { files: [a] } }`,
    "config_invalid",
    /write it as rows/,
  ],
  [
    "a file in two tables",
    `${valid}rows: { files: [a] }\ntables: { leases: { files: [b, ./a] } }`,
    "config_invalid",
    /: tables\.leases\.files: .*a is in the table rows already/,
  ],
  [
    "a table of devices without a site",
    `${valid}tables: { leases: { features: { loans: [a], date: day, window: day } } }`,
    "config_invalid",
    /: tables\.leases\.features: needs sites/,
  ],
  ["not YAML", `${valid}rows: [`, "file_malformed", /node\.yaml:\d+: not YAML/],
  ["empty", "", "config_invalid", /: enterprise: /],
];
for (const [name, text, reason, message] of bad) {
  test(`${name}: ${reason}`, (t) => {
    const error = t.throws(() => parseYaml(text, "node.yaml", nodeConfigSchema), { instanceOf: Refusal });
    t.is(error?.reason, reason as never);
    t.regex(error?.message ?? "", message);
  });
}

test("a configuration that is not there is named", (t) => {
  const error = t.throws(() => readNodeConfig("/nowhere/node.yaml"), { instanceOf: Refusal });
  t.is(error?.reason, "file_missing");
});

test("a file is in one table, whatever paths lead to it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "tables-"));
  const [file, other] = [join(folder, "loans.csv"), join(folder, "leases.csv")];
  await writeFile(file, "bad\n1\n");
  await writeFile(other, "bad\n1\n");
  await symlink(file, join(folder, "by-name.csv"));
  await link(file, join(folder, "by-number.csv"));
  const faults = (rows: object, more: object): string =>
    nodeConfigSchema
      .safeParse({ enterprise: "a", dataDir: "data", rows, tables: { more } })
      .error?.issues.map(({ message }) => message)
      .join("; ") ?? "";
  const files = (name: string) => ({ files: [join(folder, name)] });
  t.is(faults(files("loans.csv"), files("leases.csv")), "", "the control");
  t.regex(faults(files("loans.csv"), files("by-name.csv")), /in the table rows already/);
  t.regex(faults(files("loans.csv"), files("by-number.csv")), /in the table rows already/);
  const features = { features: { loans: [file], date: "day", window: "day" } };
  t.regex(faults(features, files("loans.csv")), /in the table rows already/);
  await rm(folder, { recursive: true });
});
