import { concatBytes } from "../../core/bytes.ts";
import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import { withoutGroups } from "../../models/groups.ts";
import { StudyMemory } from "../../models/memory.ts";
import { algorithmNamed } from "../../models/registry.ts";
import type { StudyManifest } from "../../models/study.ts";
import {
  advanceStudy,
  type StudyState,
  startStudy,
  studyContribute,
  studyNext,
} from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import software from "../../package.json" with { type: "json" };
import { certificateRequest, generateTlsKey } from "../../privacy/certificate-request.ts";
import { type Identity, publicIdentity } from "../../privacy/identity.ts";
import { signCheckpoint } from "../../privacy/log/checkpoint.ts";
import { signConsent } from "../../privacy/log/consent.ts";
import { cosign, cosigner } from "../../privacy/log/cosignature.ts";
import { emptyRoot } from "../../privacy/log/merkle.ts";
import { noteSigner } from "../../privacy/log/note.ts";
import { signSuccession, successionLine } from "../../privacy/succession.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { PartyEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import type { VectorLayout } from "../../privacy/sum/layout.ts";
import type { PartyMessage } from "../../privacy/sum/messages.ts";
import { packingOf } from "../../privacy/sum/noise-terms.ts";
import {
  type Consortium,
  foundConsortium,
  simulateAttempt,
  simulatedHeader,
} from "../../privacy/sum/simulation.ts";
import {
  Blobs,
  Health,
  Log,
  Membership,
  protocolVersion,
  Rounds,
  Studies,
  toOneof,
} from "../../proto/wire.ts";
import type { Departure } from "../ledger/egress.ts";
import { type KindsSent, type OutgoingKind, outgoing, outgoingKind } from "../ledger/outgoing.ts";

/** One round of an algorithm, as this enterprise would take part in it. */
export interface DryRunRound {
  readonly algorithm: string;
  readonly layout: VectorLayout;
  /** Numbers that go into the sum. */
  readonly entries: number;
  /** Numbers below 2^42 that they are packed into, before masks and encryption. */
  readonly slots: number;
  readonly departures: readonly Departure[];
}

export interface DryRun {
  /** What leaves apart from rounds, a message of each kind. */
  readonly outsideRounds: readonly Departure[];
  /** What leaves only where a connection breaks or the node will not go on, a message of each kind. */
  readonly onFailure: readonly Departure[];
  /** The first round of each algorithm; its further rounds send the same. */
  readonly rounds: readonly DryRunRound[];
  /** Why the dry run ended before the last algorithm, where it did: alone, an enterprise may not get to a result. */
  readonly stopped:
    | { readonly algorithm: string; readonly reason: Reason; readonly message: string }
    | undefined;
}

export interface DryRunOptions {
  readonly enterprise: string;
  /** host:port of the coordinator. */
  readonly destination: string;
  readonly bfv: Bfv;
  readonly random: Random;
}

/** Enterprises in a round of the dry run, at most: a larger cohort sends a few more shares. */
const largestCohort = 12;

/**
 * Plays a study in this process, the other enterprises contributing zeros, with keys made for it and thrown away:
 * the messages are those of a real round in kind and size, and in nothing else. Nothing is sent or recorded.
 *
 * @param table - this enterprise's rows, desensitized.
 * @throws Refusal that the rows cause in the first round.
 */
export async function dryRun(manifest: StudyManifest, table: Table, options: DryRunOptions): Promise<DryRun> {
  const short = oneRoundEach(manifest);
  const consortium = await foundConsortium(
    manifest.consortium,
    new Map(cohortOf(manifest, options.enterprise).map((id) => [id, id])),
    options.bfv,
    options.random,
    Math.max(1, manifest.privacy.maxColluding),
  );
  const rounds: DryRunRound[] = [];
  let stopped: DryRun["stopped"];
  const means = { random: options.random, memory: new StudyMemory() };
  let state = startStudy(short);
  try {
    while (state.algorithm !== null) {
      const own = await studyContribute(short, state, table, means);
      const played = state.step === 0 ? await playRound(short, state, own, consortium, options) : undefined;
      if (played !== undefined) rounds.push(played.round);
      const sum = { values: played?.sum ?? own, parties: consortium.parties.size };
      state = await advanceStudy(short, state, sum);
    }
  } catch (error) {
    if (!(error instanceof Refusal) || rounds.length === 0) throw error;
    stopped = { algorithm: state.algorithm!, reason: error.reason, message: error.message };
  }
  const { destination, enterprise } = options;
  return {
    outsideRounds: departuresOf(
      destination,
      callsOutsideRounds(
        manifest,
        consortium,
        enterprise,
        await certificateRequest(await generateTlsKey(), enterprise),
      ),
    ),
    onFailure: departuresOf(destination, callsOnFailure(rounds[0]!.departures)),
    rounds,
    stopped,
  };
}

