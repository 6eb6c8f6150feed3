import type { Digest } from "../../core/canonical.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";

/**
 * Ciphertexts of enterprises that others may read: survivors recompute the aggregate from each other's submissions,
 * as long as their attempt is open.
 */
export class SharedChunks {
  readonly #attempts = new Map<Digest, { readonly readers: Set<PartyId>; readonly chunks: Set<Digest> }>();

  grant(roundId: Digest, reader: PartyId, chunks: Iterable<Digest>): void {
    const known = this.#attempts.get(roundId);
    if (known !== undefined) known.readers.add(reader);
    else this.#attempts.set(roundId, { readers: new Set([reader]), chunks: new Set(chunks) });
  }

  /** The attempt is over. */
  revoke(roundId: Digest): void {
    this.#attempts.delete(roundId);
  }

  mayRead(reader: PartyId, chunk: Digest): boolean {
    return [...this.#attempts.values()].some(
      ({ readers, chunks }) => readers.has(reader) && chunks.has(chunk),
    );
  }
}
