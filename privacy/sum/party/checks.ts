/** What a party makes sure of before each step. Each check names the refusal it ends in. */
import { isDeepStrictEqual } from "node:util";
import { canonicalJson, type Digest } from "../../../core/canonical.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { x25519Pair } from "../../identity.ts";
import { countOrganisations, type Roster } from "../../roster.ts";
import { differsByGroups, type GroupLimits } from "../cohort-change.ts";
import { chunkCount } from "../encryption/bfv-format.ts";
import type { EpochSecrets, OpenEpoch } from "../epoch/secrets.ts";
import type { PartyId } from "../graph.ts";
import { type RoundHeader, roundIdOf } from "../header.ts";
import type { Aggregate, Agreed, Lift, Survivor, Survivors } from "../messages.ts";
import { isRevealed } from "../noise.ts";
import { checkNoise, leastSurvivors } from "../noise-terms.ts";
import { layersOff, protectionOf } from "../protection.ts";
import { maskKeyOf, missingPartners } from "../round-masks.ts";
import { honestCheckers, spotCheck } from "../spot-check.ts";
import {
  selfMaskCommitment,
  signedBy,
  submissionDigest,
  submitStatement,
  survivorsDigest,
} from "../statements.ts";
import type { Attempt, LocalFacts, LockedStep, PartyContext, SpentAttempt, Submission } from "./state.ts";

function ensure(holds: boolean, reason: Reason, message: string, party?: PartyId): asserts holds {
  if (!holds) throw new Refusal(reason, message, party === undefined ? {} : { party });
}

const isSorted = (ids: readonly PartyId[]): boolean => ids.every((id, i) => i === 0 || ids[i - 1]! < id);

function ensureOrganisations(
  reason: "cohort_too_small" | "too_few_survivors",
  { minCohort }: RoundHeader,
  ids: readonly PartyId[],
  roster: Roster,
): void {
  const present = countOrganisations(roster, ids);
  ensure(present >= minCohort, reason, `${present} organisations of at least ${minCohort}`);
}

/** Step 0, what every member of the epoch makes sure of, whether it contributes or not. */
export function checkOpen(
  header: RoundHeader,
  lifts: readonly Lift[],
  local: LocalFacts,
  { id, roster }: PartyContext,
): EpochSecrets {
  ensure(
    header.roster === roster.digest && header.consortium === roster.consortium,
    "roster_mismatch",
    "the header names another roster",
  );
  ensure(!local.seen, "round_replayed", "this attempt was opened before, or renounced");
  const secrets = local.epoch;
  ensure(secrets?.epoch.digest === header.epoch, "epoch_mismatch", "the header names another key epoch");
  checkEpoch(header, secrets.epoch, roster);
  ensure(
    canonicalJson(header.protection) === canonicalJson(protectionOf(header.noise)) &&
      canonicalJson(header.unprotected) === canonicalJson(layersOff(header.protection)),
    "header_mismatch",
    "the header names another protection than what runs",
  );
  ensure(local.checkpointConsistent, "log_forked", "the header's checkpoint");
  checkUnlocked(header, lifts, local.step.locked, local.step.spent, roster);
  ensure(
    header.follows !== null || local.step.spent === undefined,
    "step_spent",
    `round ${header.round} was unmasked in another attempt`,
  );
  checkNoise(header);
  if (header.cohort.includes(id)) checkContribution(header, local);
  return secrets;
}

/** One cohort: T, minCohort and members are those of the epoch that all its members signed. */
function checkEpoch(header: RoundHeader, epoch: OpenEpoch, roster: Roster): void {
  const { members, maxColluding, threshold, roster: ofEpoch } = epoch.header;
  ensure(ofEpoch === roster.digest, "epoch_mismatch", "the epoch is of another roster");
  const known = new Set(members);
  ensure(
    header.cohort.every((party) => known.has(party)),
    "roster_mismatch",
    "the cohort is not of the epoch",
  );
  ensure(header.threshold === threshold, "threshold_mismatch", `T = ${header.threshold}, not ${threshold}`);
  const least = maxColluding + 2;
  ensure(header.minCohort >= least, "cohort_too_small", `minCohort is at least maxColluding + 2 = ${least}`);
  ensureOrganisations("cohort_too_small", header, header.cohort, roster);
}

