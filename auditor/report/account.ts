/** What a log says of a period, gathered while it is verified. */
import type { Digest } from "../../core/canonical.ts";
import type { Entry, EntryOf } from "../../privacy/log/entry.ts";
import { fingerprint } from "../../privacy/log/note.ts";
import type { Facts } from "../../privacy/log/state.ts";
import { describeRecovery } from "../../privacy/recovery.ts";
import { describeSuccession, type Succession } from "../../privacy/succession.ts";
import { Entries } from "./entries.ts";

/** Unix milliseconds, both included; without an end it is the log's. */
export interface Period {
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}

const dayMillis = 86_400_000;

/** @returns Unix milliseconds at which a day written as 2026-03-31 begins, UTC; undefined where there is no such day. */
export function dayOf(text: string): number | undefined {
  const millis = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(millis) || new Date(millis).toISOString().slice(0, 10) !== text ? undefined : millis;
}

/** @param from - the first day. @param to - the last, which is whole in it. */
export const periodOf = (from: number | undefined, to: number | undefined): Period => ({
  from,
  until: to === undefined ? undefined : to + dayMillis - 1,
});

const isBefore = (time: number, { until = Number.POSITIVE_INFINITY }: Period): boolean => time <= until;

export const isWithin = (time: number, period: Period): boolean =>
  time >= (period.from ?? 0) && isBefore(time, period);

export interface Consent {
  readonly enterprise: string;
  readonly at: number;
  readonly expires: number;
  withdrawn?: number;
  readonly entries: Entries;
}

export interface Released {
  readonly at: number;
  readonly survivors: readonly string[];
}

export interface Model {
  readonly model: Digest;
  readonly at: number;
  readonly sums: number;
  readonly smallestCohort: number;
  readonly unprotected: readonly string[];
  readonly evaluations: { readonly algorithm: string; readonly rows: number; readonly metrics: object }[];
  readonly entries: Entries;
}

export interface Study {
  readonly study: Digest;
  readonly terms: EntryOf<"study.proposed">;
  readonly proposed: Entries;
  readonly consents: Consent[];
  /** Of the period, in their order. */
  readonly released: Released[];
  readonly releases: Entries;
  /** Attempts opened in the period. */
  opened: number;
  /** Enterprise → sums of the period that it is in. */
  readonly sumsOf: Map<string, number>;
  readonly spent: Entries;
  /** The newest of the study: what it cost so far. */
  lastSpent: EntryOf<"privacy.spent"> | undefined;
  readonly models: Model[];
  pruned: Entries | undefined;
}

/** An attempt that came to no sum. */
export interface Ended {
  readonly at: number;
  readonly study: Digest | undefined;
  readonly kind: "aborted" | "rerun" | "split" | "lost";
  readonly reason: string;
  /** Who caused it, where the log names somebody. */
  readonly enterprise: string | undefined;
  readonly entries: Entries;
}

export interface Member {
  readonly enterprise: string;
  readonly joined: number;
  readonly entries: Entries;
  left?: number;
  expelled?: string;
  /** Reports of its egress ledger in the period. */
  readonly reports: Entries;
}

/** Something that happened once and is told in a line. */
export interface Happening {
  readonly at: number;
  readonly text: string;
  readonly entries: Entries;
}

export class Account {
  consortium: { readonly name: string; readonly entries: Entries } | undefined;
  readonly members = new Map<string, Member>();
  readonly studies = new Map<Digest, Study>();
  readonly ended: Ended[] = [];
  readonly rosters: Happening[] = [];
  readonly certificates: Happening[] = [];
  /** What was lost, and whose keys follow others. */
  readonly changes: Happening[] = [];
  /** Of keys, in the whole log. */
  readonly successions: Succession[] = [];
  readonly keyEpochs = new Entries();
  readonly complaints: Happening[] = [];
  /** Type → entries of the period, so that nothing of it goes unmentioned. */
  readonly byType = new Map<Entry["type"], Entries>();
  readonly #period: Period;
  #first: number | undefined;
  #last = 0;
  readonly #rounds = new Map<Digest, { readonly study: Digest; survivors: readonly string[] }>();

