/** What a study's results say, as tables for a terminal. */
import { numeric, shortNumber, textTable } from "../core/text-table.ts";
import { type BinsResult, bins } from "../models/algorithms/bins.ts";
import { type CorrelationResult, correlation } from "../models/algorithms/correlation.ts";
import { standardize } from "../models/algorithms/standardize.ts";
import { type TransformResult, transform } from "../models/algorithms/transform.ts";
import { type WoeResult, woe } from "../models/algorithms/woe.ts";
import { binCount, shortBinNames } from "../models/binning.ts";
import type { Design } from "../models/design.ts";
import type { FittedColumn } from "../models/fitted-columns.ts";
import { resultsBy, type StudyResults } from "../models/results.ts";
import type { FeatureSchema } from "../models/table.ts";

/** @returns the lines of each result that has tables of its own, by its name. */
export function resultTables(study: StudyResults): Map<string, string[]> {
  return new Map(
    [
      [...resultsBy(correlation, study)].map(([as, result]) => [as, correlationLines(result)] as const),
      [...resultsBy(bins, study)].map(([as, result]) => [as, binLines(result)] as const),
      [...resultsBy(woe, study)].map(([as, result]) => [as, woeLines(result)] as const),
      [...resultsBy(transform, study)].map(([as, result]) => [as, transformLines(result)] as const),
      [...resultsBy(standardize, study)].map(([as, result]) => [as, standardizeLines(result)] as const),
    ].flat(),
  );
}

const share = (value: number): string => value.toFixed(4);

/** Columns of a matrix beside each other. */
const matrixWidth = 12;

function correlationLines({
  rows,
  complete,
  columns,
  constant,
  correlations,
  vif,
  alpha,
}: CorrelationResult): string[] {
  const numbered = columns.map((name, i) => `${i + 1} ${name}`);
  const blocks = Array.from({ length: Math.ceil(columns.length / matrixWidth) }, (_, b) => b * matrixWidth);
  return [
    `  of the ${complete} of ${rows} rows that have every numeric feature`,
    ...blocks.flatMap((from) => {
      const shown = columns.slice(from, from + matrixWidth).map((_, i) => from + i);
      return textTable(
        ["Pearson's correlation", ...shown.map((i) => numeric(String(i + 1)))],
        numbered
          .map((name, row) => [name, ...shown.map((i) => correlations[row]![i]?.toFixed(3) ?? "")])
          .slice(from),
      );
    }),
    ...textTable(
      ["column", numeric("variance inflation")],
      columns.map((name) => [name, vif[name]?.toFixed(3) ?? "follows from others"]),
    ),
    ...constant.map((name) => `  ${name} holds one value`),
    ...(Object.keys(alpha).length === 0
      ? []
      : textTable(
          ["group", ...["items", "Cronbach's α", "standardized"].map(numeric)],
          Object.entries(alpha).map(([group, { items, raw, standardized }]) => [
            group,
            String(items),
            ...[raw, standardized].map((one) => one?.toFixed(4) ?? "none"),
          ]),
        )),
  ];
}

const classColumns = ["rows", "good", "bad", "bad rate"].map(numeric);

const classCells = (good: number, bad: number): string[] => [
  ...[good + bad, good, bad].map(String),
  good + bad === 0 ? "–" : share(bad / (good + bad)),
];

const levelsOf = (feature: FeatureSchema): readonly string[] =>
  feature.kind === "categorical" ? feature.levels : [];

/** Bins without rows are left out. */
function binLines({ features, columns }: BinsResult): string[] {
  return textTable(
    ["column", "bin", ...classColumns],
    features.flatMap((feature) => {
      const { binned, good, bad } = columns[feature.name]!;
      return shortBinNames(binned, levelsOf(feature)).flatMap((bin, i) =>
        good[i]! + bad[i]! === 0 ? [] : [[feature.name, bin, ...classCells(good[i]!, bad[i]!)]],
      );
    }),
  );
}

