import { type Digest, digestOf } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import type { Refusal } from "../../core/reasons.ts";
import type { StudyManifest } from "../../models/study.ts";
import software from "../../package.json" with { type: "json" };
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import { parseHeader } from "../../privacy/sum/header.ts";
import type {
  CoordinatorMessage,
  CoordinatorRoundMessage,
  Open,
  PartyMessage,
} from "../../privacy/sum/messages.ts";
import { type PartyRecord, type PartyState, roundOf } from "../../privacy/sum/party/party.ts";
import { Log, protocolVersion, refusalOf } from "../../proto/wire.ts";
import { storedConsent } from "../ledger/records.ts";
import { LedgerFailure } from "../ledger/store.ts";
import { Contribution } from "./contribution.ts";
import type { FederationEvent } from "./events.ts";
import { lookUp } from "./local-facts.ts";
import { Membership } from "./membership.ts";
import { RoundRuntime } from "./round.ts";
import type { StudyDesk } from "./studies.ts";
import type { Participation } from "./transport.ts";
import { cosignCheckpoint } from "./witness.ts";

export interface ParticipantOptions extends StudyDesk {
  readonly bfv: Bfv;
  readonly random: Random;
  readonly emit: (event: FederationEvent) => void;
}

/** How long an ended stream may take to be closed by the other side. */
const farewellMillis = 1000;

/** An enterprise's part in rounds and key epochs, over as many connections as it takes. */
export class Participant {
  readonly #options: ParticipantOptions;
  readonly #membership: Membership;
  readonly #contribution: Contribution;
  /** One machine a study; it outlives a connection, so that a coordinator that comes back can go on. */
  readonly #runtimes = new Map<Digest, RoundRuntime>();
  #stream: Participation | undefined;
  #reported: Promise<void> = Promise.resolve();
  /** What ends the node, found outside the stream's loop. */
  #failure: Refusal | undefined;

  constructor(options: ParticipantOptions) {
    this.#options = options;
    this.#membership = new Membership(options);
    this.#contribution = new Contribution(options);
  }

  /**
   * Connects and takes part until the connection ends.
   * @throws Refusal that ended it; resolves when the coordinator did.
   */
  async takePart(onConnected: () => void): Promise<void> {
    await this.#options.transport.checkHealth();
    await this.#membership.fetchRoster();
    const stream = this.#options.transport.participate();
    this.#stream = stream;
    try {
      stream.send({ type: "hello", protocolVersion, softwareVersion: software.version });
      onConnected();
      for await (const message of stream) await this.#on(message);
    } catch (error) {
      throw this.#failure ?? error;
    } finally {
      this.#stream = undefined;
      stream.cancel();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Leaves at once. */
  cancel(): void {
    this.#stream?.cancel();
  }

  get isConnected(): boolean {
    return this.#stream !== undefined;
  }

  /** Leaves after what is under way was said: `takePart` then resolves. */
  async end(): Promise<void> {
    await Promise.all([...this.#runtimes.values()].map((runtime) => runtime.settled));
    this.#stream?.end();
    setTimeout(() => this.cancel(), farewellMillis).unref();
  }

  async #on(message: CoordinatorMessage): Promise<void> {
    try {
      switch (message.type) {
        case "dealEpoch":
          this.#say(await this.#membership.deal(message));
          break;
        case "epochKey":
          this.#say(await this.#membership.accept(message));
          break;
        case "open":
          await this.#open(message);
          break;
        default:
          this.#instruct(message);
      }
    } catch (error) {
      this.#raise(error, "");
    }
  }

  #say(message: PartyMessage): void {
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

  async #open(message: Open): Promise<void> {
    const roundId = digestOf(message.header);
    try {
      const header = parseHeader(message.header);
      await this.#membership.rosterOf(header.roster);
      const { local, witnessed, fork } = await lookUp(this.#options, header, this.#membership.epoch);
      const runtime = this.#runtimes.get(header.study) ?? this.#newRuntime();
      this.#runtimes.set(header.study, runtime);
      runtime.feed({ type: "open", message, local });
      if (fork !== undefined) {
        // The refusal is said first: the others shall hear of the fork.
        await runtime.settled;
        this.#fail(fork);
      } else if (witnessed !== undefined && runtime.state.phase === "advertised") {
        const { now } = this.#options;
        this.#inBackground(roundId, () => cosignCheckpoint(this.#options, witnessed, now()));
      }
    } catch (error) {
      const { reason } = this.#raise(error, roundId);
      // Why in words may speak of this enterprise's policy or rows: it stays here.
      if (this.#failure === undefined) this.#say({ type: "refuse", roundId, reason, party: "", detail: "" });
    }
  }

  #instruct(message: Exclude<CoordinatorRoundMessage, Open>): void {
    const { roundId } = message;
    const known = [...this.#runtimes.values()].find(({ state }) => roundOf(state) === roundId);
    // A machine that waits for a round refuses what is of none.
    (known ?? this.#newRuntime()).feed({ type: "message", message });
    if (message.type !== "closed") return;
    const { outcome, reason } = message;
    this.#options.emit({ type: "closed", roundId, outcome, reason });
    this.#inBackground(roundId, () => this.#reportLedger());
  }

  #newRuntime(): RoundRuntime {
    const { bfv, transport } = this.#options;
    return new RoundRuntime({
      bfv,
      context: () => this.#membership.context(),
      epochKey: (epoch) => this.#membership.epochKey(epoch),
      contribute: (header) => this.#contribution.compute(header),
      record: (record) => this.#record(record),
      upload: (blobs, roundId) => transport.upload(blobs, roundId),
      download: (digests) => transport.download(digests),
      send: (message) => this.#say(message),
      onPhase: (state) => this.#report(state),
      onFailure: (failure) => this.#raise(failure, ""),
    });
  }

  #record(record: PartyRecord): void {
    const { db, ledger, now, transport } = this.#options;
    const consent = storedConsent(db, record.header.study)!;
    const { unit } = (JSON.parse(consent.manifest) as StudyManifest).privacy;
    ledger.recordStep(record, { destination: transport.address, nowMillis: now(), unit });
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
  }

  /** One report after the other: a smaller ledger that arrives after a larger one would look rewound. */
  #reportLedger(): Promise<void> {
    const { ledger, transport } = this.#options;
    const report = this.#reported.then(async () => {
      await transport.call(Log.service.ReportLedger, { note: ledger.checkpoint() });
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
