/** The masks of one attempt: what a submission carries, and what unmasking takes away again. */
import type { Digest } from "../../core/canonical.ts";
import { agreeKey } from "../identity.ts";
import { keyOfSlot, type OpenEpoch } from "./epoch/secrets.ts";
import type { PartyId } from "./graph.ts";
import type { RoundHeader } from "./header.ts";
import type { Packing } from "./layout.ts";
import { addMasksFrom, type MaskTerm } from "./mask.ts";
import { addNoiseFrom, type NoisePart } from "./noise.ts";

/**
 * The mask one party adds for another: equal at both ends but for its sign.
 * @throws Refusal message_malformed when the peer's key gives no secret.
 */
export function pairMask(
  roundId: Digest,
  own: { readonly party: PartyId; readonly maskSecret: Uint8Array },
  peer: { readonly party: PartyId; readonly maskKey: Uint8Array },
): MaskTerm {
  const first = own.party < peer.party;
  const pair = first ? `${own.party} ${peer.party}` : `${peer.party} ${own.party}`;
  const seed = agreeKey(own.maskSecret, peer.maskKey, roundId, `fedcredit/v2/pair-mask ${pair}`);
  return { seed, info: `pair ${roundId}`, sign: first ? 1 : -1 };
}

export const selfMask = (roundId: Digest, seed: Uint8Array): MaskTerm => ({
  seed,
  info: `self ${roundId}`,
  sign: 1,
});

type Slot = Pick<RoundHeader, "slot">;

/** @returns the public mask key of a member in the round's slot. */
export const maskKeyOf = ({ maskKeys }: OpenEpoch, { slot }: Slot, party: PartyId): Uint8Array =>
  keyOfSlot(maskKeys.get(party)!, slot);

/** @returns a party's neighbours that contribute: who it shares pair masks with. */
export function partnersOf(
  epoch: OpenEpoch,
  { cohort }: Pick<RoundHeader, "cohort">,
  party: PartyId,
): readonly PartyId[] {
  const contributes = new Set(cohort);
  return (epoch.neighbours.get(party) ?? []).filter((id) => contributes.has(id));
}

/** A missing party's pair masks that stayed in the sum. */
export interface LeftOver {
  readonly party: PartyId;
  readonly maskSecret: Uint8Array;
  /** The survivors that masked with it. */
  readonly partners: readonly { readonly party: PartyId; readonly maskKey: Uint8Array }[];
}

/** All that a sum of submissions carries beside the sum: its masks, and noise that it does not need. */
export interface Unmasking {
  /** The survivors' own. */
  readonly seeds: readonly Uint8Array[];
  readonly leftOver: readonly LeftOver[];
  readonly excess: readonly NoisePart[];
}

/** @returns the missing that some survivor masked with, each with those survivors; sorted. */
export function missingPartners(
  epoch: OpenEpoch,
  header: RoundHeader,
  survivors: ReadonlySet<PartyId>,
): ReadonlyMap<PartyId, LeftOver["partners"]> {
  return new Map(
    header.cohort
      .filter((party) => !survivors.has(party))
      .map((party): [PartyId, LeftOver["partners"]] => [
        party,
        partnersOf(epoch, header, party)
          .filter((id) => survivors.has(id))
          .map((id) => ({ party: id, maskKey: maskKeyOf(epoch, header, id) })),
      ])
      .filter(([, partners]) => partners.length > 0),
  );
}

/**
 * @param first - slot that the range begins with, the first of a ciphertext.
 * @returns what is to be subtracted from the sum of the survivors' submissions, in so many slots.
 */
export function burdenOfSum(
  roundId: Digest,
  packing: Packing,
  unmasking: Unmasking,
  first: number,
  count: number,
): Float64Array {
  const total = new Float64Array(count);
  addMasksFrom(first, total, masksOfSum(roundId, unmasking));
  addNoiseFrom(first, total, packing, unmasking.excess);
  return total;
}

/** @returns the masks that the sum of the survivors' submissions carries. */
const masksOfSum = (roundId: Digest, { seeds, leftOver }: Unmasking): MaskTerm[] => [
  ...seeds.map((seed) => selfMask(roundId, seed)),
  ...leftOver.flatMap(({ party, maskSecret, partners }) =>
    partners.map((partner): MaskTerm => {
      const mask = pairMask(roundId, { party, maskSecret }, partner);
      return { ...mask, sign: mask.sign === 1 ? -1 : 1 };
    }),
  ),
];
