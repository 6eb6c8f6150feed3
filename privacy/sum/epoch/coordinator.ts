import { type Reason, Refusal } from "../../../core/reasons.ts";
import type { PartyId } from "../graph.ts";
import { checkAdvertisement, checkNonce } from "./advertisement.ts";
import {
  type ComplaintEvidence,
  encodeEvidence,
  evidenceHeader,
  evidenceText,
  settleComplaint,
} from "./complaints.ts";
import type {
  CoordinatorView,
  EpochCoordinatorContext,
  EpochCoordinatorEffect,
  EpochCoordinatorEvent,
  EpochCoordinatorState,
  EpochCoordinatorStep,
  EpochFailure,
  Joined,
  LeftOut,
} from "./coordinator-state.ts";
import { type EpochHeader, encodeEpochHeader, openingIdOf } from "./header.ts";
import type {
  AnswerComplaint,
  ComplainEpoch,
  ConfirmEpoch,
  CoordinatorEpochMessage,
  EpochDealt,
  EpochNonce,
  JoinEpoch,
  PartyEpochMessage,
  RefuseEpoch,
  SealedShares,
  ShareEpoch,
} from "./messages.ts";
import { epochGraph, openEpochOf, shareHashesOf } from "./secrets.ts";
import { bundleHashBytes } from "./sharing.ts";
import {
  advertisedDigest,
  advertisementDigest,
  briefOf,
  dealerOf,
  epochDigestOf,
  epochSignedBy,
  noncesDigest,
  sealedKeyDigest,
  sealedKeysDigest,
  viewOf,
} from "./transcript.ts";

export type * from "./coordinator-state.ts";

type In<Phase> = Extract<EpochCoordinatorState, { readonly phase: Phase }>;
type Event<Type> = Extract<EpochCoordinatorEvent, { readonly type: Type }>;
type Live = Exclude<EpochCoordinatorState, { readonly phase: "ready" | "failed" }>;

/** Begins an opening. @param header - of `proposeEpoch`. */
export function beginEpoch(header: EpochHeader): EpochCoordinatorStep {
  const opening = openingIdOf(header);
  const state = {
    phase: "joining",
    opening,
    header,
    wait: 0,
    joined: new Map(),
    keys: new Set<string>(),
  } as const;
  return enter(state, () => ({ type: "openEpoch", header: encodeEpochHeader(header) }));
}

/** One step of the coordinator. What a member did wrong ends the opening and names it. */
export function epochCoordinatorStep(
  state: EpochCoordinatorState,
  event: EpochCoordinatorEvent,
  context: EpochCoordinatorContext,
): EpochCoordinatorStep {
  if (state.phase === "ready" || state.phase === "failed") return ignore(state);
  try {
    switch (event.type) {
      case "message":
        return event.message.opening === state.opening && state.header.members.includes(event.from)
          ? onMessage(state, event.from, event.message, context)
          : ignore(state);
      case "gone":
        return onGone(state, event);
      case "deadline":
        return event.wait === state.wait ? onDeadline(state) : ignore(state);
      case "abort":
        return fail(state, { reason: event.reason, detail: event.detail, leftOut: [], evidence: nothing });
    }
  } catch (error) {
    if (!(error instanceof Refusal) || event.type !== "message") throw error;
    return name(state, event.from, error.reason, error.message);
  }
}

const nothing: Uint8Array = new Uint8Array();

const ignore = (state: EpochCoordinatorState): EpochCoordinatorStep => ({ state, effects: [] });

/** Says something to every member and waits for all their answers. */
function enter<State extends Live>(
  state: State,
  messageTo: (party: PartyId) => CoordinatorEpochMessage,
): EpochCoordinatorStep {
  const wait = state.wait + 1;
  return {
    state: { ...state, wait },
    effects: [
      ...state.header.members.map(
        (to): EpochCoordinatorEffect => ({ type: "send", to, message: messageTo(to) }),
      ),
      { type: "wait", wait, seconds: state.header.stepSeconds },
    ],
  };
}

