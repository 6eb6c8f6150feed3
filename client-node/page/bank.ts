import type { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { PriorResults } from "../../models/algorithm.ts";
import { type StudyManifest, tableOf } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import { refusalOf } from "../../proto/wire.ts";
import type { StudyView } from "../federation/studies.ts";
import { seenManifests, storedConsent } from "../ledger/records.ts";
import { forbiddenBy, type Policy, policyOf } from "../policy.ts";
import type { ModelKnowledge } from "./model.ts";
import { type KnownStudy, rememberedStudy, type StudyKnowledge } from "./studies.ts";

export interface BankOptions {
  /** The node's memory. */
  readonly db: DatabaseSync;
  /** @throws Refusal while the bank cannot be reached. */
  studies(): Promise<StudyView[]>;
  model(study: Digest): Promise<{ digest: Digest; model: unknown }>;
  rows(manifest: StudyManifest): Promise<Table>;
  /** As it stands on disk. */
  readonly policy: () => Policy;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Reading a page asks the bank at most this often. */
const askAgainMillis = 60_000;
/** The first view waits no longer for the bank. */
const patienceMillis = 200;

/** What the bank says, asked seldom: a page that is looked at often must not make the node talk often. */
export class Bank {
  readonly #options: BankOptions;
  #asked: { readonly at: number; readonly answer: Promise<StudyKnowledge> } | undefined;
  readonly #models = new Map<Digest, { digest: Digest; model: unknown }>();

  constructor(options: BankOptions) {
    this.#options = options;
  }

  async studies(): Promise<StudyKnowledge> {
    const now = this.#options.now();
    if (this.#asked === undefined || now - this.#asked.at >= askAgainMillis)
      this.#asked = { at: now, answer: this.#ask() };
    const { studies, ...rest } = await this.#asked.answer;
    // Consents and policy are the node's own, and shown as they are now.
    const asOfNow = studies.map((study) => {
      const forbidden = this.#forbidden(study.manifest);
      return forbidden === undefined ? study : { ...study, forbidden };
    });
    return { ...rest, studies: asOfNow, consents: this.#consents(studies.map(({ study }) => study)) };
  }

  /** Asks anew the next time: something was decided. */
  forget(): void {
    this.#asked = undefined;
  }

  /** What is known without waiting for the bank, which is asked meanwhile. */
  async known(): Promise<StudyKnowledge> {
    const asked = this.studies();
    asked.catch(() => {});
    const remembered = (): StudyKnowledge => {
      const studies = this.#remembered();
      return { studies, consents: this.#consents(studies.map(({ study }) => study)) };
    };
    return await Promise.race([asked, delay(patienceMillis).then(remembered)]);
  }

  async models(): Promise<{ models: ModelKnowledge[]; unreachable?: Refusal }> {
    const { studies, consents, unreachable } = await this.studies();
    const models: ModelKnowledge[] = [];
    for (const { study, name, manifest, phase } of studies) {
      if (phase !== "finished" || !consents.has(study)) continue;
      let found = this.#models.get(study);
      if (found === undefined) {
        try {
          found = await this.#options.model(study);
        } catch (error) {
          return { models, unreachable: refusalOf(error) };
        }
        this.#models.set(study, found);
      }
      const rows = await this.#options.rows(manifest).catch((error: unknown) => refusalOf(error));
      const { results } = found.model as { results: PriorResults };
      models.push({ name, digest: found.digest, algorithms: manifest.algorithms, results, rows });
    }
    return { models, ...(unreachable === undefined ? {} : { unreachable }) };
  }

  names(): Map<string, string> {
    return new Map(this.#remembered().map(({ study, name }) => [study, name]));
  }

  /** What policy.yaml forbids of a study as it stands now, or what is wrong with it. */
  #forbidden(manifest: StudyManifest): KnownStudy["forbidden"] {
    try {
      const forbidden = forbiddenBy(policyOf(this.#options.policy(), tableOf(manifest)), manifest);
      return forbidden.length === 0 ? undefined : forbidden;
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  #remembered(): KnownStudy[] {
    return seenManifests(this.#options.db).map(({ study, manifest }) => rememberedStudy(study, manifest));
  }

  async #ask(): Promise<StudyKnowledge> {
    try {
      return { studies: await this.#options.studies(), consents: new Map() };
    } catch (error) {
      return { studies: this.#remembered(), unreachable: refusalOf(error), consents: new Map() };
    }
  }

  #consents(studies: readonly Digest[]): StudyKnowledge["consents"] {
    return new Map(
      studies.flatMap((study) => {
        const consent = storedConsent(this.#options.db, study);
        return consent === undefined ? [] : [[study, consent] as const];
      }),
    );
  }
}
