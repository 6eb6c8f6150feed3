/**
 * A whole consortium in one process: both machines, wired by a queue instead of a network. There is no clock:
 * a deadline is over as soon as nobody has anything left to say.
 */

import { type Digest, digestOf } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { generateIdentity, publicIdentity } from "../identity.ts";
import { newSignerKey, noteSigner, parseSignerKey, parseVerifierKey } from "../log/note.ts";
import { openRoster, type Roster, signRoster } from "../roster.ts";
import { leastThreshold } from "./binding.ts";
import {
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
  type CoordinatorStep,
  coordinatorStep,
  openRound,
  type ReleasePoint,
  type RoundRecord,
  resumeRelease,
} from "./coordinator/coordinator.ts";
import type { Bfv, RunningSum } from "./encryption/bfv.ts";
import { chunkCount } from "./encryption/bfv-format.ts";
import type { PartyId } from "./graph.ts";
import { encryptionName, type RoundHeader, sumProtocol } from "./header.ts";
import { acceptEpochKey, dealEpoch, epochDealer, type KeyEpoch, relayEpoch } from "./key-epoch.ts";
import type { VectorLayout } from "./layout.ts";
import type { CoordinatorRoundMessage, PartyRoundMessage } from "./messages.ts";
import {
  idleParty,
  type LocalFacts,
  type PartyContext,
  type PartyEffect,
  type PartyEvent,
  type PartyRecord,
  type PartyState,
  partyStep,
} from "./party/party.ts";
import { performDecrypt, performFold, performSeal, performSplit, performUnmask } from "./work.ts";

/** Everyone's keys. */
export interface Consortium {
  readonly name: string;
  readonly roster: Roster;
  readonly parties: ReadonlyMap<PartyId, PartyContext>;
  readonly keyEpoch: KeyEpoch;
  /** The epoch's secret key, as each party opened it. */
  readonly keys: ReadonlyMap<PartyId, Uint8Array>;
}

/**
 * Founds a consortium: identities, a roster that bank and auditor signed, one key epoch.
 * @param members - organisation by party; equal organisations count once in `minCohort`.
 */
export async function foundConsortium(
  name: string,
  members: ReadonlyMap<PartyId, string>,
  bfv: Pick<Bfv, "generateKey">,
  random: Random,
): Promise<Consortium> {
  const identities = new Map(
    [...members.keys()].map((id) => [id, generateIdentity(`${name}/${id}`, random)]),
  );
  const [bank, auditor] = ["bank", "auditor"].map((role) => newSignerKey(`${name}/${role}`, random)) as [
    ReturnType<typeof newSignerKey>,
    ReturnType<typeof newSignerKey>,
  ];
  const signers = [bank, auditor].map(({ keep }) => {
    const { name: signer, seed } = parseSignerKey(keep);
    return noteSigner(signer, seed);
  });
  const text = {
    consortium: name,
    version: 1,
    members: [...members].map(([id, organisation]) => ({
      id,
      organisation,
      ...publicIdentity(identities.get(id)!),
    })),
  };
  const roster = openRoster(
    signRoster(text, signers),
    parseVerifierKey(bank.send),
    parseVerifierKey(auditor.send),
  );
  const parties = new Map([...identities].map(([id, identity]) => [id, { id, identity, roster, random }]));
  const epoch = 1;
  const dealer = epochDealer(roster, epoch);
  const dealt = await dealEpoch(epoch, await bfv.generateKey(), parties.get(dealer)!);
  const keys = new Map<PartyId, Uint8Array>();
  for (const [id, message] of relayEpoch(dealt, dealer, epoch, roster))
    keys.set(id, (await acceptEpochKey(message, undefined, parties.get(id)!)).keep);
  return { name, roster, parties, keyEpoch: { epoch, commitment: dealt.commitment }, keys };
}

/** What a round is about; the rest of its header follows from the consortium. */
export interface RoundSubject {
  readonly layout: VectorLayout;
  readonly minCohort: number;
  readonly round: number;
  readonly study?: Digest;
  readonly algorithm?: RoundHeader["algorithm"];
  readonly state?: Digest;
}

