import type { Command } from "commander";
import { secureRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { tell } from "../../core/terminal.ts";
import { tableOf, usualTable } from "../../models/study.ts";
import { purposeKeys } from "../../privacy/desensitize/keys.ts";
import { Desensitizer } from "../../privacy/desensitize/run.ts";
import { type MemberConfig, readMemberConfig } from "../config.ts";
import type { NodeEvent } from "../events.ts";
import { identityFiles, readCredentials, renewPins } from "../federation/credentials.ts";
import { Membership } from "../federation/membership.ts";
import { configFile, policyFile } from "../init.ts";
import { ledgerFile, openDesk, requireLedger } from "../node.ts";
import { policyAt } from "../policy.ts";
import { desensitizationKey } from "../rows/desensitization-key.ts";
import { ownRecords, ownStreams } from "../rows/own-records.ts";
import { ownScore } from "../rows/own-score.ts";
import { desensitizedRows } from "../rows/row-source.ts";
import { describeCounts } from "../rows/rows.ts";

/** What most commands of a node take. */
export interface Common {
  readonly dir: string;
  readonly json?: true;
}

/**
 * Adds a command that works on a node's folder; its help ends in `example`, without `fedcredit node`.
 * @param more - what its help says before that.
 */
export const commandOf = (
  parent: Command,
  name: string,
  description: string,
  example: string,
  more = "",
): Command =>
  parent
    .command(name)
    .description(description)
    .option("--dir <folder>", "the node's folder, with node.yaml and policy.yaml", ".")
    .addHelpText("after", `${more}\nExample:\n  fedcredit node ${example}`);

export function readNode(dir: string): Parameters<typeof openDesk>[0] & { readonly config: MemberConfig } {
  const config = readMemberConfig(configFile(dir));
  const credentials = readCredentials(config.dataDir, Date.now());
  if (credentials.enterprise !== config.enterprise || credentials.consortium !== config.consortium)
    throw new Refusal(
      "config_invalid",
      `${configFile(dir)} says ${config.enterprise} in ${config.consortium}, the certificate ${credentials.enterprise} in ${credentials.consortium}`,
      { hint: "correct node.yaml, or enrol again" },
    );
  requireLedger(config.dataDir);
  const policy = policyAt(policyFile(dir));
  policy();
  const key = desensitizationKey(config.dataDir, secureRandom);
  return {
    config,
    credentials,
    coordinator: config.coordinator,
    policy,
    rows: async (manifest, means) => {
      const table = tableOf(manifest);
      const read = ownRecords(config, table);
      const rows = desensitizedRows({ read, streams: ownStreams(config, table), key, now: Date.now });
      return rows(manifest, means);
    },
    ownScore: async (model, { purpose, table, policy, month }) => {
      const passage = new Desensitizer(policy.fields, purposeKeys(key, purpose, Date.now()));
      const { features } = (table === usualTable ? config.rows : config.tables[table]) ?? {};
      const dateColumn = config.scores?.date ?? features?.date;
      return ownScore(model, await ownRecords(config, table)(), passage, { month, dateColumn });
    },
    ledger: ledgerFile(config.dataDir),
    keepCertificate: (certificate, ca) => renewPins(config.dataDir, certificate, ca),
    identities: identityFiles(config.dataDir),
    random: secureRandom,
    now: Date.now,
  };
}

function tellRows(event: NodeEvent): void {
  if (event.type === "rows") tell(describeCounts(event, event.rows));
}

export async function atDesk<T>(
  dir: string,
  work: (desk: ReturnType<typeof openDesk>) => Promise<T>,
): Promise<T> {
  const desk = openDesk({ ...readNode(dir), onEvent: tellRows });
  try {
    await desk.transport.checkHealth();
    // The roster in force may have this node's next keys: what is signed now is signed with them.
    const identities = identityFiles(readMemberConfig(configFile(dir)).dataDir);
    if (identities.read().length > 1)
      await new Membership({ ...desk, identities, random: secureRandom }).fetchRoster();
    return await work(desk);
  } finally {
    desk.transport.close();
    desk.db.close();
  }
}
