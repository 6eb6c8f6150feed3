/**
 * Every kind of message that leaves a node, declared once: the transport sends no other, the ledger records each under
 * this name, and the preview shows them all.
 */
import type { PartyMessage } from "../../privacy/sum/messages.ts";

/** When a kind of message is sent. */
type Occasion =
  /** Once, before the node is a member. */
  | "enrolment"
  /** To follow and decide on studies, to stay a member, and to watch the bank's log. */
  | "apart from rounds"
  | "in a round"
  /** Only where a connection broke, or the node will not do what it is asked to. */
  | "failure";

export const outgoing = {
  "Enrolment.Enrol": "enrolment",
  "Health.Check": "apart from rounds",
  "Membership.GetRoster": "apart from rounds",
  "Studies.List": "apart from rounds",
  "Studies.Get": "apart from rounds",
  "Studies.Consent": "apart from rounds",
  "Studies.Withdraw": "apart from rounds",
  "Studies.GetModel": "apart from rounds",
  "Log.GetConsistency": "apart from rounds",
  "Log.Cosign": "apart from rounds",
  "Log.ReportLedger": "apart from rounds",
  "Rounds.Participate/hello": "apart from rounds",
  "Rounds.Participate/epochDealt": "apart from rounds",
  "Rounds.Participate/epochConfirmed": "apart from rounds",
  "Blobs.Download": "in a round",
  "Rounds.Participate/advertise": "in a round",
  "Rounds.Participate/share": "in a round",
  /** The ciphertexts of a contribution, uploaded as blobs. */
  submission: "in a round",
  "Rounds.Participate/submit": "in a round",
  "Rounds.Participate/agree": "in a round",
  "Rounds.Participate/unmask": "in a round",
  "Rounds.Participate/released": "in a round",
  "Rounds.Participate/refuse": "failure",
  "Blobs.Stat": "failure",
  /** A ciphertext that leaves once more: the first time it is part of a submission. */
  "Blobs.Upload": "failure",
} as const satisfies Record<string, Occasion> &
  Record<`Rounds.Participate/${PartyMessage["type"]}`, Occasion>;

export type OutgoingKind = keyof typeof outgoing;
export type KindsSent<When extends Occasion> = {
  [Kind in OutgoingKind]: (typeof outgoing)[Kind] extends When ? Kind : never;
}[OutgoingKind];

/** @throws {RangeError} for a kind that is not declared: nobody was told that it leaves. */
export function outgoingKind(text: string): OutgoingKind {
  if (Object.hasOwn(outgoing, text)) return text as OutgoingKind;
  throw new RangeError(`${text} is not declared among what leaves a node`);
}