/** An algorithm's further rounds send messages of the same size; one of them leads to a result all the same. */
const oneRoundEach = (manifest: StudyManifest): StudyManifest => ({
  // A group's sum takes the messages that everybody's takes.
  ...withoutGroups(manifest),
  algorithms: manifest.algorithms.map((entry) => {
    const { parameters } = algorithmNamed(entry.name);
    return "shape" in parameters && Object.hasOwn(parameters.shape as object, "rounds")
      ? { ...entry, rounds: 1 }
      : entry;
  }),
});

function cohortOf({ privacy }: StudyManifest, enterprise: string): string[] {
  const others = Array.from(
    { length: Math.min(privacy.minCohort, largestCohort) - 1 },
    (_, i) => `other-${i + 1}`,
  );
  return [enterprise, ...others].sort();
}

async function playRound(
  manifest: StudyManifest,
  state: StudyState,
  own: Float64Array,
  consortium: Consortium,
  { enterprise, destination, bfv }: DryRunOptions,
): Promise<{ round: DryRunRound; sum: Float64Array }> {
  const cohort = [...consortium.parties.keys()];
  const { layout, noise } = studyNext(manifest, state);
  const algorithm = { index: state.index, name: state.algorithm!, step: state.step };
  const header = simulatedHeader(
    consortium,
    {
      layout,
      ...(noise === undefined ? {} : { noise }),
      algorithm,
      round: state.index + 1,
      minCohort: cohort.length,
      study: digestOf(canonicalBytes(manifest)),
      state: digestOf(canonicalBytes(state)),
    },
    cohort,
  );
  const departures: Departure[] = [];
  const uploaded: Uint8Array[] = [];
  const leave = (kind: KindsSent<"in a round">, bytes: Uint8Array): void =>
    void departures.push(departure(destination, kind, bytes));
  const done = await simulateAttempt(header, consortium, {
    bfv,
    contribute: (id) => (id === enterprise ? own : new Float64Array(own.length)),
    onUpload(from, blob) {
      if (from === enterprise) uploaded.push(blob);
      return blob;
    },
    onWayUp(from, message) {
      if (from !== enterprise) return [message];
      // As in the ledger: one entry for all ciphertexts of a contribution.
      if (message.type === "submit") leave("submission", concatBytes(...uploaded));
      const kind = `Rounds.Participate/${message.type}` as const;
      if (isInRound(kind)) leave(kind, encode(message));
      return [message];
    },
    onWayDown(to, message) {
      if (to === enterprise && message.type === "aggregate") {
        // What the aggregate is recomputed from.
        const others = message.submissions.filter(({ party }) => party !== enterprise);
        leave("Blobs.Fetch", fetchRequest(others.flatMap(({ chunks }) => chunks)));
      }
      return [message];
    },
  });
  if (done.sum === undefined) {
    const party = done.parties.get(enterprise);
    throw party?.phase === "refused"
      ? new Refusal(party.reason, party.detail)
      : new Refusal("internal", "the dry run came to no sum");
  }
  const { slots } = packingOf(header);
  const round = { algorithm: algorithm.name, layout, entries: own.length, slots, departures };
  return { round, sum: done.sum.sum.values };
}

type Samples<When extends "apart from rounds" | "after an absence" | "near a certificate's end" | "failure"> =
  Readonly<Record<KindsSent<When>, Uint8Array>>;

/** Messages as this enterprise would send them, of every kind that is no part of a round. */
function callsOutsideRounds(
  manifest: StudyManifest,
  { parties, epoch }: Consortium,
  enterprise: string,
  csrPem: string,
): Samples<"apart from rounds" | "after an absence" | "near a certificate's end"> {
  const digest = digestOf(canonicalBytes(manifest));
  const study = Buffer.from(digest, "hex");
  const { identity } = parties.get(enterprise)!;
  const signer = noteSigner(identity.name, identity.signingSeed);
  const consent = { consortium: manifest.consortium, enterprise, study: digest, expires: 0 };
  const checkpoint = { origin: identity.name, size: 0, root: emptyRoot };
  return {
    "Health.Check": Health.service.Check.requestSerialize({ protocolVersion }),
    "Membership.GetRoster": Membership.service.GetRoster.requestSerialize({}),
    "Membership.RenewCertificate": Membership.service.RenewCertificate.requestSerialize({ csrPem }),
    "Membership.ProposeSuccession": Membership.service.ProposeSuccession.requestSerialize({
      line: successionSample(manifest.consortium, enterprise, identity),
    }),
    "Studies.List": Studies.service.List.requestSerialize({}),
    "Studies.Get": Studies.service.Get.requestSerialize({ study }),
    "Studies.Consent": Studies.service.Consent.requestSerialize({
      study,
      expiresMillis: Date.UTC(2100, 0),
      note: signConsent(consent, signer),
    }),
    "Studies.Withdraw": Studies.service.Withdraw.requestSerialize({ study }),
    "Studies.GetModel": Studies.service.GetModel.requestSerialize({ study }),
    "Studies.GetCertificates": Studies.service.GetCertificates.requestSerialize({ study, after: 0 }),
    "Log.GetCheckpoint": Log.service.GetCheckpoint.requestSerialize({}),
    "Log.GetInclusion": Log.service.GetInclusion.requestSerialize({ index: 1, size: 2 }),
    "Log.GetConsistency": Log.service.GetConsistency.requestSerialize({ oldSize: 1, newSize: 2 }),
    "Log.ReportLedger": Log.service.ReportLedger.requestSerialize({
      note: signCheckpoint(checkpoint, signer),
      cosignature: { size: 1, line: cosignatureLine(enterprise, identity) },
    }),
    "Rounds.Participate/hello": encode({ type: "hello", protocolVersion, softwareVersion: software.version }),
    ...samplesOfOpening(epoch, enterprise),
  };
}

