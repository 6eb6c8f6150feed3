/** After agreement, where an attempt cannot be finished: enough statements "I never will" lift every lock. */
import type { Reason } from "../../../core/reasons.ts";
import type { PartyId } from "../graph.ts";
import { askedAgain, ended, entered, excludedIn, type In, lost, missed, signatureList } from "./rules.ts";
import type { Agreeing, CoordinatorContext, CoordinatorStep } from "./state.ts";

/** Deadlines for it where somebody has unmasked: then there may never be enough. */
const renounceWaits = 2;

export const beginRenouncing = (
  { round, signatures }: Agreeing,
  isUnmasked: boolean,
  reason: Reason,
  detail: string,
  context: CoordinatorContext,
): CoordinatorStep =>
  entered(
    {
      phase: "renouncing",
      round,
      reason,
      detail,
      locked: [...signatures.keys()],
      isUnmasked,
      renounced: new Map(),
      unwilling: new Set(),
    },
    context,
  );

const isLifted = ({ round, locked, renounced }: In<"renouncing">, { epoch }: CoordinatorContext): boolean => {
  const count = (parties: readonly PartyId[]): number => parties.filter((id) => renounced.has(id)).length;
  const { threshold } = round.header;
  return (
    count(round.members) >= threshold &&
    locked.every((party) => count([party, ...epoch.neighbours.get(party)!]) >= threshold)
  );
};

/** Ends the attempt once every lock of it is lifted, or cannot be. */
export function settleRenouncing(state: In<"renouncing">, context: CoordinatorContext): CoordinatorStep {
  const { round, reason, detail, renounced } = state;
  const { roundId, faults } = round;
  if (isLifted(state, context)) {
    const signatures = signatureList(renounced);
    const excluded = excludedIn(round);
    const lift = { roundId, signatures };
    return ended(
      { phase: "aborted", roundId, reason, detail, faults, excluded, lift },
      round,
      reason,
      detail,
      signatures,
    );
  }
  // with everyone heard, waiting changes nothing
  return state.isUnmasked && missed(state).length === 0 ? neither(state) : { state, effects: [] };
}

const neither = ({ round, detail }: In<"renouncing">): CoordinatorStep =>
  lost(round, "round_lost", `${detail}; it was unmasked, and too few are left to finish it`);

/** Without enough statements the step cannot be summed: who is away is waited for, unless somebody unmasked. */
export const renounceDeadline = (state: In<"renouncing">, context: CoordinatorContext): CoordinatorStep =>
  state.isUnmasked && state.round.waits + 1 >= renounceWaits ? neither(state) : askedAgain(state, context);
