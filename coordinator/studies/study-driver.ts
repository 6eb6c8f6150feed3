/**
 * Leads every running study from round to round: waits for a cohort, opens an attempt, runs it, takes its
 * outcome, and begins the next. One attempt runs at a time.
 */

import type { Digest } from "../../core/canonical.ts";
import { type Reason, Refusal, reasons } from "../../core/reasons.ts";
import type { StudyManifest } from "../../models/study.ts";
import { countOrganisations, type Roster } from "../../privacy/roster.ts";
import { openRound, resumeRelease } from "../../privacy/sum/coordinator/coordinator.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { PartyMessage } from "../../privacy/sum/messages.ts";
import { Epochs, type UsableEpoch } from "../authority/epochs.ts";
import { currentRoster } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import {
  abortInterrupted,
  attemptLedger,
  failStudy,
  openAttempt,
  unfinishedRelease,
} from "../rounds/attempts.ts";
import type { Audience, Participants } from "../rounds/participants.ts";
import { Attempt, type EndedAttempt } from "../rounds/round.ts";
import { storeRefusal } from "../store/database.ts";
import { consented, getState, type StudyRow, studyRow } from "./study-row.ts";

/** How long a round waits for a consented enterprise that is not connected, once. */
const rejoinSeconds = 3;
/** Aborted attempts of one round after which the study fails. */
const mostAttempts = 30;
const retryDatabaseSeconds = 1;

type Readiness =
  | { readonly kind: "run"; readonly run: () => Promise<void> }
  /** Worth looking again at this time, Unix milliseconds. */
  | { readonly kind: "later"; readonly atMillis: number }
  | { readonly kind: "waiting" };

export class StudyDriver implements Audience {
  readonly #bank: Bank;
  readonly #participants: Participants;
  readonly #bfv: Bfv;
  readonly #epochs: Epochs;
  /** When a party last came or left; one never seen counts from the start. */
  readonly #since = new Map<PartyId, number>();
  /** Who the round under way leaves out, and why. */
  readonly #excluded = new Map<Digest, Map<PartyId, Reason>>();
  #startedAt = 0;
  #roster: Roster | undefined;
  #attempt: Attempt | undefined;
  /** Attempts that ended without a word, for members that still wait in them. */
  #interrupted: readonly Digest[] = [];
  /** The database was lost while this process worked with it. */
  #interruptedHere = false;
  /** Ciphertexts of the last released sum: kept until the next attempt has ended. */
  #spentAggregate: readonly Digest[] = [];
  #changed = false;
  #wake = (): void => {};
  #stopping = false;

  constructor(bank: Bank, participants: Participants, bfv: Bfv) {
    this.#bank = bank;
    this.#participants = participants;
    this.#bfv = bfv;
    this.#epochs = new Epochs(bank, participants, () => this.wake());
    bank.events.on("study", (study) => {
      this.wake();
      this.#abortStopped(study);
    });
    bank.events.on("roster", () => this.wake());
    participants.listen(this);
  }

  /** Looks again at what can run. */
  wake(): void {
    this.#changed = true;
    this.#wake();
  }

  /** Takes up what an earlier process left. Before anyone connects. */
  async load(): Promise<void> {
    this.#startedAt = this.#bank.clock.now();
    await this.#takeUp();
    this.#roster = (await currentRoster(this.#bank))?.roster;
    await this.#epochs.load(this.#roster);
  }

  /** Ends attempts that a killed process, or a lost database, left in the middle. */
  async #takeUp(): Promise<void> {
    this.#interrupted = await abortInterrupted(this.#bank);
    this.#interruptedHere = false;
    for (const party of this.#participants.present()) this.#tellInterrupted(party);
  }