/** What is said where a round does not go as it should. @param round - one of the dry run's. */
function callsOnFailure(round: readonly Departure[]): Samples<"failure"> {
  const largest = Math.max(...round.filter(({ kind }) => kind === "submission").map(({ bytes }) => bytes), 0);
  const digest = Buffer.alloc(32);
  const roundId = digest.toString("hex");
  const signature = new Uint8Array(64);
  const opening = { opening: roundId, signature };
  const refusal = { reason: "below_quorum", party: "", detail: "" };
  return {
    "Rounds.Participate/refuse": encode({ type: "refuse", roundId, ...refusal, signature }),
    "Rounds.Participate/invalid": encode({ type: "invalid", roundId, aggregate: roundId, signature }),
    "Rounds.Participate/renounced": encode({ type: "renounced", roundId, signature }),
    "Rounds.Participate/refuseEpoch": encode({ type: "refuseEpoch", opening: roundId, ...refusal }),
    "Rounds.Participate/complainEpoch": encode({
      type: "complainEpoch",
      ...opening,
      about: "other-1",
      kind: "share",
    }),
    "Rounds.Participate/answerComplaint": encode({
      type: "answerComplaint",
      ...opening,
      to: "other-1",
      kind: "share",
      secret: new Uint8Array(32),
    }),
    "Blobs.Stat": Blobs.service.Stat.requestSerialize({ digest, size: largest }),
    "Blobs.Upload": new Uint8Array(largest),
  };
}

/** As long as one to another key. */
function successionSample(consortium: string, holder: string, identity: Identity): string {
  const { verifierKey, hpkeKey } = publicIdentity(identity);
  const signer = noteSigner(identity.name, identity.signingSeed);
  const keys = { holder, from: verifierKey, to: verifierKey, hpkeKey };
  return successionLine(signSuccession(consortium, keys, signer, signer));
}

const cosignatureLine = (enterprise: string, { signingSeed }: Identity): string =>
  cosign("", cosigner(enterprise, signingSeed, 0));

const encode = (message: PartyMessage | PartyEpochMessage): Buffer =>
  Rounds.service.Participate.requestSerialize(toOneof(message));

const fetchRequest = (digests: readonly Digest[]): Buffer =>
  Blobs.service.Fetch.requestSerialize({ digests: digests.map((digest) => Buffer.from(digest, "hex")) });

const isInRound = (kind: OutgoingKind): kind is KindsSent<"in a round"> => outgoing[kind] === "in a round";

/** What this enterprise says to open a key epoch, with the key that one of them deals: any may be the one. */
function samplesOfOpening(
  { transcript }: Consortium["epoch"],
  enterprise: string,
): Readonly<
  Record<
    Extract<OutgoingKind, `Rounds.Participate/${"joinEpoch" | "epochNonce" | "shareEpoch" | "confirmEpoch"}`>,
    Uint8Array
  >
> {
  const messages = transcript.flatMap((one) => ("from" in one ? [one] : []));
  const dealt = messages.flatMap(({ message }) =>
    message.type === "shareEpoch" ? (message.dealt ?? []) : [],
  );
  const said = (type: PartyEpochMessage["type"]): Buffer => {
    const { message } = messages.find(({ from, message: by }) => from === enterprise && by.type === type)!;
    return encode(message.type === "shareEpoch" ? { ...message, dealt: dealt[0]! } : message);
  };
  return {
    "Rounds.Participate/joinEpoch": said("joinEpoch"),
    "Rounds.Participate/epochNonce": said("epochNonce"),
    "Rounds.Participate/shareEpoch": said("shareEpoch"),
    "Rounds.Participate/confirmEpoch": said("confirmEpoch"),
  };
}

const departuresOf = (
  destination: string,
  samples: Readonly<Partial<Record<OutgoingKind, Uint8Array>>>,
): Departure[] =>
  Object.entries(samples).map(([kind, bytes]) => departure(destination, outgoingKind(kind), bytes));

const departure = (destination: string, kind: OutgoingKind, bytes: Uint8Array): Departure => ({
  destination,
  kind,
  bytes: bytes.length,
  digest: digestOf(bytes),
});