/** One sum a step: what was agreed on in another attempt is not agreed on in this, unless enough renounced that. */
function checkUnlocked(
  header: RoundHeader,
  lifts: readonly Lift[],
  locked: LockedStep | undefined,
  spent: Digest | undefined,
  roster: Roster,
): void {
  if (locked === undefined || locked.roundId === spent || locked.roundId === roundIdOf(header)) return;
  const among = new Set(locked.among);
  const renounced = new Set(
    lifts
      .filter(({ roundId }) => roundId === locked.roundId)
      .flatMap(({ roundId, signatures }) =>
        signatures
          .filter(
            ({ party, signature }) =>
              among.has(party) && signedBy(roster, roundId, party, { purpose: "renounce" }, signature),
          )
          .map(({ party }) => party),
      ),
  );
  const { size } = renounced;
  ensure(
    size >= locked.threshold,
    "step_locked",
    `${size} of ${locked.threshold} renounced the attempt agreed on`,
  );
}

/** Step 0, before anything private is looked at: consent, manifest, policy, state chain, budget. */
function checkContribution(header: RoundHeader, local: LocalFacts): void {
  const { consent, policy, next, exactSums } = local;
  ensure(consent !== undefined, "consent_missing", `study ${header.study}`);
  ensure(local.nowMillis < consent.expiresMillis, "consent_expired", `study ${header.study}`);
  const { manifest } = consent;
  ensure(
    header.consortium === manifest.consortium &&
      header.algorithm.name === manifest.algorithms[header.algorithm.index]?.name &&
      header.minCohort >= manifest.privacy.minCohort &&
      canonicalJson(header.unprotected) === canonicalJson(manifest.unprotected),
    "header_mismatch",
    "the header departs from the manifest",
  );
  const colluding = local.epoch?.epoch.header.maxColluding ?? 0;
  ensure(
    colluding >= manifest.privacy.maxColluding,
    "threshold_mismatch",
    `the epoch counts on ${colluding} colluding, the manifest on ${manifest.privacy.maxColluding}`,
  );
  ensure(header.minCohort >= policy.minCohort, "policy_refuses", `minCohort is at least ${policy.minCohort}`);
  ensure(policy.algorithms.includes(header.algorithm.name), "policy_refuses", header.algorithm.name);
  for (const layer of header.unprotected)
    ensure(policy.unprotected.includes(layer), "unprotected", `the policy does not list ${layer}`);
  ensure(
    header.noise !== undefined || exactSums.left > 0,
    "budget_exhausted",
    "no exact sum over this table is left in this period",
  );
  ensure(local.withinBudget, "budget_exhausted", "the sum would cost more epsilon than maxEpsilon leaves");
  ensure(next !== undefined, "state_mismatch", "this node has not computed the study's state");
  ensure(
    header.round === next.round && isDeepStrictEqual(header.algorithm, next.algorithm),
    "round_replayed",
    `round ${header.round}, where round ${next.round} comes next`,
  );
  ensure(header.state === next.state, "state_mismatch", "another state than this node computed");
  ensure(
    header.cohort.every((party) => next.among?.includes(party) !== false),
    "header_mismatch",
    "the cohort is not of the group whose sum comes next",
  );
  ensure(
    isDeepStrictEqual(header.layout, { blocks: [...next.layout.blocks] }),
    "header_mismatch",
    "the header's layout is not the algorithm's",
  );
  ensure(
    isDeepStrictEqual(header.noise, next.noise),
    "header_mismatch",
    "the header's noise is not what manifest and algorithm say",
  );
}

/**
 * Vectors are summed again only for an attempt that this party unmasked itself, once by rerun and once by halves,
 * and nothing else changes.
 * @returns that attempt.
 */
