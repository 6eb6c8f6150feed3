import { type RowCounts, requireLearnable, tableFromRecords } from "../client-node/rows/rows.ts";
import { sha256 } from "../core/canonical.ts";
import { isMissing, textOf } from "../core/cell.ts";
import { type CsvOptions, columnAt } from "../core/csv.ts";
import { seededRandom } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { readRecords } from "../core/table-file.ts";
import { unchanged } from "../models/cells.ts";
import { forecastStudy } from "../models/forecast.ts";
import { drawGroups } from "../models/groups.ts";
import { type ColumnLeftOut, inferFeatures } from "../models/infer.ts";
import { partyName } from "../models/plain.ts";
import { withNeeds } from "../models/plan.ts";
import { algorithmNamed, algorithmNames } from "../models/registry.ts";
import { takeRows } from "../models/rows.ts";
import { checkManifest, type StudyManifest } from "../models/study.ts";
import { checkAlgorithms } from "../models/study-loop.ts";
import type { Table } from "../models/table.ts";
import { parsePartition, partitionRows } from "./partition.ts";

export interface SimulateOptions {
  /** CSV (gz too) or Parquet. */
  readonly data: string;
  readonly label: string;
  /** Label values that count as bad, separated by commas; the larger of 0 and 1 where absent. */
  readonly bad?: string;
  /** Those that count as neither. */
  readonly indeterminate?: string;
  readonly features?: readonly string[];
  readonly parties: number;
  readonly partition: string;
  readonly algorithm: string;
  /** Parameters of the algorithm, as in a manifest. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Several instead, as in a manifest; what they need is added. */
  readonly algorithms?: StudyManifest["algorithms"];
  readonly holdout: number;
  readonly seed: string;
  /** Standard deviation of each sum's noise over the most that one row changes; none by default. */
  readonly noise?: number;
  /** Groups of parties whose median a step is taken from; none by default. */
  readonly groups?: number;
  /** How a CSV file is written. */
  readonly csv?: CsvOptions;
}

/** Enterprises assumed to collude with the coordinator. */
const maxColluding = 1;

/** The fewest parties whose sum is released: with one colluding, two others stay in it. */
export const leastCohort = maxColluding + 2;

export interface Problem {
  readonly manifest: StudyManifest;
  /** One per party. */
  readonly tables: readonly Table[];
}

/** A problem as a file has it. */
export interface FileProblem extends Problem {
  readonly rows: RowCounts;
  /** Columns that are no features as they stand. */
  readonly leftOut: readonly ColumnLeftOut[];
}

/**
 * Reads a file, deals its rows to the parties and writes the manifest a bank would propose for it.
 * @throws Refusal file_missing, file_malformed, label_not_binary, column_unknown, usage, …
 */
export async function readProblem(options: SimulateOptions): Promise<FileProblem> {
  const records = await readRecords(options.data, undefined, options.csv);
  const labelAt = columnAt(records, options.label);
  const partition = parsePartition(options.partition);
  const groupAt = partition.kind === "by" ? columnAt(records, partition.column) : -1;
  if (options.features?.includes(options.label))
    throw new Refusal("usage", `--features names the label "${options.label}"`, { hint: "leave it out" });

  const labels = new Set<string>();
  records.each((cells) => {
    const text = textOf(cells[labelAt]);
    labels.add(isMissing(text) ? "" : text);
  });
  const label = classesOf(options, labels);
  const excluded = partition.kind === "by" ? [options.label, partition.column] : [options.label];
  const { features, leftOut } = inferFeatures(records, excluded, options.features);
  const manifest = checkManifest({
    consortium: "simulation",
    name: "simulation",
    purpose: "simulation on one machine",
    legalBasis: "none: one owner",
    impactAssessment: "none",
    retentionDays: 1,
    label,
    features: [...features],
    maxRowsPerParty: records.atMost,
    holdout: { fraction: options.holdout },
    algorithms: algorithmsFor(options),
    ...(options.groups === undefined
      ? {}
      : { groups: groupsOf(options.parties, options.groups, options.seed) }),
    privacy: {
      minCohort: leastCohort,
      maxColluding,
      unit: "record",
      ...(options.noise === undefined
        ? {}
        : { noise: { multiplier: options.noise, delta: 1e-6, dropOuts: Math.floor(options.parties / 4) } }),
    },
    unprotected: options.noise === undefined ? ["noise"] : [],
    deadlines: { stepSeconds: 60 },
  });

  checkAlgorithms(manifest);
  await forecastStudy(manifest);
  let rows: RowCounts | undefined;
  const salt = sha256(`hold-out ${options.seed}`);
  const whole = requireLearnable(
    tableFromRecords([records], manifest, salt, unchanged, (counts) => {
      rows = counts;
    }),
  );
  const groups: string[] = [];
  if (groupAt >= 0)
    records.each((cells) => {
      const text = String(cells[labelAt] ?? "").trim();
      if (label.bad.includes(text) || label.good.includes(text)) groups.push(String(cells[groupAt] ?? ""));
    });
  const random = seededRandom(`partition ${options.seed}`);
  const dealt = partitionRows(partition, options.parties, whole.label, groups, random);
  return { manifest, tables: dealt.map((dealtRows) => takeRows(whole, dealtRows)), rows: rows!, leftOut };
}