  constructor(period: Period) {
    this.#period = period;
  }

  /** Where the period has no bound of its own, the log's first and last entry bound it. */
  get period(): { readonly from: number; readonly until: number } {
    const { from = this.#first ?? 0, until = this.#last } = this.#period;
    return { from, until };
  }

  /** Takes the log's entries in their order; what came after the period is not looked at. */
  take(entry: Entry, index: number, { recoveries = [], successions = [] }: Facts = {}): void {
    const { time } = entry;
    this.successions.push(...successions);
    this.#first ??= time;
    this.#last = time;
    if (!isBefore(time, this.#period)) return;
    const within = isWithin(time, this.#period);
    if (within) {
      const known = this.byType.get(entry.type) ?? new Entries();
      known.add(index);
      this.byType.set(entry.type, known);
    }
    switch (entry.type) {
      case "consortium.created":
        this.consortium = { name: entry.consortium, entries: Entries.of(index) };
        return;
      case "roster.changed":
        this.#roster(entry, index, within);
        if (!within) return;
        for (const recovery of recoveries)
          this.changes.push(
            happened(entry, index, `bank and auditor signed that it is lost: ${describeRecovery(recovery)}`),
          );
        for (const succession of successions)
          this.changes.push(happened(entry, index, describeSuccession(succession)));
        return;
      case "member.expelled": {
        const member = this.members.get(entry.enterprise);
        if (member) member.expelled = entry.reason ?? "no reason given";
        member?.entries.add(index);
        return;
      }
      case "certificate.issued":
        if (within)
          this.certificates.push(
            happened(entry, index, `${entry.role} ${entry.holder}: issued, ends ${day(entry.expires)}`),
          );
        return;
      case "certificate.revoked":
        if (within)
          this.certificates.push(
            happened(
              entry,
              index,
              `${entry.operator === undefined ? `enterprise ${entry.enterprise}` : `operator ${entry.operator}`}: revoked`,
            ),
          );
        return;
      case "key.rotated":
        if (within)
          this.certificates.push(
            happened(
              entry,
              index,
              `${entry.holder}: ${fingerprint(entry.to)} follows ${fingerprint(entry.from)}`,
            ),
          );
        return;
      case "operator.removed":
        if (within) this.certificates.push(happened(entry, index, `operator ${entry.operator}: removed`));
        return;
      case "key.epoch":
        if (within) this.keyEpochs.add(index);
        return;
      case "epoch.complaint":
        if (within)
          this.complaints.push(
            happened(entry, index, `${entry.accuser} accused ${entry.accused}; guilty is ${entry.guilty}`),
          );
        return;
      case "study.proposed":
      case "study.consented":
      case "study.withdrawn":
      case "study.pruned":
        this.#study(entry, index);
        return;
      case "round.opened":
      case "round.survivors":
      case "round.released":
      case "round.aborted":
      case "round.rerun":
      case "round.split":
      case "round.lost":
      case "privacy.spent":
        this.#round(entry, index, within);
        return;
      case "model.published":
        this.studies.get(entry.study)?.models.push({
          model: entry.model,
          at: time,
          sums: entry.rounds,
          smallestCohort: entry.smallestCohort,
          unprotected: entry.unprotected,
          evaluations: [],
          entries: Entries.of(index),
        });
        return;
      case "model.evaluated": {
        const model = this.studies.get(entry.study)?.models.find((one) => one.model === entry.model);
        model?.evaluations.push(entry);
        model?.entries.add(index);
        return;
      }
      case "model.approved":
      case "model.standing":
        [...this.studies.values()]
          .flatMap(({ models }) => models)
          .find((one) => one.model === entry.model)
          ?.entries.add(index);
        return;
      case "ledger.reported":
        if (within) this.members.get(entry.enterprise)?.reports.add(index);
        return;
    }
  }

  #roster({ version, members, time }: EntryOf<"roster.changed">, index: number, within: boolean): void {
    const now = new Set(members);
    const [joined, left]: string[][] = [[], []];
    for (const enterprise of members) {
      const known = this.members.get(enterprise);
      if (known !== undefined && known.left === undefined) continue;
      joined!.push(enterprise);
      const reports = known?.reports ?? new Entries();
      this.members.set(enterprise, { enterprise, joined: time, entries: Entries.of(index), reports });
    }
    for (const member of this.members.values())
      if (member.left === undefined && !now.has(member.enterprise)) {
        left!.push(member.enterprise);
        member.left = time;
        member.entries.add(index);
      }
    const changes = [
      joined!.length > 0 && `joined: ${joined!.join(", ")}`,
      left!.length > 0 && `left: ${left!.join(", ")}`,
    ].filter((text) => text !== false);
    if (within)
      this.rosters.push({
        at: time,
        text: `version ${version}, ${members.length} members${changes.map((text) => `; ${text}`).join("")}`,
        entries: Entries.of(index),
      });
  }

  #study(
    entry: EntryOf<"study.proposed" | "study.consented" | "study.withdrawn" | "study.pruned">,
    index: number,
  ): void {
    if (entry.type === "study.proposed") {
      this.studies.set(entry.study, {
        study: entry.study,
        terms: entry,
        proposed: Entries.of(index),
        consents: [],
        released: [],
        releases: new Entries(),
        opened: 0,
        sumsOf: new Map(),
        spent: new Entries(),
        lastSpent: undefined,
        models: [],
        pruned: undefined,
      });
      return;
    }
    const study = this.studies.get(entry.study);
    if (entry.type === "study.pruned") {
      if (study) study.pruned = Entries.of(index);
      return;
    }
    if (entry.type === "study.consented") {
      const { enterprise, expires, time: at } = entry;
      study?.consents.push({ enterprise, at, expires, entries: Entries.of(index) });
      return;
    }
    const consent = study?.consents.findLast(({ enterprise }) => enterprise === entry.enterprise);
    if (consent) consent.withdrawn = entry.time;
    consent?.entries.add(index);
  }

  #round(
    entry: EntryOf<
      | "round.opened"
      | "round.survivors"
      | "round.released"
      | "round.aborted"
      | "round.rerun"
      | "round.split"
      | "round.lost"
      | "privacy.spent"
    >,
    index: number,
    within: boolean,
  ): void {
    if (entry.type === "round.opened") {
      this.#rounds.set(entry.roundId, { study: entry.study, survivors: [] });
      const study = this.studies.get(entry.study);
      if (study && within) study.opened++;
      return;
    }
    const round = this.#rounds.get(entry.roundId);
    const study = round && this.studies.get(round.study);
    switch (entry.type) {
      case "round.survivors":
        if (round) round.survivors = entry.survivors;
        return;
      case "privacy.spent":
        if (study === undefined) return;
        study.lastSpent = entry;
        if (within) study.spent.add(index);
        return;
      case "round.released":
        this.#rounds.delete(entry.roundId);
        if (study === undefined || !within) return;
        study.released.push({ at: entry.time, survivors: round!.survivors });
        study.releases.add(index);
        for (const party of round!.survivors) study.sumsOf.set(party, (study.sumsOf.get(party) ?? 0) + 1);
        return;
      default:
        this.#rounds.delete(entry.roundId);
        if (!within) return;
        this.ended.push({
          at: entry.time,
          study: round?.study,
          kind: entry.type.slice("round.".length) as Ended["kind"],
          reason: "reason" in entry ? entry.reason : "",
          enterprise:
            entry.type === "round.aborted"
              ? entry.enterprise
              : entry.type === "round.rerun"
                ? entry.without.join(", ")
                : undefined,
          entries: Entries.of(index),
        });
    }
  }
}

const happened = ({ time }: Entry, index: number, text: string): Happening => ({
  at: time,
  text,
  entries: Entries.of(index),
});

/** @returns the date in UTC. */
export const day = (millis: number): string => new Date(millis).toISOString().slice(0, 10);
