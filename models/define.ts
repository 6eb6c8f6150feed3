import { Refusal } from "../core/reasons.ts";
import type {
  Algorithm,
  AlgorithmTypes,
  Computation,
  Configured,
  ExportedFile,
  FederatedAlgorithm,
  Finished,
  Model,
  Need,
  Needs,
  Running,
  Scoring,
  Study,
} from "./algorithm.ts";
import { decodeSums, encodeContribution, layoutOf, type Sums } from "./blocks.ts";
import { type NoiseDemand, noiseFor } from "./noise.ts";
import { medianOf } from "./numerics/median.ts";
import { parseParameters, parsePublic } from "./parameters.ts";
import type { Portable } from "./portable.ts";
import { isStored, partsOf } from "./rows.ts";

/** An algorithm that takes sums, for the registry. */
export const defineAlgorithm = <T extends AlgorithmTypes>(
  own: FederatedAlgorithm<T>,
): Algorithm<T["result"]> =>
  define(
    own,
    (params) => ({ maxSteps: own.maxSteps(params), samplingRate: own.samplingRate?.(params) ?? 1 }),
    (study, demand) => running(own, study, demand),
    {
      takesNoise: own.takesNoise === true && own.sensitivity !== undefined,
      takesMedians: own.medians !== undefined,
    },
  );

/** An algorithm whose result follows from earlier ones: it takes no sum. */
export const defineComputation = <T extends AlgorithmTypes & { readonly state: never }>(
  own: Computation<T>,
): Algorithm<T["result"]> =>
  define(
    own,
    () => ({ maxSteps: 0, samplingRate: 1 }),
    (study) => {
      const none = (): never => {
        throw new RangeError(`${own.name} takes no sum`);
      };
      const parseState = (): never => {
        throw new Refusal("state_invalid", `${own.name} has no states`);
      };
      return {
        start: () => own.start(study),
        parseState,
        blocks: none,
        next: none,
        contribute: none,
        advance: none,
        advanceByGroups: none,
        sensitivity: none,
      };
    },
  );

function define<T extends AlgorithmTypes>(
  own: Computation<T>,
  sumsOf: (params: T["params"]) => Pick<Configured, "maxSteps" | "samplingRate">,
  run: (study: Study<T>, demand: NoiseDemand | undefined) => Running,
  { takesNoise, takesMedians }: Pick<Algorithm, "takesNoise" | "takesMedians"> = {
    takesNoise: true,
    takesMedians: false,
  },
): Algorithm<T["result"]> {
  const { name, parameters, result } = own;
  return {
    name,
    parameters,
    result,
    isModel: own.score !== undefined,
    isTransform: own.transform !== undefined,
    takesNoise,
    takesMedians,
    configure(given): Configured {
      const params = parseParameters(name, parameters, given);
      const needs = own.needs(params);
      return {
        needs: Object.values<Need<unknown>>(needs),
        ...sumsOf(params),
        within: (schema, before, demand) =>
          run(
            {
              schema,
              params,
              prior: readAll(needs, before),
              noise: demand && demand.multiplier * demand.rowsPerUnit,
            },
            demand,
          ),
      };
    },
    model: (value) => modelOf(own, () => parsePublic(name, result, value)),
    transform: (value) => own.transform?.(parsePublic(name, result, value)),
  };
}

function readAll<Prior>(needs: Needs<Prior>, before: ReadonlyMap<string, Finished>): Prior {
  const roles = Object.entries<Need<unknown>>(needs).map(([role, need]) => [role, need.read(before)]);
  return Object.fromEntries(roles) as Prior;
}

function running<T extends AlgorithmTypes>(
  own: FederatedAlgorithm<T>,
  study: Study<T>,
  demand: NoiseDemand | undefined,
): Running {
  let schema: ReturnType<typeof own.state> | undefined;
  const parseState = (state: unknown): T["state"] => {
    schema ??= own.state(study);
    return parsePublic(`state of ${own.name}`, schema, state);
  };
  // What comes next is asked of a state, then the contribution, then the next state: it is parsed for all of them.
  let last: { readonly given: unknown; readonly state: T["state"] } | undefined;
  const parse = (given: unknown): T["state"] => {
    if (last === undefined || last.given !== given) last = { given, state: parseState(given) };
    return last.state;
  };
  const noiseOf = (state: T["state"]): ReturnType<typeof noiseFor> | undefined => {
    if (demand === undefined) return undefined;
    const sensitivity = own.sensitivity?.(state, study);
    if (sensitivity === undefined) throw new RangeError(`nothing bounds what a record does in ${own.name}`);
    const blocks = own.blocks(state, study);
    const count = Object.values(blocks).filter(({ length }) => length > 0).length;
    const joint = own.joint?.(state, study) ?? Math.sqrt(count);
    const samplingRate = own.samplingRate?.(study.params) ?? 1;
    return noiseFor(blocks, { sensitivity, joint, samplingRate }, demand);
  };
  const sumsOf = (state: T["state"], values: Float64Array): Sums<T["blocks"]> =>
    decodeSums(own.blocks(state, study), values, noiseOf(state)?.steps);
  return {
    start: () => own.start(study),
    parseState,
    blocks: (state) => own.blocks(parse(state), study),
    next(given) {
      const state = parse(given);
      const noise = noiseOf(state);
      const { maxRowsPerParty } = study.schema;
      return {
        layout: layoutOf(own.blocks(state, study), maxRowsPerParty, noise?.steps),
        noise: noise?.terms,
      };
    },
    async contribute(given, party) {
      const state = parse(given);
      const contribution = await own.contribute(state, party, study);
      return encodeContribution(own.blocks(state, study), contribution, noiseOf(state)?.steps);
    },
    advance(given, values) {
      const state = parse(given);
      return own.advance(state, sumsOf(state, values), study);
    },
    advanceByGroups(given, groups) {
      const state = parse(given);
      const { medians } = own;
      if (medians === undefined) throw new RangeError(`${own.name} takes one sum of everybody`);
      return medians === "of sums"
        ? own.advance(state, sumsOf(state, medianOf(groups)), study)
        : medians(
            state,
            groups.map((values) => sumsOf(state, values)),
            study,
          );
    },
    sensitivity: (state) => own.sensitivity?.(parse(state), study),
  };
}

/** Loaded where they are asked for: an enterprise's node writes no model. */
const formatsOf = (portable: Portable): [string, () => Promise<ExportedFile[]>][] => [
  ["onnx", async () => [(await import("./export/onnx.ts")).onnxFile(portable)]],
  ...(portable.kind === "network"
    ? []
    : [
        ["pmml", async () => [(await import("./export/pmml.ts")).pmmlFile(portable)]] satisfies [
          string,
          unknown,
        ],
      ]),
];

function modelOf<Result>(own: Scoring<Result>, parse: () => Result): Model | undefined {
  if (own.score === undefined) return undefined;
  const { score, features, points, explain, portable, exports = {} } = own;
  if (features === undefined) throw new RangeError("a model does not say which columns it reads");
  const result = parse();
  const files = [
    ...Object.entries(exports).map(([format, make]) => [format, () => make(result)] as const),
    ...(portable === undefined ? [] : formatsOf(portable(result))),
  ];
  return {
    features: features(result),
    score: (rows) => {
      if (!isStored(rows)) return score(result, rows);
      const scores = new Float64Array(rows.rows);
      for (const { first, part } of partsOf(rows)) scores.set(score(result, part), first);
      return scores;
    },
    points: points && ((rows) => points(result, rows)),
    explain: explain && ((rows) => explain(result, rows)),
    exports: new Map(files),
  };
}
