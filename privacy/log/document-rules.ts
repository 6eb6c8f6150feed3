/** What a published model says of itself: all of it follows from its study's manifest, and from the sums of the log. */
import { z } from "zod";
import { canonicalJson } from "../../core/canonical.ts";
import { parsedBy } from "../../core/schema.ts";
import { protectionOf } from "../sum/protection.ts";
import type { StudyArithmetic } from "./arithmetic.ts";
import type { EntryOf } from "./entry.ts";
import { about, type Rule } from "./rules.ts";
import { epsilonOfSpends } from "./spend.ts";
import { attachedValue, type LogState } from "./state.ts";

const modelSchema = z.strictObject({
  format: z.string(),
  consortium: z.string(),
  study: z.string(),
  name: z.string(),
  purpose: z.string(),
  legalBasis: z.string(),
  algorithms: z.unknown(),
  results: z.record(z.string(), z.unknown()),
  lineage: z.unknown(),
  protection: z.looseObject({ cost: z.strictObject({ delta: z.number(), epsilon: z.number() }).optional() }),
  publishedMillis: z.number(),
});

type Model = z.infer<typeof modelSchema>;

const evaluatedSchema = z.looseObject({
  evaluate: z.looseObject({ models: z.record(z.string(), z.looseObject({ n: z.number() })) }),
});

/** @param arithmetic - undefined where none was handed in: then results are not recomputed. */
export const modelsRecomputed = (arithmetic: StudyArithmetic | undefined): Rule =>
  about(["model.published", "model.evaluated"], (entry, state) => {
    const value = attachedValue(state, "model", entry.model);
    if (value === undefined) return undefined;
    const model = parsedBy(modelSchema, value).data;
    if (model === undefined) return "the attachment is no model document";
    if (entry.type === "model.evaluated") return asEvaluated(entry, model.results);
    const study = state.studies.get(entry.study);
    if (study === undefined) return undefined;
    const other = otherThanLogged(model, entry, state);
    if (other !== undefined) return other;
    if (model.publishedMillis > entry.time) return "it says that it was published later than the log has it";
    if (arithmetic === undefined || study.chain === undefined) return undefined;
    const results = arithmetic.results(study.chain.state);
    if (results === undefined) return "the study is not finished";
    return canonicalJson(results) === canonicalJson(model.results)
      ? undefined
      : "its results are not those that manifest and sums lead to";
  });

/** @returns what of the document is not what manifest and released sums say: who reads a model reads its protection there. */
function otherThanLogged(
  { protection: { cost, ...protection }, lineage, ...model }: Model,
  entry: EntryOf<"model.published">,
  state: LogState,
): string | undefined {
  const { manifest, released, spends } = state.studies.get(entry.study)!;
  // The rule about manifests says where there is none.
  if (manifest === undefined) return undefined;
  const { consortium, name, purpose, legalBasis, privacy, unprotected } = manifest;
  const { noise, unit, minCohort, maxColluding } = privacy;
  const told: Record<string, unknown> = {
    format: "fedcredit/model/v1",
    consortium,
    study: entry.study,
    name,
    purpose,
    legalBasis,
    algorithms: manifest.algorithms,
  };
  const wrong = Object.keys(told).find(
    (field) => canonicalJson(model[field as keyof typeof model]) !== canonicalJson(told[field]),
  );
  if (wrong !== undefined) return `its ${wrong} is not the study's`;
  const rounds = released.map(({ survivors: parties, ...sum }) => ({ ...sum, parties }));
  if (canonicalJson(lineage) !== canonicalJson({ state: released.at(-1)?.state ?? "", rounds }))
    return "its lineage is not that of the released sums";
  const smallestCohort = Math.min(...rounds.map(({ parties }) => parties));
  const ran = {
    ...protectionOf(noise),
    unprotected,
    unit,
    minCohort,
    maxColluding,
    smallestCohort,
  };
  if (canonicalJson(protection) !== canonicalJson(ran) || (cost === undefined) !== (noise === undefined))
    return "its protection is not the one that ran";
  if (cost === undefined || noise === undefined) return undefined;
  const counted = spends.filter(({ unreleased }) => unreleased === undefined);
  const epsilon = epsilonOfSpends(counted, noise.delta, unit);
  return cost.delta === noise.delta && cost.epsilon >= epsilon * (1 - 1e-9)
    ? undefined
    : `its sums cost ε = ${epsilon.toPrecision(6)} at δ = ${noise.delta}, and it says less`;
}

function asEvaluated(
  { algorithm, rows, metrics }: EntryOf<"model.evaluated">,
  results: Model["results"],
): string | undefined {
  const evaluation = parsedBy(evaluatedSchema, results).data?.evaluate.models[algorithm];
  if (evaluation === undefined) return `the model holds no evaluation of ${algorithm}`;
  if (evaluation.n !== rows) return `the model was evaluated on ${evaluation.n} rows`;
  const other = Object.entries(metrics).find(([name, figure]) => evaluation[name] !== figure);
  return other === undefined ? undefined : `${other[0]} is not the model's`;
}