function fail({ opening, header, wait }: Live, failure: EpochFailure): EpochCoordinatorStep {
  const { reason, leftOut, evidence } = failure;
  const message = {
    type: "epochFailed",
    opening,
    reason,
    party: leftOut.length === 1 ? leftOut[0]!.party : "",
    evidence,
  } as const;
  return {
    state: { phase: "failed", opening, header, wait, failure },
    effects: [
      ...header.members.map((to): EpochCoordinatorEffect => ({ type: "send", to, message })),
      { type: "failed", failure },
    ],
  };
}

/** Ends the opening without one member, which did something wrong. */
const name = (
  state: Live,
  party: PartyId,
  reason: Reason,
  detail: string,
  evidence = nothing,
): EpochCoordinatorStep =>
  fail(state, { reason, detail, leftOut: [{ party, reason, detail, named: true }], evidence });

/** Ends the opening without members that are not there. */
const miss = (
  state: Live,
  parties: readonly PartyId[],
  reason: Reason,
  detail: string,
): EpochCoordinatorStep =>
  fail(state, {
    reason,
    detail,
    leftOut: parties.map((party): LeftOut => ({ party, reason, detail, named: false })),
    evidence: nothing,
  });

/** Members whose word is awaited. */
function awaited(state: Live): PartyId[] {
  const all = (heard: ReadonlyMap<PartyId, unknown>) => state.header.members.filter((id) => !heard.has(id));
  switch (state.phase) {
    case "joining":
      return all(state.joined);
    case "revealing":
      return all(state.nonces);
    case "sharing":
      return all(state.shares);
    case "confirming":
      return all(state.confirmations);
    case "settling":
      return [state.complaint.about];
  }
}

const unanswered = (state: In<"settling">): EpochCoordinatorStep =>
  name(
    state,
    state.complaint.about,
    "complaint_unanswered",
    `${state.complaint.by} complained of its ${state.complaint.kind}, and it did not answer`,
  );

function onDeadline(state: Live): EpochCoordinatorStep {
  if (state.phase === "settling") return unanswered(state);
  const late = awaited(state);
  return miss(state, late, "party_late", `${state.phase}: ${late.join(", ")} did not answer in time`);
}

function onGone(state: Live, { party }: Event<"gone">): EpochCoordinatorStep {
  if (!state.header.members.includes(party)) return ignore(state);
  if (state.phase !== "settling") return miss(state, [party], "party_gone", `${party} is gone`);
  return party === state.complaint.about ? unanswered(state) : ignore(state);
}

/** A second word of the same kind, or one out of place, changes nothing: who owes one is late in the end. */
function onMessage(
  state: Live,
  from: PartyId,
  message: PartyEpochMessage,
  context: EpochCoordinatorContext,
): EpochCoordinatorStep {
  switch (message.type) {
    case "joinEpoch":
      return state.phase === "joining" && !state.joined.has(from)
        ? onJoin(state, from, message, context)
        : ignore(state);
    case "epochNonce":
      return state.phase === "revealing" && !state.nonces.has(from)
        ? onNonce(state, from, message)
        : ignore(state);
    case "shareEpoch":
      return state.phase === "sharing" && !state.shares.has(from)
        ? onShare(state, from, message, context)
        : ignore(state);
    case "confirmEpoch":
      return state.phase === "confirming" && !state.confirmations.has(from)
        ? onConfirm(state, from, message, context)
        : ignore(state);
    case "complainEpoch":
      return state.phase === "confirming" && !state.confirmations.has(from)
        ? onComplaint(state, from, message, context)
        : ignore(state);
    case "answerComplaint":
      return state.phase === "settling" && state.complaint.about === from
        ? onAnswer(state, message, context)
        : ignore(state);
    case "refuseEpoch":
      return onRefuse(state, from, message);
  }
}

/** Longest of a member's own words that are repeated to the operator, characters. */
const longestDetail = 300;

