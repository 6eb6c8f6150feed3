/**
 * Every kind of message that leaves a node, declared once: the transport sends no other, the ledger records each under
 * this name, and the preview shows them all.
 */
import type { PartyEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import type { PartyMessage } from "../../privacy/sum/messages.ts";

/** When a kind of message is sent. */
type Occasion =
  /** Once, before the node is a member. */
  | "enrolment"
  /** To follow and decide on studies, to stay a member, and to watch the bank's log. */
  | "apart from rounds"
  /** Where sums were released without it: to compute the states between, and to see that the bank's log only grew. */
  | "after an absence"
  /** Once in about nine months. */
  | "near a certificate's end"
  /** Where the enterprise consents to tell warnings, and the bank asks for no more than that. */
  | "where policy.yaml has warnings"
  | "in a round"
  /** Where the enterprise agreed to say how its own rows score. */
  | "of its own score"
  /** Only where a connection broke, or the node will not do what it is asked to. */
  | "failure";

export const outgoing = {
  "Enrolment.Enrol": "enrolment",
  "Health.Check": "apart from rounds",
  "Membership.GetRoster": "apart from rounds",
  /** A request for the node's next certificate: its public TLS key, which the bank has. */
  "Membership.RenewCertificate": "near a certificate's end",
  /** This node's next public keys, signed by those before. */
  "Membership.ProposeSuccession": "apart from rounds",
  "Studies.List": "apart from rounds",
  "Studies.Get": "apart from rounds",
  "Studies.Consent": "apart from rounds",
  "Studies.Withdraw": "apart from rounds",
  "Studies.GetModel": "apart from rounds",
  "Studies.GetCertificates": "after an absence",
  "Log.GetCheckpoint": "after an absence",
  "Log.GetInclusion": "after an absence",
  "Log.GetConsistency": "after an absence",
  "Log.ReportLedger": "apart from rounds",
  "Scores.Agree": "of its own score",
  "Scores.Withdraw": "of its own score",
  /** A signed statement: model, month, probability, grade, reason codes. */
  "Scores.State": "of its own score",
  "Warnings.GetTerms": "where policy.yaml has warnings",
  /** Warnings in coarse form, signed. */
  "Warnings.Report": "where policy.yaml has warnings",
  "Rounds.Participate/hello": "apart from rounds",
  "Rounds.Participate/joinEpoch": "apart from rounds",
  "Rounds.Participate/epochNonce": "apart from rounds",
  "Rounds.Participate/shareEpoch": "apart from rounds",
  "Rounds.Participate/confirmEpoch": "apart from rounds",
  /** The ciphertexts of a contribution, uploaded as blobs. */
  submission: "in a round",
  "Rounds.Participate/submit": "in a round",
  "Rounds.Participate/agree": "in a round",
  "Rounds.Participate/unmask": "in a round",
  /** The aggregate, and what it is recomputed from. */
  "Blobs.Fetch": "in a round",
  "Rounds.Participate/released": "in a round",
  "Rounds.Participate/invalid": "failure",
  "Rounds.Participate/renounced": "failure",
  "Rounds.Participate/refuseEpoch": "failure",
  "Rounds.Participate/complainEpoch": "failure",
  "Rounds.Participate/answerComplaint": "failure",
  "Rounds.Participate/refuse": "failure",
  "Blobs.Stat": "failure",
  /** A ciphertext that leaves once more: the first time it is part of a submission. */
  "Blobs.Upload": "failure",
} as const satisfies Record<string, Occasion> &
  Record<`Rounds.Participate/${(PartyMessage | PartyEpochMessage)["type"]}`, Occasion>;

export type OutgoingKind = keyof typeof outgoing;
export type KindsSent<When extends Occasion> = {
  [Kind in OutgoingKind]: (typeof outgoing)[Kind] extends When ? Kind : never;
}[OutgoingKind];

/** @throws {RangeError} for a kind that is not declared: nobody was told that it leaves. */
export function outgoingKind(text: string): OutgoingKind {
  if (Object.hasOwn(outgoing, text)) return text as OutgoingKind;
  throw new RangeError(`${text} is not declared among what leaves a node`);
}
