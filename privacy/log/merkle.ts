import { equalBytes, fromHex } from "../../core/bytes.ts";
import { sha256 } from "../../core/canonical.ts";

/**
 * The Merkle tree of RFC 6962 §2.1 over any number of entries up to 2⁵³ − 1.
 * A hash at (level, index) covers the complete subtree of the 2^level leaves from index · 2^level on;
 * once written it never changes, so a store only ever inserts.
 */

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array;

/** A complete subtree's hash, to be stored under (level, index). */
export interface StoredHash {
  readonly level: number;
  readonly index: number;
  readonly hash: Hash;
}

/** Reads a stored hash; only ever asked for complete subtrees inside the size it was asked about. */
export type HashReader = (level: number, index: number) => Hash | Promise<Hash>;

/** All that is needed to append: the hashes of the largest complete subtrees, left to right. */
export interface CompactRange {
  readonly size: number;
  /** One hash for each 1 in the binary form of `size`. */
  readonly hashes: readonly Hash[];
}

const leafPrefix = Uint8Array.of(0);
/** 01 ‖ left ‖ right, written over for each node: a tree has as many of them as leaves. */
const nodeInput = Uint8Array.of(1, ...new Uint8Array(64));

/** SHA-256 of nothing. Written out: a browser has no digest yet while modules are loaded. */
export const emptyRoot: Hash = fromHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")!;
export const emptyRange: CompactRange = { size: 0, hashes: [] };

/** @returns SHA-256(00 ‖ entry). */
export const leafHash = (entry: Uint8Array): Hash => sha256(leafPrefix, entry);

/** @returns SHA-256(01 ‖ left ‖ right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  nodeInput.set(left, 1);
  nodeInput.set(right, 33);
  return sha256(nodeInput);
}

/** @returns the grown range and the one leaf hash and any subtree hashes that became complete, lowest first. */
export function appendLeaf(
  range: CompactRange,
  leaf: Hash,
): { range: CompactRange; stored: readonly StoredHash[] } {
  const hashes = [...range.hashes];
  const stored: StoredHash[] = [{ level: 0, index: range.size, hash: leaf }];
  let hash = leaf;
  for (let level = 1, index = range.size; index % 2 === 1; level++) {
    index = half(index);
    hash = nodeHash(hashes.pop()!, hash);
    stored.push({ level, index, hash });
  }
  hashes.push(hash);
  return { range: { size: range.size + 1, hashes }, stored };
}

/** A tree that grows by a leaf at a time, and has its root at every size so far: it keeps what `appendLeaf` stores. */
export class GrowingTree {
  #range = emptyRange;
  /** Of each level, the complete subtrees' hashes one behind the other. */
  readonly #levels: PackedHashes[] = [];