export const simulatedHeader = (
  { name, roster, keyEpoch }: Consortium,
  subject: RoundSubject,
  cohort: readonly PartyId[],
  attempt = 1,
): RoundHeader => ({
  protocol: sumProtocol,
  consortium: name,
  study: subject.study ?? digestOf("simulated study"),
  round: subject.round,
  attempt,
  algorithm: subject.algorithm ?? { index: 0, name: "simulated", step: subject.round - 1 },
  state: subject.state ?? digestOf(`state before round ${subject.round}`),
  roster: roster.digest,
  cohort: [...cohort].sort(),
  minCohort: subject.minCohort,
  threshold: leastThreshold(cohort.length),
  keyEpoch,
  layout: { blocks: [...subject.layout.blocks] },
  protection: { masks: true, encryption: encryptionName, noise: "none" },
  unprotected: ["noise"],
  checkpoint: "",
  stepSeconds: 1,
});

/** Facts of an enterprise that consented to whatever the header says. */
export const willingFacts = (header: RoundHeader): LocalFacts => ({
  nowMillis: 0,
  consent: {
    expiresMillis: 1,
    manifest: {
      consortium: header.consortium,
      algorithms: Array.from({ length: header.algorithm.index + 1 }, () => ({ name: header.algorithm.name })),
      privacy: { minCohort: header.minCohort },
      unprotected: header.unprotected,
    },
  },
  policy: { minCohort: 2, algorithms: [header.algorithm.name], unprotected: ["noise"] },
  keyEpoch: { ...header.keyEpoch, rounds: 0 },
  last: undefined,
  checkpointConsistent: true,
});

export interface SimulationOptions {
  readonly bfv: Bfv;
  /** @returns shape [vectorLength(layout)]. */
  readonly contribute: (party: PartyId) => Float64Array | Promise<Float64Array>;
  /** What a party's own algorithm wants to sum; as the header says by default. */
  readonly ownLayout?: (party: PartyId) => VectorLayout;
  /** Changes, multiplies or (by []) drops a message on its way to the coordinator. */
  readonly onWayUp?: (from: PartyId, message: PartyRoundMessage) => readonly PartyRoundMessage[];
  /** The same on its way to a party. */
  readonly onWayDown?: (to: PartyId, message: CoordinatorRoundMessage) => readonly CoordinatorRoundMessage[];
  /** The message before which a party's connection ends for good. */
  readonly dropsBefore?: (party: PartyId) => PartyRoundMessage["type"] | undefined;
  readonly facts?: (party: PartyId, header: RoundHeader) => LocalFacts;
  /** What a party uploads in place of a blob. */
  readonly onUpload?: (from: PartyId, blob: Uint8Array) => Uint8Array;
  /** What a party or the coordinator fetches under a digest. */
  readonly onFetch?: (digest: Digest, blob: Uint8Array) => Uint8Array;
  readonly context?: (party: PartyId) => PartyContext;
}

