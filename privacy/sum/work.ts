/** The heavy effects of both machines, for a runtime to perform where it likes: each is one async function. */

import { type Digest, digestOf } from "../../core/canonical.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import { x25519Pair } from "../identity.ts";
import { pairMask, selfMask, selfMaskCommitment } from "./binding.ts";
import type { CoordinatorEffect, CoordinatorEvent, Fault, Rebuild } from "./coordinator/state.ts";
import type { Bfv, RunningSum } from "./encryption/bfv.ts";
import { checkCiphertext } from "./encryption/bfv-format.ts";
import { quantize } from "./layout.ts";
import { addMasks, type MaskTerm } from "./mask.ts";
import type { PartyEffect, PartyEvent } from "./party/state.ts";
import { combineShares, splitSecret } from "./shares.ts";

type Of<Union, Type> = Extract<Union, { readonly type: Type }>;

/** Fetches a blob; the digest of what it gives is checked here. */
export type FetchBlob = (digest: Digest) => Promise<Uint8Array>;

/** @returns the event that answers the effect. */
export async function performSplit({
  roundId,
  maskSecret,
  selfMaskSeed,
  holders,
  threshold,
}: Of<PartyEffect, "split">): Promise<Of<PartyEvent, "splitDone">> {
  const [maskKeyShares, selfMaskShares] = await Promise.all([
    splitSecret(maskSecret, holders, threshold),
    splitSecret(selfMaskSeed, holders, threshold),
  ]);
  return { type: "splitDone", roundId, maskKeyShares, selfMaskShares };
}

/**
 * Quantizes, masks and encrypts a contribution.
 * @param key - the secret key of the effect's epoch.
 * @throws Refusal value_not_finite, value_out_of_bounds, key_mismatch
 */
export async function performSeal(
  { roundId, values, packing, masks }: Of<PartyEffect, "seal">,
  bfv: Pick<Bfv, "encrypt">,
  key: Uint8Array,
): Promise<Of<PartyEvent, "sealed">> {
  const slots = quantize(values, packing);
  addMasks(slots, masks);
  return { type: "sealed", roundId, ciphertexts: await bfv.encrypt(key, slots) };
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
  for (const digest of chunks) {
    const blob = await fetch(digest);
    if (digestOf(blob) !== digest) throw new Refusal("digest_mismatch", `blob ${digest}`);
    blobs.push(blob);
  }
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
    for (const [index, ciphertext] of ciphertexts.entries()) {
      // A crash of SEAL's thread takes the sum with it, whichever chunk it was.
      spoiled ||= index > 0;
      await sum.add(index, ciphertext).catch((error: unknown) => {
        spoiled ||= error instanceof Refusal && error.reason === "internal";
        throw error;
      });
    }
    return { type: "folded", party };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { type: "foldFailed", party, reason: error.reason, detail: error.message, spoiled };
  }
}

/**
 * Rebuilds what was revealed in shares, subtracts all masks and stores the aggregate's ciphertexts.
 * @param store - stores a blob durably before it resolves to its digest.
 * @returns unmasked, or unmaskFailed naming whose secret does not rebuild; either names who gave wrong shares.
 */
export async function performUnmask(
  { roundId, packing, selfMaskSeeds, rebuild }: Of<CoordinatorEffect, "unmask">,
  sum: Pick<RunningSum, "subtract" | "finish">,
  store: (blob: Uint8Array) => Promise<Digest>,
): Promise<Of<CoordinatorEvent, "unmasked" | "unmaskFailed">> {
  const faults: Fault[] = [];
  const masks: MaskTerm[] = selfMaskSeeds.map((seed) => selfMask(roundId, seed));
  let failure: { reason: Reason; detail: string } | undefined;
  for (const secret of rebuild) {
    const rebuilt = await rebuildSecret(roundId, secret);
    faults.push(...rebuilt.faults);
    if (rebuilt.value === undefined) {
      const detail = `the ${secret.kind} shares of ${secret.party} do not combine`;
      faults.push({ party: secret.party, reason: "share_invalid", detail });
      failure ??= { reason: "share_invalid", detail };
    } else masks.push(...masksOf(roundId, secret, rebuilt.value));
  }
  if (failure !== undefined) return { type: "unmaskFailed", ...failure, faults };
  const total = new Float64Array(packing.slots);
  addMasks(total, masks);
  await sum.subtract(total);
  const chunks: Digest[] = [];
  for (const ciphertext of await sum.finish()) chunks.push(await store(ciphertext));
  return { type: "unmasked", chunks, faults };
}

/** What a rebuilt secret put into the sum: a survivor's own mask, or the pair masks of someone missing. */
function masksOf(roundId: Digest, secret: Rebuild, value: Uint8Array): MaskTerm[] {
  switch (secret.kind) {
    case "selfMask":
      return [selfMask(roundId, value)];
    case "maskKey":
      return secret.partners.map((partner) => {
        const mask = pairMask(roundId, { party: secret.party, maskSecret: value }, partner);
        return { ...mask, sign: mask.sign === 1 ? -1 : 1 };
      });
  }
}

function isRightSecret(roundId: Digest, secret: Rebuild, value: Uint8Array): boolean {
  switch (secret.kind) {
    case "selfMask":
      return selfMaskCommitment(roundId, value) === secret.commitment;
    case "maskKey":
      return Buffer.from(x25519Pair(value).publicKey).equals(secret.maskKey);
  }
}

/** Wrong shares that are looked for by leaving shares out: more than two would take too many tries. */
const maxWrongShares = 2;

/** @returns the secret, if enough shares are right, and who gave wrong ones. */
async function rebuildSecret(
  roundId: Digest,
  secret: Rebuild,
): Promise<{ value: Uint8Array | undefined; faults: Fault[] }> {
  const { shares, threshold } = secret;
  for (const left of leaveOut(shares.length, Math.min(maxWrongShares, shares.length - threshold))) {
    const kept = shares.filter((_, i) => !left.includes(i));
    const value = await combineShares(
      kept.map(({ share }) => share),
      threshold,
    ).catch(() => undefined);
    if (value === undefined || !isRightSecret(roundId, secret, value)) continue;
    const detail = `a wrong share of the ${secret.kind} of ${secret.party}`;
    const faults = left.map((i): Fault => ({ party: shares[i]!.holder, reason: "share_invalid", detail }));
    return { value, faults };
  }
  return { value: undefined, faults: [] };
}

/** @returns every set of at most `most` (0…2) indices below `count`, the smallest sets first. */
function leaveOut(count: number, most: number): number[][] {
  if (most < 0) return [];
  const indices = Array.from({ length: count }, (_, i) => i);
  const sets: number[][] = [[]];
  if (most >= 1) sets.push(...indices.map((i) => [i]));
  if (most >= 2) sets.push(...indices.flatMap((i) => indices.slice(i + 1).map((j) => [i, j])));
  return sets;
}
