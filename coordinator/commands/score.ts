import { Command } from "commander";
import { z } from "zod";
import { addressArgument } from "../../core/address-argument.ts";
import type { CsvOptions } from "../../core/csv.ts";
import { readJson } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import { writeReport } from "../../core/report.ts";
import { readRecords } from "../../core/table-file.ts";
import { unchanged } from "../../models/cells.ts";
import { parsePublic } from "../../models/parameters.ts";
import { studyResultsSchema } from "../../models/results.ts";
import { readApplicants } from "../../models/scoring/applicants.ts";
import { parseGrades } from "../../models/scoring/grades.ts";
import { addScoreOptions, type ScoreFlags } from "../../models/scoring/options.ts";
import { chooseModel, lastFinished, scoreApplicants } from "../../models/scoring/score.ts";
import { scoresReport } from "../../models/scoring/text.ts";
import { asOperator } from "./connection.ts";

interface Flags extends ScoreFlags {
  readonly data: string;
  readonly config?: string;
  readonly address?: string;
  readonly encoding?: string;
  readonly delimiter?: NonNullable<CsvOptions["delimiter"]>;
  readonly missing?: string;
}

/** `fedcredit coordinator score`: the bank's own applicants. */
export const scoreCommand = (): Command =>
  addScoreOptions(
    new Command("score")
      .description("score the bank's own applicants from a file with a study's model")
      .argument("[study]", "name, or the beginning of its digest; the last finished one by default")
      .requiredOption("--data <file>", "CSV (gz too) or Parquet with the columns that the model reads")
      .option("--config <file>", "coordinator.yaml; not needed with --model")
      .option("--address <host:port>", "of the coordinator; the config's listen by default", addressArgument)
      .option("--encoding <name>", "of a CSV file: gbk, windows-1252, …; UTF-8 by default")
      .option("--delimiter <sign>", "between a CSV file's cells; found out from its header line by default")
      .option("--missing <a,b,…>", "cells that stand for a missing value, beside the usual ones"),
  )
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit coordinator score sme-default-90 --data applicants.csv --id application --out scores.csv --config bank/coordinator.yaml",
    )
    .action(score);

const documentSchema = studyResultsSchema.extend({ study: z.string() });

async function score(wanted: string | undefined, flags: Flags): Promise<void> {
  const grades = parseGrades(flags.grades);
  const document = flags.model === undefined ? await published(wanted, flags) : await readJson(flags.model);
  const study = parsePublic("model", documentSchema, document);
  const { name, model } = chooseModel(study, flags.result);
  const { encoding, delimiter, missing } = flags;
  const csv = {
    ...(encoding === undefined ? {} : { encoding }),
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(missing === undefined ? {} : { missing: missing.split(",") }),
  };
  const records = await readRecords(flags.data, undefined, csv);
  const applicants = readApplicants([records], model.features, unchanged, flags.id);
  const scores = scoreApplicants(model, applicants, { grades, reasons: flags.reasons });
  await writeReport(scoresReport({ study: study.study, model: name, ...scores }, flags.json), flags.out);
}

async function published(wanted: string | undefined, { config, address }: Flags): Promise<unknown> {
  if (config === undefined)
    throw new Refusal("usage", "score needs a model", {
      hint: "give coordinator.yaml with --config, or a model's file with --model",
    });
  return asOperator({ config, ...(address === undefined ? {} : { address }) }, async (operator) => {
    const { study } = lastFinished(await operator.studies(), wanted);
    return (await operator.model(study)).model;
  });
}
