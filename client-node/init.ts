import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseDocument, stringify } from "yaml";
import { makeDirectory, writeNewFiles, writeWhole } from "../core/files.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { parseYaml, readText } from "../core/yaml.ts";
import { hasBank, type MemberConfig, type NodeConfig, nodeConfigSchema, readNodeConfig } from "./config.ts";
import { secretFiles } from "./federation/credentials.ts";
import { createSecrets } from "./federation/enrol.ts";

/** Names of the two files an enterprise writes, in the node's folder. */
export const configFile = (dir: string): string => join(dir, "node.yaml");
export const policyFile = (dir: string): string => join(dir, "policy.yaml");

/** Allows nothing yet: every line is the enterprise's own decision. */
const policyTemplate = `# What this enterprise allows, whatever a study asks for. Nothing here has a default.
minCohort: 4            # fewest enterprises (organisations) in any released sum
minRows: 20             # fewest rows, subjects and held-out rows in any statistic
# subject: customer_id  # whose row it is: without it, a study may count rows of one as rows of many
exactSums:              # sums without noise
  perTable: 500         # how many may ever be released over one table
  cohortChange: refuse  # survivors that differ from an earlier sum's over the table: refuse or accept
allow:
  algorithms: []        # for example [summary, logistic, evaluate]
  purposes: []          # in the manifest's own words
unprotected: []         # layers a study may run without: [noise]
maxEpsilon:
  lifetime: 8           # epsilon that all sums with noise may cost together, over all studies
  delta: 1.0e-6         # probability with which it need not hold
# scores: { send: ask } # statements of how the own rows score may leave: ask, or automatic
# warnings:             # what the bank may be told of your warnings; nothing without it
#   { purpose: early warning, leastSeverity: alarm, period: week, keepDays: 365, until: 2030-12-31 }
consentDays: 90         # how long a consent lasts
fields: []              # a column without a line cannot pass, for example
  # - { name: customer_id, class: direct, level: C2, operator: drop }
  # - { name: age, class: quasi, level: C2, operator: bins, origin: 0, width: 10 }
  # - { name: credit_status, class: sensitive, level: C2, operator: aggregate-only }
  # - { name: operating_rate, class: operational, level: C1, operator: keep }
# anonymity: { k: 5, l: 2, t: 0.3, maxSuppressionRate: 0.02 }   # needed with a field of class quasi
`;

/** A start for the plant's own hand; every key is in the reference. */
const plantTemplate = (
  enterprise: string,
): string => `# This node collects for ${enterprise} alone and belongs to no consortium.
enterprise: ${enterprise}
dataDir: data
page: 127.0.0.1:8090    # what it sees, in a browser on this machine

sites:                  # where things stand
  - { id: hall-1, industry: machining, utcOffsetHours: ${-new Date().getTimezoneOffset() / 60} }

# Registered devices are watched and become features; others are only stored.
# devices:
#   - { id: lathe-1, site: hall-1, class: machine }

# What is read; fedcredit node browse shows what a device has.
# collectors:
#   - modbus:
#       host: 192.168.1.20
#       unit: 1
#       device: lathe-1
#       registers:
#         - { address: 40001, type: f32, metric: spindle_load, unit: "%", every: 1s }
`;

/** What a new node is told; everything else is written into its files later. */
export interface NodeSettings
  extends Pick<MemberConfig, "enterprise" | "consortium" | "coordinator" | "enrolment"> {
  readonly rows?: { readonly files: readonly string[] } | undefined;
}

/**
 * Makes a node's folder: node.yaml, policy.yaml and keys, the keys readable by this user only. A node that only
 * collected becomes a member: its node.yaml gets the bank's lines, and keeps all others.
 * @throws Refusal already_exists, config_invalid, disk_full, file_missing; nothing is made then.
 */
export async function initNode(dir: string, settings: NodeSettings, random: Random): Promise<NodeConfig> {
  const file = configFile(dir);
  if (existsSync(policyFile(dir))) throw new Refusal("already_exists", `${policyFile(dir)} exists`);
  const before = existsSync(file) ? readNodeConfig(file) : undefined;
  if (before !== undefined && hasBank(before)) throw new Refusal("already_exists", `${file} exists`);
  const { rows, ...bank } = settings;
  const lines = {
    ...bank,
    ...(rows === undefined ? {} : { rows: { files: rows.files.map((one) => resolve(one)) } }),
  };
  const text =
    before === undefined ? stringify({ ...lines, dataDir: "data" }) : withLines(readText(file), lines);
  if (before === undefined) parseYaml(text, file, nodeConfigSchema);
  const secrets = await createSecrets(settings.consortium, settings.enterprise, random);
  const dataDir = before?.dataDir ?? join(dir, "data");
  await makeDirectory(dataDir, 0o700);
  await chmod(dataDir, 0o700);
  writeNewFiles([
    ...secretFiles(dataDir, secrets),
    ...(before === undefined ? [{ path: file, text, mode: 0o644 }] : []),
    { path: policyFile(dir), text: policyTemplate, mode: 0o644 },
  ]);
  if (before !== undefined) await writeWhole(file, [Buffer.from(text)]);
  return readNodeConfig(file);
}

/**
 * Makes the folder of a node that collects for its enterprise alone: node.yaml, and a place for what it reads.
 * @throws Refusal already_exists, config_invalid, disk_full, file_missing; nothing is made then.
 */
export async function initCollecting(dir: string, enterprise: string): Promise<NodeConfig> {
  const file = configFile(dir);
  if (existsSync(file)) throw new Refusal("already_exists", `${file} exists`);
  const text = plantTemplate(enterprise);
  parseYaml(text, file, nodeConfigSchema);
  const dataDir = join(dir, "data");
  await makeDirectory(dataDir, 0o700);
  await chmod(dataDir, 0o700);
  writeNewFiles([{ path: file, text, mode: 0o644 }]);
  return readNodeConfig(file);
}

/** Sets keys at the top of a YAML text; comments and everything else stay. */
function withLines(text: string, lines: Readonly<Record<string, unknown>>): string {
  const document = parseDocument(text);
  for (const [key, value] of Object.entries(lines)) document.set(key, document.createNode(value));
  return document.toString();
}
