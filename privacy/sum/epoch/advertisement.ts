/** What every advertisement of an opening must be, whoever checks it. */
import type { Digest } from "../../../core/canonical.ts";
import { Refusal } from "../../../core/reasons.ts";
import { checkX25519Key } from "../../identity.ts";
import type { Roster } from "../../roster.ts";
import type { PartyId } from "../graph.ts";
import { epochSlots } from "./header.ts";
import type { Advertisement, SignedBy } from "./messages.ts";
import { keysBySlot } from "./secrets.ts";
import { briefOf, epochSignedBy, nonceCommitment } from "./transcript.ts";

export const nonceBytes = 32;

/**
 * Checks one advertisement: signed, 64 mask keys and a share key that give secrets, none seen before.
 * @param seen - the keys of the opening so far; these are added.
 * @throws Refusal message_malformed, signature_invalid, key_low_order, key_duplicate naming the party
 */
export function checkAdvertisement(
  advertised: Advertisement & SignedBy,
  opening: Digest,
  roster: Roster,
  seen: Set<string>,
): void {
  const { party, maskKeys, shareKey, signature } = advertised;
  const blame = { party };
  if (maskKeys.length !== 32 * epochSlots)
    throw new Refusal("message_malformed", `not ${epochSlots} mask keys`, blame);
  const statement = { purpose: "epoch-join", opening, brief: briefOf(advertised) } as const;
  if (!epochSignedBy(roster, party, statement, signature))
    throw new Refusal("signature_invalid", `${party} has not signed what it advertises`, blame);
  for (const key of [...keysBySlot(maskKeys), shareKey]) {
    checkX25519Key(key, party);
    const text = Buffer.from(key).toString("latin1");
    if (seen.has(text)) throw new Refusal("key_duplicate", "a key is advertised twice", blame);
    seen.add(text);
  }
}

/** @throws Refusal nonce_mismatch naming the party unless this is the nonce it committed to */
export function checkNonce(
  opening: Digest,
  { party, nonceCommitment: committed }: Advertisement & { readonly party: PartyId },
  nonce: Uint8Array,
): void {
  if (nonce.length !== nonceBytes || nonceCommitment(opening, party, nonce) !== committed)
    throw new Refusal("nonce_mismatch", `${party} opens another nonce than it committed to`, { party });
}
