/** Runs one attempt of a round: performs what the pure machine asks for and feeds it what happens. */

import { toBase64 } from "../../core/bytes.ts";
import type { Digest } from "../../core/canonical.ts";
import { submissionsDigest } from "../../privacy/log/entry.ts";
import { coordinatorStep } from "../../privacy/sum/coordinator/coordinator.ts";
import type {
  CoordinatorContext,
  CoordinatorEffect,
  CoordinatorEvent,
  CoordinatorState,
  CoordinatorStep,
  Ended,
  RoundPoint,
  RoundRecord,
} from "../../privacy/sum/coordinator/state.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { PartySignature, Unmask } from "../../privacy/sum/messages.ts";
import { revealedDigest } from "../../privacy/sum/statements.ts";
import type { Bank, CrashPoint } from "../bank.ts";
import type { NewEntry } from "../store/log.ts";
import { Aggregation } from "./aggregate.ts";
import type { Outcome } from "./next-attempt.ts";
import type { Participants } from "./participants.ts";

type Of<Type> = Extract<CoordinatorEffect, { readonly type: Type }>;

/** What becomes durable with one commit. */
export interface AttemptWrites {
  readonly entries: readonly NewEntry[];
  /** Replaces the point before it. */
  readonly point: RoundPoint | undefined;
  readonly unmask: readonly { readonly from: PartyId; readonly message: Unmask }[];
}

/** What an attempt changes outside itself. */
export interface RoundLedger {
  write(writes: AttemptWrites): Promise<void>;
  /** Runs the server step and stores the certificate. @returns its digest. */
  advance(effect: Of<"advance">, entries: readonly NewEntry[]): Promise<Digest>;
  /** @param signatures - of whom the end rests on: who renounced, or found the sum invalid. */
  ended(outcome: Outcome, signatures: readonly PartySignature[], entries: readonly NewEntry[]): Promise<void>;
}

const stored: Record<RoundPoint["at"], CrashPoint> = {
  agreeing: "agreeing-stored",
  unmasking: "unmasking-stored",
  releasing: "aggregate-stored",
};

export class Attempt {
  readonly roundId: Digest;
  readonly header: RoundHeader;
  /** Ciphertexts of the unmasked sum, once there is one. */
  aggregate: readonly Digest[] = [];
  readonly #bank: Bank;
  readonly #participants: Participants;
  readonly #ledger: RoundLedger;
  readonly #context: CoordinatorContext;
  readonly #aggregation: Aggregation;
  readonly #onPhase: (phase: CoordinatorState["phase"]) => void;
  readonly #events: CoordinatorEvent[] = [];
  #state: CoordinatorState;
  #phaseSince: number;
  #wake = (): void => {};
  #callOff = (): void => {};
  #halted = false;
  #entries: NewEntry[] = [];
  #point: RoundPoint | undefined;
  #unmask: { from: PartyId; message: Unmask }[] = [];
  /** Under whom the end rests. */
  #signatures: readonly PartySignature[] = [];
  readonly #chunks = new Set<Digest>();
  /** Whether a point may be stored: what was submitted is then needed again. */
  #mayResume = false;

