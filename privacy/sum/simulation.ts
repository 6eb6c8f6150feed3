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
import { certificateDigest } from "./certificate.ts";
import {
  type CoordinatorContext,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
  type CoordinatorStep,
  coordinatorStep,
  type Opening,
  openRound,
  type RoundPoint,
  type RoundRecord,
  resumeRound,
} from "./coordinator/coordinator.ts";
import { readStored, storedText } from "./coordinator/point.ts";
import type { Bfv, RunningSum } from "./encryption/bfv.ts";
import { chunkCount } from "./encryption/bfv-format.ts";
import { type FoundedEpoch, foundEpoch } from "./epoch/simulation.ts";
import type { PartyId } from "./graph.ts";
import { type RoundHeader, roundIdOf, sumProtocol } from "./header.ts";
import type { VectorLayout } from "./layout.ts";
import type { CoordinatorRoundMessage, PartyRoundMessage, Unmask } from "./messages.ts";
import type { NoiseTerms } from "./noise-terms.ts";
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
import { layersOff, protectionOf } from "./protection.ts";
import {
  performDecrypt,
  performFold,
  performJudge,
  performSeal,
  performUnmask,
  performVerify,
} from "./work.ts";

/** What a node keeps between attempts: its machine in memory, and of each step what it stored durably. */
export interface SimulatedNode {
  state: PartyState;
  readonly seen: Set<Digest>;
  readonly steps: Map<string, LocalFacts["step"]>;
}

/** Everyone's keys and memory. */
export interface Consortium {
  readonly name: string;
  readonly roster: Roster;
  readonly parties: ReadonlyMap<PartyId, PartyContext>;
  readonly nodes: ReadonlyMap<PartyId, SimulatedNode>;
  readonly maxColluding: number;
  readonly number: number;
  readonly epoch: FoundedEpoch;
  /** The next slot of the epoch. */
  readonly slots: { next: number };
}

/**
 * Founds a consortium: identities, a roster that bank and auditor signed, one key epoch of everyone.
 * @param members - organisation by party.
 */
