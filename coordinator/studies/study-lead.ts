/**
 * Leads one running study from round to round: waits for a cohort, opens an attempt, runs it, takes its outcome,
 * and begins the next. What comes next follows from what is stored.
 */
import type { Digest } from "../../core/canonical.ts";
import { isReason, type Reason, Refusal, reasons } from "../../core/reasons.ts";
import { aliasedIn } from "../../models/results.ts";
import { readManifest, type StudyManifest } from "../../models/study.ts";
import { studyCohort, studyNext } from "../../models/study-loop.ts";
import { ownNote } from "../../privacy/log/note.ts";
import { countOrganisations, type Roster } from "../../privacy/roster.ts";
import { parseCertificate } from "../../privacy/sum/certificate.ts";
import { openRound, resumeRound } from "../../privacy/sum/coordinator/coordinator.ts";
import type {
  CoordinatorContext,
  CoordinatorState,
  CoordinatorStep,
  Ended,
} from "../../privacy/sum/coordinator/state.ts";
import { type Bfv, chunkCount } from "../../privacy/sum/encryption/bfv.ts";
import { fullBytes } from "../../privacy/sum/encryption/bfv-format.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import { type RoundHeader, sumProtocol } from "../../privacy/sum/header.ts";
import type { Closed, Growth } from "../../privacy/sum/messages.ts";
import { packingOf } from "../../privacy/sum/noise-terms.ts";
import { layersOff, protectionOf } from "../../privacy/sum/protection.ts";
import { leastCohort } from "../authority/epoch-plan.ts";
import { leaveOut, leftOutOf, loadEpoch } from "../authority/epoch-store.ts";
import { type Epochs, rejoinSeconds, type UsableEpoch } from "../authority/epochs.ts";
import { currentRoster, rosterOf } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import {
  attemptLedger,
  attemptsOf,
  failStudy,
  giveUp,
  openAttempt,
  storedPoint,
} from "../rounds/attempts.ts";
import { type NextAttempt, nextAttempt } from "../rounds/next-attempt.ts";
import type { Participants } from "../rounds/participants.ts";
import { Attempt } from "../rounds/round.ts";
import { publishModel } from "./model-registry.ts";
import type { StateChain } from "./state-chain.ts";
import { consented, type StudyRow, studyRow } from "./study-row.ts";

/** Attempts of one step after which the study fails; each `retry` allows as many again. */
const mostAttempts = 30;
const retryDatabaseSeconds = 1;

/** What all leads share. */
export interface LeadOptions {
  readonly bank: Bank;
  readonly participants: Participants;
  readonly bfv: Bfv;
  readonly epochs: Epochs;
  readonly chain: StateChain;
  /** Called with each attempt as long as it takes messages. */
  begun(attempt: Attempt): void;
  ended(attempt: Attempt): void;
  /** An attempt was given up that members may still wait in. */
  gaveUp(closed: Closed): void;
  /** When a party last came or left, Unix milliseconds. */
  since(party: PartyId): number;
}

type Turn =
  | { readonly kind: "run"; readonly run: () => Promise<void> }
  /** Something was stored: look again. */
  | { readonly kind: "again" }
  /** @param atMillis - worth looking again at this time. */
  | { readonly kind: "wait"; readonly why: string; readonly atMillis?: number }
  | { readonly kind: "done" };

/** What a party refused for and passes by itself, a full disk or a lost connection, counts as lateness. */
const isPassing = ({ reason, detail }: { readonly reason: Reason; readonly detail: string }): boolean =>
  reason === "party_refused" &&
  // Who was started again in the middle of an attempt takes no part in it a second time, and in the next one it does.
  (detail === "round_replayed" || (isReason(detail) && reasons[detail].retry));

/** Its policy keeps to the survivors of earlier sums over its table. */
const isChangedCohort = ({ reason, detail }: { readonly reason: Reason; readonly detail: string }): boolean =>
  reason === "party_refused" && detail === "cohort_changed";

