import type { ExportedFile } from "../algorithm.ts";
import { type Binned, binCount, valueBins } from "../binning.ts";
import type { Activation } from "../network/activation.ts";
import type { Portable, PortableNetwork, SumOfTrees, Term } from "../portable.ts";
import type { FeatureSchema } from "../table.ts";
import { OnnxGraph } from "./onnx-format.ts";

/**
 * The model as ONNX: an input [rows, 1] for each column, a double or, of categories, text; the output `probability` of
 * bad. A missing value is NaN or a text that is no level. Arithmetic is in double precision, but for trees, which ONNX has
 * in float32.
 */
export function onnxFile(model: Portable): ExportedFile {
  const graph = new OnnxGraph();
  const inputs = new Map(
    model.features.map(({ name, kind }) => [
      name,
      graph.input(name, kind === "numeric" ? "double" : "string"),
    ]),
  );
  const build = {
    graph,
    inputs,
    features: new Map(model.features.map((feature) => [feature.name, feature])),
  };
  const result = probabilityOf(model, build);
  const free = ["probability", "probability of bad"].find((name) => !inputs.has(name))!;
  return { name: "model.onnx", bytes: graph.encode("fedcredit", result, free) };
}

interface Build {
  readonly graph: OnnxGraph;
  readonly inputs: ReadonlyMap<string, string>;
  readonly features: ReadonlyMap<string, FeatureSchema>;
}

function probabilityOf(model: Portable, build: Build): string {
  const { graph } = build;
  switch (model.kind) {
    case "terms": {
      const base = graph.constant("double", [model.base]);
      const logOdds = model.terms.reduce((sum, term) => graph.add("Add", [sum, termOf(term, build)]), base);
      return graph.add("Sigmoid", [logOdds]);
    }
    case "trees": {
      const sum = graph.add("Cast", [treesOf(model, build)], { to: 11 });
      return model.gives === "log-odds" ? graph.add("Sigmoid", [sum]) : sum;
    }
    case "network":
      return networkOf(model, build);
  }
}

function termOf(term: Term, build: Build): string {
  const { graph, inputs } = build;
  const x = inputs.get(term.feature)!;
  const number = (value: number) => graph.constant("double", [value]);
  const orMissing = (effect: string, missing: number) =>
    graph.add("Where", [graph.add("IsNaN", [x]), number(missing), effect]);
  switch (term.kind) {
    case "linear": {
      const apart = graph.add("Sub", [x, number(term.mean)]);
      const product = graph.add("Mul", [apart, number(term.slope)]);
      return orMissing(graph.add("Add", [product, number(term.constant)]), term.missing);
    }
    case "normal": {
      const squared = (c: 0 | 1) => {
        const apart = graph.add("Sub", [x, number(term.mean[c])]);
        return graph.add("Mul", [apart, graph.add("Div", [apart, number(term.variance[c])])]);
      };
      const half = graph.add("Mul", [graph.add("Sub", [squared(0), squared(1)]), number(0.5)]);
      const ratio = graph.add("Add", [half, number(term.within)]);
      const most = graph.constant("double", [term.most], []);
      const least = graph.constant("double", [-term.most], []);
      const bounded = graph.add("Clip", [ratio, least, most]);
      return orMissing(graph.add("Add", [bounded, number(term.constant)]), term.missing);
    }
    case "levels":
      return graph.add("Gather", [
        graph.constant("double", [...term.effects, term.missing], [term.effects.length + 1]),
        codeOf(term.feature, build),
      ]);
    case "bins":
      return graph.add("Gather", [
        graph.constant("double", term.effects, [term.effects.length]),
        binOf(term.feature, term.binned, build),
      ]);
  }
}

/** @returns the level's place, that after all levels where it is none of them: int64, shape [rows, 1]. */
function codeOf(name: string, { graph, inputs, features }: Build): string {
  const feature = features.get(name)!;
  const levels = feature.kind === "categorical" ? feature.levels : [];
  return graph.add(
    "LabelEncoder",
    [inputs.get(name)!],
    { keys_strings: levels, values_int64s: { ints: [...levels.keys()] }, default_int64: levels.length },
    "ai.onnx.ml",
  );
}

/** @returns the bin's place: int64, shape [rows, 1]. */
function binOf(name: string, binned: Binned, build: Build): string {
  const { graph, inputs } = build;
  const missing = graph.constant("int64", [binCount(binned) - 1]);
  if (binned.kind === "categorical") {
    const groups = [...binned.groups, binCount(binned) - 1];
    return graph.add("Gather", [graph.constant("int64", groups, [groups.length]), codeOf(name, build)]);
  }
  const x = inputs.get(name)!;
  // A cut that nothing reaches keeps the list from being empty.
  const cuts = graph.constant("double", [...binned.cuts, Number.POSITIVE_INFINITY]);
  const passed = graph.add("Cast", [graph.add("GreaterOrEqual", [x, cuts])], { to: 7 });
  let bin = graph.add("ReduceSum", [passed, graph.constant("int64", [1], [1])], { keepdims: 1 });
  for (const [i, code] of binned.special.entries())
    bin = graph.add("Where", [
      graph.add("Equal", [x, graph.constant("double", [code])]),
      graph.constant("int64", [valueBins(binned) + i]),
      bin,
    ]);
  return graph.add("Where", [graph.add("IsNaN", [x]), missing, bin]);
}

