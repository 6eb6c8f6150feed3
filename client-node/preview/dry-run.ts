import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import { StudyMemory } from "../../models/memory.ts";
import { algorithmNamed } from "../../models/registry.ts";
import type { StudyManifest } from "../../models/study.ts";
import {
  advanceStudy,
  type StudyState,
  startStudy,
  studyContribute,
  studyLayout,
} from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import software from "../../package.json" with { type: "json" };
import type { Identity } from "../../privacy/identity.ts";
import { signCheckpoint } from "../../privacy/log/checkpoint.ts";
import { signConsent } from "../../privacy/log/consent.ts";
import { cosign, cosigner } from "../../privacy/log/cosignature.ts";
import { emptyRoot } from "../../privacy/log/merkle.ts";
import { noteSigner } from "../../privacy/log/note.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import { planPacking, type VectorLayout } from "../../privacy/sum/layout.ts";
import type { PartyMessage } from "../../privacy/sum/messages.ts";
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

/** One round of an algorithm, as this enterprise would take part in it. */
export interface RehearsedRound {
  readonly algorithm: string;
  readonly layout: VectorLayout;
  /** Numbers that go into the sum. */
  readonly entries: number;
  /** Numbers below 2^42 that they are packed into, before masks and encryption. */
  readonly slots: number;
  readonly departures: readonly Departure[];
}

export interface Rehearsal {
  /** What leaves apart from rounds: calls of consent, standing and log. */
  readonly outsideRounds: readonly Departure[];
  /** The first round of each algorithm; its further rounds send the same. */
  readonly rounds: readonly RehearsedRound[];
  /** Why the rehearsal ended before the last algorithm, where it did: alone, an enterprise may not get to a result. */
  readonly stopped:
    | { readonly algorithm: string; readonly reason: Reason; readonly message: string }
    | undefined;
}

export interface RehearsalOptions {
  readonly enterprise: string;
  /** host:port of the coordinator. */
  readonly destination: string;
  readonly bfv: Bfv;
  readonly random: Random;
}

/** Enterprises in a rehearsed round, at most: a larger cohort sends a few more shares. */
const largestCohort = 12;

/**
 * Plays a study in this process, the other enterprises contributing zeros, with keys made for it and thrown away:
 * the messages are those of a real round in kind and size, and in nothing else. Nothing is sent or recorded.
 *
 * @param table - this enterprise's rows, desensitized.
 * @throws Refusal that the rows cause in the first round.
 */
export async function rehearse(
  manifest: StudyManifest,
  table: Table,
  options: RehearsalOptions,
): Promise<Rehearsal> {
  const short = oneRoundEach(manifest);
  const consortium = await foundConsortium(
    manifest.consortium,
    new Map(cohortOf(manifest, options.enterprise).map((id) => [id, id])),
    options.bfv,
    options.random,
    Math.max(1, manifest.privacy.maxColluding),
  );
  const rounds: RehearsedRound[] = [];
  let stopped: Rehearsal["stopped"];
  const means = { random: options.random, memory: new StudyMemory() };
  let state = startStudy(short);
  try {
    while (state.algorithm !== null) {
      const own = await studyContribute(short, state, table, means);
      const rehearsed =
        state.step === 0 ? await playRound(short, state, own, consortium, options) : undefined;
      if (rehearsed !== undefined) rounds.push(rehearsed.round);
      const sum = { values: rehearsed?.sum ?? own, parties: consortium.parties.size };
      state = await advanceStudy(short, state, sum);
    }
  } catch (error) {
    if (!(error instanceof Refusal) || rounds.length === 0) throw error;
    stopped = { algorithm: state.algorithm!, reason: error.reason, message: error.message };
  }
  return { outsideRounds: callsOutsideRounds(manifest, consortium, options), rounds, stopped };
}

