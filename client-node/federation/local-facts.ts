import type { Digest } from "../../core/canonical.ts";
import type { Refusal } from "../../core/reasons.ts";
import { readManifest, tableOf } from "../../models/study.ts";
import type { EpochSecrets } from "../../privacy/sum/epoch/secrets.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { Open } from "../../privacy/sum/messages.ts";
import type { LocalFacts } from "../../privacy/sum/party/party.ts";
import { refusalOf } from "../../proto/wire.ts";
import { isWithin } from "../ledger/budget.ts";
import { knowsRound, storedConsent } from "../ledger/records.ts";
import { isAccounted } from "../ledger/recoveries.ts";
import { exactSumsOf, exactSurvivors, stepHolder } from "../ledger/steps.ts";
import { checkStudy } from "../policy.ts";
import { requireRemembered } from "./memory.ts";
import type { StateChain } from "./state-chain.ts";
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
 * Looks up consent, policy, epoch, state chain, steps and log; `partyStep` then decides.
 * @throws Refusal policy_refuses or unprotected, where the policy changed since consent; unavailable; those of
 *   `requireRemembered`.
 */
export async function lookUp(
  desk: StudyDesk,
  chain: StateChain,
  { roundId, growth }: { readonly roundId: Digest; readonly growth?: Open["growth"] },
  header: RoundHeader,
  epoch: EpochSecrets | undefined,
): Promise<Facts> {
  const { credentials, db, now } = desk;
  const { study, round } = header;
  // Who only helps to unmask signs the survivors, too.
  await requireRemembered(desk, study);
  const stored = storedConsent(db, study);
  // Who only helps to unmask needs no consent and knows no state.
  const consent =
    stored === undefined || stored.withdrawn || !header.cohort.includes(credentials.enterprise)
      ? undefined
      : { expiresMillis: stored.expiresMillis, manifest: readManifest(stored.manifest) };
  const policy = desk.policy(consent?.manifest);
  const table = tableOf(consent?.manifest);
  if (consent !== undefined) {
    checkStudy(policy, consent.manifest);
    await chain.catchUp(study, consent.manifest, round);
  }
  const holder = stepHolder(db, study, round);
  const { perTable, cohortChange } = policy.exactSums;
  const local: LocalFacts = {
    nowMillis: now(),
    seen: knowsRound(db, roundId),
    consent,
    policy: {
      minCohort: policy.minCohort,
      algorithms: policy.allow.algorithms,
      unprotected: policy.unprotected,
      cohortChange,
    },
    withinBudget:
      consent === undefined ||
      isWithin(db, header, {
        table,
        unit: consent.manifest.privacy.unit,
        budget: policy.maxEpsilon,
      }),
    exactSums: {
      left: isAccounted(db) ? Math.max(0, perTable - exactSumsOf(db, table)) : 0,
      survivors: exactSurvivors(db, table),
    },
    epoch,
    next: consent && chain.next(study, consent.manifest),
    step: {
      locked: holder?.phase === "locked" ? holder : undefined,
      spent: holder?.phase === "spent" ? holder.roundId : undefined,
    },
    checkpointConsistent: true,
  };
  try {
    return { local, witnessed: await witnessCheckpoint(desk, header.checkpoint, growth) };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.reason !== "log_forked") throw refusal;
    return { local: { ...local, checkpointConsistent: false }, fork: refusal };
  }
}
