import type { Refusal } from "../../core/reasons.ts";
import type { StudyManifest } from "../../models/study.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { KeyEpoch } from "../../privacy/sum/key-epoch.ts";
import type { LocalFacts } from "../../privacy/sum/party/party.ts";
import { refusalOf } from "../../proto/wire.ts";
import { lastAttempt, roundsUnderEpoch, storedConsent } from "../ledger/records.ts";
import { checkStudy } from "../policy.ts";
import type { StudyDesk } from "./studies.ts";
import { type WitnessedCheckpoint, witnessCheckpoint } from "./witness.ts";

/** What the node knows of a round before it says a word in it. */
export interface Facts {
  readonly local: LocalFacts;
  /** The header's checkpoint, if it may be cosigned. */
  readonly witnessed?: WitnessedCheckpoint;
  /** The header's checkpoint, if it forks from what was seen before. */
  readonly fork?: Refusal;
}

/**
 * Looks up consent, policy, epoch, attempts and log; `partyStep` then decides.
 * @throws Refusal policy_refuses or unprotected, where the policy changed since consent; unavailable.
 */
export async function lookUp(
  desk: StudyDesk,
  header: RoundHeader,
  epoch: KeyEpoch | undefined,
): Promise<Facts> {
  const { db, now, policy } = desk;
  const stored = storedConsent(db, header.study);
  const consent =
    stored === undefined || stored.withdrawn
      ? undefined
      : { expiresMillis: stored.expiresMillis, manifest: JSON.parse(stored.manifest) as StudyManifest };
  if (consent !== undefined) checkStudy(policy, consent.manifest);
  const local: LocalFacts = {
    nowMillis: now(),
    consent,
    policy: {
      minCohort: policy.minCohort,
      algorithms: policy.allow.algorithms,
      unprotected: policy.unprotected,
    },
    keyEpoch: epoch && {
      epoch: epoch.epoch,
      commitment: epoch.commitment,
      rounds: roundsUnderEpoch(db, epoch.epoch, header.study, header.round),
    },
    last: lastAttempt(db, header.study),
    checkpointConsistent: true,
  };
  try {
    return { local, witnessed: await witnessCheckpoint(desk, header.checkpoint) };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.reason !== "log_forked") throw refusal;
    return { local: { ...local, checkpointConsistent: false }, fork: refusal };
  }
}
