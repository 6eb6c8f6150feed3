/** A log as a bank keeps it that lies when it likes: entries in memory, checkpoints of any of its own trees. */
import { signCheckpoint } from "../../privacy/log/checkpoint.ts";
import {
  consistencyProof,
  type Hash,
  type HashReader,
  inclusionProof,
  leafHash,
  nodeHash,
  rangeRoot,
  readRange,
} from "../../privacy/log/merkle.ts";
import type { Signer } from "../../privacy/log/note.ts";

export class ForgedLog {
  readonly #signer: Signer;
  readonly entries: Uint8Array[];

  constructor(signer: Signer, entries: readonly Uint8Array[] = []) {
    this.#signer = signer;
    this.entries = [...entries];
  }

  /** @returns the entry's index. */
  append(entry: string | Uint8Array): number {
    return this.entries.push(Buffer.from(entry)) - 1;
  }

  rewrite(index: number, entry: string): void {
    this.entries[index] = Buffer.from(entry);
  }

  readonly #read: HashReader = (level, index) => this.#hash(level, index);

  #hash(level: number, index: number): Hash {
    if (level === 0) return leafHash(this.entries[index]!);
    return nodeHash(this.#hash(level - 1, 2 * index), this.#hash(level - 1, 2 * index + 1));
  }

  async checkpoint(): Promise<string> {
    const size = this.entries.length;
    const root = rangeRoot(await readRange(size, this.#read));
    return signCheckpoint({ origin: this.#signer.name, size, root }, this.#signer);
  }

  consistency(oldSize: number, newSize: number): Promise<Hash[]> {
    return consistencyProof(oldSize, newSize, this.#read);
  }

  inclusion(index: number, size: number): Promise<Hash[]> {
    return inclusionProof(index, size, this.#read);
  }
}
