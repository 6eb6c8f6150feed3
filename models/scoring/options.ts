import { type Command, InvalidArgumentError } from "commander";
import { usualGrades } from "./grades.ts";

/** What both sides' `score` take. */
export interface ScoreFlags {
  readonly model?: string;
  readonly result?: string;
  readonly grades: string;
  readonly reasons: number;
  readonly id?: string;
  readonly out?: string;
  readonly json?: true;
}

export const addScoreOptions = (command: Command): Command =>
  command
    .option("--model <file>", "a study's model as the command `model` wrote it: nobody is asked for it then")
    .option("--result <name>", "which of the study's models; needed where it has several")
    .option(
      "--grades <scale>",
      "NAME:LARGEST,…: names of bands of the probability of bad, ascending to 1",
      usualGrades,
    )
    .option("--reasons <count>", "reasons of a score, at most: what moved it most towards bad", count, 4)
    .option("--id <column>", "column that names a row for whoever reads the scores")
    .option("--out <file>", "where the scores go; stdout by default")
    .option("--json", "print one JSON object instead of CSV");

function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 1000) return value;
  throw new InvalidArgumentError("Give a whole number");
}
