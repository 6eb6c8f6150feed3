/** What enterprises have signed, and what follows from it: nothing here rests on the bank's word. */

import { z } from "zod";
import { fromBase64, fromHex } from "../../core/bytes.ts";
import { canonicalJson, type Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { survivorsOf } from "../sum/certificate.ts";
import { sumGraphPlan } from "../sum/graph.ts";
import { submitStatement, sumDigest } from "../sum/statements.ts";
import type { StudyArithmetic } from "./arithmetic.ts";
import { epochFields } from "./epoch-record.ts";
import { elsewhere, hasSigned } from "./facts.ts";
import { about, type Rule, said, sameList } from "./rules.ts";
import { attachedHeader, attachedValue, type EndedAttempt, type LogState, type Optional } from "./state.ts";

export const epochSigned = about(["key.epoch"], (entry, { facts: { epoch } }) => {
  if (epoch === undefined || epoch instanceof Refusal) return said(epoch);
  for (const [field, value] of Object.entries(epochFields(epoch)))
    if (canonicalJson(entry[field as keyof typeof entry]) !== canonicalJson(value))
      return `${field} is not what the members signed`;
  return undefined;
});

export const thresholdsByFormula = about(["key.epoch"], ({ members, maxColluding, degree, threshold }) => {
  const plan = sumGraphPlan(members.length, maxColluding);
  if (plan instanceof Refusal) return plan.message;
  return degree === plan.degree && threshold === plan.threshold
    ? undefined
    : `T = ${threshold} of ${degree + 1}, the formula gives ${plan.threshold} of ${plan.degree + 1}`;
});

export const complaintsSettled = about(["epoch.complaint"], ({ guilty }, { facts }) =>
  facts.guilty instanceof Refusal
    ? facts.guilty.message
    : facts.guilty === guilty
      ? undefined
      : `the evidence shows that ${facts.guilty} is wrong`,
);

export const roundsUnderEpoch = about(["round.opened"], (entry, state) => {
  const header = attachedHeader(state, entry.roundId);
  const epoch = header && state.epochs.get(header.epoch);
  if (header === undefined || epoch === undefined) return undefined;
  if (header.threshold !== epoch.threshold)
    return `T = ${header.threshold}, the epoch's is ${epoch.threshold}`;
  if (header.minCohort < epoch.maxColluding + 2) return `minCohort is below ${epoch.maxColluding + 2}`;
  const manifest = state.studies.get(entry.study)?.manifest;
  if (manifest !== undefined && epoch.maxColluding < manifest.privacy.maxColluding)
    return `the epoch counts on ${epoch.maxColluding} colluding, the manifest on ${manifest.privacy.maxColluding}`;
  const stranger = header.cohort.find((id) => !epoch.members.includes(id));
  return stranger === undefined ? undefined : `${stranger} is not a member of the epoch`;
});

export const slotsServeOnce = about(["round.opened"], (entry, state) => {
  const header = attachedHeader(state, entry.roundId);
  const epoch = header && state.epochs.get(header.epoch);
  if (header === undefined || epoch === undefined) return undefined;
  if (header.slot >= epoch.slots) return `the epoch has no slot ${header.slot}`;
  return epoch.slotsUsed.has(header.slot) ? `slot ${header.slot} served another attempt` : undefined;
});

export const submissionsSigned = about(["round.submitted"], (entry, state) => {
  const roster = state.rounds.get(entry.roundId)?.roster;
  if (roster === undefined) return undefined;
  const { roundId, enterprise, digest, commitment, noiseCommitment = "", signature } = entry;
  const statement = submitStatement({ digest, commitment, noiseCommitment });
  return hasSigned(roster, roundId, enterprise, statement, signature)
    ? undefined
    : `${enterprise} has not signed it`;
});

export const unmaskingSigned = about(["round.unmasked"], (entry, state) => {
  const { roster, epoch, unmasked } = state.rounds.get(entry.roundId) ?? {};
  if (roster === undefined || epoch === undefined) return undefined;
  const { roundId, enterprise, revealed, signature } = entry;
  if (!epoch.header.members.includes(enterprise)) return `${enterprise} is not a member of the epoch`;
  if (unmasked?.has(enterprise)) return `${enterprise} unmasked twice`;
  return hasSigned(roster, roundId, enterprise, { purpose: "unmask", revealed }, signature)
    ? undefined
    : `${enterprise} has not signed it`;
});

export const renouncingSigned = about(["round.aborted"], (entry, state) => {
  const round = state.rounds.get(entry.roundId);
  if (round?.epoch === undefined) return undefined;
  for (const { enterprise } of entry.renounced ?? []) {
    if (!state.facts.renounced?.has(enterprise)) return `${enterprise} has not signed that it renounces`;
    if (round.unmasked.has(enterprise)) return `${enterprise} has unmasked what it is said to renounce`;
  }
  return undefined;
});

const signatureList = z.array(z.looseObject({ party: z.string(), signature: z.string() }));

export const sequelsByEvidence = about(["round.rerun", "round.split"], (entry, state) => {
  const { cohorts } = state.facts;
  if (cohorts === undefined || cohorts instanceof Refusal) return said(cohorts);
  if (entry.type === "round.split") {
    const value = attachedValue(state, "evidence", entry.evidence) as { invalid?: unknown } | undefined;
    const signed = signatureList
      .parse(value?.invalid)
      .map(({ party, signature }) => ({ enterprise: party, signature }));
    if (canonicalJson(signed) !== canonicalJson(entry.invalid))
      return "other signatures than the evidence holds";
    return canonicalJson(cohorts) === canonicalJson(entry.halves)
      ? undefined
      : "the halves are not those that the seeds give";
  }
  const survivors = state.rounds.get(entry.roundId)?.survivors ?? [];
  const rest = survivors.filter((id) => !entry.without.includes(id));
  return sameList(cohorts[0] ?? [], rest) ? undefined : "the evidence names others";
});

/**
 * A step has one sum or none: after the survivors of an attempt were asked to agree, the step is opened again only
 * where enough members promised never to unmask that attempt, or where the same vectors are summed again by rule.
 */
export const oneSumAStep = about(["round.opened"], (entry, state) => {
  const study = state.studies.get(entry.study);
  const header = attachedHeader(state, entry.roundId);
  if (study === undefined || header === undefined) return undefined;
  const { follows, cohort } = header;
  if (follows === null) {
    const left = study.ended.find(({ agreed, end }) => agreed && end !== "renounced");
    return left === undefined
      ? undefined
      : `attempt ${left.roundId} was agreed on, and not renounced by T members`;
  }
  const of = study.ended.find(({ roundId }) => roundId === follows.of);
  if (of?.end !== (follows.kind === "half" ? "split" : "rerun"))
    return `the attempt it follows did not end in a ${follows.kind === "half" ? "split" : "re-run"}`;
  if (!of.cohorts.some((allowed) => sameList(allowed, cohort))) return "the evidence allows another cohort";
  return followed(study.ended, of, cohort);
});

/** Each cohort of a sequel is agreed on once, and nothing else is since. */
function followed(
  ended: readonly EndedAttempt[],
  of: EndedAttempt,
  cohort: readonly string[],
): string | undefined {
  const since = ended.slice(ended.indexOf(of) + 1).filter(({ agreed, end }) => agreed && end !== "renounced");
  const other = since.find(({ follows }) => follows?.of !== of.roundId);
  if (other !== undefined) return `attempt ${other.roundId} was agreed on since`;
  return since.some((attempt) => sameList(attempt.cohort, cohort))
    ? "this cohort was summed again before"
    : undefined;
}

export const certificatesAsRecorded = about(["round.released"], (entry, state) => {
  const { certificate, sum } = state.facts;
  // Whether one may be left out is known at the log's end: `unevenlyCarried`.
  if (certificate === undefined) return said(sum);
  const round = state.rounds.get(entry.roundId);
  if (round?.header === undefined) return undefined;
  if (canonicalJson(certificate.header) !== canonicalJson(round.header))
    return "the header is another round's";
  const survivors = round.survivors.map((party) => ({ party, ...round.submitted.get(party) }));
  if (canonicalJson(survivorsOf(certificate)) !== canonicalJson(survivors))
    return "its survivors and ciphertexts are not those logged";
  const signers = certificate.released.map(({ party }) => party).sort();
  if (!sameList(signers, entry.signers)) return "its signers are not those logged";
  const salted = sumDigest(
    fromHex(certificate.salt) ?? new Uint8Array(),
    fromBase64(certificate.sum) ?? new Uint8Array(),
  );
  return salted === entry.sum ? undefined : "its sum is not the one logged";
});

export const certificatesSigned = about(["round.released"], (_, { facts: { certificate, sum } }) =>
  // The rule above says where there is none, or it is none.
  certificate === undefined ? undefined : said(sum),
);

/** @param arithmetic - undefined where none was handed in: then nothing is recomputed. */
export const statesRecomputed = (arithmetic: StudyArithmetic | undefined): Rule =>
  about(["study.proposed", "round.opened", "round.released"], (entry, state) => {
    if (arithmetic === undefined) return undefined;
    if (entry.type === "study.proposed") return said(state.facts.chain);
    const study =
      state.rounds.get(entry.roundId)?.study ?? (entry.type === "round.opened" ? entry.study : "");
    const before = state.studies.get(study)?.chain;
    if (before === undefined) return undefined;
    if (entry.type === "round.opened") {
      const header = attachedHeader(state, entry.roundId);
      if (before.failed) return "the study is over: its last sum has no result";
      const next = arithmetic.next(attachedValue(state, "manifest", study), before.state);
      if (next === undefined) return "the study is finished";
      return header && elsewhere(header, before, next);
    }
    const { chain } = state.facts;
    if (chain === undefined || chain instanceof Refusal) return said(chain);
    return entry.state === chain.digest ? undefined : "manifest and sums lead to another state";
  });

/**
 * An export carries the certificates of all sums and all models, or none; of a study that was pruned, all or none of
 * its own.
 * @returns the entries whose document is missing beside others, or is there beside ones that are missing.
 */
export function unevenlyCarried(state: LogState): (Optional & { readonly detail: string })[] {
  const without = prunedWithout(state);
  const uneven: (Optional & { readonly detail: string })[] = [];
  let [carried, leftOut] = [0, 0];
  for (const one of state.optional.filter(({ study }) => !without.has(study))) {
    if (one.kind === "model") {
      if (!one.carried && carried > 0)
        uneven.push({ ...one, detail: "no model of this digest is in the export" });
    } else if (one.carried) {
      carried++;
      if (leftOut > 0)
        uneven.push({ ...one, detail: "a certificate is in the export, which has none of an earlier sum" });
    } else {
      leftOut++;
      if (carried > 0)
        uneven.push({ ...one, detail: "no certificate of this digest is in the export, which has others" });
    }
  }
  return uneven;
}

/** @returns studies of which the export has nothing that may be left out, and whose pruning is in the log. */
function prunedWithout(state: LogState): Set<Digest> {
  const pruned = new Set([...state.studies].filter(([, { pruned }]) => pruned).map(([digest]) => digest));
  for (const { study, carried } of state.optional) if (carried) pruned.delete(study);
  return pruned;
}

/** @returns what was not recomputed, and why, for the report. */
export function notRecomputed(arithmetic: StudyArithmetic | undefined, state: LogState): string | undefined {
  const without = prunedWithout(state);
  if (
    state.optional.some(
      ({ kind, carried, study }) => kind === "certificate" && !carried && !without.has(study),
    )
  )
    return "not checked: the export carries no sums";
  if (arithmetic === undefined) return "not checked: no arithmetic of studies was handed in";
  const pruned = new Set(state.optional.map(({ study }) => study).filter((study) => without.has(study))).size;
  return pruned === 0
    ? undefined
    : `not checked for ${pruned} ${pruned === 1 ? "study" : "studies"} whose retention is over`;
}