/** An algorithm's further rounds send messages of the same size; one of them leads to a result all the same. */
const oneRoundEach = (manifest: StudyManifest): StudyManifest => ({
  ...manifest,
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
  { enterprise, destination, bfv }: RehearsalOptions,
): Promise<{ round: RehearsedRound; sum: Float64Array }> {
  const cohort = [...consortium.parties.keys()];
  const layout = studyLayout(manifest, state);
  const algorithm = { index: state.index, name: state.algorithm!, step: state.step };
  const header = simulatedHeader(
    consortium,
    {
      layout,
      algorithm,
      round: state.index + 1,
      minCohort: cohort.length,
      study: digestOf(canonicalBytes(manifest)),
      state: digestOf(canonicalBytes(state)),
    },
    cohort,
  );
  const departures: Departure[] = [];
  const leave = (kind: string, bytes: Uint8Array): void =>
    void departures.push(departure(destination, kind, bytes));
  const done = await simulateAttempt(header, consortium, {
    bfv,
    contribute: (id) => (id === enterprise ? own : new Float64Array(own.length)),
    onUpload(from, blob) {
      if (from === enterprise) leave("Blobs.Upload", blob);
      return blob;
    },
    onWayUp(from, message) {
      if (from !== enterprise) return [message];
      leave(`Rounds.Participate/${message.type}`, encode(message));
      return [message];
    },
    onWayDown(to, message) {
      if (to === enterprise && message.type === "aggregate")
        // the aggregate, and what it is recomputed from
        for (const chunk of [message, ...message.submissions].flatMap(({ chunks }) => chunks))
          leave("Blobs.Download", downloadRequest(chunk));
      return [message];
    },
  });
  if (done.sum === undefined) {
    const party = done.parties.get(enterprise);
    throw party?.phase === "refused"
      ? new Refusal(party.reason, party.detail)
      : new Refusal("internal", "the rehearsed round came to no sum");
  }
  const { slots } = planPacking(layout, cohort.length);
  const round = { algorithm: algorithm.name, layout, entries: own.length, slots, departures };
  return { round, sum: done.sum.sum.values };
}

function callsOutsideRounds(
  manifest: StudyManifest,
  { parties, epoch }: Consortium,
  { destination, enterprise }: RehearsalOptions,
): Departure[] {
  const study = Buffer.from(digestOf(canonicalBytes(manifest)), "hex");
  const { identity } = parties.get(enterprise)!;
  const signer = noteSigner(identity.name, identity.signingSeed);
  const consent = { consortium: manifest.consortium, enterprise, study: study.toString("hex"), expires: 0 };
  const checkpoint = { origin: identity.name, size: 0, root: emptyRoot };
  const hello = { type: "hello", protocolVersion, softwareVersion: software.version } as const;
  // to open a key epoch; the one that deals sends its key besides, which any of them may be
  const opening = epoch.transcript.flatMap((said) =>
    "from" in said && said.from === enterprise ? [said.message] : [],
  );
  return (
    [
      ["Health.Check", Health.service.Check.requestSerialize({ protocolVersion })],
      ["Studies.List", Studies.service.List.requestSerialize({})],
      ["Studies.Get", Studies.service.Get.requestSerialize({ study })],
      [
        "Studies.Consent",
        Studies.service.Consent.requestSerialize({
          study,
          expiresMillis: Date.UTC(2100, 0),
          note: signConsent(consent, signer),
        }),
      ],
      ["Membership.GetRoster", Membership.service.GetRoster.requestSerialize({})],
      ["Rounds.Participate/hello", encode(hello)],
      ...opening.map((message) => [`Rounds.Participate/${message.type}`, encode(message)] as const),
      ["Log.GetConsistency", Log.service.GetConsistency.requestSerialize({ oldSize: 1, newSize: 2 })],
      [
        "Log.Cosign",
        Log.service.Cosign.requestSerialize({ size: 1, line: cosignatureLine(enterprise, identity) }),
      ],
      [
        "Log.ReportLedger",
        Log.service.ReportLedger.requestSerialize({ note: signCheckpoint(checkpoint, signer) }),
      ],
    ] as const
  ).map(([kind, bytes]) => departure(destination, kind, bytes));
}

const cosignatureLine = (enterprise: string, { signingSeed }: Identity): string =>
  cosign("", cosigner(enterprise, signingSeed, 0));

const encode = (message: PartyMessage): Buffer =>
  Rounds.service.Participate.requestSerialize(toOneof(message));

const downloadRequest = (digest: Digest): Buffer =>
  Blobs.service.Download.requestSerialize({ digest: Buffer.from(digest, "hex"), offset: 0 });

const departure = (destination: string, kind: string, bytes: Uint8Array): Departure => ({
  destination,
  kind,
  bytes: bytes.length,
  digest: digestOf(bytes),
});
