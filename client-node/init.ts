import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { makeDirectory, writeNewFiles } from "../core/files.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { parseYaml } from "../core/yaml.ts";
import { type NodeConfig, nodeConfigSchema, readNodeConfig } from "./config.ts";
import { secretFiles } from "./federation/credentials.ts";
import { createSecrets } from "./federation/enrol.ts";

/** Names of the two files an enterprise writes, in the node's folder. */
export const configFile = (dir: string): string => join(dir, "node.yaml");
export const policyFile = (dir: string): string => join(dir, "policy.yaml");

/** Allows nothing yet: every line is the enterprise's own decision. */
const policyTemplate = `# What this enterprise allows, whatever a study asks for. Nothing here has a default.
minCohort: 4            # fewest enterprises (organisations) in any released sum
minRows: 20             # fewest rows, subjects and held-out rows in any statistic
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
consentDays: 90         # how long a consent lasts
fields: []              # a column without a line cannot pass, for example
  # - { name: customer_id, class: direct, level: C2, operator: drop }
  # - { name: age, class: quasi, level: C2, operator: bins, origin: 0, width: 10 }
  # - { name: credit_status, class: sensitive, level: C2, operator: aggregate-only }
  # - { name: operating_rate, class: operational, level: C1, operator: keep }
# anonymity: { k: 5, l: 2, t: 0.3, maxSuppressionRate: 0.02 }   # needed with a field of class quasi
`;

/** What a new node is told; everything else is written into its files later. */
export type NodeSettings = Pick<
  NodeConfig,
  "enterprise" | "consortium" | "coordinator" | "enrolment" | "rows"
>;

/**
 * Makes a node's folder: node.yaml, policy.yaml and keys, the keys readable by this user only.
 * @throws Refusal already_exists, config_invalid, disk_full, file_missing; nothing is made then.
 */
export async function initNode(dir: string, settings: NodeSettings, random: Random): Promise<NodeConfig> {
  for (const file of [configFile(dir), policyFile(dir)])
    if (existsSync(file)) throw new Refusal("already_exists", `${file} exists`);
  const { rows, ...rest } = settings;
  const text = stringify({
    ...rest,
    dataDir: "data",
    ...(rows?.files === undefined ? {} : { rows: { files: rows.files.map((file) => resolve(file)) } }),
  });
  parseYaml(text, configFile(dir), nodeConfigSchema);
  const secrets = await createSecrets(settings.consortium, settings.enterprise, random);
  const dataDir = join(dir, "data");
  await makeDirectory(dataDir, 0o700);
  await chmod(dataDir, 0o700);
  writeNewFiles([
    ...secretFiles(dataDir, secrets),
    { path: configFile(dir), text, mode: 0o644 },
    { path: policyFile(dir), text: policyTemplate, mode: 0o644 },
  ]);
  return readNodeConfig(configFile(dir));
}