function woeLines({ features, columns }: WoeResult): string[] {
  return features.flatMap((feature) => {
    const { binned, bins: own, iv } = columns[feature.name]!;
    const names = shortBinNames(binned, levelsOf(feature));
    return [
      ...textTable(
        [feature.name, ...classColumns, numeric("WOE")],
        own.flatMap(({ good, bad, woe: value }, i) =>
          good + bad === 0 ? [] : [[names[i]!, ...classCells(good, bad), share(value)]],
        ),
      ),
      `  information value ${share(iv)}`,
    ];
  });
}

function standardizeLines({ columns, constant = [] }: Design): string[] {
  return [
    ...textTable(
      ["column", numeric("mean"), numeric("standard deviation")],
      columns.map(({ name, mean, scale }) => [name, shortNumber(mean), shortNumber(scale)]),
    ),
    ...constant.map((name) => `  ${name} holds one value: left out`),
  ];
}

function transformLines({ features, columns }: TransformResult): string[] {
  return textTable(
    ["column", "what becomes of it"],
    features.flatMap((feature) => {
      const fitted = columns[feature.name];
      const said = fitted === undefined ? ["stays as it is"] : fittedTexts(fitted, feature);
      return said.map((text, i) => [i === 0 ? feature.name : "", text]);
    }),
  );
}

interface Ends {
  readonly low: number | null;
  readonly high: number | null;
}

const endsText = ({ low, high }: Ends): string => `${low ?? "-inf"} … ${high ?? "inf"}`;
const clipTexts = (ends: Ends): string[] =>
  ends.low === null && ends.high === null ? [] : [`clipped to ${endsText(ends)}`];

/** @returns what is done to a column, in the order in which it is. */
function fittedTexts(fitted: FittedColumn, feature: FeatureSchema): string[] {
  switch (fitted.kind) {
    case "amounts": {
      const { special, clip, limits, log, impute, indicators } = fitted;
      const texts = [
        ...(special.length === 0 ? [] : [`${special.join(", ")} are codes: missing`]),
        ...clipTexts(clip),
        ...(limits.low === null && limits.high === null
          ? []
          : [
              `outside ${endsText(limits)} ${limits.outside === "cap" ? "becomes the nearer end" : "becomes missing"}`,
            ]),
        ...(log ? ["sign(x) · ln(1 + |x|)"] : []),
        ...(impute === null ? [] : [`missing becomes ${shortNumber(impute)}`]),
        ...indicators.map((what) => `has a column ${feature.name}=${what} of 0 and 1`),
      ];
      return texts.length === 0 ? ["stays as it is"] : texts;
    }
    case "bins":
      return [...clipTexts(fitted.clip), `levels ${shortBinNames(fitted.binned, []).slice(0, -1).join(" ")}`];
    case "woe": {
      const { clip, binned, woe: values, groups } = fitted;
      // A column of levels is grouped twice: rare ones first, then those alike.
      const own = binned.kind === "categorical" ? groups.map((group) => binned.groups[group]!) : groups;
      const named = binned.kind === "categorical" ? { ...binned, groups: own } : binned;
      const names = shortBinNames(named, levelsOf(feature));
      return [
        ...clipTexts(clip),
        ...Array.from({ length: binCount(binned) }, (_, i) => `WOE ${share(values[i]!)} of ${names[i]}`),
      ];
    }
    case "levels": {
      const { levels, groups, impute, indicator, oneHot } = fitted;
      const before = levelsOf(feature);
      const merged = levels.flatMap((level, code) => {
        const from = before.filter((_, i) => groups[i] === code);
        return from.length === 1 && from[0] === level ? [] : [`${level}: ${from.join(", ") || "nobody's"}`];
      });
      return [
        ...merged,
        ...(impute === null ? [] : [`missing becomes ${levels[impute]}`]),
        ...(oneHot === null
          ? merged.length === 0 && impute === null
            ? ["stays as it is"]
            : []
          : [`columns of 0 and 1: ${oneHot.map((code) => `${feature.name}=${levels[code]}`).join(", ")}`]),
        ...(indicator ? [`has a column ${feature.name}=missing of 0 and 1`] : []),
      ];
    }
  }
}
