import { Command, InvalidArgumentError, Option } from "commander";
import type { CsvOptions } from "../core/csv.ts";
import { writeInto } from "../core/files.ts";
import { wholeNumber } from "../core/number-argument.ts";
import { Refusal } from "../core/reasons.ts";
import { readYaml } from "../core/yaml.ts";
import { type EvaluateResult, evaluate } from "../models/algorithms/evaluate.ts";
import { algorithmNames } from "../models/registry.ts";
import { resultsBy } from "../models/results.ts";
import { manifestSchema } from "../models/study.ts";
import { studySteps } from "../models/study-loop.ts";
import { leastCohort, readProblem } from "./data.ts";
import { simulationText } from "./text.ts";
import { type DropOut, type Outcome, type Step, steps, type Transport } from "./transport.ts";

const transports: Readonly<Record<string, () => Promise<Transport>>> = {
  plain: async () => (await import("./plain.ts")).plain,
  sealed: async () => (await import("./sealed.ts")).sealed,
  grpc: async () => (await import("./grpc.ts")).grpc,
};

interface Flags {
  data: string;
  label: string;
  bad?: string;
  indeterminate?: string;
  features?: string[];
  parties: number;
  partition: string;
  algorithm: string;
  param: Record<string, unknown>;
  algorithms?: string;
  plots?: string;
  transport: string;
  drop: DropOut;
  seed: string;
  noise?: number;
  groups?: number;
  holdout: number;
  json: boolean;
  delimiter?: CsvOptions["delimiter"];
  encoding?: string;
  decimal?: CsvOptions["decimal"];
  missing?: string[];
}

