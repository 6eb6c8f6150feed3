import { type Digest, digestOf } from "../../../core/canonical.ts";
import { isReason, type Reason, Refusal } from "../../../core/reasons.ts";
import { x25519Pair } from "../../identity.ts";
import type { PartyId } from "../graph.ts";
import { checkAdvertisement, checkNonce, nonceBytes } from "./advertisement.ts";
import { openSealed, sealTo } from "./channel.ts";
import { isDealtKey, parseEvidence, settleComplaint } from "./complaints.ts";
import { checkEpochHeader, epochSlots, openingIdOf, parseEpochHeader } from "./header.ts";
import type {
  Accuse,
  ComplaintKind,
  EpochDealt,
  EpochFailed,
  EpochJoined,
  EpochNonces,
  EpochReady,
  EpochShares,
  PartyEpochMessage,
  SealedShares,
} from "./messages.ts";
import type {
  EpochPartyContext,
  EpochPartyEffect,
  EpochPartyEvent,
  EpochPartyState,
  EpochPartyStep,
  Opening,
  OwnSecrets,
  PartyView,
} from "./party-state.ts";
import { EpochSecrets, epochGraph, openEpochOf } from "./secrets.ts";
import { bundleHashBytes, bundleHashes, isBundleOf } from "./sharing.ts";
import {
  advertisedDigest,
  advertisementDigest,
  briefOf,
  dealerOf,
  epochDigestOf,
  epochSignedBy,
  isConfirmedByAll,
  nonceCommitment,
  noncesDigest,
  sealedKeyDigest,
  sealedKeysDigest,
  signEpoch,
  viewOf,
} from "./transcript.ts";

export type * from "./party-state.ts";

type In<Phase> = Extract<EpochPartyState, { readonly phase: Phase }>;
type Event<Type> = Extract<EpochPartyEvent, { readonly type: Type }>;

export const idleEpochParty: EpochPartyState = { phase: "idle" };

/**
 * The coordinator gives every member one step's time to speak, and an accused another to answer: a member that
 * has heard nothing for three is not waited with any longer.
 */
const patienceSteps = 3;