function onRefuse(state: Live, from: PartyId, { reason, detail }: RefuseEpoch): EpochCoordinatorStep {
  if (state.phase !== "settling")
    return miss(
      state,
      [from],
      "party_refused",
      `${from} refused: ${reason}: ${detail}`.slice(0, longestDetail),
    );
  return from === state.complaint.about ? unanswered(state) : ignore(state);
}

function onJoin(
  state: In<"joining">,
  from: PartyId,
  message: JoinEpoch,
  { roster }: EpochCoordinatorContext,
): EpochCoordinatorStep {
  const seen = new Set<string>(state.keys);
  checkAdvertisement({ party: from, ...message }, state.opening, roster, seen);
  const joined = new Map(state.joined).set(from, message);
  if (joined.size < state.header.members.length) return ignore({ ...state, joined, keys: seen });
  const { opening, header, wait } = state;
  const all = header.members.map((party) => {
    const { nonceCommitment, maskKeys, shareKey, signature } = joined.get(party)!;
    return { party, nonceCommitment, maskKeys, shareKey, signature };
  });
  return enter({ phase: "revealing", opening, header, wait, joined, nonces: new Map() }, () => ({
    type: "epochJoined",
    opening,
    joined: all,
  }));
}

function onNonce(state: In<"revealing">, from: PartyId, { nonce }: EpochNonce): EpochCoordinatorStep {
  const { opening, header, wait, joined } = state;
  checkNonce(opening, { party: from, ...joined.get(from)! }, nonce);
  const nonces = new Map(state.nonces).set(from, nonce);
  if (nonces.size < header.members.length) return ignore({ ...state, nonces });
  const view = viewAfter(opening, header, joined, nonces);
  const all = header.members.map((party) => ({ party, nonce: nonces.get(party)! }));
  return enter(
    { phase: "sharing", opening, header, wait, joined, view, shares: new Map(), dealt: undefined },
    () => ({ type: "epochNonces", opening, nonces: all }),
  );
}

function viewAfter(
  opening: string,
  header: EpochHeader,
  joined: Joined,
  nonces: ReadonlyMap<PartyId, Uint8Array>,
): CoordinatorView {
  const said = {
    opening,
    advertised: advertisedDigest(advertisementDigests(header, joined)),
    nonces: noncesDigest(nonces),
  };
  const view = viewOf(said);
  return {
    view,
    transcript: { ...said, dealer: dealerOf(header.members, said.nonces) },
    neighbours: epochGraph(header, view),
  };
}

const advertisementDigests = ({ members }: EpochHeader, joined: Joined): string[] =>
  members.map((party) => advertisementDigest(party, briefOf(joined.get(party)!)));

const areFor = (sealed: readonly { readonly party: PartyId }[], parties: readonly PartyId[]): boolean =>
  sealed.length === parties.length && sealed.every(({ party }, i) => party === parties[i]);

/** Longest ciphertext that is passed on, bytes: a BFV key and a tag fit, and so does a bundle of shares. */
const longestCiphertext = 49_152;

function onShare(
  state: In<"sharing">,
  from: PartyId,
  { sealed, dealt }: ShareEpoch,
  { roster }: EpochCoordinatorContext,
): EpochCoordinatorStep {
  const { opening, header, wait, joined, view } = state;
  checkShares(view, from, sealed, roster);
  const deals = from === view.transcript.dealer;
  if (deals !== (dealt !== null))
    throw new Refusal(
      "message_unexpected",
      deals ? "the dealer deals no key" : "another deals than the dealer",
    );
  if (dealt !== null) checkDeal(header, view, from, dealt, roster);
  const shares = new Map(state.shares).set(from, sealed);
  const key = dealt ?? state.dealt;
  if (shares.size < header.members.length || key === undefined)
    return ignore({ ...state, shares, dealt: key });
  const { commitment, sealedDigests, signature } = key;
  const { dealer } = view.transcript;
  const transcript = { ...view.transcript, commitment, sealed: sealedKeysDigest(sealedDigests) };
  const deliveries = { shares, dealt: key, transcript };
  return enter(
    { phase: "confirming", opening, header, wait, joined, view, deliveries, confirmations: new Map() },
    (to) => ({
      type: "epochShares",
      opening,
      shares: view.neighbours
        .get(to)!
        .map((sharer) => ({ ...messageFor(to, shares.get(sharer)!), party: sharer })),
      dealt: { dealer, commitment, sealedDigests, signature, sealed: messageFor(to, key.sealed) },
    }),
  );
}