/** `fedcredit simulate`: many parties on one machine, on any CSV, through the same code. */
export function simulateCommand(): Command {
  return new Command("simulate")
    .description("deal a data set to many parties on this machine and train over a sealed sum")
    .requiredOption("--data <file>", "CSV (gz too) or Parquet")
    .requiredOption("--label <column>", "column of 0 (good) and 1 (bad), or any with --bad")
    .option("--bad <a,b,…>", "label values that count as bad")
    .option(
      "--indeterminate <a,b,…>",
      "label values that count as neither: their rows are left out; all others than these and --bad count as good",
    )
    .option("--features <a,b,…>", "columns to use; all others than the label by default", columnNames)
    .option("--parties <n>", "number of enterprises", wholeNumber(leastCohort, 4096), 4)
    .option("--partition <kind>", "iid, dirichlet:ALPHA or by:COLUMN", "iid")
    .option("--algorithm <name>", algorithmNames.join(", "), "logistic")
    .addOption(
      new Option("--param <name=value>", "a parameter of the algorithm; may be repeated")
        .argParser(parameter)
        .default({}, "the algorithm's own"),
    )
    .addOption(
      new Option(
        "--algorithms <file>",
        "several in one study: a JSON or YAML list as under `algorithms` of a manifest; what they need is added",
      ).conflicts(["algorithm", "param"]),
    )
    .option("--plots <dir>", "directory for charts as SVG: weight of evidence, ROC, KS, calibration, lift")
    .option("--transport <kind>", "plain, sealed (one process) or grpc (mTLS on loopback)", "sealed")
    .addOption(
      new Option(
        "--drop <p>",
        `probability that a party drops out of a round of the model, or N@STEP: the first N leave for good (${steps.join(", ")})`,
      )
        .argParser(dropOut)
        .default({ kind: "chance", probability: 0 }, "0"),
    )
    .option("--seed <text>", "repeats partition, split and drop-outs", "0")
    .option(
      "--noise <multiplier>",
      "add noise to every sum: its standard deviation over the most that one row changes",
      multiplier,
    )
    .option(
      "--groups <n>",
      "deal the parties to groups, and take each step of additive, boosting and neural from their median",
      wholeNumber(3, 64),
    )
    .option("--holdout <fraction>", "share of rows held out for evaluation; 0 evaluates on all", fraction, 0)
    .addOption(
      new Option(
        "--delimiter <sign>",
        "between a CSV file's cells; found out from its header line by default",
      ).choices([",", ";", "\t", "|"]),
    )
    .option("--encoding <name>", "of a CSV file: gbk, windows-1252, …; UTF-8 by default")
    .addOption(
      new Option("--decimal <sign>", "of a CSV file's numbers; found out from its cells by default").choices([
        ".",
        ",",
      ]),
    )
    .option("--missing <a,b,…>", "cells that stand for a missing value, beside the usual ones", columnNames)
    .option("--json", "one JSON object on stdout", false)
    .addHelpText(
      "after",
      "\nExample:\n  fedcredit simulate --data loans.csv --label bad --parties 8 --partition dirichlet:0.5 --transport grpc --json",
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const load = Object.hasOwn(transports, flags.transport) ? transports[flags.transport] : undefined;
  if (load === undefined)
    throw new Refusal("usage", `--transport ${flags.transport} is not known`, {
      hint: "plain, sealed or grpc",
    });
  if (flags.drop.kind === "at" && flags.parties - flags.drop.parties < leastCohort)
    throw new Refusal("usage", `--drop takes ${flags.drop.parties} of ${flags.parties} parties`, {
      hint: `leave at least ${leastCohort}: the sum of one is its own`,
    });
  const { delimiter, encoding, decimal, missing } = flags;
  const csv = {
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(decimal === undefined ? {} : { decimal }),
    ...(missing === undefined ? {} : { missing }),
  };
  const { algorithms: list, ...single } = flags;
  const listed = list === undefined ? undefined : readYaml(list, manifestSchema.shape.algorithms);
  const several = listed === undefined ? {} : { algorithms: listed };
  const problem = await readProblem({ ...single, ...several, params: flags.param, csv });
  for (const { name, kind, advice } of problem.leftOut)
    process.stderr.write(`column "${name}" is left out, it is ${kind}: ${advice}\n`);
  const { label } = problem.manifest;
  if (label.good.length > 1) process.stderr.write(`as good count ${label.good.join(", ")}\n`);
  const { unlabelled, indeterminate, records } = problem.rows;
  if (unlabelled > 0)
    process.stderr.write(`${unlabelled} of ${records} rows are left out: they have no label\n`);
  if (indeterminate > 0)
    process.stderr.write(`${indeterminate} of ${records} rows are left out: they are neither good nor bad\n`);
  const transport = await load();
  const begun = performance.now();
  const outcome = await transport(problem, {
    drop: flags.drop,
    seed: flags.seed,
    onRound: progressOf(studySteps(problem.manifest)),
  });
  const seconds = (performance.now() - begun) / 1000;
  const study = { ...problem.manifest, results: outcome.results };
  const [evaluated] = resultsBy(evaluate, study).values();
  if (flags.plots !== undefined) {
    const { plotsOf } = await import("./plots.ts");
    const plots = plotsOf(study);
    await writeInto(
      flags.plots,
      plots.map(({ name, svg }) => ({ name, bytes: Buffer.from(svg) })),
    );
    process.stderr.write(`${plots.length} charts written to ${flags.plots}\n`);
  }
  const report = {
    ...reportOf(flags, outcome, evaluated, seconds),
    rows: problem.rows,
    leftOut: problem.leftOut,
  };
  const shown = listed?.map(({ name, as = name }) => as) ?? [flags.algorithm];
  process.stdout.write(
    `${flags.json ? JSON.stringify(report) : simulationText(report, outcome, study, shown)}\n`,
  );
}

/** @param most - sums that the study takes at most. @returns what says how far it is, before each sum. */
function progressOf(most: number): (algorithm: string, round: number) => void {
  const begun = performance.now();
  return (algorithm, round) => {
    const each = (performance.now() - begun) / 1000 / (round - 1);
    const left = round === 1 ? "" : `, at most ${Math.ceil(each * (most - round + 1))} s left`;
    process.stderr.write(`round ${round}: ${algorithm}${left}\n`);
  };
}

function reportOf(
  { algorithm: single, algorithms, parties }: Flags,
  outcome: Outcome,
  evaluated: EvaluateResult | undefined,
  seconds: number,
) {
  const { results, rounds, protection, bytes, log } = outcome;
  return {
    algorithm: algorithms === undefined ? single : "several",
    parties,
    rounds,
    seconds,
    result: algorithms === undefined ? results[single] : results,
    evaluation: evaluated?.models[single] ?? null,
    evaluations: evaluated?.models ?? {},
    protection,
    bytes,
    log,
  };
}

function multiplier(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0.1 && value <= 1e4) return value;
  throw new InvalidArgumentError("Give a number from 0.1 to 10000");
}

function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 0.9) return value;
  throw new InvalidArgumentError("Give a number from 0 to 0.9");
}

function columnNames(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("Give column names separated by commas");
  return names;
}

function parameter(text: string, before: Record<string, unknown>): Record<string, unknown> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Give name=value, the value as JSON or text");
  const value = text.slice(at + 1);
  let parsed: unknown = value;
  try {
    parsed = JSON.parse(value);
  } catch {
    // not JSON: text
  }
  return { ...before, [text.slice(0, at)]: parsed };
}

function dropOut(text: string): DropOut {
  const probability = Number(text);
  if (text.trim() !== "" && probability >= 0 && probability < 1) return { kind: "chance", probability };
  const [, parties, step] = /^(\d+)@(\w+)$/.exec(text) ?? [];
  if (parties !== undefined && steps.includes(step as Step))
    return { kind: "at", parties: Number(parties), step: step as Step };
  throw new InvalidArgumentError(
    `Give a probability below 1, or N@STEP with STEP one of ${steps.join(", ")}`,
  );
}
