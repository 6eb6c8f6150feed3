import { canonicalJson, type Digest, digestOf } from "../../core/canonical.ts";
import type { PriorResults } from "../../models/algorithm.ts";
import type { EvaluateResult } from "../../models/algorithms/evaluate.ts";
import type { Evaluation } from "../../models/numerics/metrics.ts";
import type { StudyManifest } from "../../models/study.ts";
import { type StudyState, studyResult } from "../../models/study-loop.ts";
import { lineageDigest } from "../../privacy/log/entry.ts";
import { epsilonOfSpends } from "../../privacy/log/spend.ts";
import { eventOf } from "../../privacy/sum/noise-terms.ts";
import { protectionOf } from "../../privacy/sum/protection.ts";
import type { Bank } from "../bank.ts";
import { lockCases, raiseCase } from "../cases/cases.ts";
import type { NewEntry } from "../store/log.ts";
import type { Transaction } from "../store/sql.ts";
import { stabilityAt, stabilityOf } from "./stability.ts";

/**
 * @param headers - of the released sums: of each its noise, what it follows and its cohort, JSON.
 * @returns what they cost together: of groups, those of one.
 */
function costOf(headers: readonly string[], { groups, privacy: { noise, unit } }: StudyManifest) {
  const spends = headers.map((text) => {
    const header = JSON.parse(text) as Parameters<typeof eventOf>[0] & { readonly cohort: readonly string[] };
    const group = groups?.find((members) => header.cohort.every((id) => members.includes(id)));
    return { event: eventOf(header, unit), members: group ?? groups?.flat() ?? ["everybody"] };
  });
  const { delta } = noise!;
  return { delta, epsilon: epsilonOfSpends(spends, delta, unit) };
}

/** A released sum, as a model's lineage names it. */
interface LineageRound {
  readonly roundId: Digest;
  readonly algorithm: string;
  readonly parties: number;
  readonly certificate: Digest;
  /** After the server step. */
  readonly state: Digest;
}

/**
 * Publishes a finished study's results with their lineage and the protection they were made under.
 * Part of the transaction that finishes the study.
 * @returns the model's digest.
 */
export async function publishModel(
  bank: Bank,
  sql: Transaction,
  study: Digest,
  manifest: StudyManifest,
  state: StudyState,
): Promise<Digest> {
  const rows = await sql`
    SELECT round_id, header::jsonb -> 'algorithm' ->> 'name' AS algorithm,
      json_build_object('noise', header::jsonb -> 'noise', 'follows', header::jsonb -> 'follows', 'cohort', header::jsonb -> 'cohort')::text AS noise,
      survivors, digest, state
    FROM attempt JOIN sum_certificate USING (study, round)
    WHERE study = ${study} AND phase = 'released' ORDER BY round`;
  const rounds = rows.map(
    (row): LineageRound => ({
      roundId: row.round_id,
      algorithm: row.algorithm,
      parties: row.survivors,
      certificate: row.digest,
      state: row.state,
    }),
  );
  const smallestCohort = Math.min(...rounds.map(({ parties }) => parties));
  const results = studyResult(state) ?? {};
  const { consortium, name, purpose, legalBasis, privacy, unprotected } = manifest;
  const document = canonicalJson({
    format: "fedcredit/model/v1",
    consortium,
    study,
    name,
    purpose,
    legalBasis,
    algorithms: manifest.algorithms,
    results,
    lineage: { state: rounds.at(-1)?.state ?? "", rounds },
    protection: {
      ...protectionOf(privacy.noise),
      ...(privacy.noise === undefined
        ? {}
        : {
            cost: costOf(
              rows.map(({ noise }) => noise),
              manifest,
            ),
          }),
      unprotected,
      unit: privacy.unit,
      minCohort: privacy.minCohort,
      maxColluding: privacy.maxColluding,
      smallestCohort,
    },
    publishedMillis: bank.clock.now(),
  });
  const model = digestOf(document);
  const shifted = [...stabilityOf({ algorithms: manifest.algorithms, results }).values()]
    .flat()
    .filter(({ index }) => stabilityAt(index, bank.config.models.stability) === "shifted");
  for (const { kind, name: what, index } of shifted)
    bank.log.error({ study: name, kind, of: what, index }, "ALARM: a model's scores or columns have shifted");
  if (shifted.length > 0) await lockCases(sql);
  await sql`INSERT INTO model VALUES (${model}, ${study}, ${document}, ${new Date(bank.clock.now())})`;
  const entry = await bank.privacyLog.append(sql, [
    {
      type: "model.published",
      model,
      study,
      rounds: rounds.length,
      lineage: lineageDigest(rounds.map(({ roundId }) => roundId)),
      smallestCohort,
      unprotected,
    },
    ...evaluations(results).map(
      ([algorithm, evaluation]): NewEntry => ({
        type: "model.evaluated",
        model,
        study,
        algorithm,
        rows: evaluation.n,
        metrics: metricsOf(evaluation),
      }),
    ),
  ]);
  if (shifted.length > 0)
    await raiseCase(bank, sql, { model }, { entry, cause: { cause: "shift", shifted } });
  return model;
}

/** @returns each evaluated algorithm's figures, by its name; none in a study without `evaluate`. */
function evaluations(results: PriorResults): [algorithm: string, evaluation: Evaluation][] {
  const evaluated = results.evaluate as EvaluateResult | undefined;
  return Object.entries(evaluated?.models ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The single figures of an evaluation; its tables stay in the model document. */
const metricsOf = ({
  auc,
  aucWithin,
  ks,
  gini,
  brier,
  accuracy,
  majority,
}: Evaluation): Record<string, number> => ({
  auc,
  aucWithin,
  ks,
  gini,
  brier,
  accuracy,
  majority,
});