const messageFor = <Message extends { readonly party: PartyId }>(
  to: PartyId,
  messages: readonly Message[],
): Message => messages.find(({ party }) => party === to)!;

const isSealed = ({ ephemeral, ciphertext }: { ephemeral: Uint8Array; ciphertext: Uint8Array }): boolean =>
  ephemeral.length === 32 && ciphertext.length <= longestCiphertext;

function checkShares(
  { view, neighbours }: CoordinatorView,
  from: PartyId,
  sealed: readonly SealedShares[],
  roster: EpochCoordinatorContext["roster"],
): void {
  if (!areFor(sealed, neighbours.get(from)!))
    throw new Refusal("share_invalid", `${from} has not shared with each of its neighbours`);
  for (const { party: to, ephemeral, ciphertext, hashes, signature } of sealed) {
    const said = { ephemeral, ciphertext };
    if (!isSealed(said) || hashes.length !== bundleHashBytes)
      throw new Refusal("message_malformed", "sealed shares of another length");
    if (!epochSignedBy(roster, from, { purpose: "epoch-share", view, to, sealed: said, hashes }, signature))
      throw new Refusal("signature_invalid", `${from} has not signed its shares for ${to}`);
  }
}

function checkDeal(
  { members }: EpochHeader,
  { view }: CoordinatorView,
  from: PartyId,
  { sealed, commitment, sealedDigests, signature }: EpochDealt,
  roster: EpochCoordinatorContext["roster"],
): void {
  if (
    !areFor(sealed, members) ||
    sealedDigests.length !== members.length ||
    !sealed.every((one, i) => isSealed(one) && sealedKeyDigest(one) === sealedDigests[i])
  )
    throw new Refusal("message_malformed", "not one sealed key a member, as signed");
  if (!epochSignedBy(roster, from, { purpose: "epoch-dealt", view, commitment, sealedDigests }, signature))
    throw new Refusal("signature_invalid", "the dealer has not signed its key");
}

function onConfirm(
  state: In<"confirming">,
  from: PartyId,
  { digest, signature }: ConfirmEpoch,
  { roster }: EpochCoordinatorContext,
): EpochCoordinatorStep {
  const { opening, header, wait, joined, deliveries } = state;
  if (digest !== epochDigestOf(deliveries.transcript))
    throw new Refusal("digest_mismatch", `${from} confirms another epoch`);
  if (!epochSignedBy(roster, from, { purpose: "epoch-confirmed", digest }, signature))
    throw new Refusal("signature_invalid", `${from} has not signed its confirmation`);
  const confirmed = new Map(state.confirmations).set(from, signature);
  if (confirmed.size < header.members.length) return ignore({ ...state, confirmations: confirmed });
  const confirmations = header.members.map((party) => ({ party, signature: confirmed.get(party)! }));
  const advertised = header.members.map((party) => ({ party, maskKeys: joined.get(party)!.maskKeys }));
  const epoch = openEpochOf(header, deliveries.transcript, confirmations, advertised);
  const hashes = shareHashesOf(deliveries.shares);
  const message = { type: "epochReady", opening, digest, confirmations } as const;
  return {
    state: { phase: "ready", opening, header, wait, epoch, hashes },
    effects: [
      ...header.members.map((to): EpochCoordinatorEffect => ({ type: "send", to, message })),
      { type: "opened", epoch, hashes },
    ],
  };
}