  append(leaf: Hash): void {
    const { range, stored } = appendLeaf(this.#range, leaf);
    this.#range = range;
    for (const { level, hash } of stored) {
      this.#levels[level] ??= new PackedHashes();
      this.#levels[level].push(hash);
    }
  }

  /** Reads a complete subtree's hash. */
  readonly read: HashReader = (level, index) => this.#levels[level]!.at(index);

  get range(): CompactRange {
    return this.#range;
  }

  /** @returns the root at a size, undefined beyond the end. */
  rootAt(size: number): Hash | undefined {
    if (!isSize(size) || size > this.#range.size) return undefined;
    const hashes = completeSubtrees(0, size).map(([level, index]) => this.#levels[level]!.at(index));
    return rangeRoot({ size, hashes });
  }
}

/** Hashes in one piece of memory: a log has too many of them for an object each. */
class PackedHashes {
  #bytes = new Uint8Array(32 * 64);
  #count = 0;

  push(hash: Hash): void {
    const end = 32 * this.#count++;
    if (end === this.#bytes.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(hash, end);
  }

  at(index: number): Hash {
    return this.#bytes.subarray(32 * index, 32 * index + 32);
  }
}

/** @returns the tree's root. */
export const rangeRoot = ({ hashes }: CompactRange): Hash =>
  hashes.length === 0 ? emptyRoot : hashes.reduceRight((right, left) => nodeHash(left, right));

/** Restores the range of a stored tree, for example after a restart. */
export async function readRange(size: number, read: HashReader): Promise<CompactRange> {
  checkSize(size);
  return {
    size,
    hashes: await Promise.all(completeSubtrees(0, size).map(([level, index]) => read(level, index))),
  };
}

/**
 * @param index - of the entry, 0 ≤ index < size.
 * @returns the audit path, the leaf's sibling first.
 * @see RFC 6962 §2.1.1
 */
export function inclusionProof(index: number, size: number, read: HashReader): Promise<Hash[]> {
  checkSize(size);
  if (!(Number.isInteger(index) && index >= 0 && index < size)) throw new RangeError("0 <= index < size");
  const siblings: Range[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start);
    if (index < middle) {
      siblings.push([middle, end]);
      end = middle;
    } else {
      siblings.push([start, middle]);
      start = middle;
    }
  }
  return Promise.all(siblings.reverse().map((range) => rangeHash(range, read)));
}

/**
 * @param oldSize - 0 ≤ oldSize ≤ size.
 * @returns the hashes that tie the old root to the new one; empty from size 0 or to the same size.
 * @see RFC 6962 §2.1.2
 */
export async function consistencyProof(oldSize: number, size: number, read: HashReader): Promise<Hash[]> {
  checkSize(oldSize);
  checkSize(size);
  if (oldSize > size) throw new RangeError("0 <= oldSize <= size");
  if (oldSize === 0 || oldSize === size) return [];
  const parts: Range[] = [];
  let [start, end] = [0, size];
  while (end !== oldSize) {
    const middle = start + largestPowerBelow(end - start);
    if (oldSize <= middle) {
      parts.push([middle, end]);
      end = middle;
    } else {
      parts.push([start, middle]);
      start = middle;
    }
  }
  // The old tree itself is left out where it is one complete subtree: the verifier knows its root.
  if (start > 0) parts.push([start, end]);
  return Promise.all(parts.reverse().map((range) => rangeHash(range, read)));
}

/** @returns whether the proof ties the leaf at `index` to the root. @see RFC 9162 §2.1.3.2 */
export function verifyInclusion(
  index: number,
  size: number,
  leaf: Hash,
  proof: readonly Hash[],
  root: Hash,
): boolean {
  if (!(isSize(index) && isSize(size) && index < size) || !areHashes([leaf, ...proof])) return false;
  let [fn, sn] = [index, size - 1];
  let hash = leaf;
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, half(sn)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equalBytes(hash, root);
}

/**
 * @returns whether the tree of `size` entries begins with the tree of `oldSize` entries.
 *   From size 0 the proof is empty and the old root is the empty tree's (C2SP tlog-witness).
 * @see RFC 9162 §2.1.4.2
 */
export function verifyConsistency(
  oldSize: number,
  size: number,
  proof: readonly Hash[],
  oldRoot: Hash,
  root: Hash,
): boolean {
  if (!(isSize(oldSize) && isSize(size) && oldSize <= size) || !areHashes(proof)) return false;
  if (size === 0 && !equalBytes(root, emptyRoot)) return false;
  if (oldSize === 0) return proof.length === 0 && equalBytes(oldRoot, emptyRoot);
  if (oldSize === size) return proof.length === 0 && equalBytes(oldRoot, root);
  if (proof.length === 0) return false;
  let [fn, sn] = [oldSize - 1, size - 1];
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  // fn is now 0 exactly where the old tree is one complete subtree.
  const [first, ...rest] = fn === 0 ? [oldRoot, ...proof] : proof;
  let [oldHash, hash] = [first!, first!];
  for (const part of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      oldHash = nodeHash(part, oldHash);
      hash = nodeHash(part, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, half(sn)];
    } else {
      hash = nodeHash(hash, part);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equalBytes(oldHash, oldRoot) && equalBytes(hash, root);
}

/** Leaves start…end−1. */
type Range = readonly [start: number, end: number];

const half = (n: number): number => Math.floor(n / 2);
const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const areHashes = (hashes: readonly Hash[]): boolean => hashes.every((hash) => hash.length === 32);

function checkSize(size: number): void {
  if (!isSize(size)) throw new RangeError("a size is an integer in 0…2^53 - 1");
}

/** @returns the largest power of two below n > 1. */
function largestPowerBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** @returns (level, index) of the largest complete subtrees of leaves start…end−1, left to right. */
function completeSubtrees(start: number, end: number): [level: number, index: number][] {
  const subtrees: [number, number][] = [];
  for (let at = start; at < end; ) {
    let [level, width] = [0, 1];
    while (width * 2 <= end - at && at % (width * 2) === 0) [level, width] = [level + 1, width * 2];
    subtrees.push([level, at / width]);
    at += width;
  }
  return subtrees;
}

async function rangeHash([start, end]: Range, read: HashReader): Promise<Hash> {
  const hashes = await Promise.all(completeSubtrees(start, end).map(([level, index]) => read(level, index)));
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}
