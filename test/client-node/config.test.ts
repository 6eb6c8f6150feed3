import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { nodeConfigSchema, readNodeConfig } from "../../client-node/config.ts";
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
    rows: { files: [join(folder, "loans.csv"), "/abs/more.parquet"] },
  });
});

const bad: [string, string, string, RegExp][] = [
  ["unknown key", `${valid}colour: red\n`, "config_invalid", /node\.yaml: unknown key colour$/],
  [
    "unknown key further down",
    `${valid}rows: { files: [a], glob: b }`,
    "config_invalid",
    /unknown key rows\.glob$/,
  ],
  ["missing key", "enterprise: a\n", "config_invalid", /: consortium: /],
  ["id with capitals", valid.replace("lathe", "Lathe"), "config_invalid", /: enterprise: lowercase/],
  ["no port", valid.replace(":8443", ""), "config_invalid", /: coordinator: host:port/],
  ["port beyond 65535", valid.replace("8443", "84430"), "config_invalid", /: coordinator: the port/],
  ["no file", `${valid}rows: { files: [] }`, "config_invalid", /: rows\.files: /],
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
