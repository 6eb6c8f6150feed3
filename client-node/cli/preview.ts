import type { Command } from "commander";
import { findStudy } from "../../core/ids.ts";
import { wholeNumber } from "../../core/number-argument.ts";
import { secureRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { print } from "../../core/terminal.ts";
import { readYaml } from "../../core/yaml.ts";
import { manifestSchema, type StudyManifest } from "../../models/study.ts";
import { type NodeConfig, readMemberConfig } from "../config.ts";
import { openManifest } from "../federation/studies.ts";
import { configFile, policyFile } from "../init.ts";
import { seenManifests } from "../ledger/records.ts";
import { openStore } from "../ledger/store.ts";
import { ledgerFile } from "../node.ts";
import { policyAt } from "../policy.ts";
import { previewOwn } from "../preview/own-preview.ts";
import { describePreview } from "../preview/preview-text.ts";
import { type Common, commandOf } from "./node-folder.ts";

export function addPreview(node: Command): void {
  commandOf(
    node,
    "preview",
    "show what a study would make of the rows and send, without sending anything",
    "preview --dir mill sme-default-90",
  )
    .argument("<study>", "name, or the beginning of its digest, of a study that `node studies` has shown")
    .option("--manifest <file>", "read the manifest from a JSON or YAML file instead")
    .option("--rows <count>", "rows to show", wholeNumber(0, 1_000_000), 3)
    .option("--json", "print one JSON object")
    .action(preview);
}

async function preview(
  wanted: string,
  {
    dir,
    json,
    manifest: file,
    rows: sampleRows,
  }: Common & { readonly manifest?: string; readonly rows: number },
): Promise<void> {
  const config = readMemberConfig(configFile(dir));
  const manifest = file === undefined ? seenStudy(config, wanted) : readYaml(file, manifestSchema);
  const policy = policyAt(policyFile(dir))();
  const options = { policy, sampleRows, random: secureRandom, nowMillis: Date.now() };
  const shown = await previewOwn(config, manifest, options);
  if (json) print(JSON.stringify(shown));
  else for (const line of describePreview(shown)) print(line);
}

/** @returns the manifest as the bank showed it, without asking again. @throws Refusal not_found */
function seenStudy({ dataDir }: NodeConfig, wanted: string): StudyManifest {
  const db = openStore(ledgerFile(dataDir));
  try {
    const seen = seenManifests(db).map(({ study, manifest: text }) => {
      const { manifest } = openManifest(study, Buffer.from(text));
      return { study, name: manifest.name, manifest };
    });
    if (!seen.some(({ study, name }) => name === wanted || study.startsWith(wanted)))
      throw new Refusal("not_found", `the bank has not shown this node a study "${wanted}"`, {
        hint: "run fedcredit node studies, or give --manifest",
      });
    return findStudy(seen, wanted).manifest;
  } finally {
    db.close();
  }
}
