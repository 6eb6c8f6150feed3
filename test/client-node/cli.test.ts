import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { parse, stringify } from "yaml";
import { collectorEntries } from "../../collectors/config.ts";
import { startOpcuaServer } from "../../collectors/simulators/opcua-server.ts";
import { runPlain } from "../../models/plain.ts";
import { modelsOf } from "../../models/results.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, studyOf, tableOf } from "../support/rows.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function node(...args: string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      "--no-warnings",
      cli,
      "node",
      ...args,
    ]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as Outcome;
  }
}

const folder = await temporaryDirectory();
test.after.always(() => rm(folder, { recursive: true }));

test.serial(
  "init makes a folder whose policy allows nothing; what is wrong is one line and a hint",
  async (t) => {
    const dir = join(folder, "mill");
    const addresses = ["--coordinator", "127.0.0.1:1", "--enrolment", "127.0.0.1:1"];
    const names = ["--enterprise", "mill", "--consortium", "riverbank"];
    const made = await node("init", "--dir", dir, ...names, ...addresses, "--json");
    t.is(made.code, 0);
    t.regex((JSON.parse(made.stdout) as { identityKey: string }).identityKey, /^riverbank\/mill\+/);
    t.regex(await readFile(join(dir, "policy.yaml"), "utf8"), /algorithms: \[\]/);

    const rows = ["--rows", join(folder, "loans.csv"), "--rows", folder];
    const early = await node("init", "--dir", join(folder, "early"), ...names, ...addresses, ...rows);
    t.is(early.code, 0, "rows may come later, and it is said that they are not there");
    for (const file of [join(folder, "loans.csv"), folder])
      t.true(early.stderr.includes(`${file} is no file yet`), early.stderr);
    t.false(made.stderr.includes("is no file yet"));

    const outcomes: [string[], number, RegExp][] = [
      [["init", "--dir", dir, ...names, ...addresses], 1, /exists \(already_exists\)\nhint: /],
      [["init"], 2, /required option '--enterprise <id>' not specified \(usage\)\nhint: /],
      [["start", "--dir", dir], 1, /pins\.json: .*\(file_missing\)\nhint: run fedcredit node enrol/],
      [["model", "sme", "--dir", dir, "--out", "m", "--result", "x"], 2, /goes with --format \(usage\)/],
      [["backup", "--dir", dir, "--out", join(folder, "a".repeat(300))], 1, /too long, .* \(file_missing\)/],
      [["enrol", "--dir", dir, "--token", "x"], 1, /\(token_invalid\)\nhint: /],
      [["enrol", "--dir", dir, "--token", `x.${"0".repeat(64)}`], 1, /\(unavailable\)\nhint: /],
      [["studies", "--dir", join(folder, "nowhere")], 1, /node\.yaml: .*\(file_missing\)\nhint: /],
    ];
    for (const [args, code, message] of outcomes) {
      const outcome = await node(...args);
      t.is(outcome.code, code, args.join(" "));
      t.regex(outcome.stderr, message);
      t.is(outcome.stderr.trimEnd().split("\n").length, 2, outcome.stderr);
      t.is(outcome.stdout, "");
    }
    await writeFile(join(dir, "node.yaml"), "enterprise: mill\ncolour: red\n");
    const unknown = await node("start", "--dir", dir);
    t.is(unknown.code, 1);
    t.regex(unknown.stderr, /node\.yaml: .*\(config_invalid\)\nhint: /);
  },
);

