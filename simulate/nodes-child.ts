/** Nodes in a process of their own, as an enterprise's is never the bank's: forked, they are told what to be. */

import type { NodeCredentials } from "../client-node/federation/credentials.ts";
import { DirectStatistics } from "../client-node/federation/statistics.ts";
import { type RunningNode, startNode } from "../client-node/node.ts";
import type { Digest } from "../core/canonical.ts";
import { secureRandom } from "../core/random.ts";
import type { StudyManifest } from "../models/study.ts";
import type { Table } from "../models/table.ts";
import { openBfv } from "../privacy/sum/encryption/bfv.ts";
import { policyFor } from "./consortium.ts";

/** What such a process is told, once for each study; it answers with their number when all its nodes have consented. */
export interface NodesOrder {
  /** host:port. */
  readonly coordinator: string;
  readonly study: Digest;
  readonly manifest: StudyManifest;
  readonly nodes: readonly { readonly credentials: NodeCredentials; readonly table: Table }[];
}

let running: readonly RunningNode[] = [];
const bfv = await openBfv();

async function start({ coordinator, study, manifest, nodes }: NodesOrder): Promise<void> {
  for (const node of running) node.drop();
  const policy = policyFor(manifest);
  running = await Promise.all(
    nodes.map(async ({ credentials, table }) => {
      const node = await startNode({
        credentials,
        coordinator,
        policy: () => policy,
        rows: async () => table,
        ledger: ":memory:",
        bfv,
        statistics: new DirectStatistics(secureRandom),
        random: secureRandom,
        now: Date.now,
      });
      await node.consent(study);
      return node;
    }),
  );
}

process.on("message", (asked: NodesOrder | "bytesUp") => {
  // A failure ends the process, and whoever forked it waits for that too.
  if (asked === "bytesUp") process.send!(running.reduce((sum, node) => sum + node.bytes().up, 0));
  else void start(asked).then(() => process.send!(running.length));
});
process.once("disconnect", () => process.exit(0));