export async function foundConsortium(
  name: string,
  members: ReadonlyMap<PartyId, string>,
  bfv: Pick<Bfv, "generateKey">,
  random: Random,
  maxColluding = 1,
): Promise<Consortium> {
  const identities = new Map(
    [...members.keys()].map((id) => [id, generateIdentity(`${name}/${id}`, random)]),
  );
  const signerKeys = ["bank", "auditor"].map((role) => newSignerKey(`${name}/${role}`, random));
  const [bankKey, auditorKey] = signerKeys.map(({ send }) => parseVerifierKey(send));
  const signers = signerKeys.map(({ keep }) => {
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
  const roster = openRoster(signRoster(text, signers), bankKey!, auditorKey!);
  const parties = new Map([...identities].map(([id, identity]) => [id, { id, identity, roster, random }]));
  const nodes = new Map<PartyId, SimulatedNode>(
    [...members.keys()].map((id) => [id, { state: idleParty, seen: new Set(), steps: new Map() }]),
  );
  const epoch = await foundEpoch({ roster, parties, maxColluding, bfv });
  return { name, roster, parties, nodes, maxColluding, number: 1, epoch, slots: { next: 0 } };
}

/** @returns the consortium in its next key epoch. @param members - who is present; everyone by default. */
export async function renewEpoch(
  consortium: Consortium,
  bfv: Pick<Bfv, "generateKey">,
  members: readonly PartyId[] = [...consortium.parties.keys()],
): Promise<Consortium> {
  const number = consortium.number + 1;
  const epoch = await foundEpoch({ ...consortium, bfv, epoch: number, members });
  return { ...consortium, number, epoch, slots: { next: 0 } };
}

/** What a round is about; the rest of its header follows from the consortium. */
export interface RoundSubject {
  readonly layout: VectorLayout;
  readonly minCohort: number;
  readonly round: number;
  readonly study?: Digest;
  readonly algorithm?: RoundHeader["algorithm"];
  readonly state?: Digest;
  readonly noise?: NoiseTerms;
}

/** Takes the epoch's next slot. */
export const simulatedHeader = (
  { name, roster, epoch, slots }: Consortium,
  subject: RoundSubject,
  cohort: readonly PartyId[],
  attempt = 1,
  follows: RoundHeader["follows"] = null,
): RoundHeader => ({
  protocol: sumProtocol,
  consortium: name,
  study: subject.study ?? digestOf("simulated study"),
  round: subject.round,
  attempt,
  algorithm: subject.algorithm ?? { index: 0, name: "simulated", step: subject.round - 1 },
  state: subject.state ?? digestOf(`state before round ${subject.round}`),
  roster: roster.digest,
  epoch: epoch.open.digest,
  slot: slots.next++,
  cohort: [...cohort].sort(),
  minCohort: subject.minCohort,
  threshold: epoch.open.header.threshold,
  layout: { blocks: [...subject.layout.blocks] },
  protection: protectionOf(subject.noise),
  unprotected: layersOff(protectionOf(subject.noise)),
  ...(subject.noise === undefined ? {} : { noise: subject.noise }),
  follows,
  checkpoint: "",
  stepSeconds: 1,
});

const stepName = ({ study, round }: RoundHeader): string => `${study} ${round}`;

/** Facts of an enterprise that consented to whatever the header says, and of what its node remembers. */
export function willingFacts(header: RoundHeader, consortium: Consortium, party: PartyId): LocalFacts {
  const { nodes, epoch, maxColluding } = consortium;
  const { seen, steps } = nodes.get(party)!;
  const { algorithm, layout, round, state } = header;
  return {
    nowMillis: 0,
    seen: seen.has(roundIdOf(header)),
    consent: {
      expiresMillis: 1,
      manifest: {
        consortium: header.consortium,
        algorithms: Array.from({ length: algorithm.index + 1 }, () => ({ name: algorithm.name })),
        privacy: { minCohort: header.minCohort, maxColluding },
        unprotected: header.unprotected,
      },
    },
    policy: { minCohort: 2, algorithms: [algorithm.name], unprotected: ["noise"], cohortChange: "accept" },
    withinBudget: true,
    exactSums: { left: 1, survivors: [] },
    epoch: epoch.secrets.get(party),
    next: { round, algorithm, state, layout, noise: header.noise, among: undefined },
    step: steps.get(stepName(header)) ?? { locked: undefined, spent: undefined },
    checkpointConsistent: true,
  };
}

export interface SimulationOptions {
  readonly bfv: Bfv;
  /** @returns shape [vectorLength(layout)]. */
  readonly contribute: (party: PartyId) => Float64Array | Promise<Float64Array>;
  readonly opening?: Opening;
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
  /** What the coordinator stores as the aggregate. */
  readonly onAggregate?: (blob: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  /** What a party does in place of an effect, where that is not undefined. */
  readonly onPartyEffect?: (
    party: PartyId,
    effect: PartyEffect,
  ) => PartyEvent | undefined | Promise<PartyEvent | undefined>;
  readonly context?: (party: PartyId) => PartyContext;
  /** Runs what a party does about one event, and may measure it. */
  readonly aroundParty?: (work: () => Promise<void>) => Promise<void>;
  /** Whether the coordinator is killed once it has performed this effect. */
  readonly killedAfter?: (effect: CoordinatorEffect) => boolean;
}

/** Everything one attempt left behind. */
export interface SimulatedAttempt {
  readonly header: RoundHeader;
  readonly coordinator: CoordinatorState;
  readonly isKilled: boolean;
  readonly parties: ReadonlyMap<PartyId, PartyState>;
  /** The released sum, where there is one. */
  readonly sum: Extract<CoordinatorEffect, { readonly type: "advance" }> | undefined;
  /** What the coordinator stored: its last point, and unmask messages, as text. */
  readonly stored: { readonly point: string | undefined; readonly unmasked: readonly string[] };
  readonly roundRecords: readonly RoundRecord[];
  readonly partyRecords: ReadonlyMap<PartyId, readonly PartyRecord[]>;
  /** The kinds of what each party did, in order. */
  readonly partyEffects: ReadonlyMap<PartyId, readonly PartyEffect["type"][]>;
  /** Payload of all parties together, blobs included. */
  readonly bytes: { readonly up: number; readonly down: number };
  readonly messages: { readonly up: number; readonly down: number };
  /** All that was uploaded or stored, by digest. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

const nothing: Opening = { lifts: [], evidence: new Uint8Array() };

const contextOf = ({ roster, epoch }: Consortium): CoordinatorContext => ({
  roster,
  epoch: epoch.open,
  hashes: epoch.hashes,
});

/** Runs one attempt to its end. */
export const simulateAttempt = (
  header: RoundHeader,
  consortium: Consortium,
  options: SimulationOptions,
): Promise<SimulatedAttempt> =>
  new AttemptSimulation(header, consortium, options).run(
    openRound(header, options.opening ?? nothing, contextOf(consortium)),
  );

/**
 * Finishes what an attempt stored, as a coordinator does that comes back from a crash.
 * @internal for tests of recovery
 */
export function simulateResume(
  { header, stored, blobs }: Pick<SimulatedAttempt, "header" | "stored" | "blobs">,
  consortium: Consortium,
  options: SimulationOptions,
): Promise<SimulatedAttempt> {
  const point = readStored<RoundPoint>(stored.point!);
  const unmasked = stored.unmasked.map((text) => readStored<{ from: PartyId; message: Unmask }>(text));
  return new AttemptSimulation(header, consortium, options, blobs).run(
    resumeRound(point, unmasked, contextOf(consortium)),
  );
}

/**
 * A node starts again: what it had in memory is gone, what it stored is not.
 * @internal for tests of recovery
 */
export function restartNode({ nodes, epoch }: Consortium, party: PartyId): void {
  nodes.get(party)!.state = idleParty;
  (epoch.secrets as Map<PartyId, unknown>).delete(party);
}

/** Deadlines in a row after which a simulated coordinator gives an attempt up. */
const mostWaits = 6;

type Item =
  | { readonly to: "coordinator"; readonly event: CoordinatorEvent }
  | { readonly to: "party"; readonly party: PartyId; readonly event: PartyEvent };

class AttemptSimulation {
  readonly #header: RoundHeader;
  readonly #consortium: Consortium;
  readonly #context: CoordinatorContext;
  readonly #options: SimulationOptions;
  readonly #queue: Item[] = [];
  readonly #gone = new Set<PartyId>();
  readonly #blobs: Map<Digest, Uint8Array>;
  readonly #roundRecords: RoundRecord[] = [];
  readonly #partyRecords = new Map<PartyId, PartyRecord[]>();
  readonly #partyEffects = new Map<PartyId, PartyEffect["type"][]>();
  readonly #unmasked: string[] = [];
  #point: string | undefined;
  #coordinator!: CoordinatorState;
  #isKilled = false;
  #running: RunningSum | undefined;
  #sum: SimulatedAttempt["sum"];
  #waits = 0;
  readonly #bytes = { up: 0, down: 0 };
  readonly #messages = { up: 0, down: 0 };

  constructor(
    header: RoundHeader,
    consortium: Consortium,
    options: SimulationOptions,
    blobs?: ReadonlyMap<Digest, Uint8Array>,
  ) {
    this.#header = header;
    this.#consortium = consortium;
    this.#context = contextOf(consortium);
    this.#options = options;
    this.#blobs = new Map(blobs);
  }

  async run(begin: CoordinatorStep): Promise<SimulatedAttempt> {
    await this.#enter(begin);
    for (;;) {
      const item = this.#queue.shift() ?? this.#deadline();
      if (item === undefined) break;
      if (item.to === "party") {
        const { party, event } = item;
        const work = () => this.#tell(party, event);
        await (this.#options.aroundParty?.(work) ?? work());
      } else if (!this.#isKilled)
        await this.#enter(coordinatorStep(this.#coordinator, item.event, this.#context));
    }
    await this.#running?.discard();
    const { nodes, epoch } = this.#consortium;
    return {
      header: this.#header,
      coordinator: this.#coordinator,
      isKilled: this.#isKilled,
      parties: new Map(epoch.open.header.members.map((id) => [id, nodes.get(id)!.state])),
      sum: this.#sum,
      stored: { point: this.#point, unmasked: this.#unmasked },
      roundRecords: this.#roundRecords,
      partyRecords: this.#partyRecords,
      partyEffects: this.#partyEffects,
      bytes: this.#bytes,
      messages: this.#messages,
      blobs: this.#blobs,
    };
  }

  #deadline(): Item | undefined {
    const state = this.#coordinator;
    if (this.#isKilled || !("round" in state)) return undefined;
    this.#waits++;
    return this.#waits > mostWaits
      ? {
          to: "coordinator",
          event: { type: "abort", reason: "deadline", detail: "nobody has anything left to say" },
        }
      : { to: "coordinator", event: { type: "deadline", wait: state.round.wait } };
  }

  async #enter({ state, effects }: CoordinatorStep): Promise<void> {
    if (state.phase !== this.#coordinator?.phase) this.#waits = 0;
    this.#coordinator = state;
    for (const effect of effects) {
      const event = await this.#coordinate(effect);
      if (event !== undefined) this.#queue.push({ to: "coordinator", event });
      if (this.#options.killedAfter?.(effect)) {
        this.#isKilled = true;
        return;
      }
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
        const event = await performUnmask(effect, sum, async (blob) =>
          this.#store((await this.#options.onAggregate?.(blob)) ?? blob),
        );
        if (event.type === "unmasked") this.#running = undefined;
        return event;
      }
      case "persist":
        this.#point = storedText(effect.point);
        return undefined;
      case "store":
        this.#unmasked.push(storedText({ from: effect.from, message: effect.message }));
        return undefined;
      case "record":
        this.#roundRecords.push(effect.record);
        return undefined;
      case "advance":
        this.#sum = effect;
        return { type: "advanced", certificate: certificateDigest(effect.certificate) };
    }
  }

  #runningSum(chunks: number): RunningSum {
    this.#running ??= this.#options.bfv.openSum(chunks);
    return this.#running;
  }

  readonly #fetch = async (digest: Digest): Promise<Uint8Array> => {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) throw new Refusal("not_found", `blob ${digest}`);
    const given = this.#options.onFetch?.(digest, blob) ?? blob;
    if (digestOf(given) !== digest) throw new Refusal("digest_mismatch", `blob ${digest}`);
    return given;
  };

  readonly #download = async (digest: Digest): Promise<Uint8Array> => {
    const blob = await this.#fetch(digest);
    this.#bytes.down += blob.length;
    return blob;
  };

  #store(blob: Uint8Array): Digest {
    const digest = digestOf(blob);
    this.#blobs.set(digest, blob);
    return digest;
  }

  #sendDown(party: PartyId, message: CoordinatorRoundMessage): void {
    if (this.#gone.has(party)) return;
    for (const sent of this.#options.onWayDown?.(party, message) ?? [message]) {
      this.#bytes.down += payloadBytes(sent);
      this.#messages.down++;
      this.#queue.push({ to: "party", party, event: this.#eventOf(party, sent) });
    }
  }

  #eventOf(party: PartyId, message: CoordinatorRoundMessage): PartyEvent {
    if (message.type === "open") {
      const facts = this.#options.facts ?? ((id, header) => willingFacts(header, this.#consortium, id));
      return { type: "open", message, local: facts(party, this.#header) };
    }
    if (message.type !== "renounce") return { type: "message", message };
    const { steps } = this.#consortium.nodes.get(party)!;
    const spent = [...steps.values()].some((step) => step.spent === message.roundId);
    return { type: "renounce", message, spent };
  }

  async #tell(party: PartyId, event: PartyEvent): Promise<void> {
    if (this.#gone.has(party)) return;
    const context = this.#options.context?.(party) ?? this.#consortium.parties.get(party)!;
    const node = this.#consortium.nodes.get(party)!;
    const { state, effects } = partyStep(node.state, event, context);
    node.state = state;
    for (const effect of effects) {
      if (this.#gone.has(party)) return;
      this.#partyEffects.set(party, [...(this.#partyEffects.get(party) ?? []), effect.type]);
      try {
        const answer =
          (await this.#options.onPartyEffect?.(party, effect)) ?? (await this.#takePart(party, effect));
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
    const { nodes, epoch, roster } = this.#consortium;
    const node = nodes.get(party)!;
    switch (effect.type) {
      case "judge":
        return performJudge(effect, roster);
      case "contribute":
        return { type: "contributed", roundId: effect.roundId, values: await contribute(party) };
      case "seal":
        return performSeal(effect, bfv, epoch.secrets.get(party)!.bfvKey);
      case "record": {
        const { record } = effect;
        if (record.kind === "open") node.seen.add(record.roundId);
        this.#partyRecords.set(party, [...(this.#partyRecords.get(party) ?? []), record]);
        return undefined;
      }
      case "lock": {
        const name = stepName(effect.header);
        node.steps.set(name, { spent: node.steps.get(name)?.spent, locked: effect.step });
        return undefined;
      }
      case "spend": {
        const name = stepName(effect.header);
        node.steps.set(name, { locked: node.steps.get(name)?.locked, spent: effect.roundId });
        return undefined;
      }
      case "renounce":
        node.seen.add(effect.roundId);
        return undefined;
      case "send":
        this.#sendUp(party, effect.message, effect.blobs ?? []);
        return undefined;
      case "verify":
        return (await performVerify(effect, bfv, this.#download)).event;
      case "decrypt":
        return performDecrypt(effect, bfv, epoch.secrets.get(party)!.bfvKey, this.#download);
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
      this.#bytes.up += blob.length;
    }
    for (const sent of this.#options.onWayUp?.(from, message) ?? [message]) {
      this.#bytes.up += payloadBytes(sent);
      this.#messages.up++;
      this.#queue.push({ to: "coordinator", event: { type: "message", from, message: sent } });
    }
  }
}

function roundIdOfEffect(effect: PartyEffect): Digest {
  switch (effect.type) {
    case "send":
      return effect.message.roundId;
    case "record":
      return effect.record.roundId;
    case "lock":
      return effect.step.roundId;
    case "judge":
    case "contribute":
    case "seal":
    case "spend":
    case "renounce":
    case "verify":
    case "decrypt":
      return effect.roundId;
  }
}

/** A step with all attempts that it took. */
export interface SimulatedStep {
  readonly attempts: readonly SimulatedAttempt[];
  /** Who sits out from now on: in the half of an invalid sum that failed, or was not needed. */
  readonly out: readonly PartyId[];
}

/** Attempts of a step, at most. */
const mostAttempts = 20;

/**
 * Runs a step as a coordinator does: lifts locks, leaves out who is named, re-runs, splits.
 * @param optionsOf - by attempt, counted from 1, and its cohort.
 */
export async function simulateStep(
  consortium: Consortium,
  subject: RoundSubject,
  everyone: readonly PartyId[],
  optionsOf: (attempt: number, cohort: readonly PartyId[]) => SimulationOptions,
): Promise<SimulatedStep> {
  const attempts: SimulatedAttempt[] = [];
  const run = async (
    cohort: readonly PartyId[],
    opening: Opening,
    follows: RoundHeader["follows"],
  ): Promise<CoordinatorState> => {
    const number = attempts.length + 1;
    const header = simulatedHeader(consortium, subject, cohort, number, follows);
    const done = await simulateAttempt(header, consortium, { ...optionsOf(number, cohort), opening });
    attempts.push(done);
    return done.coordinator;
  };
  let lifts: Opening["lifts"] = [];
  let cohort = everyone;
  let end = await run(cohort, { ...nothing, lifts }, null);
  while (end.phase === "aborted" && attempts.length < mostAttempts) {
    if (end.lift !== undefined) lifts = [...lifts, end.lift];
    // who was only away is back
    const named = end.faults.filter(({ reason }) => reason !== "party_gone" && reason !== "party_late");
    cohort = cohort.filter((id) => !named.some(({ party }) => party === id));
    if (cohort.length < subject.minCohort) break;
    end = await run(cohort, { ...nothing, lifts }, null);
  }
  if (end.phase === "rerun") {
    const { roundId: of, evidence } = end;
    end = await run(end.cohort, { lifts, evidence }, { kind: "rerun", of });
  }
  if (end.phase !== "split") return { attempts, out: [] };
  const { roundId: of, evidence, halves } = end;
  const [first, second] = halves;
  const isHalf = { kind: "half", of } as const;
  if ((await run(first, { lifts, evidence }, isHalf)).phase === "closed") return { attempts, out: second };
  await run(second, { lifts, evidence }, isHalf);
  return { attempts, out: first };
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