  #tellInterrupted(party: PartyId): void {
    for (const roundId of this.#interrupted)
      this.#participants.send(party, {
        type: "closed",
        roundId,
        outcome: "aborted",
        reason: "coordinator_restarted",
        party: "",
        state: "",
      });
  }

  /** Runs until `stop`. @throws only a defect: what peers and the database cause is survived. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      this.#changed = false;
      try {
        if (this.#interruptedHere) await this.#takeUp();
        const next = await this.#next();
        if (next.kind === "run") await next.run();
        else await this.#sleep(next.kind === "later" ? next.atMillis : undefined);
      } catch (error) {
        const known = storeRefusal(error);
        if (!(known instanceof Refusal) || !reasons[known.reason].retry) throw error;
        this.#interruptedHere = true;
        this.#bank.log.error({ reason: known.reason, detail: known.message }, "the coordinator waits");
        await this.#sleep(this.#bank.clock.now() + retryDatabaseSeconds * 1000, false);
      }
    }
  }

  /** Opens no new attempt and ends the one under way. */
  stop(): void {
    this.#stopping = true;
    const detail = "the coordinator shuts down";
    this.#attempt?.post({ type: "abort", reason: "coordinator_restarted", detail });
    this.wake();
  }

  joined(party: PartyId): void {
    this.#since.set(party, this.#bank.clock.now());
    for (const excluded of this.#excluded.values())
      if (mayReturn(excluded.get(party))) excluded.delete(party);
    this.#tellInterrupted(party);
    this.#epochs.joined(party);
    this.#attempt?.post({ type: "joined", party });
    this.wake();
  }

  gone(party: PartyId): void {
    this.#since.set(party, this.#bank.clock.now());
    this.#epochs.gone(party);
    this.#attempt?.post({ type: "gone", party });
    this.wake();
  }

  message(party: PartyId, message: Exclude<PartyMessage, { type: "hello" }>): void {
    switch (message.type) {
      case "epochDealt":
        void this.#epochs.dealt(party, message).then(
          () => this.wake(),
          (error: unknown) => this.#bank.log.error({ err: error }, "key epoch could not be stored"),
        );
        return;
      case "epochConfirmed":
        this.#epochs.confirmed(party, message);
        return;
      case "refuse":
        if (message.roundId === "") this.#epochs.refused(party);
        else this.#attempt?.post({ type: "message", from: party, message });
        return;
      case "advertise":
      case "share":
      case "submit":
      case "agree":
      case "unmask":
      case "released":
        this.#attempt?.post({ type: "message", from: party, message });
        return;
    }
  }

  async #next(): Promise<Readiness> {
    const rows = await this.#bank.database.sql<{ digest: Digest }[]>`
      SELECT digest FROM study WHERE phase = 'running' ORDER BY attempt > 0, number`;
    let earliest: number | undefined;
    for (const { digest } of rows) {
      const ready = await this.#readiness(digest);
      if (ready.kind === "run") return ready;
      if (ready.kind === "later") earliest = Math.min(earliest ?? Number.POSITIVE_INFINITY, ready.atMillis);
    }
    return earliest === undefined ? { kind: "waiting" } : { kind: "later", atMillis: earliest };
  }

  async #readiness(digest: Digest): Promise<Readiness> {
    const bank = this.#bank;
    const roster = (await currentRoster(bank))?.roster;
    if (roster === undefined) return { kind: "waiting" };
    this.#roster = roster;
    const study = await studyRow(bank.database.sql, digest);
    const manifest = JSON.parse(study.manifest) as StudyManifest;
    const left = await unfinishedRelease(bank, digest);
    if (left !== undefined) return this.#resumption(study, left);
    const { minCohort } = manifest.privacy;
    const excluded = this.#excluded.get(digest) ?? new Map<PartyId, Reason>();
    const eligible = (await consented(bank, digest)).filter((id) => roster.byId.has(id) && !excluded.has(id));
    const here = eligible.filter((id) => this.#participants.isPresent(id));
    if (countOrganisations(roster, here) < minCohort) return { kind: "waiting" };
    const epoch = this.#epochs.ensure(roster);
    if (epoch === undefined) return { kind: "waiting" };
    const cohort = here.filter((id) => epoch.confirmed.has(id));
    const awaited = eligible.filter((id) => !cohort.includes(id));
    const until = Math.max(0, ...awaited.map((id) => this.#waitsUntil(id, epoch)));
    if (until > bank.clock.now()) return { kind: "later", atMillis: until };
    if (countOrganisations(roster, cohort) < minCohort) return { kind: "waiting" };
    const run = async (): Promise<void> => {
      try {
        const state = await getState(bank, study.state!);
        const next = { study, manifest, state, roster, cohort, epoch };
        const { header, roundId } = await openAttempt(bank, this.#epochs, next);
        const first = openRound(header, { roster });
        await this.#lead(study, roster, { header, roundId }, first);
      } catch (error) {
        if (!(error instanceof Refusal) || reasons[error.reason].retry) throw error;
        await this.#fail(digest, error);
      }
    };
    return { kind: "run", run };
  }

  /** A party may be away, or have its key to confirm yet: a round waits for it, but not for long. */
  #waitsUntil(party: PartyId, { dealtAtMillis }: UsableEpoch): number {
    const since = this.#since.get(party) ?? this.#startedAt;
    const from = this.#participants.isPresent(party) ? Math.max(since, dealtAtMillis) : since;
    return from + rejoinSeconds * 1000;
  }

  async #resumption(
    study: StudyRow,
    { roundId, point }: NonNullable<Awaited<ReturnType<typeof unfinishedRelease>>>,
  ): Promise<Readiness> {
    const roster = this.#roster!;
    if (point.header.roster !== roster.digest)
      return {
        kind: "run",
        run: async () => {
          const ledger = attemptLedger(this.#bank, roundId, point.header);
          const detail = "the roster changed before the sum was released";
          const end = { phase: "aborted", roundId, reason: "roster_mismatch", detail } as const;
          const entry = { type: "round.aborted", roundId, reason: "roster_mismatch" } as const;
          await ledger.aborted({ ...end, faults: [], excluded: [] }, [entry]);
        },
      };
    const attempt = { header: point.header, roundId };
    return {
      kind: "run",
      run: () => this.#lead(study, roster, attempt, resumeRelease(point, { roster })),
    };
  }

  async #lead(
    study: StudyRow,
    roster: Roster,
    opened: Pick<Attempt, "header" | "roundId">,
    first: ReturnType<typeof openRound>,
  ): Promise<void> {
    const [bank, participants, bfv] = [this.#bank, this.#participants, this.#bfv];
    const ledger = attemptLedger(bank, opened.roundId, opened.header);
    const attempt = new Attempt({ bank, participants, bfv, ledger, roster, ...opened });
    this.#attempt = attempt;
    // Whoever left between the plan and now is told of as gone, in this order and no other.
    for (const party of opened.header.cohort)
      if (!participants.isPresent(party)) attempt.post({ type: "gone", party });
    if (this.#stopping) this.stop();
    let end: EndedAttempt;
    try {
      end = await attempt.run(first);
    } finally {
      this.#attempt = undefined;
    }
    // Those of this attempt may still be on their way to a member.
    await bank.blobs.published.remove(this.#spentAggregate);
    this.#spentAggregate = attempt.aggregate;
    if (end.phase === "closed") this.#excluded.delete(study.digest);
    else await this.#afterAbort(study, opened.header.attempt, end);
    bank.events.emit("study", study.digest);
  }

  /** The next attempt leaves out who caused this one's end; a study that has nobody left fails. */
  async #afterAbort(
    study: StudyRow,
    attempts: number,
    { reason, detail, faults, excluded }: Extract<EndedAttempt, { phase: "aborted" }>,
  ): Promise<void> {
    if (this.#stopping) return;
    const map = this.#excluded.get(study.digest) ?? new Map<PartyId, Reason>();
    // Lateness is forgiven after one attempt: the exclusion before this one has done its work.
    for (const [party, why] of map) if (why === "party_late") map.delete(party);
    for (const party of excluded) {
      const why = faults.find((fault) => fault.party === party)?.reason ?? reason;
      // A party that rejoined may take part again, so it is not left out.
      if (!(why === "party_gone" && this.#participants.isPresent(party))) map.set(party, why);
    }
    this.#excluded.set(study.digest, map);
    const { minCohort } = (JSON.parse(study.manifest) as StudyManifest).privacy;
    const possible = (await consented(this.#bank, study.digest)).filter((id) => {
      const why = map.get(id);
      return why === undefined || mayReturn(why) || why === "party_late";
    });
    if (this.#roster && countOrganisations(this.#roster, possible) < minCohort) {
      const cause = faults.find((fault) => excluded.includes(fault.party));
      const text = cause ? `${cause.party}: ${cause.detail}` : detail;
      await this.#fail(study.digest, new Refusal(cause?.reason ?? reason, text));
    } else if (attempts >= mostAttempts)
      await this.#fail(study.digest, new Refusal(reason, `${attempts} attempts: ${detail}`));
  }

  async #fail(study: Digest, refusal: Refusal): Promise<void> {
    await this.#bank.database.transaction((sql) => failStudy(this.#bank, sql, study, refusal));
    this.#bank.events.emit("study", study);
  }

  /** A study that the operator stops ends its attempt too. */
  #abortStopped(study: Digest): void {
    const attempt = this.#attempt;
    if (attempt?.header.study !== study) return;
    void studyRow(this.#bank.database.sql, study).then(
      ({ phase }) => {
        if (phase === "stopped")
          attempt.post({ type: "abort", reason: "unavailable", detail: "the study was stopped" });
      },
      () => {},
    );
  }

  async #sleep(untilMillis: number | undefined, wakeable = true): Promise<void> {
    if (this.#stopping || (wakeable && this.#changed)) return;
    await new Promise<void>((resolve) => {
      const seconds = untilMillis === undefined ? undefined : (untilMillis - this.#bank.clock.now()) / 1000;
      const callOff =
        seconds === undefined ? undefined : this.#bank.clock.after(Math.max(0, seconds), resolve);
      if (wakeable || this.#stopping)
        this.#wake = () => {
          callOff?.();
          resolve();
        };
    });
    this.#wake = () => {};
  }
}

/** Exclusions that a new connection lifts: the process that caused them is another one now. */
const mayReturn = (reason: Reason | undefined): boolean => reason === "party_gone";
