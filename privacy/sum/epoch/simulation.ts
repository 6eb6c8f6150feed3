/**
 * A key epoch opened in one process: both machines, wired by a queue instead of a network. There is no clock:
 * a deadline is over as soon as nobody has anything left to say.
 */
import type { Roster } from "../../roster.ts";
import type { Bfv } from "../encryption/bfv.ts";
import type { PartyId } from "../graph.ts";
import {
  beginEpoch,
  type EpochCoordinatorEvent,
  type EpochCoordinatorState,
  type EpochCoordinatorStep,
  epochCoordinatorStep,
} from "./coordinator.ts";
import { type EpochHeader, proposeEpoch } from "./header.ts";
import type { CoordinatorEpochMessage, PartyEpochMessage } from "./messages.ts";
import {
  type EpochFacts,
  type EpochPartyContext,
  type EpochPartyEffect,
  type EpochPartyEvent,
  type EpochPartyState,
  epochPartyStep,
  idleEpochParty,
} from "./party.ts";
import type { EpochSecrets, OpenEpoch, ShareHashes } from "./secrets.ts";
import { performErase, performPrepare } from "./work.ts";

export interface EpochSimulation {
  readonly roster: Roster;
  readonly parties: ReadonlyMap<PartyId, EpochPartyContext>;
  readonly header: EpochHeader;
  readonly bfv: Pick<Bfv, "generateKey">;
  readonly facts?: (party: PartyId) => EpochFacts;
  /** Changes, multiplies or (by []) drops a message on its way to the coordinator. */
  readonly onWayUp?: (from: PartyId, message: PartyEpochMessage) => readonly PartyEpochMessage[];
  /** The same on its way to a member. */
  readonly onWayDown?: (to: PartyId, message: CoordinatorEpochMessage) => readonly CoordinatorEpochMessage[];
  /** Changes what a member has split and made. */
  readonly onPrepared?: (party: PartyId, event: Prepared) => Prepared;
  /** The message before which a member's connection ends for good. */
  readonly dropsBefore?: (party: PartyId) => PartyEpochMessage["type"] | undefined;
}

export type Prepared = Extract<EpochPartyEvent, { readonly type: "prepared" }>;

/** Everything one opening left behind. */
export interface SimulatedOpening {
  readonly coordinator: EpochCoordinatorState;
  readonly parties: ReadonlyMap<PartyId, EpochPartyState>;
  /** Of the members at which the epoch is open. */
  readonly secrets: ReadonlyMap<PartyId, EpochSecrets>;
  /** All that was said, in order. */
  readonly transcript: readonly (
    | { readonly from: PartyId; readonly message: PartyEpochMessage }
    | { readonly to: PartyId; readonly message: CoordinatorEpochMessage }
  )[];
}

type Item =
  | { readonly to: "coordinator"; readonly event: EpochCoordinatorEvent }
  | { readonly to: "party"; readonly party: PartyId; readonly event: EpochPartyEvent };