export function checkFollows(
  header: RoundHeader,
  follows: NonNullable<RoundHeader["follows"]>,
  spent: readonly SpentAttempt[],
  latest: Digest | undefined,
): SpentAttempt {
  const of = spent.find(({ roundId }) => roundId === follows.of);
  ensure(of !== undefined, "evidence_invalid", "this party has not unmasked the attempt to follow");
  ensure(
    spent.some(({ roundId }) => roundId === latest),
    "step_spent",
    "the step was unmasked in an attempt that this process does not know",
  );
  const sameOf = ({ study, round, algorithm, state, minCohort, layout, noise }: RoundHeader): string =>
    canonicalJson({ study, round, algorithm, state, minCohort, layout, noise: noise ?? null });
  ensure(
    sameOf(header) === sameOf(of.header),
    "header_mismatch",
    "another step than that of the attempt to follow",
  );
  const after = spent.filter((attempt) => attempt.header.follows?.of === of.roundId);
  switch (follows.kind) {
    case "rerun":
      ensure(of.header.follows === null && after.length === 0, "step_spent", "there is one re-run");
      break;
    case "half": {
      ensure(of.header.follows?.kind !== "half", "step_spent", "survivors are split once");
      ensure(!of.released, "evidence_invalid", "this party released the sum that is called invalid");
      const summed = new Set(after.flatMap((attempt) => attempt.header.cohort));
      ensure(!header.cohort.some((party) => summed.has(party)), "step_spent", "each half is summed once");
      break;
    }
  }
  return of;
}

/** The cohort is exactly one that the evidence allows. */
export const checkFollowingCohort = (
  { cohort }: RoundHeader,
  cohorts: readonly (readonly PartyId[])[],
): void =>
  ensure(
    cohorts.some((allowed) => isDeepStrictEqual(allowed, cohort)),
    "evidence_invalid",
    "the evidence allows another cohort",
  );

/** Step 2: the survivors are of the cohort, this party's own ciphertext and commitment are right, enough are there. */
export function checkSurvivors(
  { survivors }: Survivors,
  submission: Submission | undefined,
  { header, limits }: Attempt,
  { id, roster }: PartyContext,
): void {
  const ids = survivors.map(({ party }) => party);
  const cohort = new Set(header.cohort);
  ensure(
    isSorted(ids) && ids.every((party) => cohort.has(party)),
    "survivors_invalid",
    "the survivors are not among the cohort",
  );
  // who is not listed came too late: its own mask is never shown, and stays on what it submitted
  const own = survivors.find(({ party }) => party === id);
  ensure(
    own === undefined ||
      (own.digest === submission?.digest &&
        own.commitment === submission.commitment &&
        own.noiseCommitment === submission.noise.commitment),
    "digest_mismatch",
    "another ciphertext than this party's is in the sum",
  );
  ensureOrganisations("too_few_survivors", header, ids, roster);
  const least = leastSurvivors(header);
  ensure(
    ids.length >= least,
    "too_few_survivors",
    `${ids.length} of at least ${least} that the noise is for`,
  );
  if (header.follows !== null)
    ensure(
      ids.length === header.cohort.length,
      "survivors_invalid",
      "vectors are summed again without drop-outs",
    );
  // what noise protects is not shown by subtracting
  const isExact = header.noise === undefined;
  if (isExact && own !== undefined && header.follows === null && limits.cohortChange === "refuse")
    for (const earlier of limits.survivors)
      checkSameCohort(ids, earlier, { groups: limits.groups, minCohort: header.minCohort });
}

/** One list is held on to, or lists that are nested by whole groups. */
function checkSameCohort(now: readonly PartyId[], earlier: readonly PartyId[], limits: GroupLimits): void {
  const [here, before] = [new Set(now), new Set(earlier)];
  const changed =
    now.filter((party) => !before.has(party)).length + earlier.filter((party) => !here.has(party)).length;
  ensure(
    changed === 0 || differsByGroups(now, earlier, limits),
    "cohort_changed",
    `an earlier sum over this table counted ${changed} organisations more or fewer`,
  );
}

