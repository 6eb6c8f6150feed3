import { type Digest, digestOf } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { readManifest, type StudyManifest, tableOf } from "../../models/study.ts";
import { studyCohort } from "../../models/study-loop.ts";
import software from "../../package.json" with { type: "json" };
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { CoordinatorEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import { parseHeader, type RoundHeader } from "../../privacy/sum/header.ts";
import type {
  Closed,
  CoordinatorMessage,
  CoordinatorRoundMessage,
  Open,
} from "../../privacy/sum/messages.ts";
import {
  type LockedStep,
  type PartyRecord,
  type PartyState,
  roundOf,
} from "../../privacy/sum/party/party.ts";
import { signStatement } from "../../privacy/sum/statements.ts";
import { Log, protocolVersion, refusalOf } from "../../proto/wire.ts";
import { type Charged, openSteps } from "../ledger/budget.ts";
import { consentedManifests, storedConsent, submittedTo } from "../ledger/records.ts";
import { isSpent, liftLock, lockStep, renounceRound, spendStep } from "../ledger/steps.ts";
import { LedgerFailure } from "../ledger/store.ts";
import { policyDigest } from "../policy.ts";
import { rememberSummed } from "../rows/summed-rows.ts";
import { Ahead } from "./ahead.ts";
import { Certificates } from "./certificates.ts";
import type { IdentityFiles } from "./credentials.ts";
import type { FederationEvent } from "./events.ts";
import { KeyEpochs } from "./key-epochs.ts";
import { lookUp } from "./local-facts.ts";
import { Membership } from "./membership.ts";
import { PoliciesInForce } from "./policies-in-force.ts";
import { RoundRuntime } from "./round.ts";
import { StateChain } from "./state-chain.ts";
import type { Statistics } from "./statistics.ts";
import type { StudyDesk } from "./studies.ts";
import type { Participation, WirePartyMessage } from "./transport.ts";
import { cosignatureOf, type WitnessedCheckpoint } from "./witness.ts";

export interface ParticipantOptions extends StudyDesk {
  readonly bfv: Bfv;
  readonly random: Random;
  readonly identities?: IdentityFiles | undefined;
  readonly statistics: Statistics;
  /** Runs something after some seconds. @returns what calls it off. */
  readonly after: (seconds: number, run: () => void) => () => void;
  readonly emit: (event: FederationEvent) => void;
}

type Released = Extract<PartyState, { readonly phase: "released" }>;

/** How long an ended stream may take to be closed by the other side. */
const farewellSeconds = 1;

/** Messages that take no other round on, one after the other, for which the bank does not wait. */
const patientFor = 20;

/** Rounds that are known to be taken on. */
const roundsKept = 1000;

/** Machines kept of studies whose last round was refused. */
const refusedKept = 64;

/** An enterprise's part in rounds and key epochs, over as many connections as it takes. */
export class Participant {
  readonly #options: ParticipantOptions;
  readonly #membership: Membership;
  readonly #epochs: KeyEpochs;
  readonly #chain: StateChain;
  readonly #ahead: Ahead;
  readonly #policies: PoliciesInForce;
  /** One machine a study; it outlives a connection, so that a coordinator that comes back can go on. */
  readonly #runtimes = new Map<Digest, RoundRuntime>();
  #stream: Participation | undefined;
  readonly #left = Promise.withResolvers<void>();
  #reported: Promise<void> = Promise.resolve();
  /** The bank's log as the last header showed it: cosigned with the next report. */
  #witnessed: WitnessedCheckpoint | undefined;
  /** Rounds that this node has said something for other than that it refuses or renounces. */
  readonly #takenOn = new Set<Digest>();
  /** Messages since it took one on. */
  #fruitless = 0;
  /** What ends the node, found outside the stream's loop. */
  #failure: Refusal | undefined;

  constructor(options: ParticipantOptions) {
    const { db, bfv } = options;
    this.#options = options;
    this.#membership = new Membership(options);
    this.#policies = new PoliciesInForce(options.policy);
    this.#epochs = new KeyEpochs({
      db,
      bfv,
      after: options.after,
      context: () => this.#membership.context(),
      maxColluding: () => this.#maxColluding(),
      send: (message) => this.#say(message),
      onEnd: (outcome) => options.emit({ type: "epoch", ...outcome }),
      onFailure: (error) => this.#raise(error, ""),
    });
    const certificates = new Certificates(options);
    this.#chain = new StateChain({ ...options, certificates });
    this.#ahead = new Ahead(options.statistics);
  }

  /**
   * Connects and takes part until the connection ends.
   * @throws Refusal that ended it; resolves when the coordinator did.
   */
  async takePart(onConnected: () => void): Promise<void> {
    await this.#options.transport.checkHealth();
    await this.#membership.fetchRoster();
    this.#beginAgain();
    await this.#seeEnds();
    const stream = this.#options.transport.participate();
    this.#stream = stream;
    try {
      stream.send({ type: "hello", protocolVersion, softwareVersion: software.version });
      onConnected();
      // What a message asks for may never be done: whoever leaves does not wait for it.
      await Promise.race([this.#hear(stream), this.#left.promise]);
    } catch (error) {
      throw this.#failure ?? error;
    } finally {
      this.#stream = undefined;
      stream.cancel();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What could not be written down has ended a connection, not the node: it goes on as after a restart. */
  #beginAgain(): void {
    this.#failure = undefined;
    for (const [study, runtime] of this.#runtimes) if (runtime.hasFailed) this.#runtimes.delete(study);
  }

  /** Asks for the sums that were made of its submissions while it was away; what is not shown stays counted. */
  async #seeEnds(): Promise<void> {
    const { db } = this.#options;
    for (const { study, round } of openSteps(db)) {
      const consent = storedConsent(db, study);
      if (consent === undefined) continue;
      await this.#chain.catchUp(study, readManifest(consent.manifest), round + 1).catch((error: unknown) => {
        if (!(error instanceof Refusal) || error instanceof LedgerFailure) throw error;
      });
    }
  }

  /** Where this node's next keys wait, looks whether the roster has them by now: what is signed next is signed with them. */
  async followKeys(): Promise<void> {
    if ((this.#options.identities?.read().length ?? 0) > 1) await this.#membership.fetchRoster();
  }

  async #hear(stream: Participation): Promise<void> {
    for await (const message of stream) {
      this.#fruitless++;
      await this.#on(message);
      await this.#rest();
    }
  }

  /**
   * Each answer is in the ledger for good: a bank that asks for nothing but refusals, repetitions and key epochs is
   * heard ever slower.
   */
  async #rest(): Promise<void> {
    const seconds = Math.min(1, (this.#fruitless - patientFor) / 100);
    if (seconds > 0) await new Promise<void>((resolve) => this.#options.after(seconds, resolve));
  }

  /** Leaves at once. */
  cancel(): void {
    this.#left.resolve();
    this.#stream?.cancel();
  }

  get isConnected(): boolean {
    return this.#stream !== undefined;
  }

  /** Leaves after what is under way was said: `takePart` then resolves. */
  async end(): Promise<void> {
    await Promise.all([...this.#runtimes.values()].map((runtime) => runtime.settled));
    this.#stream?.end();
    this.#options.after(farewellSeconds, () => this.cancel());
  }

  /** Forgets the secrets of every epoch. */
  close(): void {
    this.#epochs.close();
  }

  async #on(message: CoordinatorMessage | CoordinatorEpochMessage): Promise<void> {
    try {
      switch (message.type) {
        case "openEpoch":
          await this.#membership.fetchRoster();
          this.#epochs.hear(message);
          break;
        case "epochJoined":
        case "epochNonces":
        case "epochShares":
        case "accuse":
        case "epochReady":
        case "epochFailed":
          this.#epochs.hear(message);
          break;
        case "open":
          await this.#open(message);
          break;
        case "survivors":
        case "agreed":
        case "aggregate":
        case "renounce":
        case "closed":
          await this.#instruct(message);
          break;
      }
    } catch (error) {
      this.#raise(error, "");
    }
  }

  #say(message: WirePartyMessage): void {
    if ("roundId" in message) this.#takeOn(message);
    this.#stream?.send(message);
  }

  /** Tells the operator; a ledger that cannot be written ends the node. */
  #raise(error: unknown, roundId: Digest | ""): Refusal {
    const refusal = refusalOf(error);
    const { reason, message } = refusal;
    if (error instanceof LedgerFailure) this.#fail(error);
    this.#options.emit({ type: "refused", roundId, reason, message });
    return refusal;
  }

  #fail(failure: Refusal): void {
    this.#failure ??= failure;
    this.#stream?.cancel();
  }

  #maxColluding(): number {
    const { db, now } = this.#options;
    const all = consentedManifests(db, now()).map(readManifest);
    return Math.max(0, ...all.map(({ privacy }) => privacy.maxColluding));
  }

  async #open(message: Open): Promise<void> {
    const roundId = digestOf(message.header);
    try {
      const header = parseHeader(message.header);
      await this.#membership.rosterOf(header.roster);
      const runtime = this.#runtimes.get(header.study) ?? this.#newRuntime();
      this.#runtimes.set(header.study, runtime);
      this.#forgetRefused();
      // What the round before left is the state that this one is held against.
      await runtime.settled;
      const epoch = this.#epochs.secretsOf(header.epoch);
      const asked = { roundId, growth: message.growth };
      const { local, witnessed, fork } = await lookUp(this.#options, this.#chain, asked, header, epoch);
      runtime.feed({ type: "open", message, local });
      const locked = local.step.locked?.roundId;
      // The machine has checked who renounced: only then it goes on with a step that is locked elsewhere.
      if (runtime.state.phase !== "refused" && message.lifts.some((lift) => lift.roundId === locked))
        liftLock(this.#options.db, locked!);
      if (fork !== undefined) {
        // The refusal is said first: the others shall hear of the fork.
        await runtime.settled;
        this.#fail(fork);
      } else if (runtime.state.phase !== "refused") this.#witnessed = witnessed;
    } catch (error) {
      const { reason } = this.#raise(error, roundId);
      if (this.#failure === undefined) this.#refuse(roundId, reason);
    }
  }

  #takeOn({ type, roundId }: Extract<WirePartyMessage, { readonly roundId: Digest }>): void {
    if (type === "refuse" || type === "renounced" || this.#takenOn.has(roundId)) return;
    if (this.#takenOn.size === roundsKept) this.#takenOn.clear();
    this.#takenOn.add(roundId);
    this.#fruitless = 0;
  }

  #forgetRefused(): void {
    const refused = [...this.#runtimes].filter(([, { state }]) => state.phase === "refused");
    for (const [study] of refused.slice(0, -refusedKept)) this.#runtimes.delete(study);
  }

  /** Why in words may speak of this enterprise's policy or rows: it stays here. */
  #refuse(roundId: Digest, reason: Refusal["reason"]): void {
    const { id, identity } = this.#membership.context();
    const statement = { purpose: "refuse", reason, accused: "", detail: "" } as const;
    const signature = signStatement(roundId, id, statement, identity);
    this.#say({ type: "refuse", roundId, reason, party: "", detail: "", signature });
  }

  async #instruct(message: Exclude<CoordinatorRoundMessage, Open>): Promise<void> {
    const { roundId } = message;
    const known = [...this.#runtimes.values()].find(({ state }) => roundOf(state) === roundId);
    // A machine that waits for a round refuses what is of none.
    const runtime = known ?? this.#newRuntime();
    if (message.type === "renounce") {
      runtime.feed({ type: "renounce", message, spent: isSpent(this.#options.db, roundId) });
      return;
    }
    if (message.type === "closed") {
      await this.#moveOn(runtime, message);
      runtime.feed({ type: "message", message });
      this.#options.emit({ type: "closed", roundId, outcome: message.outcome, reason: message.reason });
      this.#inBackground(roundId, () => this.#reportLedger());
      return;
    }
    runtime.feed({ type: "message", message });
  }

  /** The sum that this node decrypted and recomputed itself is the next step of the chain. */
  async #moveOn({ state }: RoundRuntime, { roundId, outcome }: Closed): Promise<void> {
    if (outcome !== "released" || state.phase !== "released" || roundOf(state) !== roundId) return;
    const { header } = state.attempt;
    const consent = storedConsent(this.#options.db, header.study);
    if (consent === undefined) return;
    const { values } = state;
    const parties = state.spent.survivors.length;
    const manifest = readManifest(consent.manifest);
    try {
      await this.#chain.advance(header.study, manifest, header.round, { values, parties });
    } catch (error) {
      // The sum has no result: the study ends here as it does at the bank.
      this.#raise(error, roundId);
    }
  }

  #newRuntime(): RoundRuntime {
    const { bfv, db, transport } = this.#options;
    return new RoundRuntime({
      bfv,
      context: () => this.#membership.context(),
      epochKey: (epoch) => this.#epochs.keyOf(epoch),
      contribute: (header, roundId) => this.#contribute(header, roundId),
      record: (record) => this.#record(record),
      lock: (header, step, survivors) => this.#lock(header, step, survivors),
      spend: (header, roundId) => {
        this.#policyOf(header, roundId);
        spendStep(db, roundId);
      },
      renounce: (roundId) => renounceRound(db, roundId),
      upload: (blobs, roundId) => transport.upload(blobs, roundId),
      download: (digests, roundId) => transport.downloadAll(digests, roundId),
      send: (message) => this.#say(message),
      onPhase: (state) => this.#report(state),
      onFailure: (failure) => this.#raise(failure, ""),
    });
  }

  async #contribute(header: RoundHeader, roundId: Digest): Promise<Float64Array> {
    const { db, rows } = this.#options;
    const manifest = readManifest(storedConsent(db, header.study)!.manifest);
    const policy = this.#policies.begin(header.study, roundId, manifest);
    const head = this.#chain.head(header.study, manifest);
    const table = await rows(manifest, policy);
    if (header.noise === undefined) rememberSummed(db, tableOf(manifest), table, policy.minRows);
    return this.#ahead.contribute(header.study, manifest, head, table);
  }

  /** The sum is known here: while the bank ends the round, what follows from it is worked out. */
  async #workAhead({ attempt, spent, values }: Released): Promise<void> {
    const { study, round } = attempt.header;
    const { credentials, db } = this.#options;
    const consent = storedConsent(db, study);
    if (consent === undefined || consent.withdrawn) return;
    const manifest = readManifest(consent.manifest);
    const parties = spent.survivors.length;
    const head = await this.#chain.foresee(study, manifest, round, { values, parties });
    if (head === undefined) return;
    if (head.state.algorithm === null) this.#ahead.forget(study);
    else if (studyCohort(manifest, head.state)?.includes(credentials.enterprise) !== false)
      this.#ahead.begin(study, manifest, head);
  }

  /** @returns digest of the policy in force, where the attempt has rows of this node. @throws Refusal where it forbids the study */
  #policyOf({ study }: RoundHeader, roundId: Digest): Digest | undefined {
    return this.#policies.require(study, roundId, this.#consented(study));
  }

  #lock(header: RoundHeader, { roundId, among, threshold }: LockedStep, survivors: readonly PartyId[]): void {
    const { credentials, db, ledger, now } = this.#options;
    const { roster } = this.#membership.context();
    const manifest = this.#consented(header.study);
    const holderOfStep = header.follows?.of;
    this.#policyOf(header, roundId);
    const isBystander =
      header.noise !== undefined && holderOfStep !== undefined && !survivors.includes(credentials.enterprise);
    if (isBystander && submittedTo(db, holderOfStep))
      ledger.recordBystander(roundId, header, this.#charged(header.study), now());
    lockStep(
      db,
      {
        roundId,
        study: header.study,
        round: header.round,
        state: header.state,
        table: tableOf(manifest),
        survivors,
        organisations: [...new Set(survivors.map((id) => roster.byId.get(id)!.organisation))].sort(),
        groups: { groups: manifest?.groups, minCohort: header.minCohort },
        exact: survivors.includes(credentials.enterprise) && header.protection.noise === "none",
        follows: holderOfStep,
        among,
        threshold,
      },
      this.#options.policy(manifest).exactSums,
    );
  }

  #record(record: PartyRecord): void {
    const { credentials, ledger, now, transport } = this.#options;
    const { enterprise } = credentials;
    const policy =
      this.#policyOf(record.header, record.roundId) ?? policyDigest(this.#options.policy(undefined));
    const charged = this.#charged(record.header.study);
    const destination = transport.address;
    ledger.recordStep(record, { destination, nowMillis: now(), charged, enterprise, policy });
  }

  /** In whose budget a study's sums are counted. */
  #charged(study: Digest): Charged {
    const manifest = this.#consented(study);
    const unit = manifest?.privacy.unit ?? "record";
    return { table: tableOf(manifest), unit, budget: this.#options.policy(manifest).maxEpsilon };
  }

  #consented(study: Digest): StudyManifest | undefined {
    const consent = storedConsent(this.#options.db, study);
    return consent && readManifest(consent.manifest);
  }

  #report(state: PartyState): void {
    const { emit } = this.#options;
    if (state.phase === "refused") {
      const { roundId, reason, detail } = state;
      emit({ type: "refused", roundId, reason, message: detail });
    } else if ("attempt" in state) {
      const { study, algorithm, round, attempt } = state.attempt.header;
      emit({ type: "round", study, algorithm: algorithm.name, round, attempt, phase: state.phase });
    }
    // Once what is to be said of the sum is on its way; what goes wrong ahead of time goes wrong again in its own.
    if (state.phase === "released") setImmediate(() => void this.#workAhead(state).catch(() => {}));
  }

  /** One report after the other: a smaller ledger that arrives after a larger one would look rewound. */
  #reportLedger(): Promise<void> {
    const { credentials, ledger, now, transport } = this.#options;
    const report = this.#reported.then(async () => {
      const witnessed = this.#witnessed;
      this.#witnessed = undefined;
      const cosignature = witnessed ? cosignatureOf(credentials, witnessed, now()) : null;
      await transport.call(Log.service.ReportLedger, { note: ledger.checkpoint(), cosignature });
    });
    this.#reported = report.catch(() => {});
    return report;
  }

  /** What a round does not wait for. */
  #inBackground(roundId: Digest, work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (this.#stream !== undefined) this.#raise(error, roundId);
    });
  }
}
