/** Step 5: what was revealed becomes what is to be subtracted. */
import { selfMaskCommitment } from "../binding.ts";
import type { PartyId } from "../graph.ts";
import type { Unmask } from "../messages.ts";
import { abort, type In, survivorList, withFaults } from "./rules.ts";
import type { Circle, CoordinatorStep, Fault, Rebuild } from "./state.ts";

/** Step 5, what came in: seeds as they are, everything else to be rebuilt from shares. */
export function subtractMasks({ round, circle, survivors, revealed }: In<"unmasking">): CoordinatorStep {
  const { roundId, packing } = round;
  const faults: Fault[] = [];
  const selfMaskSeeds: Uint8Array[] = [];
  const rebuild: Rebuild[] = [];
  for (const [party, { commitment }] of survivors) {
    const seed = revealed.get(party)?.selfMaskSeed;
    if (seed !== undefined && selfMaskCommitment(roundId, seed) === commitment) {
      selfMaskSeeds.push(seed);
      continue;
    }
    if (seed !== undefined)
      faults.push({
        party,
        reason: "share_invalid",
        detail: "its self-mask seed is not the one committed to",
      });
    rebuild.push({ kind: "selfMask", party, commitment, ...sharesOf(party, "selfMask", circle, revealed) });
  }
  for (const party of circle.sharers) {
    const partners = (circle.neighbours.get(party) ?? [])
      .filter((id) => survivors.has(id))
      .map((id) => ({ party: id, maskKey: circle.advertised.get(id)!.maskKey }));
    if (survivors.has(party) || partners.length === 0) continue;
    const { maskKey } = circle.advertised.get(party)!;
    rebuild.push({
      kind: "maskKey",
      party,
      maskKey,
      partners,
      ...sharesOf(party, "maskKey", circle, revealed),
    });
  }
  const known = withFaults(round, faults);
  // Holders that answered without a share of a party never got a good one from it: that party is to blame.
  const lacking = rebuild.filter(({ shares, threshold }) => shares.length < threshold);
  if (lacking.length > 0) {
    const withheld = lacking.filter(({ party, threshold }) => {
      const holders = circle.neighbours.get(party) ?? [];
      return holders.filter((id) => revealed.has(id)).length >= threshold;
    });
    const detail = "too few of its shares were held by those who answered";
    return abort(
      withFaults(
        known,
        withheld.map(({ party }) => ({ party, reason: "share_invalid", detail })),
      ),
      withheld.length > 0 ? "share_invalid" : "too_few_survivors",
      `secrets of ${lacking.map(({ party }) => party).join(", ")} cannot be rebuilt`,
    );
  }
  return {
    state: { phase: "subtracting", round: known, survivors: survivorList(survivors) },
    effects: [{ type: "unmask", roundId, packing, selfMaskSeeds, rebuild }],
  };
}

function sharesOf(
  party: PartyId,
  kind: "selfMask" | "maskKey",
  { neighbours, threshold }: Circle,
  revealed: ReadonlyMap<PartyId, Unmask>,
): Pick<Rebuild, "shares" | "threshold"> {
  const shares = (neighbours.get(party) ?? []).flatMap((holder) => {
    const found = revealed.get(holder)?.[kind].find((share) => share.party === party);
    return found === undefined ? [] : [{ holder, share: found.share }];
  });
  return { shares, threshold };
}