/** @throws Refusal cohort_too_small */
const groupsOf = (parties: number, count: number, seed: string): string[][] => {
  const members = Array.from({ length: parties }, (_, i) => partyName(i));
  return drawGroups(
    members.map((id) => ({ id, organisation: id })),
    count,
    seededRandom(`groups ${seed}`),
  );
};

/** What the algorithm needs comes first; a model is evaluated last. */
function algorithmsFor({ algorithm, params, algorithms }: SimulateOptions): StudyManifest["algorithms"] {
  if (algorithms !== undefined) return withEvaluation(algorithms);
  const { configure, isModel } = algorithmNamed(algorithm);
  const plan = withNeeds({ ...params, name: algorithm });
  const unnamed = configure(params).needs.find((need) => need.entry === undefined);
  if (unnamed !== undefined)
    throw new Refusal("usage", `${algorithm} needs ${unnamed.missing(new Map())}`, {
      hint: `--algorithm ${algorithmNames.filter((name) => algorithmNamed(name).isModel).join(" or ")}: each is evaluated`,
    });
  return isModel ? [...plan, { name: "evaluate" }] : plan;
}

/** @throws Refusal parameters_invalid where a result has two meanings */
function withEvaluation(algorithms: StudyManifest["algorithms"]): StudyManifest["algorithms"] {
  const plan = new Map<string, StudyManifest["algorithms"][number]>();
  for (const listed of algorithms)
    for (const entry of withNeeds(listed)) {
      const as = entry.as ?? entry.name;
      const known = plan.get(as);
      if (known !== undefined && algorithms.includes(entry) && algorithms.includes(known))
        throw new Refusal("parameters_invalid", `two algorithms make a result called ${as}`, {
          hint: "give one of them another name with `as`",
        });
      // What is listed has its parameters; what another needs has the usual ones.
      if (known === undefined || algorithms.includes(entry)) plan.set(as, entry);
    }
  const entries = [...plan.values()];
  const isModel = entries.some(({ name }) => algorithmNamed(name).isModel);
  return isModel && !entries.some(({ name }) => name === "evaluate")
    ? [...entries, { name: "evaluate" }]
    : entries;
}

function classesOf(
  { data, label, bad, indeterminate }: SimulateOptions,
  values: ReadonlySet<string>,
): StudyManifest["label"] {
  const present = [...values].filter((value) => value !== "").sort();
  if (values.size === 0)
    throw new Refusal("rows_missing", `${data}: no rows`, { hint: "a row follows the header line" });
  if (present.length < 2)
    throw new Refusal("single_class", `${data}: every row of "${label}" holds ${present[0] ?? "nothing"}`);
  const holds = `${data}: column "${label}" holds ${present.length} values${present.length <= 10 ? ` (${present.join(", ")})` : ""}`;
  /** A value may hold a comma itself. */
  const listed = (option: string, text: string): string[] => {
    const named = values.has(text) ? [text] : text.split(",").map((value) => value.trim());
    const unknown = named.filter((value) => !present.includes(value));
    if (unknown.length > 0)
      throw new Refusal("label_not_binary", holds, {
        hint: `none of them is ${unknown.join(" or ")}: name one of them with ${option}`,
      });
    return named;
  };
  const neither = indeterminate === undefined ? [] : listed("--indeterminate", indeterminate);
  const left = present.filter((value) => !neither.includes(value));
  const isBinary = left.length === 2 && Number(left[0]) === 0 && Number(left[1]) === 1;
  if (bad === undefined && !isBinary)
    throw new Refusal("label_not_binary", holds, {
      hint: "choose a column of 0 and 1, or name the values that count as bad with --bad",
    });
  const chosen = bad === undefined ? [left[1]!] : listed("--bad", bad);
  const twice = chosen.filter((value) => neither.includes(value));
  if (twice.length > 0)
    throw new Refusal("usage", `${twice.join(", ")} counts as bad and as neither`, {
      hint: "name it with --bad or with --indeterminate",
    });
  const good = left.filter((value) => !chosen.includes(value));
  if (good.length === 0)
    throw new Refusal("single_class", `${data}: no value of "${label}" is left that counts as good`, {
      hint: `name fewer of ${present.join(", ")}`,
    });
  return { column: label, bad: chosen, good, ...(neither.length > 0 && { indeterminate: neither }) };
}