/** One step of a member. What a peer did wrong ends the opening for it, with a complaint or a refusal. */
export function epochPartyStep(
  state: EpochPartyState,
  event: EpochPartyEvent,
  context: EpochPartyContext,
): EpochPartyStep {
  try {
    switch (event.type) {
      case "open":
        return onOpen(state, event, context);
      case "message":
        return isOfOpening(state, event.message.opening)
          ? onMessage(state, event.message, context)
          : ignore(state);
      case "prepared":
        return state.phase === "preparing" && state.opening.id === event.opening
          ? onPrepared(state, event, context)
          : { state, effects: [erase([...event.bundles, ...(event.bfvKey ? [event.bfvKey] : [])])] };
      case "deadline":
        return isOfOpening(state, event.opening) && state.opening.wait === event.wait
          ? fail(state, "deadline", "the epoch was not opened in time")
          : ignore(state);
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const opening =
      event.type === "open"
        ? digestOf(event.message.header)
        : event.type === "message"
          ? event.message.opening
          : event.opening;
    return refuse(state, opening, error);
  }
}

const ignore = (state: EpochPartyState): EpochPartyStep => ({ state, effects: [] });
const send = (message: PartyEpochMessage): EpochPartyEffect => ({ type: "send", message });
const erase = (secrets: readonly Uint8Array[]): EpochPartyEffect => ({ type: "erase", secrets });

/** States in which an opening is under way. */
type Live = Exclude<EpochPartyState, { readonly phase: "idle" | "ready" | "failed" }>;

function isOfOpening(state: EpochPartyState, opening: Digest): state is Live {
  switch (state.phase) {
    case "idle":
    case "ready":
    case "failed":
      return false;
    case "joined":
    case "revealed":
    case "preparing":
    case "shared":
    case "confirmed":
    case "complained":
    case "answered":
      return state.opening.id === opening;
  }
}

/** All that a state holds and nobody but this member may know. */
function secretsOf(state: EpochPartyState): Uint8Array[] {
  switch (state.phase) {
    case "idle":
    case "ready":
    case "failed":
    case "answered":
      return [];
    case "joined":
    case "revealed":
    case "preparing":
      return ownSecrets(state.own);
    case "shared":
    case "complained":
      return [...ownSecrets(state.own), ...sendSecrets(state)];
    case "confirmed":
      return [...ownSecrets(state.own), ...sendSecrets(state), state.bfvKey, ...state.held.values()];
  }
}

const ownSecrets = ({ maskSecrets, selfMaskSeeds, share }: OwnSecrets): Uint8Array[] => [
  ...maskSecrets,
  ...selfMaskSeeds,
  share.secretKey,
];

const sendSecrets = ({ ephemerals }: Pick<In<"shared">, "ephemerals">): Uint8Array[] => [
  ...ephemerals.share.values(),
  ...ephemerals.key.values(),
];

function fail(
  state: Live,
  reason: Reason,
  detail: string,
  party: PartyId = "",
  proven = false,
): EpochPartyStep {
  return {
    state: { phase: "failed", opening: state.opening.id, reason, party, proven, detail },
    effects: [erase(secretsOf(state))],
  };
}

function refuse(
  state: EpochPartyState,
  opening: Digest,
  { reason, message, party = "" }: Refusal,
): EpochPartyStep {
  const refusal = send({ type: "refuseEpoch", opening, reason, party, detail: message });
  const failed = { phase: "failed", opening, reason, party, proven: false, detail: message } as const;
  // an opening that is refused as it arrives does not end the one under way, nor the epoch that is open
  return isOfOpening(state, opening)
    ? { state: failed, effects: [refusal, erase(secretsOf(state))] }
    : { state: state.phase === "idle" ? failed : state, effects: [refusal] };
}

/** Starts the member's timer anew. */
const waiting = (opening: Opening): { opening: Opening; wait: EpochPartyEffect } => {
  const next = { ...opening, wait: opening.wait + 1 };
  const seconds = patienceSteps * opening.header.stepSeconds;
  return { opening: next, wait: { type: "wait", opening: next.id, wait: next.wait, seconds } };
};

/** Fresh keys for 64 sums; whatever opening was under way before is given up. */
function onOpen(
  state: EpochPartyState,
  { message, local }: Event<"open">,
  { id, identity, roster, random }: EpochPartyContext,
): EpochPartyStep {
  const header = parseEpochHeader(message.header);
  const openingId = openingIdOf(header);
  if (isOfOpening(state, openingId)) return ignore(state);
  const under = "opening" in state && typeof state.opening === "object" ? state.opening.header.epoch : 0;
  if (header.epoch <= Math.max(local.lastEpoch, under))
    throw new Refusal("epoch_mismatch", `epoch ${header.epoch} is over, or another has its number`);
  checkEpochHeader(header, roster);
  if (!header.members.includes(id))
    throw new Refusal("roster_mismatch", "this party is not a member of the epoch");
  if (header.maxColluding < local.maxColluding)
    throw new Refusal("policy_refuses", `maxColluding is at least ${local.maxColluding}`);
  const fresh = () => Uint8Array.from(random.bytes(32));
  const pairs = Array.from({ length: epochSlots }, () => x25519Pair(fresh()));
  const own: OwnSecrets = {
    maskSecrets: pairs.map(({ secretKey }) => secretKey),
    selfMaskSeeds: pairs.map(fresh),
    share: x25519Pair(fresh()),
    nonce: Uint8Array.from(random.bytes(nonceBytes)),
  };
  const advertised = {
    nonceCommitment: nonceCommitment(openingId, id, own.nonce),
    maskKeys: Uint8Array.from(pairs.flatMap(({ publicKey }) => [...publicKey])),
    shareKey: own.share.publicKey,
  };
  const statement = { purpose: "epoch-join", opening: openingId, brief: briefOf(advertised) } as const;
  const signature = signEpoch(id, statement, identity);
  const { opening, wait } = waiting({ id: openingId, header, wait: 0 });
  return {
    state: { phase: "joined", opening, own, advertised },
    effects: [
      erase(secretsOf(state)),
      send({ type: "joinEpoch", opening: openingId, ...advertised, signature }),
      wait,
    ],
  };
}

function onMessage(
  state: Live,
  message: Event<"message">["message"],
  context: EpochPartyContext,
): EpochPartyStep {
  switch (message.type) {
    case "epochJoined":
      return state.phase === "joined" ? onJoined(state, message, context) : ignore(state);
    case "epochNonces":
      return state.phase === "revealed" ? onNonces(state, message, context) : ignore(state);
    case "epochShares":
      return state.phase === "shared" ? onShares(state, message, context) : ignore(state);
    case "accuse":
      return onAccuse(state, message, context);
    case "epochReady":
      return state.phase === "confirmed" ? onReady(state, message, context) : ignore(state);
    case "epochFailed":
      return onFailed(state, message, context);
  }
}

const areMembers = (said: readonly { readonly party: PartyId }[], members: readonly PartyId[]): boolean =>
  said.length === members.length && said.every(({ party }, i) => party === members[i]);

/** Every advertisement is checked before the nonce is opened: none can be made up to fit it. */
function onJoined(
  { opening, own, advertised }: In<"joined">,
  { joined }: EpochJoined,
  { id, roster }: EpochPartyContext,
): EpochPartyStep {
  if (!areMembers(joined, opening.header.members))
    throw new Refusal("message_malformed", "not one advertisement a member, sorted");
  const seen = new Set<string>();
  for (const one of joined) checkAdvertisement(one, opening.id, roster, seen);
  const mine = briefOf(joined.find(({ party }) => party === id)!);
  if (advertisementDigest(id, mine) !== advertisementDigest(id, briefOf(advertised)))
    throw new Refusal("header_mismatch", "the keys of this party were exchanged");
  const next = waiting(opening);
  return {
    state: { phase: "revealed", opening: next.opening, own, joined },
    effects: [send({ type: "epochNonce", opening: opening.id, nonce: own.nonce }), next.wait],
  };
}

function onNonces(
  { opening, own, joined }: In<"revealed">,
  { nonces }: EpochNonces,
  { id }: EpochPartyContext,
): EpochPartyStep {
  const { header } = opening;
  if (!areMembers(nonces, header.members))
    throw new Refusal("message_malformed", "not one nonce a member, sorted");
  for (const [i, { nonce }] of nonces.entries()) checkNonce(opening.id, joined[i]!, nonce);
  const view = viewAfter(opening, joined, new Map(nonces.map(({ party, nonce }) => [party, nonce])), id);
  return {
    state: { phase: "preparing", opening, own, view },
    effects: [
      {
        type: "prepare",
        opening: opening.id,
        secrets: own,
        holders: header.degree + 1,
        threshold: header.threshold,
        deals: view.transcript.dealer === id,
      },
    ],
  };
}

function viewAfter(
  { id: opening, header }: Opening,
  joined: EpochJoined["joined"],
  nonces: ReadonlyMap<PartyId, Uint8Array>,
  self: PartyId,
): PartyView {
  const said = {
    opening,
    advertised: advertisedDigest(joined.map((one) => advertisementDigest(one.party, briefOf(one)))),
    nonces: noncesDigest(nonces),
  };
  const view = viewOf(said);
  return {
    view,
    transcript: { ...said, dealer: dealerOf(header.members, said.nonces) },
    joined,
    neighbours: epochGraph(header, view).get(self)!,
  };
}

/** One bundle of shares a neighbour; the owner's own, the last, is never shown to anybody. */
function onPrepared(
  { opening, own, view }: In<"preparing">,
  { bundles, bfvKey }: Event<"prepared">,
  context: EpochPartyContext,
): EpochPartyStep {
  const { id, identity, random } = context;
  const shareKeys = new Map(view.joined.map(({ party, shareKey }) => [party, shareKey]));
  const shareSecrets = new Map<PartyId, Uint8Array>();
  const sealed = view.neighbours.map((to, i): SealedShares => {
    const bundle = bundles[i]!;
    const hashes = bundleHashes({ view: view.view, sharer: id, holder: to }, bundle);
    const channel = { view: view.view, kind: "share", from: id, to } as const;
    const { keep, send: message } = sealTo(shareKeys.get(to)!, channel, bundle, random);
    shareSecrets.set(to, keep);
    const statement = { purpose: "epoch-share", view: view.view, to, sealed: message, hashes } as const;
    return { party: to, ...message, hashes, signature: signEpoch(id, statement, identity) };
  });
  const keySecrets = new Map<PartyId, Uint8Array>();
  const dealt = bfvKey === undefined ? null : deal(view, bfvKey, shareKeys, keySecrets, context);
  const next = waiting(opening);
  return {
    state: {
      phase: "shared",
      opening: next.opening,
      own,
      view,
      ephemerals: { share: shareSecrets, key: keySecrets },
    },
    effects: [
      erase(bfvKey === undefined ? bundles : [...bundles, bfvKey]),
      send({ type: "shareEpoch", opening: opening.id, sealed, dealt }),
      next.wait,
    ],
  };
}

function deal(
  { view }: PartyView,
  bfvKey: Uint8Array,
  shareKeys: ReadonlyMap<PartyId, Uint8Array>,
  secrets: Map<PartyId, Uint8Array>,
  { id, identity, random }: EpochPartyContext,
): EpochDealt {
  const sealed = [...shareKeys].map(([to, shareKey]) => {
    const { keep, send: message } = sealTo(shareKey, { view, kind: "key", from: id, to }, bfvKey, random);
    secrets.set(to, keep);
    return { party: to, ...message };
  });
  const commitment = digestOf(bfvKey);
  const sealedDigests = sealed.map(sealedKeyDigest);
  const statement = { purpose: "epoch-dealt", view, commitment, sealedDigests } as const;
  return { commitment, sealedDigests, signature: signEpoch(id, statement, identity), sealed };
}

/** Opens the key and every bundle: all are right and the member confirms, or it complains of the first wrong. */
function onShares(state: In<"shared">, message: EpochShares, context: EpochPartyContext): EpochPartyStep {
  const { opening, own, view, ephemerals } = state;
  const { id, identity } = context;
  const dealt = checkDelivery(message, opening, view, context);
  const { dealer } = view.transcript;
  const open = (
    from: PartyId,
    kind: ComplaintKind,
    sealed: SealedShares | NonNullable<typeof dealt.sealed>,
  ) => openSealed(own.share, { view: view.view, kind, from, to: id }, sealed);
  const bfvKey = open(dealer, "key", dealt.sealed);
  if (!isDealtKey(bfvKey, dealt.commitment)) return complain(state, dealer, "key", context);
  const held = new Map<PartyId, Uint8Array>();
  for (const share of message.shares) {
    const place = { view: view.view, sharer: share.party, holder: id };
    const bundle = open(share.party, "share", share);
    if (bundle === undefined || !isBundleOf(place, bundle, share.hashes))
      return complain(state, share.party, "share", context, [bfvKey, ...held.values()]);
    held.set(share.party, bundle);
  }
  const { commitment, sealedDigests } = dealt;
  const transcript = { ...view.transcript, commitment, sealed: sealedKeysDigest(sealedDigests) };
  const digest = epochDigestOf(transcript);
  const signature = signEpoch(id, { purpose: "epoch-confirmed", digest }, identity);
  const next = waiting(opening);
  return {
    state: {
      phase: "confirmed",
      opening: next.opening,
      own,
      view,
      ephemerals,
      transcript,
      bfvKey,
      held,
    },
    effects: [send({ type: "confirmEpoch", opening: opening.id, digest, signature }), next.wait],
  };
}

/** What a coordinator that passes on what was signed cannot get wrong. @returns what was dealt to this member. */
function checkDelivery(
  { shares, dealt }: EpochShares,
  { header }: Opening,
  { view, transcript, neighbours }: PartyView,
  { id, roster }: EpochPartyContext,
): NonNullable<EpochShares["dealt"]> & {
  readonly sealed: NonNullable<NonNullable<EpochShares["dealt"]>["sealed"]>;
} {
  if (dealt === null || dealt.dealer !== transcript.dealer || dealt.sealed === null)
    throw new Refusal("message_malformed", "the key is missing, or of another dealer");
  const { dealer, commitment, sealedDigests, signature, sealed } = dealt;
  if (!epochSignedBy(roster, dealer, { purpose: "epoch-dealt", view, commitment, sealedDigests }, signature))
    throw new Refusal("signature_invalid", "the dealer has not signed this key", { party: dealer });
  if (
    sealed.party !== id ||
    sealedDigests.length !== header.members.length ||
    sealedDigests[header.members.indexOf(id)] !== sealedKeyDigest(sealed)
  )
    throw new Refusal("digest_mismatch", "the sealed key is not the one that was dealt to this party");
  if (!areMembers(shares, neighbours))
    throw new Refusal("message_malformed", "not one bundle of shares a neighbour, sorted");
  for (const { party, ephemeral, ciphertext, hashes, signature: signed } of shares) {
    const said = { ephemeral, ciphertext };
    if (
      hashes.length !== bundleHashBytes ||
      !epochSignedBy(roster, party, { purpose: "epoch-share", view, to: id, sealed: said, hashes }, signed)
    )
      throw new Refusal("signature_invalid", `${party} has not signed these shares`, { party });
  }
  return { ...dealt, sealed };
}

function complain(
  { opening, own, view, ephemerals }: In<"shared">,
  about: PartyId,
  kind: ComplaintKind,
  { id, identity }: EpochPartyContext,
  useless: readonly Uint8Array[] = [],
): EpochPartyStep {
  const statement = { purpose: "epoch-complaint", view: view.view, about, kind } as const;
  const signature = signEpoch(id, statement, identity);
  const next = waiting(opening);
  return {
    state: { phase: "complained", opening: next.opening, own, view, ephemerals },
    effects: [
      erase(useless),
      send({ type: "complainEpoch", opening: opening.id, about, kind, signature }),
      next.wait,
    ],
  };
}

/**
 * Opens the message that was complained about, once, and is out of this opening by that: a bank that makes up
 * accusations, or lets a friend make them, gets shares of masks that will never be used.
 */
function onAccuse(
  state: Live,
  { by, kind, signature }: Accuse,
  { id, identity, roster }: EpochPartyContext,
): EpochPartyStep {
  switch (state.phase) {
    case "joined":
    case "revealed":
    case "preparing":
    case "answered":
      return ignore(state);
    case "shared":
    case "confirmed":
    case "complained": {
      const { opening, view, ephemerals } = state;
      const complaint = { purpose: "epoch-complaint", view: view.view, about: id, kind } as const;
      const ephemeral = ephemerals[kind].get(by);
      if (ephemeral === undefined || !epochSignedBy(roster, by, complaint, signature)) return ignore(state);
      const secret = ephemeral.slice();
      const statement = { purpose: "epoch-answer", view: view.view, to: by, kind, secret } as const;
      const signed = signEpoch(id, statement, identity);
      const next = waiting(opening);
      return {
        state: { phase: "answered", opening: next.opening },
        effects: [
          erase(secretsOf(state)),
          send({ type: "answerComplaint", opening: opening.id, to: by, kind, secret, signature: signed }),
          next.wait,
        ],
      };
    }
  }
}

/** All members signed the one digest that this one did: the share keys have served. */
function onReady(
  { opening, own, view, ephemerals, transcript, bfvKey, held }: In<"confirmed">,
  { digest, confirmations }: EpochReady,
  { roster }: EpochPartyContext,
): EpochPartyStep {
  const { header } = opening;
  if (digest !== epochDigestOf(transcript))
    throw new Refusal("digest_mismatch", "the epoch is another than this party signed");
  if (!isConfirmedByAll(digest, header.members, confirmations, roster))
    throw new Refusal("agreement_missing", "not all members have signed the epoch");
  const epoch = openEpochOf(header, transcript, confirmations, view.joined);
  return {
    state: { phase: "ready", opening, digest },
    effects: [
      erase([own.share.secretKey, ...sendSecrets({ ephemerals })]),
      { type: "opened", secrets: new EpochSecrets(epoch, bfvKey, own, held) },
    ],
  };
}

function onFailed(
  state: Live,
  { reason, party, evidence }: EpochFailed,
  { roster }: EpochPartyContext,
): EpochPartyStep {
  const known = isReason(reason) ? reason : "party_refused";
  return fail(
    state,
    known,
    "the coordinator ended the opening",
    party,
    isProven(state.opening.id, party, evidence, roster),
  );
}

function isProven(
  opening: Digest,
  party: PartyId,
  encoded: Uint8Array,
  roster: EpochPartyContext["roster"],
): boolean {
  if (encoded.length === 0) return false;
  try {
    const evidence = parseEvidence(encoded);
    return digestOf(evidence.header) === opening && settleComplaint(evidence, roster) === party;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return false;
  }
}
