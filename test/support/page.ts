/** A page over a plant: with a ledger, a consented and finished study, and this enterprise's own rows. */

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { StudyView } from "../../client-node/federation/studies.ts";
import { EgressLedger } from "../../client-node/ledger/egress.ts";
import { rememberManifest, storeConsent } from "../../client-node/ledger/records.ts";
import { openStore } from "../../client-node/ledger/store.ts";
import type { Operations } from "../../client-node/operations/operations.ts";
import { type Locale, localeFor } from "../../client-node/page/locale.ts";
import {
  enterprisePages,
  type Membership,
  type PageOptions,
  type RunningPage,
  startPage,
} from "../../client-node/page/page.ts";
import { type Policy, policyAt } from "../../client-node/policy.ts";
import { PolicyFile } from "../../client-node/policy-file.ts";
import type { Preview } from "../../client-node/preview/preview.ts";
import { canonicalJson, digestOf } from "../../core/canonical.ts";
import type { Language } from "../../core/pages/locale.ts";
import { secureRandom, seededRandom } from "../../core/random.ts";
import { runPlain } from "../../models/plain.ts";
import { selectRows } from "../../models/rows.ts";
import { generateIdentity } from "../../privacy/identity.ts";
import { policyFor } from "../../simulate/consortium.ts";
import { type Route, routesOf } from "./routes.ts";
import { borrowerFeatures, borrowers, studyOf } from "./rows.ts";

const manifest = {
  ...studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "summary" },
    { name: "logistic" },
    { name: "evaluate" },
  ]),
  name: "sme-default-90",
};
/** The one study that the page knows. */
export const study = digestOf(canonicalJson(manifest));

/** As the bank tells it. */
export const view: StudyView = {
  study,
  manifest,
  name: manifest.name,
  phase: "finished",
  algorithm: "",
  round: 9,
  attempt: 1,
  reason: "",
  consented: ["mill"],
};

/** What the page says to whoever reads that language. */
export const localeIn = (language: Language): Locale =>
  localeFor({ headers: {}, acceptsLanguages: () => language } as never);

/** A dry run of one column. @param cell - of the enterprise's first row, and what becomes of it */
export const previewOf = (column: string, cell: { before: string; after: string }): Preview => {
  const sent = {
    destination: "bank.example:8443",
    kind: "submission",
    bytes: 41_000,
    digest: "cd".repeat(32),
  };
  return {
    study,
    name: manifest.name,
    columns: [
      { passes: true, name: column, class: "operational", level: "C1", operator: "keep", sample: [cell] },
      { passes: false, name: "customer", why: "dropped" },
    ],
    desensitization: {
      type: "desensitization.ran",
      ...{ time: 0, enterprise: "mill", policy: "ab".repeat(32), fields: [] },
      ...{ rowsIn: 12, rowsOut: 10, k: 2, l: 1, t: 0.25, suppressionRate: 0.1 },
    },
    counts: { records: 12, unlabelled: 1, indeterminate: 0 },
    dryRun: {
      rounds: [{ algorithm: "logistic", entries: 12, slots: 1, layout: { blocks: [] }, departures: [sent] }],
      outsideRounds: [{ ...sent, kind: "Studies.Consent" }],
      onFailure: [{ ...sent, kind: "Blobs.Upload" }],
    },
  } as unknown as Preview;
};

export const passwordFileIn = (folder: string): string => join(folder, "page.password");

/** A policy.yaml with a comment in it, as it stands on disk. */
export function policyIn(folder: string, policy: Policy): Pick<Membership, "policy" | "policyFile"> {
  const path = join(folder, "policy.yaml");
  if (!existsSync(path)) writeFileSync(path, `# What the board decided.\n${stringify(policy)}`);
  return { policy: policyAt(path), policyFile: new PolicyFile(path) };
}

/** @param folder - of the node's data; kept by the caller. */
export async function openPage(
  folder: string,
  operations: Operations | undefined,
  change: Partial<Omit<PageOptions, "member">> = {},
  ofMember: Partial<Membership> = {},
): Promise<RunningPage & { routes(): Route[] }> {
  const db = openStore(join(folder, "ledger.db"));
  const ledger = new EgressLedger(db, { identity: generateIdentity("riverbank/mill", seededRandom("page")) });
  const digest = "cd".repeat(32);
  if (ledger.size === 0) {
    const consent = { study, enterprise: "mill", expires: 2e12, consent: "signed" };
    ledger.append([{ type: "study.consented", time: 1_774_000_000_000, ...consent }]);
    for (let i = 0; i < 60; i++) {
      const destination = "bank.example:8443";
      ledger.append([
        {
          type: "egress.sent",
          time: 1_774_000_060_000 + i,
          destination,
          kind: "submission",
          bytes: 41_000 + i,
          digest,
        },
        {
          type: "privacy.spent",
          time: 1_774_000_060_000 + i,
          study,
          mechanism: "none",
          unit: "record",
          steps: 1,
          cumulativeSteps: i + 1,
          roundId: digest,
        } as const,
      ]);
    }
    storeConsent(db, { study, manifest: canonicalJson(manifest), expiresMillis: 2e12, withdrawn: false });
    rememberManifest(db, study, canonicalJson(manifest));
  }
  const own = selectRows(borrowers(), (row) => row % 2 === 0);
  const options: PageOptions = {
    listen: "127.0.0.1:0",
    passwordFile: passwordFileIn(folder),
    enterprise: "mill",
    dir: "mill",
    now: Date.now,
    random: secureRandom,
    log() {},
    ...(operations === undefined ? {} : { operations }),
    member: {
      coordinator: "bank.example:8443",
      ...policyIn(folder, policyFor(manifest)),
      ledger,
      db,
      now: Date.now,
      studies: async () => [view],
      async model() {
        const { results } = await runPlain(manifest, [borrowers()]);
        const model = { results };
        return { digest: digestOf(canonicalJson(model)), model };
      },
      rows: async () => own,
      ...ofMember,
    },
    ...change,
  };
  const page = await startPage(options);
  return {
    url: page.url,
    routes() {
      const { app, end } = enterprisePages(options);
      end();
      return routesOf(app);
    },
    async stop() {
      await page.stop();
      db.close();
    },
  };
}
