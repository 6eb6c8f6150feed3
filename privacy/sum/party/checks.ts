/** What a party makes sure of before each step. Each check names the refusal it ends in. */
import { isDeepStrictEqual } from "node:util";
import { canonicalJson } from "../../../core/canonical.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { countOrganisations, type Roster } from "../../roster.ts";
import { openShares, type ShareGraph, shareGraph, signedBy, survivorsDigest } from "../binding.ts";
import type { PartyId } from "../graph.ts";
import type { RoundHeader } from "../header.ts";
import { maxEpochRounds } from "../key-epoch.ts";
import { type Packing, planPacking, type VectorLayout } from "../layout.ts";
import type { Advertise, Agreed, Keys, Shares, Survivor, Survivors } from "../messages.ts";
import type {
  Attempt,
  AttemptSecrets,
  HeldShares,
  LocalFacts,
  Neighbourhood,
  PartyContext,
} from "./state.ts";

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

/**
 * Step 0: consent, manifest, policy, roster, epoch, log, replay, layout.
 * @returns how the round's vector lies in slots.
 */
export function checkOpen(header: RoundHeader, local: LocalFacts, { id, roster }: PartyContext): Packing {
  const { consent, policy, keyEpoch, last } = local;
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
  ensure(header.minCohort >= policy.minCohort, "policy_refuses", `minCohort is at least ${policy.minCohort}`);
  ensure(policy.algorithms.includes(header.algorithm.name), "policy_refuses", header.algorithm.name);
  for (const layer of header.unprotected)
    ensure(policy.unprotected.includes(layer), "unprotected", `the policy does not list ${layer}`);
  ensure(
    header.roster === roster.digest && header.consortium === roster.consortium,
    "roster_mismatch",
    "the header names another roster",
  );
  ensure(
    header.cohort.includes(id) && header.cohort.every((party) => roster.byId.has(party)),
    "roster_mismatch",
    "the cohort is not of the roster, or this party not of the cohort",
  );
  ensure(
    header.keyEpoch.epoch === keyEpoch?.epoch && header.keyEpoch.commitment === keyEpoch.commitment,
    "epoch_mismatch",
    "the header names another key epoch",
  );
  ensure(keyEpoch.rounds < maxEpochRounds, "epoch_mismatch", `the epoch's ${maxEpochRounds} rounds are over`);
  ensure(local.checkpointConsistent, "log_forked", "the header's checkpoint");
  ensureOrganisations("cohort_too_small", header, header.cohort, roster);
  ensure(
    last === undefined ||
      header.round > last.round ||
      (header.round === last.round && header.attempt > last.attempt && !last.released),
    "round_replayed",
    `round ${header.round}, attempt ${header.attempt}`,
  );
  return planPacking(header.layout, header.cohort.length);
}

/**
 * Step 2: every advertised key is signed by a roster member of the cohort, none is there twice, this party's
 * own is what it said, enough organisations are there.
 */
export function checkKeys(
  keys: Keys,
  own: Advertise,
  { header, roundId }: Attempt,
  { id, roster }: PartyContext,
): { readonly graph: ShareGraph; readonly around: Neighbourhood } {
  const ids = keys.advertised.map(({ party }) => party);
  ensure(isSorted(ids), "key_duplicate", "the advertised keys are not sorted by party, none twice");
  const seen = new Set<string>();
  for (const { party, maskKey, shareKey, signature } of keys.advertised) {
    ensure(header.cohort.includes(party), "signature_invalid", "a key is by none of the cohort", party);
    ensure(
      signedBy(roster, roundId, party, { purpose: "advertise", maskKey, shareKey }, signature),
      "signature_invalid",
      "an advertised key is not signed by its party for this round",
      party,
    );
    for (const key of [maskKey, shareKey]) {
      const text = Buffer.from(key).toString("hex");
      ensure(!seen.has(text), "key_duplicate", "a key is advertised twice", party);
      seen.add(text);
    }
  }
  const mine = keys.advertised.find(({ party }) => party === id);
  ensure(
    mine !== undefined &&
      Buffer.from(mine.maskKey).equals(own.maskKey) &&
      Buffer.from(mine.shareKey).equals(own.shareKey),
    "header_mismatch",
    "the keys of this party are missing or were exchanged",
  );
  ensureOrganisations("cohort_too_small", header, ids, roster);
  const graph = shareGraph(header, roundId, keys.advertised);
  if (graph instanceof Refusal) throw graph;
  const near = new Set(graph.neighbours.get(id));
  const neighbours = new Map(
    keys.advertised
      .filter(({ party }) => near.has(party))
      .map(({ party, maskKey, shareKey }) => [party, { maskKey, shareKey }]),
  );
  return { graph, around: { advertised: ids, neighbours, threshold: graph.threshold } };
}

