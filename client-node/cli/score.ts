import type { Command } from "commander";
import { z } from "zod";
import { readJson } from "../../core/files.ts";
import { secureRandom } from "../../core/random.ts";
import { writeReport } from "../../core/report.ts";
import { parsePublic } from "../../models/parameters.ts";
import { studyResultsSchema } from "../../models/results.ts";
import { readApplicants } from "../../models/scoring/applicants.ts";
import { parseGrades } from "../../models/scoring/grades.ts";
import { addScoreOptions, type ScoreFlags } from "../../models/scoring/options.ts";
import { chooseModel, lastFinished, scoreApplicants } from "../../models/scoring/score.ts";
import { scoresReport } from "../../models/scoring/text.ts";
import { usualTable } from "../../models/study.ts";
import { purposeKeys } from "../../privacy/desensitize/keys.ts";
import { Desensitizer } from "../../privacy/desensitize/run.ts";
import { readNodeConfig } from "../config.ts";
import { fetchModel, listStudies } from "../federation/studies.ts";
import { configFile, policyFile } from "../init.ts";
import { policyAt, policyOf } from "../policy.ts";
import { desensitizationKey } from "../rows/desensitization-key.ts";
import { ownRecords } from "../rows/own-records.ts";
import { fileRecords } from "../rows/sources.ts";
import { atDesk, type Common, commandOf } from "./node-folder.ts";

interface Flags extends Common, ScoreFlags {
  readonly rows?: string;
  readonly table: string;
}

/** `fedcredit node score`: the enterprise's own rows, scored where they are. */
export function addScore(node: Command): void {
  const command = commandOf(
    node,
    "score",
    "score this enterprise's rows with a study's model, here: nothing of them leaves",
    "score --dir mill sme-default-90 --result scorecard --out scores.csv",
  )
    .argument("[study]", "name, or the beginning of its digest; the last finished one by default")
    .option("--rows <file>", "CSV (gz too) or Parquet instead of the rows that node.yaml names")
    .option("--table <name>", "which of node.yaml's tables, and of policy.yaml's", usualTable);
  addScoreOptions(command).action(score);
}

const documentSchema = studyResultsSchema.extend({ study: z.string(), purpose: z.string() });

async function score(wanted: string | undefined, flags: Flags): Promise<void> {
  const { dir, rows, id, result, table } = flags;
  const grades = parseGrades(flags.grades);
  const config = readNodeConfig(configFile(dir));
  const policy = policyOf(policyAt(policyFile(dir))(), table);
  const document = flags.model === undefined ? await ofBank(dir, wanted) : await readJson(flags.model);
  const study = parsePublic("model", documentSchema, document);
  const chosen = chooseModel(study, result);
  const read = rows === undefined ? ownRecords(config, table) : fileRecords([rows], config.rows?.csv);
  // The model learned from what the policy lets pass, and scores the same.
  const key = desensitizationKey(config.dataDir, secureRandom);
  const passage = new Desensitizer(policy.fields, purposeKeys(key, study.purpose, Date.now()));
  const applicants = readApplicants(await read(), chosen.model.features, passage, id);
  const scores = scoreApplicants(chosen.model, applicants, { grades, reasons: flags.reasons });
  await writeReport(
    scoresReport({ study: study.study, model: chosen.name, ...scores }, flags.json),
    flags.out,
  );
}

async function ofBank(dir: string, wanted: string | undefined): Promise<unknown> {
  return atDesk(dir, async (desk) => {
    const { study } = lastFinished(await listStudies(desk), wanted);
    return (await fetchModel(desk, study)).model;
  });
}
