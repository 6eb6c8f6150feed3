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
import { decodeSums, encodeContribution } from "./blocks.ts";
import { parseParameters, parsePublic } from "./parameters.ts";
import type { Portable } from "./portable.ts";

/** An algorithm that takes sums, for the registry. */
export const defineAlgorithm = <T extends AlgorithmTypes>(
  own: FederatedAlgorithm<T>,
): Algorithm<T["result"]> =>
  define(
    own,
    (params) => own.maxSteps(params),
    (study) => running(own, study),
  );

/** An algorithm whose result follows from earlier ones: it takes no sum. */
export const defineComputation = <T extends AlgorithmTypes & { readonly state: never }>(
  own: Computation<T>,
): Algorithm<T["result"]> =>
  define(
    own,
    () => 0,
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
        contribute: none,
        advance: none,
        sensitivity: none,
      };
    },
  );

function define<T extends AlgorithmTypes>(
  own: Computation<T>,
  maxSteps: (params: T["params"]) => number,
  run: (study: Study<T>) => Running,
): Algorithm<T["result"]> {
  const { name, parameters, result } = own;
  return {
    name,
    parameters,
    result,
    isModel: own.score !== undefined,
    isTransform: own.transform !== undefined,
    configure(given): Configured {
      const params = parseParameters(name, parameters, given);
      const needs = own.needs(params);
      return {
        needs: Object.values<Need<unknown>>(needs),
        maxSteps: maxSteps(params),
        within: (schema, before) => run({ schema, params, prior: readAll(needs, before) }),
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

function running<T extends AlgorithmTypes>(own: FederatedAlgorithm<T>, study: Study<T>): Running {
  let schema: ReturnType<typeof own.state> | undefined;
  const parse = (state: unknown): T["state"] => {
    schema ??= own.state(study);
    return parsePublic(`state of ${own.name}`, schema, state);
  };
  return {
    start: () => own.start(study),
    parseState: parse,
    blocks: (state) => own.blocks(parse(state), study),
    async contribute(given, party) {
      const state = parse(given);
      const contribution = await own.contribute(state, party, study);
      return encodeContribution(own.blocks(state, study), contribution);
    },
    advance(given, values) {
      const state = parse(given);
      return own.advance(state, decodeSums(own.blocks(state, study), values), study);
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
    score: (rows) => score(result, rows),
    points: points && ((rows) => points(result, rows)),
    explain: explain && ((rows) => explain(result, rows)),
    exports: new Map(files),
  };
}
