import type { EntryType } from "./entry.ts";
import type { Rule } from "./rules.ts";

/** Rules of an enterprise's egress ledger: what left the machine, and what was spent before it did. */

const allowed: readonly EntryType[] = [
  "egress.sent",
  "privacy.spent",
  "study.consented",
  "study.withdrawn",
  "score.consented",
  "score.withdrawn",
  "score.issued",
  "warning.raised",
  "policy.changed",
  "desensitization.ran",
  "data.committed",
  "log.recovered",
];

export const onlyLedgerEntries: Rule = (entry) =>
  allowed.includes(entry.type) ? undefined : `${entry.type} does not belong into an egress ledger`;

export const spendBeforeSubmission: Rule = (entry, state) => {
  if (entry.type !== "egress.sent" || entry.submission === undefined) return undefined;
  if (entry.roundId === undefined) return "a submission without its round";
  return state.ledgerSpent.has(entry.roundId) ? undefined : "a submission left before its spend was recorded";
};

/** Ledgers of earlier versions name no policy; one that has begun to goes on. */
export const submissionUnderPolicy: Rule = (entry, state) => {
  if (entry.type !== "egress.sent" || entry.submission === undefined) return undefined;
  const { current, isNamed } = state.ledgerPolicy;
  if (entry.policy === undefined)
    return isNamed ? "a submission does not say which policy its rows went by" : undefined;
  return entry.policy === current ? undefined : "a submission by a policy that is not the last one recorded";
};

export const spendAddsUp: Rule = (entry, state) => {
  if (entry.type !== "privacy.spent") return undefined;
  if (state.ledgerSpent.has(entry.roundId)) return "the spend of this round is recorded twice";
  const before = state.ledgerSteps.get(entry.study) ?? 0;
  return entry.cumulativeSteps === before + entry.steps
    ? undefined
    : `${before} + ${entry.steps} sums are not ${entry.cumulativeSteps}`;
};
