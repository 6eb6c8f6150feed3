import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { StudyMemory } from "../../models/memory.ts";
import type { StudyManifest } from "../../models/study.ts";
import { parseStudyState, type StudyState, studyContribute, studyLayout } from "../../models/study-loop.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { VectorLayout } from "../../privacy/sum/layout.ts";
import { refusalOf } from "../../proto/wire.ts";
import { requireConsent } from "../ledger/records.ts";
import type { StudyDesk } from "./studies.ts";
import type { Transport } from "./transport.ts";

interface ContributionOptions {
  readonly db: DatabaseSync;
  readonly transport: Pick<Transport, "download">;
  readonly rows: StudyDesk["rows"];
  readonly random: Random;
  readonly now: () => number;
}

/** Computes this enterprise's statistic of a round: the model state, the rows and the study's algorithm meet here. */
export class Contribution {
  readonly #options: ContributionOptions;
  #last: { readonly digest: Digest; readonly state: StudyState } | undefined;
  #memory = { study: "", memory: new StudyMemory() };

  constructor(options: ContributionOptions) {
    this.#options = options;
  }

  /**
   * @returns what is to be sealed, and the layout that the algorithm itself gives it.
   * @throws Refusal state_mismatch, header_mismatch, consent_missing, consent_expired, and those of rows and algorithm.
   */
  async compute(header: RoundHeader): Promise<{ values: Float64Array; layout: VectorLayout }> {
    const { db, now, random, rows } = this.#options;
    const consent = requireConsent(db, header.study, now());
    const manifest = JSON.parse(consent.manifest) as StudyManifest;
    const state = await this.#fetchState(header, manifest);
    const table = await rows(manifest);
    const means = { random, memory: this.#memoryOf(header.study) };
    const values = await studyContribute(manifest, state, table, means);
    return { values, layout: studyLayout(manifest, state) };
  }

  /** Of the study that was last taken part in: each study's rows and results are large. */
  #memoryOf(study: Digest): StudyMemory {
    if (this.#memory.study !== study) this.#memory = { study, memory: new StudyMemory() };
    return this.#memory.memory;
  }

  async #fetchState({ state: digest, algorithm }: RoundHeader, manifest: StudyManifest): Promise<StudyState> {
    if (this.#last?.digest !== digest)
      this.#last = { digest, state: parseStudyState(manifest, await this.#download(digest)) };
    const { state } = this.#last;
    const { index, name, step } = algorithm;
    if (state.index !== index || state.algorithm !== name || state.step !== step)
      throw new Refusal("header_mismatch", "the state is of another step than the header says");
    return state;
  }

  async #download(digest: Digest): Promise<unknown> {
    try {
      const [bytes] = await this.#options.transport.download([digest]);
      return JSON.parse(Buffer.from(bytes!).toString("utf8"));
    } catch (error) {
      const { reason, message } = refusalOf(error);
      const differs = reason === "digest_mismatch" || error instanceof SyntaxError;
      throw new Refusal(differs ? "state_mismatch" : reason, message, { cause: error });
    }
  }
}
