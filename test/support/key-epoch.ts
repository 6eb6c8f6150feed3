import { digestOf } from "../../core/canonical.ts";
import type { Reason } from "../../core/reasons.ts";
import { type EpochHeader, proposeEpoch } from "../../privacy/sum/epoch/header.ts";
import type {
  ComplaintKind,
  CoordinatorEpochMessage,
  EpochDealt,
  JoinEpoch,
  PartyEpochMessage,
  ShareEpoch,
} from "../../privacy/sum/epoch/messages.ts";
import {
  type EpochSimulation,
  type SimulatedOpening,
  simulateOpening,
} from "../../privacy/sum/epoch/simulation.ts";
import {
  advertisedDigest,
  advertisementDigest,
  briefOf,
  dealerOf,
  type EpochStatement,
  noncesDigest,
  signEpoch,
  viewOf,
} from "../../privacy/sum/epoch/transcript.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { Consortium } from "../../privacy/sum/simulation.ts";
import { sharedBfv } from "./sealed-sum.ts";

export const proposalOf = (
  { roster }: Pick<Consortium, "roster">,
  changes: Partial<{ epoch: number; maxColluding: number; members: readonly PartyId[] }> = {},
): EpochHeader =>
  proposeEpoch(roster, {
    epoch: 1,
    members: [...roster.byId.keys()],
    maxColluding: 1,
    stepSeconds: 1,
    ...changes,
  });

/** Runs one opening over everyone. */
export const opening = async (
  consortium: Pick<Consortium, "roster" | "parties">,
  options: Partial<EpochSimulation> = {},
): Promise<SimulatedOpening> => {
  const { roster, parties } = consortium;
  return simulateOpening({
    roster,
    parties,
    header: proposalOf(consortium),
    bfv: await sharedBfv(),
    ...options,
  });
};

export const failureOf = ({ coordinator }: SimulatedOpening) => {
  if (coordinator.phase !== "failed") throw new Error(`the opening is ${coordinator.phase}`);
  return coordinator.failure;
};

/** @returns reason and who is left out for good, as the coordinator ended the opening. */
export const named = (run: SimulatedOpening): [Reason, ...PartyId[]] => {
  const { reason, leftOut } = failureOf(run);
  return [reason, ...leftOut.filter((one) => one.named).map(({ party }) => party)];
};

/** What everybody can know of an opening under way, as someone that listens learns it. */
export class Listener {
  view = "";
  dealer: PartyId = "";
  #advertised = "";

  /** For `onWayDown`. */
  hear(message: CoordinatorEpochMessage): void {
    if (message.type === "epochJoined")
      this.#advertised = advertisedDigest(
        message.joined.map((one) => advertisementDigest(one.party, briefOf(one))),
      );
    if (message.type === "epochNonces") {
      const nonces = noncesDigest(new Map(message.nonces.map(({ party, nonce }) => [party, nonce])));
      this.view = viewOf({ opening: message.opening, advertised: this.#advertised, nonces });
      this.dealer = dealerOf(
        message.nonces.map(({ party }) => party),
        nonces,
      );
    }
  }
}

/** Signs whatever a lying member likes. */
export const signAs = (
  { parties }: Pick<Consortium, "parties">,
  party: PartyId,
  statement: EpochStatement,
): Uint8Array => signEpoch(party, statement, parties.get(party)!.identity);

export const joinSignedBy = (consortium: Consortium, party: PartyId, join: JoinEpoch): JoinEpoch => ({
  ...join,
  signature: signAs(consortium, party, {
    purpose: "epoch-join",
    opening: join.opening,
    brief: briefOf(join),
  }),
});

/** Signs shares anew after `change` made them wrong. */
export const sharesSignedBy = (
  consortium: Consortium,
  party: PartyId,
  view: string,
  message: ShareEpoch,
  change: (to: PartyId, sealed: ShareEpoch["sealed"][number]) => ShareEpoch["sealed"][number],
): ShareEpoch => ({
  ...message,
  sealed: message.sealed.map((one) => {
    const changed = change(one.party, one);
    const { party: to, ephemeral, ciphertext, hashes } = changed;
    const sealed = { ephemeral, ciphertext };
    const statement = { purpose: "epoch-share", view, to, sealed, hashes } as const;
    return { ...changed, signature: signAs(consortium, party, statement) };
  }),
});

export const dealSignedBy = (
  consortium: Consortium,
  party: PartyId,
  view: string,
  dealt: Omit<EpochDealt, "signature">,
): EpochDealt => {
  const { commitment, sealedDigests } = dealt;
  const statement = { purpose: "epoch-dealt", view, commitment, sealedDigests } as const;
  return { ...dealt, signature: signAs(consortium, party, statement) };
};

export const complaintOf = (
  consortium: Consortium,
  by: PartyId,
  about: PartyId,
  kind: ComplaintKind,
  { opening: id, view }: { opening: string; view: string },
): PartyEpochMessage => ({
  type: "complainEpoch",
  opening: id,
  about,
  kind,
  signature: signAs(consortium, by, { purpose: "epoch-complaint", view, about, kind }),
});

export const anyDigest = digestOf("something else");
