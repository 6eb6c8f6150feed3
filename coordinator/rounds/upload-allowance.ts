import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { chunkCount, seededBytes } from "../../privacy/sum/encryption/bfv-format.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import { type NoisyHeader, packingOf } from "../../privacy/sum/noise-terms.ts";

/** What is stored of a party under an attempt. */
export interface StoredBlob {
  readonly party: PartyId;
  readonly digest: Digest;
}

interface Allowance {
  readonly chunks: number;
  readonly stored: ReadonlyMap<PartyId, Set<Digest>>;
}

/** What members may store: the ciphertexts of one submission to each open attempt they are in the cohort of. */
export class UploadAllowance {
  readonly #attempts = new Map<Digest, Allowance>();

  open(roundId: Digest, header: NoisyHeader & Pick<RoundHeader, "layout">): void {
    const { cohort } = header;
    const chunks = chunkCount(packingOf(header).slots);
    this.#attempts.set(roundId, { chunks, stored: new Map(cohort.map((party) => [party, new Set()])) });
  }

  /**
   * Counts a blob before its first byte is taken; one that comes again, in pieces, counts once.
   * @throws Refusal message_unexpected, upload_too_large
   */
  take(roundId: Digest, party: PartyId, digest: Digest, bytes: number): void {
    const attempt = this.#attempts.get(roundId);
    const stored = attempt?.stored.get(party);
    if (attempt === undefined || stored === undefined)
      throw new Refusal("message_unexpected", "the upload is for no open attempt of this enterprise");
    if (bytes !== seededBytes)
      throw new Refusal("upload_too_large", `${bytes} bytes, where a ciphertext has ${seededBytes}`);
    if (!stored.has(digest) && stored.size >= attempt.chunks)
      throw new Refusal("upload_too_large", `more than the ${attempt.chunks} ciphertexts of a submission`);
    stored.add(digest);
  }

  /** The attempt has ended. @returns what was stored under it. */
  close(roundId: Digest): StoredBlob[] {
    const { stored } = this.#attempts.get(roundId) ?? { stored: new Map<PartyId, Set<Digest>>() };
    this.#attempts.delete(roundId);
    return [...stored].flatMap(([party, digests]) => [...digests].map((digest) => ({ party, digest })));
  }
}
