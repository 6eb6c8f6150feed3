/** The heavy effects of both machines, for a runtime to perform where it likes: each is one async function. */

import { type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { x25519Pair } from "../identity.ts";
import type { Roster } from "../roster.ts";
import type { CoordinatorEffect, CoordinatorEvent, Rebuild } from "./coordinator/state.ts";
import type { Bfv, RunningSum } from "./encryption/bfv.ts";
import { checkCiphertext, polynomialDegree } from "./encryption/bfv-format.ts";
import { combineSlot } from "./epoch/sharing.ts";
import { judgeEvidence } from "./evidence.ts";
import type { PartyId } from "./graph.ts";
import { quantize } from "./layout.ts";
import { addMasks } from "./mask.ts";
import { addNoiseFrom, revealedParts } from "./noise.ts";
import type { PartyEffect, PartyEvent } from "./party/state.ts";
import { burdenOfSum, type LeftOver } from "./round-masks.ts";
import { selfMaskCommitment } from "./statements.ts";

type Of<Union, Type> = Extract<Union, { readonly type: Type }>;

/** Fetches a blob, and makes sure that it has this digest. @throws Refusal digest_mismatch, not_found */
export type FetchBlob = (digest: Digest) => Promise<Uint8Array>;

/** @throws Refusal evidence_invalid */
export async function performJudge(
  { roundId, kind, of, evidence }: Of<PartyEffect, "judge">,
  roster: Roster,
): Promise<Of<PartyEvent, "judged">> {
  return { type: "judged", roundId, cohorts: await judgeEvidence(kind, of, evidence, roster) };
}

/**
 * Quantizes a contribution, adds noise and masks, and encrypts it.
 * @param key - the secret key of the effect's epoch.
 * @throws Refusal value_not_finite, value_out_of_bounds, key_mismatch
 */
export async function performSeal(
  { roundId, values, packing, noise, masks }: Of<PartyEffect, "seal">,
  bfv: Pick<Bfv, "encrypt">,
  key: Uint8Array,
): Promise<Of<PartyEvent, "sealed">> {
  const slots = quantize(values, packing);
  addNoiseFrom(0, slots, packing, noise);
  addMasks(slots, masks);
  return { type: "sealed", roundId, ciphertexts: await bfv.encrypt(key, slots) };
}

/**
 * Recomputes the picked chunks from the submissions that were agreed on. Sums of ciphertexts are exact and their
 * bytes canonical, so that the right aggregate has the same bytes, in whichever order it was added up.
 * @returns what the machine is told, and the chunks that are as they should be: nobody need fetch them.
 * @throws Refusal digest_mismatch, not_found, ciphertext_malformed where a blob is not what it is said to be
 */
export async function performVerify(
  { roundId, packing, picked, unmasking }: Omit<Of<PartyEffect, "verify">, "chunks">,
  bfv: Pick<Bfv, "openSum">,
  fetch: FetchBlob,
): Promise<{ event: Of<PartyEvent, "verified">; recomputed: ReadonlyMap<Digest, Uint8Array> }> {
  const altered: number[] = [];
  const recomputed = new Map<Digest, Uint8Array>();
  for (let first = 0; first < picked.length; first += chunksAtOnce) {
    const some = picked.slice(first, first + chunksAtOnce);
    const sums = await recompute({ roundId, packing, unmasking }, some, bfv, fetch);
    for (const [i, { index, aggregate }] of some.entries())
      if (digestOf(sums[i]!) === aggregate) recomputed.set(aggregate, sums[i]!);
      else altered.push(index);
  }
  return { event: { type: "verified", roundId, altered }, recomputed };
}

/** Chunks that are recomputed together: each call to SEAL's thread has its price, and each sum its memory. */
const chunksAtOnce = 16;

async function recompute(
  { roundId, packing, unmasking }: Pick<Of<PartyEffect, "verify">, "roundId" | "packing" | "unmasking">,
  picked: Of<PartyEffect, "verify">["picked"],
  bfv: Pick<Bfv, "openSum">,
  fetch: FetchBlob,
): Promise<Uint8Array[]> {
  const sum = bfv.openSum(picked.length);
  try {
    const burden = new Float64Array(picked.length * polynomialDegree);
    for (const [i, { index, submitted }] of picked.entries()) {
      const ciphertexts = await fetchAll(submitted, fetch);
      await sum.add(ciphertexts.map((ciphertext) => ({ index: i, ciphertext })));
      const first = index * polynomialDegree;
      const count = Math.min(polynomialDegree, packing.slots - first);
      burden.set(burdenOfSum(roundId, packing, unmasking, first, count), i * polynomialDegree);
    }
    await sum.subtract(burden);
    return await sum.finish();
  } catch (error) {
    await sum.discard();
    throw error;
  }
}

/**
 * Decrypts the aggregate.
 * @param key - the secret key of the effect's epoch.
 * @throws Refusal digest_mismatch, ciphertext_malformed, key_mismatch
 */
export async function performDecrypt(
  { roundId, chunks, slots }: Of<PartyEffect, "decrypt">,
  bfv: Pick<Bfv, "decrypt">,
  key: Uint8Array,
  fetch: FetchBlob,
): Promise<Of<PartyEvent, "decrypted">> {
  const ciphertexts = await fetchAll(chunks, fetch);
  return { type: "decrypted", roundId, slots: await bfv.decrypt(key, ciphertexts, slots) };
}

async function fetchAll(chunks: readonly Digest[], fetch: FetchBlob): Promise<Uint8Array[]> {
  const blobs: Uint8Array[] = [];
  for (const digest of chunks) blobs.push(await fetch(digest));
  return blobs;
}

/**
 * Adds a submission to the running sum. All its ciphertexts are checked before the first is added.
 * @returns folded, or foldFailed with what the party's bytes caused.
 * @throws what `fetch` throws, unless that is a Refusal
 */
export async function performFold(
  { party, chunks }: Of<CoordinatorEffect, "fold">,
  sum: Pick<RunningSum, "add">,
  fetch: FetchBlob,
): Promise<Of<CoordinatorEvent, "folded" | "foldFailed">> {
  let spoiled = false;
  try {
    const ciphertexts = await fetchAll(chunks, fetch);
    for (const ciphertext of ciphertexts) checkCiphertext(ciphertext);
    // Whatever SEAL's thread does not take from here on, it may have taken in part.
    spoiled = true;
    await sum.add(ciphertexts.map((ciphertext, index) => ({ index, ciphertext })));
    return { type: "folded", party };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { type: "foldFailed", party, reason: error.reason, detail: error.message, spoiled };
  }
}

/**
 * Rebuilds what was revealed in shares, subtracts all masks and stores the aggregate's ciphertexts.
 * @param store - stores a blob durably before it resolves to its digest.
 * @returns unmasked, or dealtWrong naming the sharers whose secret does not rebuild: the running sum is as it was.
 */
export async function performUnmask(
  { roundId, header, packing, threshold, seeds, noise, rebuild }: Of<CoordinatorEffect, "unmask">,
  sum: Pick<RunningSum, "subtract" | "finish">,
  store: (blob: Uint8Array) => Promise<Digest>,
): Promise<Of<CoordinatorEvent, "unmasked" | "dealtWrong">> {
  const sharers: PartyId[] = [];
  const allSeeds = [...seeds];
  const leftOver: LeftOver[] = [];
  for (const secret of rebuild) {
    const value = await rebuildSecret(roundId, secret, threshold);
    if (value === undefined) sharers.push(secret.party);
    else if (secret.kind === "selfMask") allSeeds.push({ party: secret.party, seed: value });
    else leftOver.push({ party: secret.party, maskSecret: value, partners: secret.partners });
  }
  if (sharers.length > 0) return { type: "dealtWrong", sharers };
  const excess = noise.flatMap(({ seed }) => revealedParts(roundId, header, allSeeds.length, seed));
  const unmasking = { seeds: allSeeds.map(({ seed }) => seed), leftOver, excess };
  await sum.subtract(burdenOfSum(roundId, packing, unmasking, 0, packing.slots));
  const chunks: Digest[] = [];
  for (const ciphertext of await sum.finish()) chunks.push(await store(ciphertext));
  return {
    type: "unmasked",
    chunks,
    secrets: {
      seeds: byParty(allSeeds),
      secrets: byParty(leftOver.map(({ party, maskSecret }) => ({ party, maskSecret }))),
      noise: byParty(noise),
    },
  };
}

const byParty = <Entry extends { readonly party: PartyId }>(entries: readonly Entry[]): Entry[] =>
  [...entries].sort((a, b) => (a.party < b.party ? -1 : 1));

/** Shares that match their signed hashes: were they of another secret, their sharer dealt wrong. */
async function rebuildSecret(
  roundId: Digest,
  secret: Rebuild,
  threshold: number,
): Promise<Uint8Array | undefined> {
  const value = await combineSlot(
    secret.shares.map(({ share }) => share),
    threshold,
  ).catch((error: unknown) => {
    if (error instanceof Refusal) return undefined;
    throw error;
  });
  return value !== undefined && isRightSecret(roundId, secret, value) ? value : undefined;
}

function isRightSecret(roundId: Digest, secret: Rebuild, value: Uint8Array): boolean {
  switch (secret.kind) {
    case "selfMask":
      return selfMaskCommitment(roundId, value) === secret.commitment;
    case "maskSecret":
      return Buffer.compare(x25519Pair(value).publicKey, secret.maskKey) === 0;
  }
}
