import { z } from "zod";
import type { Algorithm, ExportedFile, Factor, Finished, Model, Transform } from "./algorithm.ts";
import { modelsAmong } from "./needs.ts";
import { parsePublic } from "./parameters.ts";
import { algorithmNamed } from "./registry.ts";
import { manifestSchema, type StudyManifest } from "./study.ts";
import type { Table } from "./table.ts";

/** What a study has come to: a published model says it of itself, a manifest and a state say it together. */
export const studyResultsSchema = manifestSchema
  .pick({ algorithms: true })
  .extend({ results: z.record(z.string(), z.unknown()) })
  .loose();

export type StudyResults = Pick<z.output<typeof studyResultsSchema>, "algorithms" | "results">;

/** One entry of a manifest's list. */
export interface Entry {
  /** What its result is called. */
  readonly as: string;
  readonly algorithm: Algorithm;
  readonly params: Readonly<Record<string, unknown>>;
  /** Noise of its sums, where the entry says so. */
  readonly noise: number | undefined;
}

/** @throws Refusal algorithm_unknown */
export const entryOf = ({
  name,
  as = name,
  noise,
  ...params
}: StudyManifest["algorithms"][number]): Entry => ({
  as,
  algorithm: algorithmNamed(name),
  params,
  noise,
});

/** @throws Refusal algorithm_unknown */
export const entriesOf = (algorithms: StudyManifest["algorithms"]): Entry[] => algorithms.map(entryOf);

/** @returns the entries that have a result, by result name. @throws Refusal algorithm_unknown */
export const finishedOf = ({ algorithms, results }: StudyResults): Map<string, Finished> =>
  new Map(
    entriesOf(algorithms).flatMap(({ as, algorithm }) =>
      Object.hasOwn(results, as) ? [[as, { algorithm, result: results[as] }] as const] : [],
    ),
  );

/** @returns the results that score rows as the study's features are, by name. @throws Refusal algorithm_unknown, state_invalid */
export function modelsOf(study: StudyResults): Map<string, Model> {
  const finished = finishedOf(study);
  const transforms = transformsAmong(finished);
  const models = modelsAmong(finished);
  if (transforms.length === 0) return models;
  return new Map([...models].map(([as, model]) => [as, throughTransforms(transforms, model)]));
}

/** @returns the finished results that change what later algorithms see, in the order in which they do. */
export const transformsAmong = (finished: ReadonlyMap<string, Finished>): Transform[] =>
  [...finished.values()].flatMap(({ algorithm, result }) => algorithm.transform(result) ?? []);

/** @returns the rows as algorithms after these transforms see them. */
export const transformed = (transforms: readonly Transform[], rows: Table): Table =>
  transforms.reduce((seen, transform) => transform.apply(seen), rows);

function throughTransforms(
  transforms: readonly Transform[],
  { score, points, explain, exports }: Model,
): Model {
  const originOf = (feature: string): string =>
    transforms.reduceRight((name, { origins }) => origins.get(name) ?? name, feature);
  const described = (files: readonly ExportedFile[]): readonly ExportedFile[] => [
    ...files,
    {
      name: "transforms.json",
      bytes: Buffer.from(
        `${JSON.stringify(
          transforms.map(({ described }) => described),
          null,
          2,
        )}\n`,
      ),
    },
  ];
  return {
    features: transforms[0]!.reads,
    score: (rows) => score(transformed(transforms, rows)),
    points: points && ((rows) => points(transformed(transforms, rows))),
    explain:
      explain &&
      ((rows) => explain(transformed(transforms, rows)).map((factors) => joinedBy(originOf, factors))),
    exports: new Map([...exports].map(([format, make]) => [format, async () => described(await make())])),
  };
}

/** @returns the factors of each study's feature as one, in the order in which they first come. */
function joinedBy(originOf: (feature: string) => string, factors: readonly Factor[]): Factor[] {
  const effects = new Map<string, number>();
  for (const { feature, effect } of factors) {
    const origin = originOf(feature);
    effects.set(origin, (effects.get(origin) ?? 0) + effect);
  }
  return Array.from(effects, ([feature, effect]) => ({ feature, effect }));
}

/** @returns all results of one algorithm, by name. @throws Refusal algorithm_unknown, state_invalid */
export const resultsBy = <Result>(
  { name, result }: Algorithm<Result>,
  study: StudyResults,
): Map<string, Result> =>
  new Map(
    [...finishedOf(study)]
      .filter(([, finished]) => finished.algorithm.name === name)
      .map(([as, finished]) => [as, parsePublic(as, result, finished.result)]),
  );

const withAliased = z.looseObject({ aliased: z.array(z.string()).min(1) });

/** @returns what each fit left out because it follows from other columns, by the result's name. */
export const aliasedIn = ({ results }: Pick<StudyResults, "results">): Map<string, readonly string[]> =>
  new Map(
    Object.entries(results).flatMap(([as, result]) => {
      const parsed = withAliased.safeParse(result);
      return parsed.success ? [[as, parsed.data.aliased] as const] : [];
    }),
  );
