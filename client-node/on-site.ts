import { join } from "node:path";
import type { Reading } from "../collectors/reading.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { tableOf } from "../models/study.ts";
import { hasBank, type NodeConfig } from "./config.ts";
import type { NodeEvent } from "./events.ts";
import { keepStatement } from "./federation/statements.ts";
import { openManifest } from "./federation/studies.ts";
import { policyFile } from "./init.ts";
import { splitSalt } from "./ledger/chain.ts";
import { EgressLedger } from "./ledger/egress.ts";
import { seenManifests } from "./ledger/records.ts";
import { openStore } from "./ledger/store.ts";
import { followConfig } from "./live-config.ts";
import type { NodeOptions, RunningNode } from "./node.ts";
import type { Operations } from "./operations/operations.ts";
import type { QualityReport } from "./operations/quality/quality.ts";
import type { RunningPage } from "./page/page.ts";
import { approvedOnly, policyOf } from "./policy.ts";
import { PolicyFile } from "./policy-file.ts";

/** The page's password, as a hash, in a data directory. */
export const passwordFile = (dataDir: string): string => join(dataDir, "page.password");

type Log = (level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>) => void;

export interface OnSiteOptions {
  readonly config: NodeConfig;
  /** The node's folder, whose node.yaml is read again when it changes. */
  readonly dir: string;
  /** Of a member of a consortium; without, the node collects for its enterprise alone. */
  readonly member?: Pick<NodeOptions, "credentials" | "ledger" | "policy" | "rows">;
  readonly now: () => number;
  readonly random: Random;
  readonly onEvent: (event: NodeEvent) => void;
  /** Told of readings once they are durable and judged. */
  readonly onReadings?: (readings: readonly Reading[]) => void;
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
export async function startOnSite(options: OnSiteOptions): Promise<OnSite> {
  const { config, dir, member, now, random, onEvent, log } = options;
  const { dataDir, collectors, refresh, storage } = config;
  let committing = Promise.resolve();
  /** Days that are over are committed to in a member's ledger, one refresh after the other. */
  const commit = (quality: QualityReport): void => {
    if (member === undefined) return;
    committing = committing.then(async () => {
      const db = openStore(member.ledger);
      try {
        const { commitDays } = await import("./commitments.ts");
        const ledger = new EgressLedger(db, member.credentials);
        await commitDays({ enterprise: config.enterprise, dataDir, ledger, random, now }, quality);
      } catch (error) {
        log("error", "days are not committed to", { cause: (error as Error).message });
      } finally {
        db.close();
      }
    });
  };
  const operations =
    collectors === undefined && member !== undefined
      ? undefined
      : await (await import("./operations/operations.ts")).startOperations({
          dataDir,
          collectors: collectors ?? [],
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
          ...(options.onReadings === undefined ? {} : { onReadings: options.onReadings }),
        });
  const following = operations && followConfig({ dir, config, operations, onEvent });
  const stopOperations = async (): Promise<void> => {
    await following?.stop();
    await operations?.stop();
    await committing;
  };
  if (config.page === undefined)
    return {
      ...(operations === undefined ? {} : { operations }),
      join() {},
      stop: stopOperations,
    };

  const db = member && openStore(member.ledger);
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
      dir,
      now,
      random,
      log,
      ...(operations === undefined ? {} : { operations }),
      ...(member === undefined || db === undefined || !hasBank(config)
        ? {}
        : {
            member: {
              policy: approvedOnly(db, member.policy),
              policyFile: new PolicyFile(policyFile(dir)),
              ledger: new EgressLedger(db, member.credentials),
              db,
              now,
              studies: async () => joined().studies(),
              model: async (study) => joined().model(study),
              coordinator: config.coordinator,
              decisions: {
                consent: async (study, by) => joined().consent(study, by),
                withdraw: async (study) => joined().withdraw(study),
                statements: {
                  agree: async (study, by) => joined().statements.agree(study, by),
                  withdraw: async (study) => joined().statements.withdraw(study),
                  make: async (study) => joined().statements.make(study),
                  send: async (study) => joined().statements.send(study),
                },
                keep: (study) => keepStatement({ db, now }, study),
                async preview(study) {
                  const { previewOwn } = await import("./preview/own-preview.ts");
                  const known = seenManifests(db).find((one) => one.study === study);
                  if (known === undefined)
                    throw new Refusal("not_found", "the bank has not shown this study");
                  const { manifest } = openManifest(study, Buffer.from(known.manifest));
                  const options = { policy: member.policy(), sampleRows: 3, random, nowMillis: now() };
                  return previewOwn(config, manifest, options);
                },
              },
              // What is shown here leaves nothing to tell about.
              rows: (manifest) =>
                member.rows(manifest, {
                  policy: policyOf(member.policy(), tableOf(manifest)),
                  salt: splitSalt(db, tableOf(manifest), random.bytes(32)),
                  onRun: () => {},
                }),
            },
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
        await stopOperations();
        db?.close();
      },
    };
  } catch (error) {
    await stopOperations();
    db?.close();
    throw error;
  }
}
