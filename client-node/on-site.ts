import { join } from "node:path";
import { Refusal } from "../core/reasons.ts";
import type { NodeConfig } from "./config.ts";
import type { NodeEvent } from "./events.ts";
import { keepStatement } from "./federation/statements.ts";
import { openManifest, rowsTable } from "./federation/studies.ts";
import { splitSalt } from "./ledger/chain.ts";
import { EgressLedger } from "./ledger/egress.ts";
import { seenManifests } from "./ledger/records.ts";
import { openStore } from "./ledger/store.ts";
import type { NodeOptions, RunningNode } from "./node.ts";
import type { Operations } from "./operations/operations.ts";
import type { QualityReport } from "./operations/quality/quality.ts";
import type { RunningPage } from "./page/page.ts";
import { describePreview } from "./preview/preview-text.ts";

/** The page's password, as a hash, in a data directory. */
export const passwordFile = (dataDir: string): string => join(dataDir, "page.password");

type Log = (level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>) => void;

export interface OnSiteOptions {
  readonly config: NodeConfig;
  readonly node: Pick<NodeOptions, "credentials" | "ledger" | "policy" | "rows" | "now" | "random">;
  readonly onEvent: (event: NodeEvent) => void;
  readonly log: Log;
}

export interface OnSite {
  readonly operations?: Operations;
  readonly page?: RunningPage;
  /** From now on the page shows what the participant knows. */
  join(node: RunningNode): void;
  stop(): Promise<void>;
}

/**
 * Starts what runs beside the participant and needs no bank: collection, and the enterprise's page, as far as
 * node.yaml asks for them.
 *
 * Their libraries are loaded only where they are used.
 *
 * @throws Refusal config_invalid, port_taken and what a collector's configuration causes.
 */
export async function startOnSite({ config, node, onEvent, log }: OnSiteOptions): Promise<OnSite> {
  const { dataDir, collectors, refresh, storage } = config;
  const { now, random } = node;
  let committing = Promise.resolve();
  /** Days that are over are committed to in the ledger, one refresh after the other. */
  const commit = (quality: QualityReport): void => {
    committing = committing.then(async () => {
      const db = openStore(node.ledger);
      try {
        const { commitDays } = await import("./commitments.ts");
        const ledger = new EgressLedger(db, node.credentials.identity);
        await commitDays({ enterprise: config.enterprise, dataDir, ledger, random, now }, quality);
      } catch (error) {
        log("error", "days are not committed to", { cause: (error as Error).message });
      } finally {
        db.close();
      }
    });
  };
  const started =
    collectors === undefined
      ? undefined
      : await (await import("./operations/operations.ts")).startOperations({
          dataDir,
          collectors,
          sites: config,
          now,
          log,
          spoolBytes: storage.spoolGigabytes * 1e9,
          keepDays: storage.keepDays,
          refreshMillis: refresh.every,
          refreshDays: refresh.days,
          random,
          onWarning: (warning) => onEvent({ type: "warning", warning }),
          onRefresh: ({ features, quality }) => {
            onEvent({
              type: "refreshed",
              windows: features.length,
              series: quality.counts.length,
            });
            commit(quality);
          },
        });
  const operations = started && {
    ...started,
    async stop() {
      await started.stop();
      await committing;
    },
  };
  if (config.page === undefined)
    return {
      ...(operations === undefined ? {} : { operations }),
      join() {},
      stop: async () => operations?.stop(),
    };

  const db = openStore(node.ledger);
  let participant: RunningNode | undefined;
  const joined = (): RunningNode => {
    if (participant === undefined) throw new Refusal("unavailable", "the node has not reached the bank yet");
    return participant;
  };
  try {
    const { startPage } = await import("./page/page.ts");
    const page = await startPage({
      listen: config.page,
      passwordFile: passwordFile(dataDir),
      enterprise: config.enterprise,
      policy: node.policy,
      ledger: new EgressLedger(db, node.credentials.identity),
      db,
      now,
      random,
      log,
      ...(operations === undefined ? {} : { operations }),
      studies: async () => joined().studies(),
      model: async (study) => joined().model(study),
      coordinator: config.coordinator,
      decisions: {
        consent: async (study) => joined().consent(study),
        withdraw: async (study) => joined().withdraw(study),
        statements: {
          agree: async (study) => joined().statements.agree(study),
          withdraw: async (study) => joined().statements.withdraw(study),
          make: async (study) => joined().statements.make(study),
          send: async (study) => joined().statements.send(study),
        },
        keep: (study) => keepStatement({ db, now }, study),
        async preview(study) {
          const { previewOwn } = await import("./preview/own-preview.ts");
          const known = seenManifests(db).find((one) => one.study === study);
          if (known === undefined) throw new Refusal("not_found", "the bank has not shown this study");
          const { manifest } = openManifest(study, Buffer.from(known.manifest));
          const options = { policy: node.policy(), sampleRows: 3, random, nowMillis: now() };
          return describePreview(await previewOwn(config, manifest, options));
        },
      },
      // What is shown here leaves nothing to tell about.
      rows: (manifest) =>
        node.rows(manifest, {
          policy: node.policy(),
          salt: splitSalt(db, rowsTable, random.bytes(32)),
          onRun: () => {},
        }),
    });
    onEvent({ type: "page", url: page.url });
    return {
      ...(operations === undefined ? {} : { operations }),
      page,
      join(node) {
        participant = node;
      },
      async stop() {
        await page.stop();
        await operations?.stop();
        db.close();
      },
    };
  } catch (error) {
    await operations?.stop();
    db.close();
    throw error;
  }
}
