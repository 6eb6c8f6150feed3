import type { ExportedFile } from "../algorithm.ts";
import { type Binned, binName, valueBins } from "../binning.ts";
import type { OrderedColumn, PointsOfBins, SumOfTerms, SumOfTrees, Term } from "../portable.ts";
import type { FeatureSchema } from "../table.ts";
import type { Tree } from "../tree.ts";

/**
 * The model as PMML 4.4: a Scorecard with reason codes where it has points, else a regression on what each column adds,
 * or a sum of trees. A text that is no level counts as missing.
 * @see https://dmg.org/pmml/v4-4-1/GeneralStructure.html
 */
export function pmmlFile(model: SumOfTerms | SumOfTrees): ExportedFile {
  const body =
    model.kind === "trees"
      ? forest(model)
      : model.points === undefined
        ? regression(model)
        : scorecard(model.features, model.points);
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
<Header><Application name="fedcredit"/></Header>
<DataDictionary>
${model.features.map(dataField).join("\n")}
</DataDictionary>
${body}
</PMML>
`;
  return { name: "model.pmml", bytes: Buffer.from(text) };
}

const signs: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\t": "&#9;",
};
const quoted = (text: string | number): string =>
  `"${String(text).replaceAll(/[&<>"\n\t]/g, (sign) => signs[sign]!)}"`;

/** @returns an element; a child that is undefined is left out. */
function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly (string | undefined)[]
): string {
  const own = Object.entries(attributes).map(([key, value]) => ` ${key}=${quoted(value)}`);
  const inner = children.filter((child) => child !== undefined);
  return inner.length === 0
    ? `<${name}${own.join("")}/>`
    : `<${name}${own.join("")}>${inner.join("")}</${name}>`;
}

const dataField = (feature: FeatureSchema): string =>
  feature.kind === "numeric"
    ? element("DataField", { name: feature.name, optype: "continuous", dataType: "double" })
    : element(
        "DataField",
        { name: feature.name, optype: "categorical", dataType: "string" },
        ...feature.levels.map((value) => element("Value", { value })),
      );

const miningSchema = (features: readonly FeatureSchema[]): string =>
  element(
    "MiningSchema",
    {},
    ...features.map(({ name }) =>
      element("MiningField", { name, usageType: "active", invalidValueTreatment: "asMissing" }),
    ),
  );

const constant = (value: number): string => element("Constant", { dataType: "double" }, String(value));
const field = (name: string): string => element("FieldRef", { field: name });
const apply = (name: string, ...inner: readonly string[]): string =>
  element("Apply", { function: name }, ...inner);

function regression({ features, base, terms }: SumOfTerms): string {
  const derived = terms.map((term) => ({
    name: `effect of ${term.feature}`,
    expression: expressionOf(term, features),
  }));
  return element(
    "RegressionModel",
    { modelName: "fedcredit", functionName: "regression", normalizationMethod: "logit" },
    miningSchema(features),
    element("Output", {}, outputField({ name: "probability", feature: "predictedValue" })),
    element(
      "LocalTransformations",
      {},
      ...derived.map(({ name, expression }) =>
        element("DerivedField", { name, optype: "continuous", dataType: "double" }, expression),
      ),
    ),
    element(
      "RegressionTable",
      { intercept: base },
      ...derived.map(({ name }) => element("NumericPredictor", { name, coefficient: 1 })),
    ),
  );
}

const outputField = (
  attributes: Readonly<Record<string, string | number>>,
  ...inner: readonly string[]
): string => element("OutputField", { optype: "continuous", dataType: "double", ...attributes }, ...inner);

function expressionOf(term: Term, features: readonly FeatureSchema[]): string {
  const x = field(term.feature);
  const orMissing = (missing: number, effect: string) =>
    apply("if", apply("isMissing", x), constant(missing), effect);
  switch (term.kind) {
    case "linear": {
      const product = apply("*", apply("-", x, constant(term.mean)), constant(term.slope));
      return orMissing(term.missing, apply("+", product, constant(term.constant)));
    }
    case "normal": {
      const squared = (c: 0 | 1) => {
        const apart = apply("-", x, constant(term.mean[c]));
        return apply("*", apart, apply("/", apart, constant(term.variance[c])));
      };
      const half = apply("*", constant(0.5), apply("-", squared(0), squared(1)));
      const bounded = apply(
        "min",
        apply("max", apply("+", half, constant(term.within)), constant(-term.most)),
        constant(term.most),
      );
      return orMissing(term.missing, apply("+", bounded, constant(term.constant)));
    }
    case "levels":
      return byLevel(term.feature, levelsOf(features, term.feature), term.effects, term.missing);
    case "bins":
      return byBin(term.feature, term.binned, term.effects, levelsOf(features, term.feature));
  }
}

