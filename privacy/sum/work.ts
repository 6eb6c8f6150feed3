/** The heavy effects of both machines, for a runtime to perform where it likes: each is one async function. */
import type { Digest } from "../canonical.ts";
import type { Bfv, RunningSum } from "./bfv.ts";
import type { CoordinatorEffect, CoordinatorEvent } from "./coordinator-state.ts";
import type { PartyEffect, PartyEvent } from "./party-state.ts";

type Of<Union, Type> = Extract<Union, { readonly type: Type }>;

/** Fetches a blob; the digest of what it gives is checked here. */
export type FetchBlob = (digest: Digest) => Promise<Uint8Array>;

export async function performSplit(_effect: Of<PartyEffect, "split">): Promise<PartyEvent> {
  throw new Error("not written");
}

/**
 * @param key - the secret key of the effect's epoch.
 * @throws Refusal value_not_finite, value_out_of_bounds
 */
export async function performSeal(
  _effect: Of<PartyEffect, "seal">,
  _bfv: Bfv,
  _key: Uint8Array,
): Promise<PartyEvent> {
  throw new Error("not written");
}

/** @throws Refusal digest_mismatch, ciphertext_malformed, key_mismatch */
export async function performDecrypt(
  _effect: Of<PartyEffect, "decrypt">,
  _bfv: Bfv,
  _key: Uint8Array,
  _fetch: FetchBlob,
): Promise<PartyEvent> {
  throw new Error("not written");
}

/** @returns folded or foldFailed; throws only what `fetch` throws other than a Refusal. */
export async function performFold(
  _effect: Of<CoordinatorEffect, "fold">,
  _sum: RunningSum,
  _fetch: FetchBlob,
): Promise<Of<CoordinatorEvent, "folded" | "foldFailed">> {
  throw new Error("not written");
}

/**
 * @param store - stores a blob durably before it resolves.
 * @returns unmasked, or unmaskFailed naming whose secret does not rebuild.
 */
export async function performUnmask(
  _effect: Of<CoordinatorEffect, "unmask">,
  _sum: RunningSum,
  _store: (blob: Uint8Array) => Promise<Digest>,
): Promise<Of<CoordinatorEvent, "unmasked" | "unmaskFailed">> {
  throw new Error("not written");
}
