/** Step 6: one sum, signed by a majority of its survivors. */
import type { Digest } from "../../../core/canonical.ts";
import { decodeSum } from "../binding.ts";
import type { PartyId } from "../graph.ts";
import { dequantizeSum } from "../layout.ts";
import type { CoordinatorRoundMessage, Survivor } from "../messages.ts";
import { abort, farewell, hasFault, type In, instruction, isLost, sorted, withFaults } from "./rules.ts";
import type {
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorStep,
  Fault,
  ReleasePoint,
  RoundBase,
} from "./state.ts";

/** Deadlines a release is asked for again before the attempt is given up: the sum must not be lost. */
export const releaseWaits = 3;

export function onUnmasked(
  { round, survivors }: In<"subtracting">,
  { chunks, faults }: Extract<CoordinatorEvent, { readonly type: "unmasked" }>,
): CoordinatorStep {
  const known = withFaults(round, faults);
  const point: ReleasePoint = { header: round.header, survivors, chunks, faults: known.faults };
  const begun = beginRelease(known, survivors, chunks);
  return { state: begun.state, effects: [{ type: "persist", point }, ...begun.effects] };
}

/** Step 6. Faults so far do not matter here: every survivor may sign the sum it is part of. */
export function beginRelease(
  round: RoundBase,
  survivors: readonly Survivor[],
  chunks: readonly Digest[],
): CoordinatorStep {
  const ids = survivors.map(({ party }) => party);
  const first = ids.find((id) => !round.gone.has(id) && !hasFault(round, id)) ?? ids[0]!;
  const wait = round.wait + 1;
  const state: In<"releasing"> = {
    phase: "releasing",
    round: { ...round, wait },
    survivors,
    chunks,
    first,
    released: new Map(),
    waits: 0,
  };
  return {
    state,
    effects: [
      ...ids.map((to): CoordinatorEffect => ({ type: "send", to, message: instruction(state, to) })),
      { type: "wait", wait, seconds: round.header.stepSeconds },
    ],
  };
}

type Verdict =
  /** More answers may decide it. */
  | { readonly kind: "open" }
  /** A majority agrees and whoever was asked for the sum will not give it. */
  | { readonly kind: "ask"; readonly first: PartyId }
  | {
      readonly kind: "agreed";
      readonly digest: Digest;
      readonly sum: Uint8Array;
      readonly signers: readonly PartyId[];
    }
  | { readonly kind: "disputed" };

/** @returns the digest that more than half of the survivors signed. */
function majority({
  survivors,
  released,
}: In<"releasing">): { digest: Digest; signers: PartyId[] } | undefined {
  const tally = Map.groupBy(sorted(released), ([, { digest }]) => digest);
  for (const [digest, said] of tally)
    if (said.length * 2 > survivors.length) return { digest, signers: said.map(([party]) => party) };
  return undefined;
}

export function verdict(state: In<"releasing">): Verdict {
  const { round, survivors, released, first } = state;
  const agreed = majority(state);
  if (agreed !== undefined) {
    const { digest, signers } = agreed;
    const sum = signers.map((party) => released.get(party)!.sum).find(({ length }) => length > 0);
    if (sum !== undefined) return { kind: "agreed", digest, sum, signers };
    const answer = released.get(first);
    const lost =
      isLost(round, first) || round.gone.has(first) || (answer !== undefined && answer.digest !== digest);
    const next = signers.find((party) => party !== first && !isLost(round, party) && !round.gone.has(party));
    return lost && next !== undefined ? { kind: "ask", first: next } : { kind: "open" };
  }
  const open = survivors.filter(({ party }) => !released.has(party) && !isLost(round, party)).length;
  const counts = Map.groupBy(released.values(), ({ digest }) => digest).values();
  const most = Math.max(0, ...[...counts].map((said) => said.length));
  return (most + open) * 2 > survivors.length ? { kind: "open" } : { kind: "disputed" };
}

/** Acts on the verdict; an open one means that the last deadline is over. */
export function settle(state: In<"releasing">): CoordinatorStep {
  const { round, survivors, chunks } = state;
  const result = verdict(state);
  switch (result.kind) {
    case "ask": {
      const message: CoordinatorRoundMessage = {
        type: "aggregate",
        roundId: round.roundId,
        chunks,
        first: true,
      };
      return {
        state: { ...state, first: result.first },
        effects: [{ type: "send", to: result.first, message }],
      };
    }
    case "agreed": {
      const { digest, sum, signers } = result;
      const faults = sorted(state.released)
        .filter(([, said]) => said.digest !== digest)
        .map(
          ([party]): Fault => ({
            party,
            reason: "digest_mismatch",
            detail: "signed another sum than the majority",
          }),
        );
      const { roundId, header, packing } = round;
      const values = dequantizeSum(decodeSum(sum, packing.slots), packing, survivors.length);
      return {
        state: { phase: "released", round: withFaults(round, faults), survivors, digest },
        effects: [
          ...faults.map(
            (fault): CoordinatorEffect => ({ type: "record", record: { kind: "fault", roundId, fault } }),
          ),
          {
            type: "advance",
            roundId,
            header,
            sum: { values, parties: survivors.length },
            digest,
            survivors: survivors.map(({ party }) => party),
            signers,
          },
        ],
      };
    }
    case "disputed":
    case "open":
      return abort(round, "release_disputed", "no majority of survivors signed one digest of the sum");
  }
}

/** A sum that was unmasked is not given up at the first deadline: the missing are asked again. */
export function askAgain(state: In<"releasing">, missing: readonly PartyId[]): CoordinatorStep {
  const { roundId } = state.round;
  const agreed = majority(state);
  const late: readonly Fault[] =
    agreed === undefined
      ? []
      : [{ party: state.first, reason: "party_late", detail: "did not give the sum it was asked for" }];
  const round = withFaults({ ...state.round, wait: state.round.wait + 1 }, late);
  const first =
    agreed?.signers.find((party) => !round.gone.has(party) && !hasFault(round, party)) ?? state.first;
  const next = { ...state, round, first, waits: state.waits + 1 };
  return {
    state: next,
    effects: [
      ...late.map(
        (fault): CoordinatorEffect => ({ type: "record", record: { kind: "fault", roundId, fault } }),
      ),
      ...[...new Set([...missing, first])].map(
        (to): CoordinatorEffect => ({ type: "send", to, message: instruction(next, to) }),
      ),
      { type: "wait", wait: round.wait, seconds: round.header.stepSeconds },
    ],
  };
}

/** The sum is the bank's and its model has moved on. */
export function onAdvanced({ round }: In<"released">, state: Digest): CoordinatorStep {
  const closed: In<"closed"> = { phase: "closed", roundId: round.roundId, faults: round.faults, state };
  return { state: closed, effects: farewell(closed, round) };
}