/** Runs one opening to its end. */
export async function simulateOpening(options: EpochSimulation): Promise<SimulatedOpening> {
  const { roster, header, parties: contexts, bfv } = options;
  const queue: Item[] = [];
  const transcript: SimulatedOpening["transcript"][number][] = [];
  const parties = new Map<PartyId, EpochPartyState>(header.members.map((id) => [id, idleEpochParty]));
  const secrets = new Map<PartyId, EpochSecrets>();
  const waits = new Map<PartyId, Extract<EpochPartyEffect, { type: "wait" }>>();
  const gone = new Set<PartyId>();
  let coordinator!: EpochCoordinatorState;

  const sendDown = (to: PartyId, message: CoordinatorEpochMessage): void => {
    for (const said of options.onWayDown?.(to, message) ?? [message]) {
      transcript.push({ to, message: said });
      const local = options.facts?.(to) ?? { maxColluding: header.maxColluding, lastEpoch: header.epoch - 1 };
      const event: EpochPartyEvent =
        said.type === "openEpoch"
          ? { type: "open", message: said, local }
          : { type: "message", message: said };
      queue.push({ to: "party", party: to, event });
    }
  };
  const sendUp = (from: PartyId, message: PartyEpochMessage): void => {
    if (options.dropsBefore?.(from) === message.type) {
      gone.add(from);
      queue.push({ to: "coordinator", event: { type: "gone", party: from } });
      return;
    }
    for (const said of options.onWayUp?.(from, message) ?? [message]) {
      transcript.push({ from, message: said });
      queue.push({ to: "coordinator", event: { type: "message", from, message: said } });
    }
  };
  const takePart = async (party: PartyId, effect: EpochPartyEffect): Promise<void> => {
    switch (effect.type) {
      case "send":
        return sendUp(party, effect.message);
      case "wait":
        waits.set(party, effect);
        return;
      case "prepare": {
        const prepared = await performPrepare(effect, bfv);
        const event = options.onPrepared?.(party, prepared) ?? prepared;
        queue.push({ to: "party", party, event });
        return;
      }
      case "erase":
        return performErase(effect);
      case "opened":
        secrets.set(party, effect.secrets);
        return;
    }
  };
  const enter = ({ state, effects }: EpochCoordinatorStep): void => {
    coordinator = state;
    for (const effect of effects) if (effect.type === "send") sendDown(effect.to, effect.message);
  };
  /** The coordinator's timer goes off before any member's: it is a third as long. */
  const deadline = (): Item | undefined => {
    if (coordinator.phase !== "ready" && coordinator.phase !== "failed")
      return { to: "coordinator", event: { type: "deadline", wait: coordinator.wait } };
    const [party, due] = [...waits][0] ?? [];
    if (party === undefined || due === undefined) return undefined;
    waits.delete(party);
    return { to: "party", party, event: { type: "deadline", opening: due.opening, wait: due.wait } };
  };

  enter(beginEpoch(header));
  for (let item = queue.shift(); item !== undefined; item = queue.shift() ?? deadline()) {
    if (item.to === "coordinator") {
      enter(epochCoordinatorStep(coordinator, item.event, { roster }));
      continue;
    }
    const { party, event } = item;
    if (gone.has(party)) continue;
    const { state, effects } = epochPartyStep(parties.get(party)!, event, contexts.get(party)!);
    parties.set(party, state);
    for (const effect of effects) if (!gone.has(party)) await takePart(party, effect);
  }
  return { coordinator, parties, secrets, transcript };
}

/** A whole consortium's epoch. */
export interface FoundedEpoch extends Pick<SimulatedOpening, "transcript"> {
  readonly open: OpenEpoch;
  readonly secrets: ReadonlyMap<PartyId, EpochSecrets>;
  readonly hashes: ShareHashes;
}

/**
 * Opens an epoch of everyone.
 * @throws {Error} if it does not open, which with honest members is a defect.
 */
export async function foundEpoch(subject: {
  readonly roster: Roster;
  readonly parties: ReadonlyMap<PartyId, EpochPartyContext>;
  readonly maxColluding: number;
  readonly bfv: Pick<Bfv, "generateKey">;
  readonly epoch?: number;
  readonly members?: readonly PartyId[];
}): Promise<FoundedEpoch> {
  const { roster, parties, maxColluding, bfv, epoch = 1, members = [...parties.keys()] } = subject;
  const header = proposeEpoch(roster, { epoch, members, maxColluding, stepSeconds: 1 });
  const { coordinator, secrets, transcript } = await simulateOpening({ roster, parties, header, bfv });
  if (coordinator.phase !== "ready")
    throw new Error(`no epoch: ${coordinator.phase === "failed" ? coordinator.failure.detail : "stuck"}`);
  return { open: coordinator.epoch, secrets, hashes: coordinator.hashes, transcript };
}
