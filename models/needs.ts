import type { Algorithm, Finished, Model, Need } from "./algorithm.ts";
import { parsePublic } from "./parameters.ts";

/** The result of one algorithm, under the name that the manifest gave it. */
export const resultOf = <Result>({ name, result }: Algorithm<Result>, as: string): Need<Result> => ({
  entry: as === name ? { name } : { name, as },
  missing: (before) =>
    before.get(as)?.name === name
      ? undefined
      : as === name
        ? `the result of ${name}`
        : `a result of ${name} called ${as}`,
  read: (before) => parsePublic(as, result, before.get(as)?.result),
});

/** @param names - of results; every model that ran before where undefined. */
export const modelsNamed = (names: readonly string[] | undefined): Need<ReadonlyMap<string, Model>> => ({
  entry: undefined,
  missing: (before) =>
    names === undefined
      ? [...before.values()].some(({ isModel }) => isModel)
        ? undefined
        : "a model"
      : names.filter((as) => before.get(as)?.isModel !== true).map((as) => `a model called ${as}`)[0],
  read: (before) => modelsAmong(before, names),
});

/** @returns the finished results that score rows, sorted by name: the order survives canonical JSON. */
export function modelsAmong(
  results: ReadonlyMap<string, Finished>,
  names: readonly string[] = [...results.keys()],
): Map<string, Model> {
  const models = names.toSorted().flatMap((as) => {
    const { algorithm, result } = results.get(as)!;
    const model = algorithm.model(result);
    return model === undefined ? [] : [[as, model] as const];
  });
  return new Map(models);
}