/**
 * Step 3: at least T of this party's closed neighbourhood signed this very survivor list.
 * @returns T of those who did.
 */
export function checkAgreement(
  { signatures }: Agreed,
  survivors: readonly Survivor[],
  { header, epoch, roundId }: Attempt,
  { id, roster }: PartyContext,
): ReadonlySet<PartyId> {
  const around = new Set([id, ...epoch.neighbours.get(id)!]);
  const statement = { purpose: "agree", survivors: survivorsDigest(survivors) } as const;
  const agreed = new Set<PartyId>();
  for (const { party, signature } of signatures) {
    if (agreed.size >= header.threshold) break;
    if (around.has(party) && signedBy(roster, roundId, party, statement, signature)) agreed.add(party);
  }
  ensure(
    agreed.size >= header.threshold,
    "agreement_missing",
    `${agreed.size} of at least ${header.threshold} signatures over the survivor list`,
  );
  return agreed;
}

/** Up to so many signatures of submissions are all verified. */
const cheapSignatures = 32;

/**
 * Step 4: what the aggregate is said to follow from is what the survivors submitted and committed to. The list
 * that was agreed on names each ciphertext: who signed it signed for its own. A survivor that was cut off could not
 * object to another in its place: its submission's signature is looked at, as often as the aggregate's chunks are.
 * @param agreed - whose signatures over the list were verified.
 */
export function checkAggregate(
  { chunks, submissions, seeds, secrets, noise }: Aggregate,
  survivors: readonly Survivor[],
  agreed: ReadonlySet<PartyId>,
  { header, epoch, roundId, packing }: Attempt,
  { id, roster, random }: PartyContext,
): void {
  const count = chunkCount(packing.slots);
  ensure(chunks.length === count, "aggregate_invalid", "the aggregate has another number of ciphertexts");
  ensure(
    submissions.length === survivors.length &&
      survivors.every(({ party, digest }, i) => {
        const submitted = submissions[i]!;
        return (
          submitted.party === party &&
          submitted.chunks.length === count &&
          submissionDigest(submitted.chunks) === digest
        );
      }),
    "aggregate_invalid",
    "not the ciphertexts that were agreed on",
  );
  const honest = honestCheckers(survivors.length, epoch.header.maxColluding);
  const others = survivors.flatMap(({ party }, i) => (party === id || agreed.has(party) ? [] : [i]));
  for (const picked of spotCheck(others.length, cheapSignatures, honest, random)) {
    const at = others[picked]!;
    const { party } = survivors[at]!;
    const statement = submitStatement(survivors[at]!);
    ensure(
      signedBy(roster, roundId, party, statement, submissions[at]!.signature),
      "aggregate_invalid",
      `the ciphertexts of ${party} are not signed by it`,
    );
  }
  ensure(
    seeds.length === survivors.length &&
      survivors.every(
        ({ party, commitment }, i) =>
          seeds[i]!.party === party && selfMaskCommitment(roundId, seeds[i]!.seed) === commitment,
      ),
    "aggregate_invalid",
    "not the seeds that the survivors committed to",
  );
  const missing = [...missingPartners(epoch, header, new Set(survivors.map(({ party }) => party))).keys()];
  ensure(
    secrets.length === missing.length &&
      secrets.every(
        ({ party, maskSecret }, i) =>
          party === missing[i] &&
          maskSecret.length === 32 &&
          Buffer.compare(x25519Pair(maskSecret).publicKey, maskKeyOf(epoch, header, party)) === 0,
      ),
    "aggregate_invalid",
    "not the mask secrets of the missing",
  );
  const committed = new Map(survivors.map((survivor) => [survivor.party, survivor.noiseCommitment]));
  ensure(
    isSorted(noise.map(({ party }) => party)) &&
      noise.every(
        ({ party, seed }) =>
          seed.length === 32 &&
          isRevealed(roundId, header, survivors.length, seed, committed.get(party) ?? ""),
      ),
    "aggregate_invalid",
    "not the noise that the survivors committed to",
  );
}