type Opening = Extract<NextAttempt, { readonly kind: "open" | "follow" }>;

export class StudyLead {
  readonly study: Digest;
  readonly #options: LeadOptions;
  readonly #bank: Bank;
  /** Who the step under way leaves out, and why. */
  readonly #excluded = new Map<PartyId, Reason>();
  #attempt: Attempt | undefined;
  /** Ciphertexts of the last released sum: kept until the next attempt has ended. */
  #spentAggregate: readonly Digest[] = [];
  /** Entries of the log as this lead's last header showed it. */
  #shown = 0;
  #changed = false;
  #wake = (): void => {};
  #stopping = false;

  constructor(study: Digest, options: LeadOptions) {
    this.study = study;
    this.#options = options;
    this.#bank = options.bank;
  }

  /** Looks again at what can run. */
  wake(): void {
    this.#changed = true;
    this.#wake();
  }

  /** Opens no new attempt and leaves the one under way: given up, or to be finished from its point. */
  stop(): void {
    this.#stopping = true;
    this.#attempt?.halt();
    this.wake();
  }

  joined(party: PartyId): void {
    if (this.#excluded.get(party) === "party_gone") this.#excluded.delete(party);
    this.#attempt?.post({ type: "joined", party });
    this.wake();
  }

  gone(party: PartyId): void {
    this.#attempt?.post({ type: "gone", party });
    this.wake();
  }

  /** Runs until the study has ended, or `stop`. @throws only a defect: what peers and the database cause is survived. */
  async run(): Promise<void> {
    const { epochs, chain } = this.#options;
    while (!this.#stopping) {
      this.#changed = false;
      try {
        const turn = await this.#next();
        if (turn.kind === "done") break;
        if (turn.kind === "wait") {
          this.#say(turn.why);
          await this.#sleep(turn.atMillis);
        } else if (turn.kind === "run") {
          this.#say(undefined);
          await turn.run();
        }
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (reasons[error.reason].retry || !(await this.#tryToFail(error))) {
          this.#say(`${error.reason}: ${error.message}`);
          this.#bank.log.error({ reason: error.reason, detail: error.message }, "the coordinator waits");
          await this.#sleep(this.#bank.clock.now() + retryDatabaseSeconds * 1000, false);
        }
      }
    }
    this.#say(undefined);
    epochs.withdraw(this.study);
    if (!this.#stopping) chain.forget(this.study);
  }

  /** What operator and enterprises read of a study that does not move. */
  #say(why: string | undefined): void {
    const { waiting, events } = this.#bank;
    if (waiting.get(this.study) === why) return;
    if (why === undefined) waiting.delete(this.study);
    else waiting.set(this.study, why);
    events.emit("study", this.study);
  }

  async #next(): Promise<Turn> {
    const [study, current] = await Promise.all([
      studyRow(this.#bank.database.sql, this.study),
      currentRoster(this.#bank),
    ]);
    const isPaused = study.phase === "paused";
    if (study.phase !== "running" && !isPaused) return { kind: "done" };
    const manifest = readManifest(study.manifest);
    if (study.algorithm === null)
      return isPaused ? { kind: "done" } : { kind: "run", run: () => this.#publish(manifest, study.round) };
    if (current === undefined) return { kind: "wait", why: "there is no roster yet" };
    const next = nextAttempt(await attemptsOf(this.#bank, this.study, study.round));
    switch (next.kind) {
      case "giveUp":
        await giveUp(this.#bank, next.roundId);
        this.#options.epochs.release(next.roundId);
        this.#options.gaveUp({
          type: "closed",
          roundId: next.roundId,
          outcome: "aborted",
          reason: "coordinator_restarted",
          party: "",
          certificate: "",
        });
        return { kind: "again" };
      case "resume":
        return { kind: "run", run: () => this.#resume(study, manifest, next.attempt.roundId) };
      case "over":
        await this.#fail(new Refusal(next.reason, next.detail));
        return { kind: "done" };
      case "open":
      case "follow":
        // What was under way has ended: here a paused study rests.
        if (isPaused) return { kind: "done" };
        return this.#readiness(study, manifest, current.roster, next);
    }
  }

  /**
   * The last sum is durable before its model is published: what a publication meets costs no sum, and `retry` tries
   * again.
   */
  async #publish(manifest: StudyManifest, sums: number): Promise<void> {
    const { database, log, events } = this.#bank;
    const state = await this.#options.chain.state(this.study, manifest, sums);
    await database.transaction(async (sql) => {
      const { count } = await sql`
        UPDATE study SET phase = 'finished', reason = NULL, detail = NULL
        WHERE digest = ${this.study} AND phase = 'running' AND algorithm IS NULL`;
      if (count === 0) return;
      const model = await publishModel(this.#bank, sql, this.study, manifest, state);
      const aliased = Object.fromEntries(aliasedIn(state));
      const leftOut = Object.keys(aliased).length === 0 ? {} : { aliased };
      log.info({ study: manifest.name, model, ...leftOut }, "study finished");
    });
    events.emit("study", this.study);
  }

  /** Who may contribute, and whether enough of them are here, in one key epoch. */
  async #readiness(study: StudyRow, manifest: StudyManifest, roster: Roster, next: Opening): Promise<Turn> {
    const { epochs, participants } = this.#options;
    const { privacy, deadlines } = manifest;
    const [willing, sitting] = await Promise.all([
      consented(this.#bank, this.study),
      leftOutOf(this.#bank, this.study),
    ]);
    const out = new Set([
      ...sitting,
      ...this.#excluded.keys(),
      ...(next.kind === "open" ? next.spentBy : []),
    ]);
    const among = next.kind === "follow" ? undefined : await this.#among(study.round, manifest);
    const eligible =
      next.kind === "follow"
        ? next.cohort
        : willing.filter((id) => roster.byId.has(id) && !out.has(id) && among?.includes(id) !== false);
    const minCohort = next.kind === "follow" ? next.minCohort : privacy.minCohort;
    const demand = {
      eligible,
      minCohort: next.kind === "follow" ? countOrganisations(roster, eligible) : minCohort,
      maxColluding: privacy.maxColluding,
      stepSeconds: deadlines.stepSeconds,
    };
    const here = countOrganisations(
      roster,
      eligible.filter((id) => participants.isPresent(id)),
    );
    if (here < demand.minCohort && next.kind === "follow") return this.#awaitFollowers(next, eligible);
    // Who was late in an attempt sits out the next, but not where it cannot be without.
    if (here < demand.minCohort && this.#forgiveLate()) return { kind: "again" };
    const short = `${here} of at least ${leastCohort(demand, privacy.maxColluding)} organisations that consented are connected`;
    const ready = await epochs.ensure(roster, this.study, demand);
    switch (ready.kind) {
      case "impossible":
        return {
          kind: "wait",
          why: here < minCohort ? short : ready.refusal.message,
          atMillis: this.#soon(),
        };
      case "opening":
        return { kind: "wait", why: "a key epoch is opened" };
      case "later":
        return { kind: "wait", why: "waits for members to connect", atMillis: ready.atMillis };
      case "ready":
        break;
    }
    const { usable } = ready;
    const cohort = eligible.filter((id) => usable.connected.has(id));
    const least =
      next.kind === "follow" ? next.minCohort : leastCohort(demand, usable.epoch.header.maxColluding);
    if (next.kind === "follow" ? cohort.length < eligible.length : countOrganisations(roster, cohort) < least)
      return next.kind === "follow"
        ? this.#awaitFollowers(next, eligible)
        : { kind: "wait", why: short, atMillis: this.#soon() };
    const awaited = eligible.filter((id) => !cohort.includes(id) && !this.#isStandIn(roster, id, cohort));
    const until = Math.max(0, ...awaited.map((id) => this.#options.since(id) + rejoinSeconds * 1000));
    if (until > this.#bank.clock.now())
      return { kind: "wait", why: "waits for members to connect", atMillis: until };
    return { kind: "run", run: () => this.#open(study, manifest, roster, next, usable, cohort, least) };
  }

  /** @returns who may be in a round's sum, where the study deals its members to groups. */
  async #among(round: number, manifest: StudyManifest): Promise<readonly PartyId[] | undefined> {
    if (manifest.groups === undefined) return undefined;
    return studyCohort(manifest, await this.#options.chain.state(this.study, manifest, round - 1));
  }

  /** @returns whether anybody who was late sat out. */
  #forgiveLate(): boolean {
    const late = [...this.#excluded].filter(([, why]) => why === "party_late");
    for (const [party] of late) this.#excluded.delete(party);
    return late.length > 0;
  }

  /** Lateness in openings is forgiven with time. */
  #soon(): number {
    return this.#bank.clock.now() + rejoinSeconds * 1000;
  }

  /** Another member of its organisation takes part. */
  #isStandIn(roster: Roster, party: PartyId, cohort: readonly PartyId[]): boolean {
    const organisation = roster.byId.get(party)?.organisation;
    return cohort.some((id) => roster.byId.get(id)?.organisation === organisation);
  }

  /** Vectors are summed again over all of a cohort: who is away is waited for once. */
  async #awaitFollowers(
    next: Extract<Opening, { kind: "follow" }>,
    cohort: readonly PartyId[],
  ): Promise<Turn> {
    const { participants, since } = this.#options;
    const away = cohort.filter((id) => !participants.isPresent(id));
    const until = Math.max(0, ...away.map((id) => since(id) + rejoinSeconds * 1000));
    if (until > this.#bank.clock.now())
      return { kind: "wait", why: `waits for ${away.join(", ")}`, atMillis: until };
    const reason = next.follows.kind === "half" ? "sum_invalid" : "round_lost";
    const why = `${away.join(", ") || "a member"} is not there to submit the same vectors again`;
    await this.#fail(new Refusal(reason, why));
    return { kind: "done" };
  }

  async #open(
    study: StudyRow,
    manifest: StudyManifest,
    roster: Roster,
    next: Opening,
    { epoch, hashes }: UsableEpoch,
    cohort: readonly PartyId[],
    minCohort: number,
  ): Promise<void> {
    const { epochs, chain } = this.#options;
    const bank = this.#bank;
    const state = await chain.state(this.study, manifest, study.round - 1);
    const context = { roster, epoch, hashes };
    const { layout, noise } = studyNext(manifest, state);
    const follows = next.kind === "follow" ? next.follows : null;
    const packing = packingOf({ layout, noise, cohort, minCohort, follows });
    // Everybody's ciphertexts, their sum, and a state about as large.
    await bank.blobs.uploads.requireRoom((cohort.length + 2) * chunkCount(packing.slots) * fullBytes);
    const attempt = await epochs.inOrder(async () => {
      const { note, size } = await bank.privacyLog.checkpoint();
      // Members look at the bank's signature alone: what others signed would make every header longer.
      const checkpoint = ownNote(note);
      const header: RoundHeader = {
        protocol: sumProtocol,
        consortium: bank.config.consortium,
        study: this.study,
        round: study.round,
        attempt: study.attempt + 1,
        algorithm: { index: state.index, name: state.algorithm!, step: state.step },
        state: study.state!,
        roster: roster.digest,
        epoch: epoch.digest,
        slot: epochs.nextSlot(epoch),
        cohort: [...cohort],
        minCohort,
        threshold: epoch.header.threshold,
        layout: { blocks: layout.blocks.map((block) => ({ ...block })) },
        protection: protectionOf(noise),
        unprotected: layersOff(protectionOf(noise)),
        ...(noise === undefined ? {} : { noise }),
        follows,
        checkpoint,
        stepSeconds: manifest.deadlines.stepSeconds,
      };
      const opening = {
        lifts: next.lifts,
        evidence: next.kind === "follow" ? next.evidence : new Uint8Array(),
        ...(await this.#growthTo(size)),
      };
      const first = openRound(header, opening, context);
      const roundId = await openAttempt(bank, header, epoch.header.epoch);
      return this.#begin(manifest, { roundId, header, first }, context);
    });
    await this.#lead(manifest, attempt);
  }

  /** Members mostly saw the header before this one. */
  async #growthTo(size: number): Promise<{ growth?: Growth }> {
    const since = this.#shown;
    this.#shown = size;
    if (since === 0) return {};
    return { growth: { since, hashes: await this.#bank.privacyLog.consistency(since, size) } };
  }

  async #resume(study: StudyRow, manifest: StudyManifest, roundId: Digest): Promise<void> {
    const bank = this.#bank;
    const { point, unmask } = await storedPoint(bank, roundId);
    const { header } = point;
    const roster = await rosterOf(bank, header.roster);
    const context: CoordinatorContext = { roster, ...(await loadEpoch(bank, header.epoch, roster)) };
    const first = resumeRound(point, unmask, context);
    bank.log.info({ study: study.name, roundId, at: point.at }, "attempt taken up again");
    const attempt = await this.#begin(manifest, { roundId, header, first }, context);
    await this.#lead(manifest, attempt);
  }

  async #begin(
    manifest: StudyManifest,
    start: { readonly roundId: Digest; readonly header: RoundHeader; readonly first: CoordinatorStep },
    context: CoordinatorContext,
  ): Promise<Attempt> {
    const { chain, bfv, participants } = this.#options;
    const bank = this.#bank;
    const ledger = attemptLedger(bank, chain, manifest, start.roundId);
    const onPhase = (phase: CoordinatorState["phase"]) => this.#onPhase(start.roundId, phase);
    const attempt = new Attempt({ bank, participants, ledger, context, bfv, ...start, onPhase });
    this.#take(attempt, context);
    await attempt.begin(start.first);
    return attempt;
  }

  /** From here on the attempt hears of its members. */
  #take(attempt: Attempt, { epoch }: CoordinatorContext): void {
    const { epochs, participants, begun } = this.#options;
    this.#attempt = attempt;
    epochs.hold(attempt.roundId, this.study);
    begun(attempt);
    // Whoever left between the plan and now is told of as gone, in this order and no other.
    for (const party of epoch.header.members)
      if (!participants.isPresent(party)) attempt.post({ type: "gone", party });
    if (this.#stopping) attempt.halt();
  }

  #onPhase(roundId: Digest, phase: CoordinatorState["phase"]): void {
    if (phase !== "renouncing") return;
    // To renounce takes no secret of the epoch: who restarted does it as well, and other studies go on.
    this.#options.epochs.release(roundId);
    this.#say("an attempt that was agreed on cannot be finished: waits for members to renounce it");
  }

  async #lead(manifest: StudyManifest, attempt: Attempt): Promise<void> {
    const { epochs, ended } = this.#options;
    let end: Ended | undefined;
    try {
      end = await attempt.run();
    } finally {
      this.#attempt = undefined;
      ended(attempt);
      // A lost database leaves it to be taken up again, under the same epoch.
      if (end !== undefined) epochs.release(attempt.roundId);
    }
    if (end === undefined) return;
    // Those of this attempt may still be on their way to a member.
    await this.#bank.blobs.published.remove(this.#spentAggregate);
    this.#spentAggregate = attempt.aggregate;
    if (end.phase === "closed") this.#excluded.clear();
    if (end.phase === "aborted") await this.#afterAbort(manifest, attempt, end);
    this.#bank.events.emit("study", this.study);
  }

  /** The next attempt leaves out who caused this one's end; a study that has nobody left fails. */
  async #afterAbort(
    manifest: StudyManifest,
    { header }: Attempt,
    { reason, detail, faults, excluded, lift }: Extract<Ended, { phase: "aborted" }>,
  ): Promise<void> {
    const { participants, epochs } = this.#options;
    // Lateness is forgiven after one attempt: the exclusion before this one has done its work.
    this.#forgiveLate();
    const newcomers = faults.some(isChangedCohort) ? await this.#newcomers(header) : [];
    if (newcomers.length > 0) {
      this.#bank.log.warn(
        { study: manifest.name, parties: newcomers },
        "left out: others keep to their cohort",
      );
      await this.#bank.database.transaction((sql) => leaveOut(sql, this.study, newcomers, "cohort_changed"));
    }
    const whyOf = (party: PartyId): Reason => {
      const fault = faults.find((one) => one.party === party);
      if (fault === undefined) return reason;
      return isPassing(fault) ? "party_late" : fault.reason;
    };
    for (const party of excluded) {
      if (newcomers.length > 0 && faults.some((fault) => fault.party === party && isChangedCohort(fault)))
        continue;
      const why = whyOf(party);
      // A party that rejoined is in the cohort already, so no exclusion.
      if (!(why === "party_gone" && participants.isPresent(party))) this.#excluded.set(party, why);
    }
    // Too few of the epoch's members answered: the next epoch does without them.
    if (lift !== undefined || reason === "too_few_survivors") {
      const silent = faults.filter((fault) => fault.reason === "party_late").map(({ party }) => party);
      epochs.giveUp(header.epoch, silent, reason);
    }
    const sitting = await leftOutOf(this.#bank, this.study);
    const among = await this.#among(header.round, manifest);
    const possible = (await consented(this.#bank, this.study)).filter((id) => {
      const why = this.#excluded.get(id);
      return (
        among?.includes(id) !== false &&
        !sitting.has(id) &&
        (why === undefined || why === "party_gone" || why === "party_late")
      );
    });
    const roster = (await currentRoster(this.#bank))?.roster;
    if (roster && countOrganisations(roster, possible) < manifest.privacy.minCohort) {
      const cause = faults.find((fault) => excluded.includes(fault.party));
      const text = cause ? `${cause.party}: ${cause.detail}` : detail;
      await this.#fail(new Refusal(cause?.reason ?? reason, text));
    } else if (header.attempt % mostAttempts === 0)
      await this.#fail(new Refusal(reason, `${header.attempt} attempts: ${detail}`));
  }

  /** @returns who of an attempt's cohort is in no sum of the study yet, where it has one. */
  async #newcomers({ cohort }: RoundHeader): Promise<PartyId[]> {
    const [last] = await this.#bank.database.sql`
      SELECT document FROM sum_certificate WHERE study = ${this.study} ORDER BY round DESC LIMIT 1`;
    if (last === undefined) return [];
    const survivors = new Set(
      parseCertificate(Buffer.from(last.document)).survivors.map(({ party }) => party),
    );
    return cohort.filter((party) => !survivors.has(party));
  }

  /** @returns whether it is stored: where the database is gone as well, the next turn comes to the same end. */
  #tryToFail(refusal: Refusal): Promise<boolean> {
    return this.#fail(refusal).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Refusal) return false;
        throw error;
      },
    );
  }

  async #fail(refusal: Refusal): Promise<void> {
    await this.#bank.database.transaction((sql) => failStudy(this.#bank, sql, this.study, refusal));
    this.#bank.events.emit("study", this.study);
  }

  /** The operator stopped the study: its attempt ends too. */
  stopped(): void {
    this.#attempt?.post({ type: "abort", reason: "unavailable", detail: "the study was stopped" });
  }

  async #sleep(untilMillis: number | undefined, wakeable = true): Promise<void> {
    if (this.#stopping || (wakeable && this.#changed)) return;
    await new Promise<void>((resolve) => {
      const seconds = untilMillis === undefined ? undefined : (untilMillis - this.#bank.clock.now()) / 1000;
      const callOff =
        seconds === undefined ? undefined : this.#bank.clock.after(Math.max(0, seconds), resolve);
      this.#wake = () => {
        if (!wakeable && !this.#stopping) return;
        callOff?.();
        resolve();
      };
    });
    this.#wake = () => {};
  }
}