/**
 * Step 3: shares of at least T parties (its own included) are here and open.
 * A neighbour whose share is missing or spoiled is tolerated as long as that holds.
 */
export function checkShares(
  { sharers, sealed }: Shares,
  { header, roundId }: Attempt,
  { shareSecret }: AttemptSecrets,
  around: Neighbourhood,
  { id, roster }: PartyContext,
): ReadonlyMap<PartyId, HeldShares> {
  const advertised = new Set(around.advertised);
  ensure(
    isSorted(sharers) && sharers.includes(id) && sharers.every((party) => advertised.has(party)),
    "survivors_invalid",
    "those who shared are not among those who advertised",
  );
  ensureOrganisations("cohort_too_small", header, sharers, roster);
  const held = new Map<PartyId, HeldShares>();
  let spoiled: PartyId | undefined;
  for (const { party, ciphertext } of sealed) {
    const peer = around.neighbours.get(party);
    ensure(
      peer !== undefined && sharers.includes(party) && !held.has(party),
      "share_invalid",
      "a share of someone who is no neighbour, did not share, or is there twice",
      party,
    );
    const shares = openShares(
      { roundId, from: party, to: id, shareSecret, peerKey: peer.shareKey },
      ciphertext,
    );
    if (shares === undefined) spoiled ??= party;
    else held.set(party, shares);
  }
  if (held.size + 1 < around.threshold) {
    ensure(spoiled === undefined, "share_invalid", "a share does not open", spoiled);
    throw new Refusal("too_few_survivors", `${held.size} shares of at least ${around.threshold - 1}`);
  }
  return held;
}

/** Step 3: the algorithm itself wants the layout that the header announces. */
export function checkLayout(layout: VectorLayout, { header }: Attempt): void {
  ensure(
    isDeepStrictEqual(layout, header.layout),
    "header_mismatch",
    "the header's layout is not the algorithm's",
  );
}

/** Step 4: the survivors are of those who shared, this party's own ciphertext is right, enough are there. */
export function checkSurvivors(
  { survivors }: Survivors,
  ownDigest: string,
  sharers: readonly PartyId[],
  { header }: Attempt,
  { id, roster }: PartyContext,
): void {
  const ids = survivors.map(({ party }) => party);
  const known = new Set(sharers);
  ensure(
    isSorted(ids) && ids.every((party) => known.has(party)),
    "survivors_invalid",
    "the survivors are not among those who shared",
  );
  const own = survivors.find(({ party }) => party === id);
  ensure(own !== undefined, "survivors_invalid", "this party submitted and is missing");
  ensure(own.digest === ownDigest, "digest_mismatch", "another ciphertext than this party's is in the sum");
  ensureOrganisations("too_few_survivors", header, ids, roster);
}

/** Step 5: at least T of this party's neighbourhood, itself included, signed this very survivor list. */
export function checkAgreement(
  { signatures }: Agreed,
  survivors: readonly Survivor[],
  around: Neighbourhood,
  { roundId }: Attempt,
  { id, roster }: PartyContext,
): void {
  const survived = new Set(survivors.map(({ party }) => party));
  const statement = { purpose: "agree", survivors: survivorsDigest(survivors) } as const;
  const agreed = new Set<PartyId>();
  for (const { party, signature } of signatures)
    if (
      (party === id || around.neighbours.has(party)) &&
      survived.has(party) &&
      signedBy(roster, roundId, party, statement, signature)
    )
      agreed.add(party);
  ensure(
    agreed.size >= around.threshold,
    "agreement_missing",
    `${agreed.size} of at least ${around.threshold} signatures over the survivor list`,
  );
}
