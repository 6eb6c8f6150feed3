import type { Digest } from "../../core/canonical.ts";
import type { CoordinatorEffect, CoordinatorEvent } from "../../privacy/sum/coordinator/state.ts";
import { type Bfv, chunkCount, type RunningSum } from "../../privacy/sum/encryption/bfv.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import { performFold, performUnmask } from "../../privacy/sum/work.ts";
import type { Bank } from "../bank.ts";

type Effect<Type> = Extract<CoordinatorEffect, { readonly type: Type }>;
type Event<Type> = Extract<CoordinatorEvent, { readonly type: Type }>;

/** The running sum of one attempt. Holds one sum however many parties submit; their ciphertexts stay on disk. */
export class Aggregation {
  readonly #bank: Bank;
  readonly #bfv: Bfv;
  readonly #folded: Digest[] = [];
  #sum: RunningSum | undefined;

  constructor(bank: Bank, bfv: Bfv) {
    this.#bank = bank;
    this.#bfv = bfv;
  }

  /** @returns bytes held of a submission's ciphertexts: those that came, whatever was announced. */
  async bytesOf(chunks: readonly Digest[], party: PartyId): Promise<number> {
    const held = await Promise.all(chunks.map((digest) => this.#bank.blobs.uploads.status(digest, party)));
    return held.reduce((sum, { committed }) => sum + committed, 0);
  }

  async fold(effect: Effect<"fold">): Promise<Event<"folded" | "foldFailed">> {
    this.#sum ??= this.#bfv.openSum(effect.chunks.length);
    this.#folded.push(...effect.chunks);
    return performFold(effect, this.#sum, (digest) => this.#bank.blobs.uploads.get(digest));
  }

  async unmask(effect: Effect<"unmask">): Promise<Event<"unmasked" | "unmaskFailed">> {
    const sum = this.#sum ?? this.#bfv.openSum(chunkCount(effect.packing.slots));
    this.#sum = undefined;
    return performUnmask(effect, sum, (blob) => this.#bank.blobs.published.put(blob));
  }

  /** Frees the sum where the attempt ended without it, and the ciphertexts that nobody needs any more. */
  async close(): Promise<void> {
    await this.#sum?.discard().catch(() => {});
    this.#sum = undefined;
    await this.#bank.blobs.uploads.remove(this.#folded);
  }
}
