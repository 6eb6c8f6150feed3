import type { Digest } from "../../core/canonical.ts";
import type { CoordinatorEffect, CoordinatorEvent, Submitted } from "../../privacy/sum/coordinator/state.ts";
import { type Bfv, chunkCount, type RunningSum } from "../../privacy/sum/encryption/bfv.ts";
import { performFold, performUnmask } from "../../privacy/sum/work.ts";
import type { Bank } from "../bank.ts";
import type { StoredBlob } from "./upload-allowance.ts";

type Effect<Type> = Extract<CoordinatorEffect, { readonly type: Type }>;
type Event<Type> = Extract<CoordinatorEvent, { readonly type: Type }>;

/** The running sum of one attempt. Holds one sum however many parties submit; their ciphertexts stay on disk. */
export class Aggregation {
  readonly #bank: Pick<Bank, "blobs">;
  readonly #bfv: Bfv;
  #sum: RunningSum | undefined;

  constructor(bank: Pick<Bank, "blobs">, bfv: Bfv) {
    this.#bank = bank;
    this.#bfv = bfv;
  }

  /** @returns bytes held of a submission's ciphertexts: those that came, whatever was announced. */
  async bytesOf({ chunks, party }: Submitted): Promise<number> {
    const held = await Promise.all(chunks.map((digest) => this.#bank.blobs.uploads.status(digest, party)));
    return held.reduce((sum, { committed }) => sum + committed, 0);
  }

  /** From here on a killed coordinator folds these again. @throws Refusal not_found, disk_full */
  sync(submissions: readonly Submitted[]): Promise<void> {
    return this.#bank.blobs.uploads.sync(submissions.flatMap(({ chunks }) => chunks));
  }

  async fold(effect: Effect<"fold">): Promise<Event<"folded" | "foldFailed">> {
    this.#sum ??= this.#bfv.openSum(effect.chunks.length);
    return performFold(effect, this.#sum, (digest) => this.#bank.blobs.uploads.get(digest));
  }

  async unmask(effect: Effect<"unmask">): Promise<Event<"unmasked" | "dealtWrong">> {
    const sum = this.#sum ?? this.#bfv.openSum(chunkCount(effect.packing.slots));
    const event = await performUnmask(effect, sum, (blob) => this.#bank.blobs.published.put(blob));
    if (event.type === "unmasked") this.#sum = undefined;
    return event;
  }

  /** Frees the sum where the attempt ended without it. */
  async close(): Promise<void> {
    await this.#sum?.discard().catch(() => {});
    this.#sum = undefined;
  }

  /** The attempt has ended: nobody needs its ciphertexts any more. */
  async forget(chunks: Iterable<Digest>, uploaded: readonly StoredBlob[]): Promise<void> {
    const { uploads } = this.#bank.blobs;
    // At once: the next round waits for it.
    await Promise.all([
      uploads.remove(new Set([...chunks, ...uploaded.map(({ digest }) => digest)])),
      uploads.removePartial(uploaded.map(({ digest, party: owner }) => ({ digest, owner }))),
    ]);
  }
}