/** Everything one attempt left behind. */
export interface SimulatedAttempt {
  readonly coordinator: CoordinatorState;
  readonly parties: ReadonlyMap<PartyId, PartyState>;
  /** The released sum, where there is one. */
  readonly sum: Extract<CoordinatorEffect, { readonly type: "advance" }> | undefined;
  readonly points: readonly ReleasePoint[];
  readonly roundRecords: readonly RoundRecord[];
  readonly partyRecords: ReadonlyMap<PartyId, readonly PartyRecord[]>;
  /** Payload bytes of all parties together, blobs included. */
  readonly bytes: { readonly up: number; readonly down: number };
  /** All that was uploaded or stored, by digest. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** Runs one attempt to its end. */
export const simulateAttempt = (
  header: RoundHeader,
  consortium: Consortium,
  options: SimulationOptions,
): Promise<SimulatedAttempt> =>
  new AttemptSimulation(header, consortium, options).run(openRound(header, consortium));

/**
 * Finishes what an attempt stored after step 5, as a coordinator does that comes back from a crash.
 * @param before - the parties' states and the blobs outlive the coordinator.
 */
export const simulateResume = (
  point: ReleasePoint,
  before: Pick<SimulatedAttempt, "parties" | "blobs">,
  consortium: Consortium,
  options: SimulationOptions,
): Promise<SimulatedAttempt> =>
  new AttemptSimulation(point.header, consortium, options, before).run(resumeRelease(point, consortium));

type Item =
  | { readonly to: "coordinator"; readonly event: CoordinatorEvent }
  | { readonly to: "party"; readonly party: PartyId; readonly event: PartyEvent };

class AttemptSimulation {
  readonly #header: RoundHeader;
  readonly #consortium: Consortium;
  readonly #options: SimulationOptions;
  readonly #queue: Item[] = [];
  readonly #parties: Map<PartyId, PartyState>;
  readonly #gone = new Set<PartyId>();
  readonly #blobs: Map<Digest, Uint8Array>;
  readonly #points: ReleasePoint[] = [];
  readonly #roundRecords: RoundRecord[] = [];
  readonly #partyRecords = new Map<PartyId, PartyRecord[]>();
  #coordinator!: CoordinatorState;
  #running: RunningSum | undefined;
  #sum: SimulatedAttempt["sum"];
  #up = 0;
  #down = 0;

  constructor(
    header: RoundHeader,
    consortium: Consortium,
    options: SimulationOptions,
    before?: Pick<SimulatedAttempt, "parties" | "blobs">,
  ) {
    this.#header = header;
    this.#consortium = consortium;
    this.#options = options;
    this.#parties = new Map(before?.parties ?? header.cohort.map((id) => [id, idleParty]));
    this.#blobs = new Map(before?.blobs);
  }

  async run(begin: CoordinatorStep): Promise<SimulatedAttempt> {
    await this.#enter(begin);
    for (;;) {
      const item = this.#queue.shift() ?? this.#deadline();
      if (item === undefined) break;
      if (item.to === "coordinator")
        await this.#enter(coordinatorStep(this.#coordinator, item.event, this.#consortium));
      else await this.#tell(item.party, item.event);
    }
    await this.#running?.discard();
    return {
      coordinator: this.#coordinator,
      parties: this.#parties,
      sum: this.#sum,
      points: this.#points,
      roundRecords: this.#roundRecords,
      partyRecords: this.#partyRecords,
      bytes: { up: this.#up, down: this.#down },
      blobs: this.#blobs,
    };
  }

  #deadline(): Item | undefined {
    const state = this.#coordinator;
    return state.phase === "closed" || state.phase === "aborted"
      ? undefined
      : { to: "coordinator", event: { type: "deadline", wait: state.round.wait } };
  }

  async #enter({ state, effects }: CoordinatorStep): Promise<void> {
    this.#coordinator = state;
    for (const effect of effects) {
      const event = await this.#coordinate(effect);
      if (event !== undefined) this.#queue.push({ to: "coordinator", event });
    }
  }

  async #coordinate(effect: CoordinatorEffect): Promise<CoordinatorEvent | undefined> {
    switch (effect.type) {
      case "send":
        this.#sendDown(effect.to, effect.message);
        return undefined;
      case "wait":
        return undefined;
      case "fold":
        return performFold(effect, this.#runningSum(effect.chunks.length), this.#fetch);
      case "unmask": {
        const sum = this.#runningSum(chunkCount(effect.packing.slots));
        this.#running = undefined;
        return performUnmask(effect, sum, async (blob) => this.#store(blob));
      }
      case "persist":
        this.#points.push(effect.point);
        return undefined;
      case "record":
        this.#roundRecords.push(effect.record);
        return undefined;
      case "advance":
        this.#sum = effect;
        return { type: "advanced", state: digestOf(effect.digest) };
    }
  }

  #runningSum(chunks: number): RunningSum {
    this.#running ??= this.#options.bfv.openSum(chunks);
    return this.#running;
  }