/** @returns what the trees add up to: float, shape [rows, 1]. */
function treesOf({ features, columns, base, trees, depth }: SumOfTrees, build: Build): string {
  const { graph } = build;
  // Special and missing values, in the last coarse bin, are NaN: each split says where they go.
  const bins = features.map(({ name }) => {
    const { binned, coarse } = columns[name]!;
    const others = Math.max(...coarse);
    const table = coarse.map((bin) => (bin === others ? Number.NaN : bin));
    return graph.add("Gather", [graph.constant("float", table, [table.length]), binOf(name, binned, build)]);
  });
  const nodes = trees.flatMap((tree, t) => nodesOf(tree, t, depth));
  const leaves = nodes.filter(({ value }) => value !== undefined);
  const ints = (of: (node: (typeof nodes)[number]) => number, among = nodes) => ({ ints: among.map(of) });
  return graph.add(
    "TreeEnsembleRegressor",
    [graph.add("Concat", bins, { axis: 1 })],
    {
      n_targets: 1,
      aggregate_function: "SUM",
      post_transform: "NONE",
      base_values: { floats: [base] },
      nodes_treeids: ints(({ tree }) => tree),
      nodes_nodeids: ints(({ node }) => node),
      nodes_featureids: ints(({ feature }) => feature),
      nodes_values: { floats: nodes.map(({ cut }) => cut) },
      nodes_modes: nodes.map(({ value }) => (value === undefined ? "BRANCH_LEQ" : "LEAF")),
      nodes_truenodeids: ints(({ node, value }) => (value === undefined ? 2 * node + 1 : 0)),
      nodes_falsenodeids: ints(({ node, value }) => (value === undefined ? 2 * node + 2 : 0)),
      nodes_missing_value_tracks_true: ints(({ othersLeft }) => othersLeft),
      target_treeids: ints(({ tree }) => tree, leaves),
      target_nodeids: ints(({ node }) => node, leaves),
      target_ids: ints(() => 0, leaves),
      target_weights: { floats: leaves.map(({ value }) => value!) },
    },
    "ai.onnx.ml",
  );
}

interface TreeNode {
  readonly tree: number;
  readonly node: number;
  readonly feature: number;
  readonly cut: number;
  readonly othersLeft: number;
  /** Of a leaf. */
  readonly value?: number;
}

/** @returns the nodes that a row can come to. */
function nodesOf(tree: SumOfTrees["trees"][number], t: number, depth: number): TreeNode[] {
  const found: TreeNode[] = [];
  const visit = (node: number, level: number): void => {
    const feature = level === depth ? -1 : tree.features[node]!;
    if (feature < 0) {
      found.push({ tree: t, node, feature: 0, cut: 0, othersLeft: 0, value: tree.values[node]! });
      return;
    }
    found.push({ tree: t, node, feature, cut: tree.cuts[node]!, othersLeft: tree.othersLeft[node]! });
    visit(2 * node + 1, level + 1);
    visit(2 * node + 2, level + 1);
  };
  visit(0, 0);
  return found;
}

function networkOf({ design, network, weights, farthest }: PortableNetwork, build: Build): string {
  const { graph, inputs, features } = build;
  const known = (values: readonly number[]) => graph.constant("double", values);
  const columns = design.columns.map(({ feature: name, kind, code, mean, scale }) => {
    const feature = features.get(name)!;
    if (feature.kind === "categorical") {
      const seen = new Set(design.known[name]);
      const entry = (own: number) => (seen.has(own) ? ((own === code ? 1 : 0) - mean) / scale : 0);
      const table = [...feature.levels.keys(), -1].map(entry);
      return graph.add("Gather", [graph.constant("double", table, [table.length]), codeOf(name, build)]);
    }
    const x = inputs.get(name)!;
    const absent = graph.add("IsNaN", [x]);
    if (kind === "missing")
      return graph.add("Where", [absent, known([(1 - mean) / scale]), known([-mean / scale])]);
    const apart = graph.add("Div", [graph.add("Sub", [x, known([mean])]), known([scale])]);
    return graph.add("Where", [absent, known([0]), apart]);
  });
  const scalar = (value: number) => graph.constant("double", [value], []);
  let units = graph.add("Clip", [
    graph.add("Concat", columns, { axis: 1 }),
    scalar(-farthest),
    scalar(farthest),
  ]);
  let at = 0;
  for (let l = 1; l < network.sizes.length; l++) {
    const [from, into] = [network.sizes[l - 1]!, network.sizes[l]!];
    const bias = at + from * into;
    const kernel = graph.constant("double", weights.subarray(at, bias), [from, into]);
    const product = graph.add("MatMul", [units, kernel]);
    const sum = graph.add("Add", [product, graph.constant("double", weights.subarray(bias, bias + into))]);
    units = activated(network.activations[l - 1] ?? "sigmoid", sum, graph);
    at = bias + into;
  }
  return units;
}

/** Of what every runtime has in double precision. */
function activated(activation: Activation, x: string, graph: OnnxGraph): string {
  const known = (value: number) => graph.constant("double", [value]);
  switch (activation) {
    case "linear":
      return x;
    case "relu":
      return graph.add("Relu", [x]);
    case "tanh":
      return graph.add("Tanh", [x]);
    case "sigmoid":
      return graph.add("Sigmoid", [x]);
    case "elu": {
      const below = graph.add("Sub", [graph.add("Exp", [graph.add("Min", [x, known(0)])]), known(1)]);
      return graph.add("Add", [graph.add("Relu", [x]), below]);
    }
    case "softplus": {
      const small = graph.add("Exp", [graph.add("Neg", [graph.add("Abs", [x])])]);
      return graph.add("Add", [
        graph.add("Relu", [x]),
        graph.add("Log", [graph.add("Add", [small, known(1)])]),
      ]);
    }
  }
}