test.serial("forecast tells what noise costs of maxEpsilon, and how much a budget needs", async (t) => {
  const dir = join(folder, "forecast");
  const addresses = ["--coordinator", "127.0.0.1:1", "--enrolment", "127.0.0.1:1"];
  await node("init", "--dir", dir, "--enterprise", "mill", "--consortium", "riverbank", ...addresses);
  const forecast = (...args: string[]) => node("forecast", "--dir", dir, "--delta", "1e-6", ...args);
  const ten = JSON.parse((await forecast("--sums", "10", "--noise", "13", "--json")).stdout);
  t.true(Math.abs(ten.epsilon - 1.02985) < 1e-5);
  t.true(ten.renyi > ten.epsilon && ten.maxEpsilon === 8 && ten.withinBudget);
  t.true(ten.examples.length === 3 && ten.examples.every((x: number) => Math.abs(x - 1000) < 13 * 8));
  const planned = JSON.parse((await forecast("--sums", "10", "--epsilon", "2", "--json")).stdout);
  t.true(planned.epsilon <= 2 && planned.epsilon > 1.9999);
  t.true(Math.abs(planned.events[0].sigma - Math.sqrt(10) / 0.448) < 0.01);

  const events = join(folder, "events.json");
  const exact = { mechanism: "none", unit: "record", sensitivity: 1, sigma: 0, samplingRate: 1, count: 1 };
  await writeFile(events, JSON.stringify([exact]));
  const spent = await forecast("--events", events, "--sums", "10", "--noise", "13");
  t.is(spent.code, 0);
  t.regex(spent.stdout, /ε = ∞ of 8 .*\n.*more than policy\.yaml allows/);

  await writeFile(events, JSON.stringify([{ ...exact, count: 0 }]));
  const outcomes: [string[], number, RegExp][] = [
    [[], 2, /nothing to forecast \(usage\)\nhint: /],
    [["--sums", "9", "--epsilon", "1", "--sampling-rate", "0.5"], 2, /\(usage\)\nhint: /],
    [["--events", events], 1, /count.*\(config_invalid\)\nhint: /],
  ];
  for (const [args, code, message] of outcomes) {
    const outcome = await forecast(...args);
    t.is(outcome.code, code, args.join(" "));
    t.regex(outcome.stderr, message);
    t.is(outcome.stdout, "");
  }
});

test.serial(
  "import telegraf prints what node.yaml takes, and a line for each thing it leaves behind",
  async (t) => {
    const conf = join(folder, "telegraf.conf");
    await writeFile(
      conf,
      `[agent]
  interval = "5s"
[[inputs.cpu]]
  percpu = true
[[inputs.modbus]]
  name = "line-1"
  slave_id = 1
  controller = "tcp://10.0.0.7:502"
  holding_registers = [
    { name = "active_power", byte_order = "ABCD", data_type = "FLOAT32", scale = 1.0, address = [0, 1] },
    { name = "half", byte_order = "AB", data_type = "FLOAT16-IEEE", scale = 1.0, address = [30] },
  ]
  [inputs.modbus.tags]
    hall = "east"
`,
    );
    const { code, stdout, stderr } = await node("import", "telegraf", conf);
    t.is(code, 0, stderr);
    const { collectors } = parse(stdout) as { collectors: unknown[] };
    const [entry] = collectorEntries.parse(collectors);
    t.like(entry?.modbus?.units[0]?.registers[0], { metric: "active_power", unit: "kW" });
    t.regex(entry!.modbus!.units[0]!.device!, /hall=east/);
    t.deepEqual(stderr.trimEnd().split("\n"), [
      "inputs.modbus[0].holding_registers[1] (half) has the type FLOAT16-IEEE, which is not supported, and is left out",
      "inputs.cpu is not read and is left out",
    ]);

    await writeFile(conf, "[[inputs.cpu]]\n");
    const none = await node("import", "telegraf", conf);
    t.is(none.code, 1);
    t.is(none.stdout, "");
    t.regex(none.stderr, /nothing in it could be taken \(config_invalid\)\nhint: /);
    await writeFile(conf, "[[inputs.modbus]\n");
    t.regex((await node("import", "telegraf", conf)).stderr, /telegraf\.conf: line 1: .*\(file_malformed\)/);
  },
);

