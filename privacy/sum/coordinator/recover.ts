/** Step 3: who can unmask, and what was revealed becomes what is to be subtracted. */
import type { PartyId } from "../graph.ts";
import type { Unmask } from "../messages.ts";
import { maskKeyOf, missingPartners } from "../round-masks.ts";
import { selfMaskCommitment, type UnmaskingSecrets } from "../statements.ts";
import type { Agreeing, CoordinatorContext, Rebuild } from "./state.ts";

/** @returns who sees T signatures of its closed neighbourhood, sorted. */
export const unmaskersOf = (
  { round, signatures }: Agreeing,
  { epoch }: CoordinatorContext,
): readonly PartyId[] =>
  round.members.filter(
    (party) =>
      signatures.has(party) &&
      [party, ...epoch.neighbours.get(party)!].filter((id) => signatures.has(id)).length >=
        round.header.threshold,
  );

/** @returns whether every secret can be rebuilt from what these parties know. */
export function canFinish(
  { round, submissions }: Agreeing,
  unmaskers: readonly PartyId[],
  { epoch }: CoordinatorContext,
): boolean {
  const able = new Set(unmaskers);
  const isHeld = (party: PartyId): boolean =>
    epoch.neighbours.get(party)!.filter((id) => able.has(id)).length >= round.header.threshold;
  const survivors = new Set(submissions.keys());
  return (
    [...survivors].every((party) => able.has(party) || isHeld(party)) &&
    [...missingPartners(epoch, round.header, survivors).keys()].every(isHeld)
  );
}

/** Seeds as their owners revealed them, and everything else to be rebuilt from shares. */
export interface Recovered {
  /** Of noise that is not needed: whoever revealed none keeps all it added. */
  readonly noise: UnmaskingSecrets["noise"];
  readonly seeds: readonly { readonly party: PartyId; readonly seed: Uint8Array }[];
  readonly rebuild: readonly Rebuild[];
  /** Whose secrets have too few shares yet. */
  readonly lacking: readonly PartyId[];
}

/** @param revealed - shares in it match their signed hashes. */
export function recover(
  { round, submissions }: Agreeing,
  revealed: ReadonlyMap<PartyId, Unmask>,
  { epoch }: CoordinatorContext,
): Recovered {
  const { roundId, header } = round;
  const sharesOf = (party: PartyId, kind: "selfMask" | "maskSecret"): Rebuild["shares"] =>
    epoch.neighbours.get(party)!.flatMap((holder) => {
      const found = revealed.get(holder)?.[kind].find((share) => share.party === party);
      return found === undefined ? [] : [{ holder, share: found.share }];
    });
  const seeds: { party: PartyId; seed: Uint8Array }[] = [];
  const rebuild: Rebuild[] = [];
  for (const [party, { commitment }] of submissions) {
    const seed = revealed.get(party)?.selfMaskSeed;
    if (seed !== undefined && selfMaskCommitment(roundId, seed) === commitment) seeds.push({ party, seed });
    else rebuild.push({ kind: "selfMask", party, commitment, shares: sharesOf(party, "selfMask") });
  }
  for (const [party, partners] of missingPartners(epoch, header, new Set(submissions.keys())))
    rebuild.push({
      kind: "maskSecret",
      party,
      maskKey: maskKeyOf(epoch, header, party),
      partners,
      shares: sharesOf(party, "maskSecret"),
    });
  const lacking = rebuild.filter(({ shares }) => shares.length < header.threshold).map(({ party }) => party);
  const noise = [...submissions.keys()].flatMap((party) => {
    const seed = revealed.get(party)?.noise ?? new Uint8Array();
    return seed.length === 0 ? [] : [{ party, seed }];
  });
  return { seeds, noise, rebuild, lacking };
}