  readonly #fetch = async (digest: Digest): Promise<Uint8Array> => {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) throw new Refusal("not_found", `blob ${digest}`);
    return this.#options.onFetch?.(digest, blob) ?? blob;
  };

  #store(blob: Uint8Array): Digest {
    const digest = digestOf(blob);
    this.#blobs.set(digest, blob);
    return digest;
  }

  #sendDown(party: PartyId, message: CoordinatorRoundMessage): void {
    if (this.#gone.has(party)) return;
    for (const sent of this.#options.onWayDown?.(party, message) ?? [message]) {
      this.#down += payloadBytes(sent);
      const facts = this.#options.facts ?? ((_, header) => willingFacts(header));
      const event: PartyEvent =
        sent.type === "open"
          ? { type: "open", message: sent, local: facts(party, this.#header) }
          : { type: "message", message: sent };
      this.#queue.push({ to: "party", party, event });
    }
  }

  async #tell(party: PartyId, event: PartyEvent): Promise<void> {
    if (this.#gone.has(party)) return;
    const context = this.#options.context?.(party) ?? this.#consortium.parties.get(party)!;
    const { state, effects } = partyStep(this.#parties.get(party)!, event, context);
    this.#parties.set(party, state);
    for (const effect of effects) {
      if (this.#gone.has(party)) return;
      try {
        const answer = await this.#takePart(party, effect);
        if (answer !== undefined) this.#queue.push({ to: "party", party, event: answer });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { reason, message: detail } = error;
        const failed: PartyEvent = { type: "failed", roundId: roundIdOfEffect(effect), reason, detail };
        this.#queue.push({ to: "party", party, event: failed });
        return;
      }
    }
  }

  async #takePart(party: PartyId, effect: PartyEffect): Promise<PartyEvent | undefined> {
    const { bfv, contribute } = this.#options;
    const key = this.#consortium.keys.get(party)!;
    switch (effect.type) {
      case "split":
        return performSplit(effect);
      case "contribute": {
        const values = await contribute(party);
        const layout = this.#options.ownLayout?.(party) ?? effect.header.layout;
        return { type: "contributed", roundId: effect.roundId, values, layout };
      }
      case "seal":
        return performSeal(effect, bfv, key);
      case "record": {
        const records = this.#partyRecords.get(party) ?? [];
        this.#partyRecords.set(party, [...records, effect.record]);
        return undefined;
      }
      case "send":
        this.#sendUp(party, effect.message, effect.blobs ?? []);
        return undefined;
      case "decrypt": {
        const decrypted = await performDecrypt(effect, bfv, key, this.#fetch);
        for (const digest of effect.chunks) this.#down += this.#blobs.get(digest)!.length;
        return decrypted;
      }
    }
  }

  #sendUp(from: PartyId, message: PartyRoundMessage, blobs: readonly Uint8Array[]): void {
    if (this.#options.dropsBefore?.(from) === message.type) {
      this.#gone.add(from);
      this.#queue.push({ to: "coordinator", event: { type: "gone", party: from } });
      return;
    }
    for (const made of blobs) {
      const blob = this.#options.onUpload?.(from, made) ?? made;
      this.#store(blob);
      this.#up += blob.length;
    }
    for (const sent of this.#options.onWayUp?.(from, message) ?? [message]) {
      this.#up += payloadBytes(sent);
      this.#queue.push({ to: "coordinator", event: { type: "message", from, message: sent } });
    }
  }
}

function roundIdOfEffect(effect: PartyEffect): Digest {
  if (effect.type === "send") return effect.message.roundId;
  return effect.type === "record" ? effect.record.roundId : effect.roundId;
}

const hexDigest = /^[0-9a-f]{64}$/;

/** @returns the bytes of a message's fields on the wire, without framing. */
function payloadBytes(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value === "string") return hexDigest.test(value) ? 32 : Buffer.byteLength(value);
  if (typeof value !== "object" || value === null) return 1;
  return Object.entries(value).reduce(
    (sum, [name, field]) => (name === "type" ? sum : sum + payloadBytes(field)),
    0,
  );
}