test.serial("browse lists what an OPC UA server has, by address or by the collector's name", async (t) => {
  const server = await startOpcuaServer({
    now: Date.now,
    pki: join(folder, "server"),
    variables: ["Spindle.Load", "Spindle.Speed"],
  });
  t.teardown(() => server.close());
  const open = await node("browse", server.endpoint);
  t.is(open.code, 0, open.stderr);
  t.deepEqual(open.stdout.trimEnd().split("\n"), [
    "nsu=urn:simulator:opcua;s=Spindle.Load\tPlant/Spindle.Load\tDouble",
    "nsu=urn:simulator:opcua;s=Spindle.Speed\tPlant/Spindle.Speed\tDouble",
  ]);
  const dir = join(folder, "press");
  await mkdir(dir);
  const groups = [
    { device: "press", nodes: [{ node: "ns=1;s=Spindle.Load", metric: "spindle_load", unit: "%" }] },
  ];
  await writeFile(
    join(dir, "node.yaml"),
    stringify({
      enterprise: "mill",
      consortium: "riverbank",
      coordinator: "127.0.0.1:1",
      enrolment: "127.0.0.1:1",
      dataDir: "data",
      sites: [{ id: "hall", industry: "machining", utcOffsetHours: 8 }],
      collectors: [
        {
          opcua: {
            name: "press",
            endpoint: server.endpoint,
            security: "none",
            identity: "anonymous",
            groups,
          },
        },
      ],
    }),
  );
  const named = await node("browse", "press", "--dir", dir, "--json");
  t.is(named.code, 0, named.stderr);
  t.is((JSON.parse(named.stdout) as unknown[]).length, 2);
  const unknown = await node("browse", "lathe", "--dir", dir);
  t.regex(unknown.stderr, /node\.yaml has no collector called lathe \(not_found\)\nhint: it has press/);
  const nobody = await node("browse", "opc.tcp://127.0.0.1:1");
  t.is(nobody.code, 1);
  t.regex(nobody.stderr, /opc\.tcp:\/\/127\.0\.0\.1:1: .*\(unavailable\)\nhint: /);
});

test.serial("score reads the node's own rows as its policy lets them pass, and needs no bank", async (t) => {
  const dir = join(folder, "scoring");
  const addresses = ["--coordinator", "127.0.0.1:1", "--enrolment", "127.0.0.1:1"];
  await node("init", "--dir", dir, "--enterprise", "mill", "--consortium", "riverbank", ...addresses);
  const study = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }, { name: "logistic" }]);
  const { results } = await runPlain(study, [borrowers()]);
  const model = join(dir, "model.json");
  const file = join(dir, "applicants.csv");
  await writeFile(model, JSON.stringify({ ...study, study: "ab".repeat(32), results }));
  await writeFile(
    file,
    "who,income,age,share,sector\na,50000,44,0.2,trade\nb,50000,44,?,mining\nc,x,44,0,trade\n",
  );
  const score = (...args: string[]) => node("score", "--dir", dir, "--model", model, ...args);

  t.regex((await score("--rows", file)).stderr, /"income" has no line in the policy \(policy_refuses\)/);
  const policy = parse(await readFile(join(dir, "policy.yaml"), "utf8"));
  const about = { class: "operational", level: "C1", operator: "keep" };
  const fields = borrowerFeatures.map(({ name }) => ({ name, ...about }));
  fields[1] = { ...fields[1]!, operator: "bins", origin: 0, width: 10 } as never;
  await writeFile(join(dir, "policy.yaml"), stringify({ ...policy, fields }));

  const scored = await score("--rows", file, "--json", "--id", "who");
  t.is(scored.code, 0, scored.stderr);
  const { scored: rows, refused, baseline } = JSON.parse(scored.stdout);
  // The middle of its bin is what the model would have learned from.
  const passed = tableOf(
    {
      income: [50000],
      age: [45],
      share: [0.2],
      sector: { codes: [1], levels: ["textile", "trade", "transport"] },
    },
    [0],
  );
  const [expected] = modelsOf({ ...study, results })
    .get("logistic")!
    .score(passed);
  t.is(rows.length, 1);
  t.like(rows[0], { id: "a", line: 2, probability: expected });
  t.deepEqual(
    refused.map((one: { id: string }) => one.id),
    ["b", "c"],
  );
  t.true(baseline.probability > 0 && baseline.probability < 1);
  t.regex(
    scored.stderr,
    /1 rows scored, 2 refused\ncolumn "sector": not among the study's levels: 1 rows, the first at .*:3/,
  );
  const csv = await score("--rows", file);
  t.is(csv.stdout.trim().split("\n").length, 4);
  t.regex((await score()).stderr, /node.yaml names no rows \(rows_missing\)/);
  t.regex((await score("--rows", file, "--result", "oracle")).stderr, /no model called oracle/);
  await writeFile(file, "income,age,share,sector\nx,44,0.2,trade\n");
  t.regex((await score("--rows", file)).stderr, /none of 1 rows can be scored.*\(cell_malformed\)/);
  await writeFile(model, "{}");
  t.regex((await score("--rows", file)).stderr, /\(state_invalid\)/);
});
