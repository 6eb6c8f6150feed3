/** The state of each study, computed from its manifest and its sums: nothing else of it is kept. */
import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { SealedSum } from "../../models/algorithm.ts";
import type { StudyManifest } from "../../models/study.ts";
import { advanceStudy, type StudyState, startStudy } from "../../models/study-loop.ts";
import type { SumCertificate } from "../../privacy/sum/certificate.ts";
import { dequantizeSum } from "../../privacy/sum/layout.ts";
import { packingOf } from "../../privacy/sum/noise-terms.ts";
import { decodeSum } from "../../privacy/sum/sum-encoding.ts";
import type { Bank } from "../bank.ts";
import { paged } from "../store/sql.ts";

/** @returns what round headers name, and every node computes itself. */
export const stateDigest = (state: StudyState): Digest => digestOf(canonicalBytes(state));

interface Head {
  readonly sums: number;
  readonly state: StudyState;
}

/** @returns the sum that a certificate of this bank's own states. */
export function certifiedSum({ header, survivors, sum }: SumCertificate): SealedSum {
  const packing = packingOf(header);
  const slots = decodeSum(Buffer.from(sum, "base64"), packing.slots);
  return { values: dequantizeSum(slots, packing, survivors.length), parties: survivors.length };
}

export class StateChain {
  readonly #bank: Pick<Bank, "database">;
  readonly #heads = new Map<Digest, Head>();

  constructor(bank: Pick<Bank, "database">) {
    this.#bank = bank;
  }

  /**
   * @returns the state after so many sums.
   * @throws Refusal state_mismatch where the stored sums lead elsewhere than their headers say
   */
  async state(study: Digest, manifest: StudyManifest, sums: number): Promise<StudyState> {
    let head = this.#heads.get(study);
    if (head === undefined || head.sums > sums) head = { sums: 0, state: startStudy(manifest) };
    if (head.sums < sums) head = await this.#walk(study, manifest, head, sums);
    this.#heads.set(study, head);
    return head.state;
  }

  async #walk(study: Digest, manifest: StudyManifest, from: Head, sums: number): Promise<Head> {
    const rows = paged<{ round: number; document: string }>(
      (after) => this.#bank.database.sql`
        SELECT round, document FROM sum_certificate
        WHERE study = ${study} AND round > ${after?.round ?? from.sums} AND round <= ${sums}
        ORDER BY round LIMIT 16`,
    );
    let { state } = from;
    for await (const { document } of rows) {
      const certificate = JSON.parse(document) as SumCertificate;
      if (certificate.header.state !== stateDigest(state))
        throw new Refusal(
          "state_mismatch",
          `the stored sums do not lead to round ${certificate.header.round}`,
        );
      state = await advanceStudy(manifest, state, certifiedSum(certificate));
    }
    return { sums, state };
  }

  /** The state after the sum that has just become durable. */
  advanced(study: Digest, sums: number, state: StudyState): void {
    this.#heads.set(study, { sums, state });
  }

  /** The study has ended. */
  forget(study: Digest): void {
    this.#heads.delete(study);
  }
}