/** The first complaint ends the opening; who else has cause for one finds it again in the next. */
function onComplaint(
  state: In<"confirming">,
  by: PartyId,
  { about, kind, signature }: ComplainEpoch,
  { roster }: EpochCoordinatorContext,
): EpochCoordinatorStep {
  const { opening, header, joined, view, deliveries } = state;
  const statement = { purpose: "epoch-complaint", view: view.view, about, kind } as const;
  if (!epochSignedBy(roster, by, statement, signature))
    throw new Refusal("signature_invalid", `${by} has not signed its complaint`);
  const sent = kind === "key" ? about === view.transcript.dealer : view.neighbours.get(by)!.includes(about);
  if (!sent || about === by)
    throw new Refusal("complaint_false", `${by} complains of a ${kind} that ${about} did not send it`);
  const wait = state.wait + 1;
  const complaint = { by, about, kind, signature };
  return {
    state: { phase: "settling", opening, header, wait, joined, view, deliveries, complaint },
    effects: [
      { type: "send", to: about, message: { type: "accuse", opening, by, kind, signature } },
      { type: "wait", wait, seconds: header.stepSeconds },
    ],
  };
}

function onAnswer(
  state: In<"settling">,
  { to, kind, secret, signature }: AnswerComplaint,
  { roster }: EpochCoordinatorContext,
): EpochCoordinatorStep {
  const { complaint, view } = state;
  const statement = { purpose: "epoch-answer", view: view.view, to, kind, secret } as const;
  if (
    to !== complaint.by ||
    kind !== complaint.kind ||
    secret.length !== 32 ||
    !epochSignedBy(roster, complaint.about, statement, signature)
  )
    return unanswered(state);
  const evidence = evidenceOf(state, secret, signature);
  const guilty = settleComplaint(evidence, roster);
  const [reason, detail] =
    guilty === complaint.by
      ? (["complaint_false", `the ${kind} that ${complaint.about} sent to ${guilty} is right`] as const)
      : ([kind === "key" ? "key_mismatch" : "share_invalid", `the ${kind} sent to ${to} is wrong`] as const);
  return name(state, guilty, reason, detail, encodeEvidence(evidence));
}

function evidenceOf(
  { header, joined, view, deliveries, complaint }: In<"settling">,
  secret: Uint8Array,
  answerSignature: Uint8Array,
): ComplaintEvidence {
  const { by, about, kind } = complaint;
  const join = joined.get(by)!;
  return {
    format: "fedcredit/epoch-complaint/v1",
    header: evidenceHeader(header),
    advertisements: advertisementDigests(header, joined),
    nonces: view.transcript.nonces,
    accuser: {
      party: by,
      ...briefOf(join),
      joinSignature: evidenceText(join.signature),
      complaintSignature: evidenceText(complaint.signature),
    },
    accused: {
      party: about,
      secret: evidenceText(secret),
      answerSignature: evidenceText(answerSignature),
    },
    message:
      kind === "share"
        ? shareEvidence(messageFor(by, deliveries.shares.get(about)!))
        : keyEvidence(deliveries.dealt, by),
  };
}

const shareEvidence = ({
  ephemeral,
  ciphertext,
  hashes,
  signature,
}: SealedShares): ComplaintEvidence["message"] => ({
  kind: "share",
  ephemeral: evidenceText(ephemeral),
  ciphertext: evidenceText(ciphertext),
  hashes: evidenceText(hashes),
  signature: evidenceText(signature),
});

function keyEvidence(dealt: EpochDealt, to: PartyId): ComplaintEvidence["message"] {
  const { ephemeral, ciphertext } = messageFor(to, dealt.sealed);
  return {
    kind: "key",
    ephemeral: evidenceText(ephemeral),
    ciphertext: evidenceText(ciphertext),
    commitment: dealt.commitment,
    sealedDigests: [...dealt.sealedDigests],
    signature: evidenceText(dealt.signature),
  };
}
