import type { Random } from "../../core/random.ts";
import { type StudyManifest, tableOf } from "../../models/study.ts";
import { purposeKeys } from "../../privacy/desensitize/keys.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import type { MemberConfig } from "../config.ts";
import { type Policy, policyOf } from "../policy.ts";
import { desensitizationKey } from "../rows/desensitization-key.ts";
import { ownRecords } from "../rows/own-records.ts";
import { type Preview, previewStudy } from "./preview.ts";

export interface OwnPreviewOptions {
  /** The whole of it. */
  readonly policy: Policy;
  /** How many rows to show. */
  readonly sampleRows: number;
  readonly random: Random;
  /** Milliseconds since the epoch. */
  readonly nowMillis: number;
}

/** What a study would make of the rows that node.yaml names. @throws Refusal as `previewStudy` */
export async function previewOwn(
  config: MemberConfig,
  manifest: StudyManifest,
  { policy, sampleRows, random, nowMillis }: OwnPreviewOptions,
): Promise<Preview> {
  const sources = await ownRecords(config, tableOf(manifest))();
  const key = desensitizationKey(config.dataDir, random);
  const bfv = await openBfv();
  try {
    return await previewStudy(manifest, sources, {
      policy: policyOf(policy, tableOf(manifest)),
      salt: random.bytes(32),
      keys: purposeKeys(key, manifest.purpose, nowMillis),
      enterprise: config.enterprise,
      destination: config.coordinator,
      random,
      bfv,
      sampleRows,
      nowMillis,
    });
  } finally {
    await bfv.close();
  }
}