function levelsOf(features: readonly FeatureSchema[], name: string): readonly string[] {
  const feature = features.find((one) => one.name === name);
  return feature?.kind === "categorical" ? feature.levels : [];
}

const byLevel = (
  name: string,
  levels: readonly string[],
  effects: readonly number[],
  missing: number,
): string =>
  element(
    "MapValues",
    { outputColumn: "effect", dataType: "double", mapMissingTo: missing, defaultValue: missing },
    element("FieldColumnPair", { field: name, column: "level" }),
    element(
      "InlineTable",
      {},
      ...levels.map((level, code) =>
        element(
          "row",
          {},
          element("level", {}, escaped(level)),
          element("effect", {}, String(effects[code])),
        ),
      ),
    ),
  );

const escaped = (text: string): string => text.replaceAll(/[&<>"\n\t]/g, (sign) => signs[sign]!);

function byBin(name: string, binned: Binned, effects: readonly number[], levels: readonly string[]): string {
  const missing = effects.at(-1)!;
  if (binned.kind === "categorical")
    return byLevel(
      name,
      levels,
      binned.groups.map((bin) => effects[bin]!),
      missing,
    );
  const values = valueBins(binned);
  const x = field(name);
  const proper = binned.cuts.reduceRight<string>(
    (above, cut, i) => apply("if", apply("lessThan", x, constant(cut)), constant(effects[i]!), above),
    constant(effects[values - 1]!),
  );
  const special = binned.special.reduceRight<string>(
    (others, code, i) =>
      apply("if", apply("equal", x, constant(code)), constant(effects[values + i]!), others),
    proper,
  );
  return apply("if", apply("isMissing", x), constant(missing), special);
}

function scorecard(features: readonly FeatureSchema[], columns: readonly PointsOfBins[]): string {
  const used = features.filter(({ name }) => columns.some(({ feature }) => feature === name));
  const reasons = Array.from({ length: Math.min(4, columns.length) }, (_, i) =>
    element("OutputField", {
      name: `reason ${i + 1}`,
      optype: "categorical",
      dataType: "string",
      feature: "reasonCode",
      rank: i + 1,
    }),
  );
  return element(
    "Scorecard",
    {
      modelName: "fedcredit",
      functionName: "regression",
      initialScore: 0,
      useReasonCodes: "true",
      // A reason is what has fewer points than the average.
      reasonCodeAlgorithm: "pointsBelow",
      baselineMethod: "mean",
    },
    miningSchema(used),
    element("Output", {}, outputField({ name: "points", feature: "predictedValue" }), ...reasons),
    element(
      "Characteristics",
      {},
      ...columns.map(({ feature, binned, points, average }) =>
        element(
          "Characteristic",
          { name: `points of ${feature}`, reasonCode: feature, baselineScore: average },
          ...points.map((partialScore, bin) =>
            element(
              "Attribute",
              { partialScore },
              // Whoever edits the table reads what the bin is.
              `<!-- ${binName(binned, levelsOf(features, feature), bin).replaceAll("--", "- -")} -->`,
              binPredicate(feature, binned, levelsOf(features, feature), bin),
            ),
          ),
        ),
      ),
    ),
  );
}

const predicate = (name: string, operator: string, value: number): string =>
  element("SimplePredicate", { field: name, operator, value });
const isMissing = (name: string): string =>
  element("SimplePredicate", { field: name, operator: "isMissing" });
const isIn = (name: string, values: readonly (string | number)[], not = ""): string =>
  element(
    "SimpleSetPredicate",
    { field: name, booleanOperator: not === "" ? "isIn" : "isNotIn" },
    element(
      "Array",
      { type: typeof values[0] === "number" ? "real" : "string", n: values.length },
      values
        .map((value) =>
          typeof value === "number" ? value : `"${escaped(value).replaceAll("&quot;", "\\&quot;")}"`,
        )
        .join(" "),
    ),
  );
const all = (...inner: readonly string[]): string =>
  inner.length === 1 ? inner[0]! : element("CompoundPredicate", { booleanOperator: "and" }, ...inner);
const any = (...inner: readonly string[]): string =>
  inner.length === 1 ? inner[0]! : element("CompoundPredicate", { booleanOperator: "or" }, ...inner);

function binPredicate(name: string, binned: Binned, levels: readonly string[], bin: number): string {
  const values = valueBins(binned);
  if (binned.kind === "categorical") {
    const own = levels.filter((_, code) => binned.groups[code] === bin);
    return bin < values && own.length > 0 ? isIn(name, own) : isMissing(name);
  }
  if (bin >= values + binned.special.length) return isMissing(name);
  if (bin >= values) return predicate(name, "equal", binned.special[bin - values]!);
  const [from, to] = [binned.cuts[bin - 1], binned.cuts[bin]];
  const within = [
    ...(from === undefined ? [] : [predicate(name, "greaterOrEqual", from)]),
    ...(to === undefined ? [] : [predicate(name, "lessThan", to)]),
    ...(binned.special.length === 0 ? [] : [isIn(name, binned.special, "not")]),
  ];
  return within.length === 0
    ? element("SimplePredicate", { field: name, operator: "isNotMissing" })
    : all(...within);
}

function forest({ features, columns, base, trees, depth, gives }: SumOfTrees): string {
  const sum = apply("+", field("sum of trees"), constant(base));
  const probability =
    gives === "probability"
      ? sum
      : apply("/", constant(1), apply("+", constant(1), apply("exp", apply("-", constant(0), sum))));
  return element(
    "MiningModel",
    { modelName: "fedcredit", functionName: "regression" },
    miningSchema(features),
    element(
      "Output",
      {},
      outputField({ name: "sum of trees", feature: "predictedValue", isFinalResult: "false" }),
      outputField({ name: "probability", feature: "transformedValue" }, probability),
    ),
    element(
      "Segmentation",
      { multipleModelMethod: "sum" },
      ...trees.map((tree, i) =>
        element(
          "Segment",
          { id: i + 1 },
          "<True/>",
          element(
            "TreeModel",
            {
              functionName: "regression",
              missingValueStrategy: "none",
              noTrueChildStrategy: "returnLastPrediction",
            },
            miningSchema(features),
            nodeOf(tree, 0, 0, "<True/>"),
          ),
        ),
      ),
    ),
  );

  function nodeOf(tree: Tree, node: number, level: number, when: string): string {
    const place = level === depth ? -1 : tree.features[node]!;
    if (place < 0) return element("Node", { score: tree.values[node]! }, when);
    const feature = features[place]!;
    const left = goesLeft(feature, columns[feature.name]!, tree.cuts[node]!, tree.othersLeft[node] === 1);
    return element(
      "Node",
      { score: tree.values[node]! },
      when,
      nodeOf(tree, 2 * node + 1, level + 1, left),
      nodeOf(tree, 2 * node + 2, level + 1, "<True/>"),
    );
  }
}

/** Comparisons with a missing value are false: what goes right needs no condition. */
function goesLeft(
  feature: FeatureSchema,
  { binned, coarse }: OrderedColumn,
  cut: number,
  othersLeft: boolean,
): string {
  const { name } = feature;
  const values = valueBins(binned);
  if (binned.kind === "categorical") {
    const levels = feature.kind === "categorical" ? feature.levels : [];
    const own = levels.filter((_, code) => coarse[binned.groups[code]!]! <= cut);
    const left = own.length === 0 ? "<False/>" : isIn(name, own);
    return othersLeft ? any(isMissing(name), left) : left;
  }
  const first = coarse.findIndex((bin, i) => i < values && bin > cut);
  const below =
    first < 0
      ? element("SimplePredicate", { field: name, operator: "isNotMissing" })
      : predicate(name, "lessThan", binned.cuts[first - 1]!);
  if (othersLeft)
    return any(isMissing(name), ...(binned.special.length === 0 ? [] : [isIn(name, binned.special)]), below);
  return binned.special.length === 0 ? below : all(below, isIn(name, binned.special, "not"));
}