  /** @param options.first - from `openRound` or `resumeRound`. */
  constructor(options: {
    readonly bank: Bank;
    readonly participants: Participants;
    readonly ledger: RoundLedger;
    readonly context: CoordinatorContext;
    readonly bfv: Bfv;
    readonly roundId: Digest;
    readonly header: RoundHeader;
    readonly first: CoordinatorStep;
    /** Called whenever the attempt enters a phase. */
    readonly onPhase: (phase: CoordinatorState["phase"]) => void;
  }) {
    this.#bank = options.bank;
    this.#participants = options.participants;
    this.#ledger = options.ledger;
    this.#context = options.context;
    this.#aggregation = new Aggregation(options.bank, options.bfv);
    this.#onPhase = options.onPhase;
    this.roundId = options.roundId;
    this.header = options.header;
    this.#state = options.first.state;
    this.#phaseSince = options.bank.clock.now();
    this.#bank.allowance.open(this.roundId, this.header);
    // Taken up again: what was submitted, and unmasked, is known.
    if ("submissions" in this.#state)
      for (const { chunks } of this.#state.submissions.values())
        for (const chunk of chunks) this.#chunks.add(chunk);
    this.#mayResume = options.first.state.phase !== "submitting";
    if (this.#state.phase === "releasing") this.aggregate = this.#state.chunks;
  }

  /** Hands in what happened; it is looked at after all that came before it. */
  post(event: CoordinatorEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  /** Leaves it where it is: it goes on from its point, or is given up, when the coordinator starts again. */
  halt(): void {
    this.#halted = true;
    this.#wake();
  }

  /** Performs the first effects: said to members before anything of a later attempt is. */
  begin({ state, effects }: CoordinatorStep): Promise<void> {
    this.#onPhase(state.phase);
    return this.#performAll(effects);
  }

  /** @returns how the attempt ended; undefined where it was halted. */
  async run(): Promise<Ended | undefined> {
    try {
      for (;;) {
        const ended = await this.#end();
        if (ended !== undefined) return ended;
        await this.#something();
        if (this.#halted) return undefined;
        await this.#performAll(this.#takeEvents());
      }
    } catch (error) {
      // It is given up, and what it brought may be what fills the disk.
      if (!this.#mayResume) await this.#forget().catch(() => {});
      throw error;
    } finally {
      this.#callOff();
      this.#bank.shared.revoke(this.roundId);
      this.#bank.allowance.close(this.roundId);
      await this.#aggregation.close();
    }
  }

  async #end(): Promise<Ended | undefined> {
    const state = this.#state;
    switch (state.phase) {
      case "aborted":
      case "rerun":
      case "split":
      case "lost":
        await this.#ledger.ended(state, this.#signatures, this.#takeEntries());
        await this.#forget();
        return state;
      case "closed":
        await this.#forget();
        return state;
      default:
        return undefined;
    }
  }

  /** What was uploaded and never submitted goes too. */
  async #forget(): Promise<void> {
    const uploaded = this.#bank.allowance.close(this.roundId);
    await this.#aggregation.forget(this.#chunks, uploaded);
    this.#bank.events.emit("ended");
  }

  async #something(): Promise<void> {
    while (this.#events.length === 0 && !this.#halted)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  /** All that waits goes through the machine at once: what it stores becomes durable with one commit. */
  #takeEvents(): CoordinatorEffect[] {
    const effects: CoordinatorEffect[] = [];
    const { phase } = this.#state;
    for (const event of this.#events.splice(0)) {
      const step = coordinatorStep(this.#state, event, this.#context);
      this.#state = step.state;
      effects.push(...step.effects);
    }
    if (this.#state.phase !== phase) {
      const now = this.#bank.clock.now();
      this.#bank.meters.phaseSeconds.observe({ phase }, Math.max(0, now - this.#phaseSince) / 1000);
      this.#phaseSince = now;
      this.#onPhase(this.#state.phase);
    }
    return effects;
  }

  async #performAll(effects: readonly CoordinatorEffect[]): Promise<void> {
    for (const effect of effects) await this.#perform(effect);
    await this.#flush();
  }

  #takeEntries(): NewEntry[] {
    return this.#entries.splice(0);
  }

  /** Nothing is said or done before what comes before it is durable. */
  async #flush(): Promise<void> {
    const [point, unmask] = [this.#point, this.#unmask];
    if (point === undefined && unmask.length === 0) return;
    this.#point = undefined;
    this.#unmask = [];
    if (point?.at === "agreeing") {
      await this.#aggregation.sync(point.submissions);
      await this.#bank.crashPoint("uploads-synced");
    }
    this.#mayResume ||= point !== undefined;
    // Entries go with a point or an end: who goes on from the point before says them again.
    const entries = point === undefined ? [] : this.#takeEntries();
    await this.#ledger.write({ entries, point, unmask });
    await this.#bank.crashPoint(point === undefined ? "unmask-stored" : stored[point.at]);
  }

  async #perform(effect: CoordinatorEffect): Promise<void> {
    switch (effect.type) {
      case "persist":
        if (effect.point.at === "releasing") this.aggregate = effect.point.chunks;
        this.#point = effect.point;
        return;
      case "store":
        this.#unmask.push({ from: effect.from, message: effect.message });
        return;
      case "record":
        return this.#record(effect.record);
      case "wait":
        this.#callOff();
        this.#callOff = this.#bank.clock.after(effect.seconds, () =>
          this.post({ type: "deadline", wait: effect.wait }),
        );
        return;
      case "send":
        await this.#flush();
        if (effect.message.type === "aggregate") {
          const { submissions } = effect.message;
          const chunks = submissions.flatMap((submission) => submission.chunks);
          this.#bank.shared.grant(this.roundId, effect.to, chunks);
        }
        return this.#participants.send(effect.to, effect.message);
      case "fold":
        await this.#flush();
        for (const chunk of effect.chunks) this.#chunks.add(chunk);
        return this.post(await this.#aggregation.fold(effect));
      case "unmask":
        await this.#flush();
        return this.post(await this.#aggregation.unmask(effect));
      case "advance": {
        await this.#flush();
        const certificate = await this.#ledger.advance(effect, this.#takeEntries());
        return this.post({ type: "advanced", certificate });
      }
    }
  }

  async #record(record: RoundRecord): Promise<void> {
    const { roundId } = this;
    switch (record.kind) {
      case "submitted": {
        const { party: enterprise, digest, commitment, noiseCommitment, signature } = record.submission;
        this.#entries.push({
          type: "round.submitted",
          roundId,
          enterprise,
          digest,
          commitment,
          ...(noiseCommitment === "" ? {} : { noiseCommitment }),
          bytes: await this.#aggregation.bytesOf(record.submission),
          layers: ["mask", "encryption", ...(this.header.noise === undefined ? [] : (["noise"] as const))],
          signature: toBase64(signature),
        });
        return;
      }
      case "survivors": {
        const submissions = submissionsDigest(
          record.survivors.map(({ party: enterprise, ...submitted }) => ({ enterprise, ...submitted })),
        );
        const survivors = record.survivors.map(({ party }) => party);
        this.#entries.push({ type: "round.survivors", roundId, survivors, submissions });
        return;
      }
      case "agreed":
        // The certificate carries these, and nothing comes of them without it.
        return;
      case "unmasked": {
        const { party: enterprise, message } = record;
        const signature = toBase64(message.signature);
        const revealed = revealedDigest(message);
        this.#entries.push({ type: "round.unmasked", roundId, enterprise, revealed, signature });
        return;
      }
      case "fault":
        this.#bank.log.warn({ roundId, ...record.fault }, "fault in a round");
        return;
      case "ended":
        this.#signatures = record.signatures;
        return;
    }
  }
}
