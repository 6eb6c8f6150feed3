/**
 * The state chain: a node computes each state of a study itself, from the manifest and the sums. What the bank
 * says of a state is never believed; a sum that the node did not decrypt itself comes with its certificate.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import { shortDigest } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import type { SealedSum } from "../../models/algorithm.ts";
import { type StudyManifest, tableOf } from "../../models/study.ts";
import {
  parseStudyState,
  requireSealable,
  type StudyState,
  startStudy,
  studyNext,
} from "../../models/study-loop.ts";
import { type RoundHeader, roundIdOf } from "../../privacy/sum/header.ts";
import type { VectorLayout } from "../../privacy/sum/layout.ts";
import type { NoiseTerms } from "../../privacy/sum/noise-terms.ts";
import { type ChainHead, headOf, storedHead, storeHead } from "../ledger/chain.ts";
import type { EgressLedger } from "../ledger/egress.ts";
import { submittedTo } from "../ledger/records.ts";
import type { Certificates } from "./certificates.ts";
import type { Statistics } from "./statistics.ts";

/** The step of a study that comes next. */
export interface NextStep {
  readonly round: number;
  readonly algorithm: RoundHeader["algorithm"];
  readonly state: Digest;
  readonly layout: VectorLayout;
  readonly noise: NoiseTerms | undefined;
  readonly among: readonly string[] | undefined;
}

export interface StateChainOptions {
  readonly db: DatabaseSync;
  readonly ledger: Pick<EgressLedger, "recordBystander">;
  readonly now: () => number;
  readonly certificates: Certificates;
  readonly statistics: Pick<Statistics, "advance">;
}

export class StateChain {
  readonly #options: StateChainOptions;
  readonly #heads = new Map<Digest, ChainHead<StudyState>>();
  /** What follows from a sum that the bank has not ended the round of yet. */
  readonly #foreseen = new Map<
    Digest,
    { readonly values: Float64Array; readonly next: Promise<ChainHead<StudyState>> }
  >();

  constructor(options: StateChainOptions) {
    this.#options = options;
  }

  /** @returns where the study stands by what this node has seen of its sums. */
  head(study: Digest, manifest: StudyManifest): ChainHead<StudyState> {
    const known = this.#heads.get(study) ?? this.#stored(study, manifest);
    this.#heads.set(study, known);
    return known;
  }

  #stored(study: Digest, manifest: StudyManifest): ChainHead<StudyState> {
    const row = storedHead(this.#options.db, study);
    if (row === undefined) return headOf(0, startStudy(manifest));
    return { ...row, state: parseStudyState(manifest, row.state) };
  }

  /**
   * @returns what is to be summed next; undefined where the study is finished.
   * @throws Refusal layout_overflow where it would fill this node's memory: that the bank looked is not taken for granted
   */
  next(study: Digest, manifest: StudyManifest): NextStep | undefined {
    const { sums, digest, state } = this.head(study, manifest);
    const { index, algorithm: name, step } = state;
    if (name === null) return undefined;
    const sum = studyNext(manifest, state);
    requireSealable(name, sum.layout);
    return { round: sums + 1, algorithm: { index, name, step }, state: digest, ...sum };
  }

  /**
   * Works out what follows from a sum, where it is the next one: the study stands where it stood until `advance`.
   * @throws those of {@link advance}
   */
  async foresee(
    study: Digest,
    manifest: StudyManifest,
    round: number,
    sum: SealedSum,
  ): Promise<ChainHead<StudyState> | undefined> {
    const head = this.head(study, manifest);
    if (head.sums + 1 !== round) return undefined;
    const next = this.#after(head, manifest, sum);
    next.catch(() => {});
    this.#foreseen.set(study, { values: sum.values, next });
    return next;
  }

  /**
   * Moves on by a sum that this node decrypted and recomputed itself.
   * @throws what the algorithm refuses: then the study has no result, here as at the bank.
   */
  async advance(study: Digest, manifest: StudyManifest, round: number, sum: SealedSum): Promise<void> {
    const head = this.head(study, manifest);
    if (head.sums + 1 !== round) return;
    const foreseen = this.#foreseen.get(study);
    this.#foreseen.delete(study);
    const anew = () => this.#after(head, manifest, sum);
    const next = await (foreseen?.values === sum.values ? foreseen.next.catch(anew) : anew());
    storeHead(this.#options.db, study, next);
    this.#heads.set(study, next);
  }

  async #after(
    { sums, state }: ChainHead<StudyState>,
    manifest: StudyManifest,
    sum: SealedSum,
  ): Promise<ChainHead<StudyState>> {
    return headOf(sums + 1, await this.#options.statistics.advance(manifest, state, sum));
  }

  /**
   * Walks the chain up to a round by the certificates of the sums before it.
   * @throws Refusal certificate_forged, state_mismatch, log_forked, unavailable
   */
  async catchUp(study: Digest, manifest: StudyManifest, round: number): Promise<void> {
    let head = this.head(study, manifest);
    if (head.sums + 1 >= round) return;
    for await (const { header, state, values, parties } of this.#options.certificates.after(
      study,
      head.sums,
    )) {
      if (header.study !== study || header.round !== head.sums + 1)
        throw new Refusal(
          "state_mismatch",
          `round ${head.sums + 1} is asked for, and a certificate of round ${header.round} shown`,
        );
      if (state !== head.digest)
        throw new Refusal(
          "state_mismatch",
          `round ${header.round} was summed on the state ${shortDigest(state)}, not on the one that follows from the sums before`,
        );
      this.#chargeShown(header, manifest);
      await this.advance(study, manifest, header.round, { values, parties });
      head = this.head(study, manifest);
      if (head.sums + 1 >= round) return;
    }
    throw new Refusal("state_mismatch", `the bank shows no certificate of round ${head.sums + 1}`);
  }

  /** A sum made while this node was away, over a part of those whose noise its rows were under: before the chain goes on. */
  #chargeShown(header: RoundHeader, manifest: StudyManifest): void {
    const { db, ledger, now } = this.#options;
    if (header.noise === undefined || !header.follows || !submittedTo(db, header.follows.of)) return;
    const rows = { table: tableOf(manifest), unit: manifest.privacy.unit };
    ledger.recordBystander(roundIdOf(header), header, rows, now());
  }
}
