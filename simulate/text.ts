/** What a simulation came to, for people. */
import { numeric, shortNumber, textTable } from "../core/text-table.ts";
import { evaluate } from "../models/algorithms/evaluate.ts";
import { type Evaluation, ksAt } from "../models/numerics/metrics.ts";
import { resultsBy, type StudyResults } from "../models/results.ts";
import { resultTables } from "./result-tables.ts";
import type { Outcome } from "./transport.ts";

/** What `simulate` prints. */
export interface Simulated {
  readonly algorithm: string;
  readonly parties: number;
  readonly seconds: number;
  readonly evaluations: Readonly<Record<string, Evaluation>>;
}

/** @param shown - names of the results that were asked for. */
export function simulationText(
  { algorithm, parties, seconds, evaluations }: Simulated,
  { rounds, protection, log }: Outcome,
  study: StudyResults,
  shown: readonly string[],
): string {
  const tables = resultTables(study);
  const evaluated = [...resultsBy(evaluate, study).keys()];
  return [
    `${algorithm}: ${parties} parties, ${rounds} rounds, ${seconds.toFixed(1)} s`,
    ...shown
      .filter((as) => !evaluated.includes(as))
      .flatMap((as) => {
        const isEvaluated = Object.hasOwn(evaluations, as);
        const result = study.results[as];
        const lines = tables.get(as) ?? fitLines(result) ?? (isEvaluated ? [] : columnLines(result));
        return [
          ...(shown.length > 1 && lines.length > 0 ? [as] : []),
          ...(lines.length > 0 || isEvaluated ? lines : [`  --json prints ${as}`]),
        ];
      }),
    ...Object.entries(evaluations).flatMap(([name, one]) => [`  ${name}`, ...evaluationLines(one)]),
    `  protection: masks ${protection.masks ? "on" : "off"}, encryption ${protection.encryption}, noise ${protection.noise}`,
    ...(log.root === null
      ? []
      : [`  log: ${log.size} entries, root ${log.root}, ${log.verified ? "verified" : "NOT VERIFIED"}`]),
  ].join("\n");
}

/** @returns coefficients of a fit with their standard errors; undefined of any other result. */
function fitLines(result: unknown): string[] | undefined {
  const {
    intercept,
    coefficients,
    standardErrors,
    aliased = [],
  } = (result ?? {}) as {
    intercept?: number;
    coefficients?: Readonly<Record<string, number>>;
    standardErrors?: Readonly<Record<string, number>>;
    aliased?: readonly string[];
  };
  if (coefficients === undefined) return undefined;
  return textTable(
    ["column", numeric("coefficient"), numeric("standard error")],
    [
      ...Object.entries({ intercept: intercept ?? 0, ...coefficients }).map(([name, value]) => [
        name,
        value.toPrecision(8),
        standardErrors?.[name]?.toPrecision(4) ?? "–",
      ]),
      ...aliased.map((name) => [name, "NA", "follows from other columns"]),
    ],
  );
}

const evaluationLines = (e: Evaluation): string[] => [
  `  AUC ${e.auc.toFixed(4)} ± ${e.aucWithin.toFixed(4)}  KS ${e.ks.toFixed(4)}  Gini ${e.gini.toFixed(4)}  Brier ${e.brier.toFixed(4)}  accuracy ${e.accuracy.toFixed(4)} (majority ${e.majority.toFixed(4)})  n ${e.n}`,
  ...textTable(
    ["refused from", "approved", "bad rate", "KS", "bad refused", "good refused"].map(numeric),
    e.cutOffs.map((at) =>
      [at.score, at.approvalRate, at.badRate, ksAt(at), at.badRefused, at.goodRefused].map((x) =>
        x.toFixed(4),
      ),
    ),
  ),
];

/** @returns of a result that says something of each column, what is one number or word; nothing of any other. */
function columnLines(result: unknown): string[] {
  const { columns } = (result ?? {}) as {
    columns?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  if (columns === undefined || Array.isArray(columns)) return [];
  const isSaid = (value: unknown) => typeof value === "number" || typeof value === "string";
  const keys = [
    ...new Set(Object.values(columns).flatMap((own) => Object.keys(own).filter((key) => isSaid(own[key])))),
  ];
  if (keys.length === 0) return [];
  const areWords = (key: string) => Object.values(columns).some((own) => typeof own[key] === "string");
  return textTable(
    ["column", ...keys.map((key) => (areWords(key) ? key : numeric(key)))],
    Object.entries(columns).map(([name, own]) => [
      name,
      ...keys.map((key) => {
        const value = own[key];
        return typeof value === "number" ? shortNumber(value) : typeof value === "string" ? value : "–";
      }),
    ]),
  );
}
