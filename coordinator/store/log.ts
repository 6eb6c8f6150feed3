import { Refusal } from "../../core/reasons.ts";
import { openCheckpoint, signCheckpoint } from "../../privacy/log/checkpoint.ts";
import type { CosignatureVerifier } from "../../privacy/log/cosignature.ts";
import { type Entry, entryBytes, parseEntry } from "../../privacy/log/entry.ts";
import {
  appendLeaf,
  type CompactRange,
  consistencyProof,
  emptyRange,
  type Hash,
  type HashReader,
  inclusionProof,
  leafHash,
  rangeRoot,
  readRange,
  type StoredHash,
} from "../../privacy/log/merkle.ts";
import {
  addSignatures,
  type KnownSigner,
  type NoteSignature,
  parseNote,
  parseSignature,
} from "../../privacy/log/note.ts";
import { formatCheckpoint, parseCheckpoint } from "../../privacy/log/tree-head.ts";
import type { Database } from "./database.ts";
import { paged, type Sql, type Transaction, valuesOf } from "./sql.ts";

// Any constant that only the sequencer uses.
const sequencerLock = 0x66_65_64_32;

const keptProofs = 16;

/** An entry before the sequencer gives it its time. */
export type NewEntry = Entry extends infer E ? (E extends Entry ? Omit<E, "time"> : never) : never;

/** A witness's cosignature of a checkpoint that this log signed. */
export interface Cosigning {
  readonly size: number;
  readonly signature: NoteSignature;
  readonly witness: CosignatureVerifier;
  /** Signatures that the note may have before this one is left out. */
  readonly most: number;
}

/** @param line - one signature line. @throws Refusal note_malformed, signature_invalid */
export function cosigningOf(
  size: number,
  line: string,
  witness: CosignatureVerifier,
  most: number,
): Cosigning {
  const signature = parseSignature(line);
  if (signature.name !== witness.name || signature.keyId !== witness.keyId)
    throw new Refusal("signature_invalid", `the cosignature is not by ${witness.name}`);
  return { size, signature, witness, most };
}

/** Where the log ended when this process last appended to it. */
interface End {
  readonly range: CompactRange;
  /** Of the last entry, Unix milliseconds. */
  readonly time: number;
  /** Text of the checkpoint signed there. */
  readonly signed: string;
  /** The key that signed it: it signs the next one, unless another follows it. */
  readonly signer: KnownSigner;
}

/**
 * The bank's privacy log. Entries are appended inside the transaction of the state change they tell of:
 * the change, its entries, their hashes and the signed checkpoint become durable together or not at all.
 */
export class LogStore {
  readonly #database: Database;
  readonly #signers: readonly KnownSigner[];
  readonly #now: () => number;
  /** Saves reading the end again; not used when another process appended or a transaction was rolled back. */
  #end: End | undefined;
  /** Entries that the log is known to have. It only grows. */
  #held = 0;
  /** The last proofs of consistency: every member asks for the same one, from the last round's checkpoint on. */
  readonly #proofs = new Map<string, Promise<Hash[]>>();

  /**
   * @param signers - keys of the bank, all of one name, the log's origin. The first founds the log; it is signed on by
   *   the key that signed it last. @param now - Unix milliseconds.
   */
  constructor(database: Database, signers: readonly KnownSigner[], now: () => number) {
    this.#database = database;
    this.#signers = signers;
    this.#now = now;
  }

  /** @returns the key that signed a checkpoint of this log. @throws Refusal signature_invalid, where it is none of the bank's */
  #signerOf(note: string): KnownSigner {
    const ids = parseNote(note).signatures.map(({ keyId }) => keyId);
    const signer = this.#signers.find(({ keyId }) => ids.includes(keyId));
    if (signer !== undefined) return signer;
    throw new Refusal("signature_invalid", "the log is signed by a key that is not in the keys' folder", {
      hint: "restore the bank's newest key from the copy of the keys",
    });
  }

  /** Holds off every other append until the transaction ends: what is read from here on holds for its entries. */
  async lock(sql: Transaction): Promise<void> {
    await sql`SELECT pg_advisory_xact_lock(${sequencerLock})`;
  }

  /**
   * Appends entries at the end of a transaction. Holds the sequencer's lock until the transaction ends.
   * @param next - the key that signs from these entries on.
   * @returns the index of the first.
   * @throws Refusal entry_invalid
   */
  async append(
    sql: Transaction,
    entries: readonly [NewEntry, ...NewEntry[]],
    next?: KnownSigner,
  ): Promise<number>;
  async append(sql: Transaction, entries: readonly NewEntry[]): Promise<number | undefined>;
  async append(
    sql: Transaction,
    entries: readonly NewEntry[],
    next?: KnownSigner,
  ): Promise<number | undefined> {
    if (entries.length === 0) return undefined;
    await this.lock(sql);
    const end = await this.#readEnd(sql);
    let range = end.range;
    // A clock that is set back must not make the log's own order look wrong.
    const time = Math.max(this.#now(), end.time);
    const stored: StoredHash[] = [];
    const rows: { index: number; entry: Buffer }[] = [];
    for (const entry of entries) {
      const bytes = entryBytes({ ...entry, time } as Entry);
      rows.push({ index: range.size, entry: Buffer.from(bytes) });
      const appended = appendLeaf(range, leafHash(bytes));
      range = appended.range;
      stored.push(...appended.stored);
    }
    const signer = next ?? end.signer;
    const checkpoint = { origin: signer.name, size: range.size, root: rangeRoot(range) };
    const note = signCheckpoint(checkpoint, signer);
    await Promise.all([
      sql`INSERT INTO log_entry ${valuesOf(rows)}`,
      sql`INSERT INTO log_hash ${valuesOf(stored)}`,
      sql`INSERT INTO log_checkpoint VALUES (${range.size}, ${note})`,
    ]);
    this.#end = { range, time, signed: parseNote(note).text, signer };
    return end.range.size;
  }

  async #readEnd(sql: Transaction): Promise<End> {
    const { size, note } = await latest(sql);
    if (note === undefined) return { range: emptyRange, time: 0, signed: "", signer: this.#signers[0]! };
    const signed = parseNote(note).text;
    const signer = this.#signerOf(note);
    if (this.#end?.signed === signed && this.#end.signer === signer) return this.#end;
    const [last] = await sql`SELECT entry FROM log_entry WHERE index = ${size - 1}`;
    const { time } = parseEntry(last!.entry as Uint8Array);
    return { range: await readRange(size, hashReader(sql)), time, signed, signer };
  }

  /** @returns the largest signed checkpoint with the cosignatures held for it. */
  async checkpoint(): Promise<{ size: number; note: string }> {
    const { size, note } = await latest(this.#database.sql);
    if (note !== undefined) return { size, note };
    const [signer] = this.#signers;
    const empty = { origin: signer!.name, size: 0, root: rangeRoot(emptyRange) };
    return { size: 0, note: signCheckpoint(empty, signer!) };
  }

  /** @returns the newest checkpoint that so many witnesses have cosigned. */
  async witnessed(quorum: number): Promise<{ size: number; note: string } | undefined> {
    const newestFirst = paged<{ size: number; note: string }>(
      (after) => this.#database.sql`
        SELECT size, note FROM log_checkpoint WHERE size < ${after?.size ?? Number.MAX_SAFE_INTEGER}
        ORDER BY size DESC LIMIT 64`,
    );
    // One is the bank's own; cosignatures were checked when they came, and keys of one name are one witness's.
    for await (const checkpoint of newestFirst)
      if (signersOf(checkpoint.note).length - 1 >= quorum) return checkpoint;
    return undefined;
  }

  /** @throws Refusal not_found beyond the log's end. */
  async consistency(oldSize: number, newSize: number): Promise<Hash[]> {
    await this.#checkSize(newSize);
    if (!(oldSize >= 0 && oldSize <= newSize))
      throw new Refusal("not_found", "the old size is larger than the new");
    const between = `${oldSize} ${newSize}`;
    const known = this.#proofs.get(between);
    if (known !== undefined) return known;
    const proof = consistencyProof(oldSize, newSize, hashReader(this.#database.sql));
    this.#proofs.set(between, proof);
    proof.catch(() => this.#proofs.delete(between));
    for (const oldest of this.#proofs.keys()) {
      if (this.#proofs.size <= keptProofs) break;
      this.#proofs.delete(oldest);
    }
    return proof;
  }

  /** @returns the root of the log's first entries. @throws Refusal not_found beyond the log's end. */
  async rootAt(size: number): Promise<Hash> {
    await this.#checkSize(size);
    return rangeRoot(await readRange(size, this.hash));
  }

  /** @throws Refusal not_found beyond the log's end. */
  async inclusion(index: number, size: number): Promise<{ hashes: Hash[]; entry: Uint8Array }> {
    await this.#checkSize(size);
    if (!(index >= 0 && index < size))
      throw new Refusal("not_found", `no entry ${index} in a log of ${size}`);
    const hashes = await inclusionProof(index, size, hashReader(this.#database.sql));
    const [row] = await this.#database.sql`SELECT entry FROM log_entry WHERE index = ${index}`;
    return { hashes, entry: row!.entry as Uint8Array };
  }

  async #checkSize(size: number): Promise<void> {
    if (Number.isSafeInteger(size) && size >= 0 && size <= this.#held) return;
    this.#held = (await latest(this.#database.sql)).size;
    if (!(Number.isSafeInteger(size) && size >= 0 && size <= this.#held))
      throw new Refusal("not_found", `the log has ${this.#held} entries`);
  }

  /** Entries [start, end), read in pages. */
  async *entries(start: number, end: number): AsyncGenerator<{ index: number; entry: Uint8Array }> {
    yield* paged<{ index: number; entry: Uint8Array }>(
      (after) => this.#database.sql`
        SELECT index, entry FROM log_entry WHERE index >= ${after === undefined ? start : after.index + 1}
        AND index < ${end} ORDER BY index LIMIT 256`,
    );
  }

  /** Reads one complete subtree's hash. */
  get hash(): HashReader {
    return hashReader(this.#database.sql);
  }

  /**
   * Keeps a witness's cosignatures, one by each of its keys, of a checkpoint this log signed: all or none.
   * @returns the checkpoint with the cosignatures held.
   * @throws Refusal not_found, signature_invalid
   */
  async cosign(cosignings: readonly Cosigning[]): Promise<string> {
    return this.#database.transaction(async (sql) => {
      const outcomes = await this.addCosignatures(sql, cosignings);
      const refused = outcomes.find((outcome) => outcome instanceof Error);
      if (refused !== undefined) throw refused;
      return outcomes.at(-1) as string;
    });
  }

  /**
   * Keeps cosignatures with what else a transaction writes.
   * @returns for each the checkpoint with the cosignatures held, or why it is not kept: a Refusal not_found or
   *   signature_invalid.
   * @throws Refusal note_malformed
   */
  async addCosignatures(sql: Transaction, all: readonly Cosigning[]): Promise<(string | Error)[]> {
    if (all.length === 0) return [];
    const sizes = [...new Set(all.map(({ size }) => size))];
    const rows = await sql`SELECT size, note FROM log_checkpoint WHERE size = ANY(${sizes}) FOR UPDATE`;
    const notes = new Map(rows.map((row): [number, string] => [row.size, row.note]));
    const outcomes = all.map((cosigning): string | Error => {
      const note = cosigned(notes.get(cosigning.size), cosigning);
      if (typeof note === "string") notes.set(cosigning.size, note);
      return note;
    });
    for (const [size, note] of notes)
      await sql`UPDATE log_checkpoint SET note = ${note} WHERE size = ${size}`;
    return outcomes;
  }

  /**
   * Recomputes the newest checkpoint from the stored hashes: a damaged or rewound store must not be signed on.
   * @throws Refusal log_forked, signature_invalid
   */
  async verify(): Promise<void> {
    const { size, note } = await latest(this.#database.sql);
    if (note === undefined) return;
    openCheckpoint(note, this.#signerOf(note).verifier);
    const root = rangeRoot(await readRange(size, this.hash));
    const signed = parseCheckpoint(parseNote(note).text);
    if (formatCheckpoint(signed) !== formatCheckpoint({ ...signed, root }))
      throw new Refusal("log_forked", "the stored log does not have the root that was signed");
  }
}

/** @returns the names of who signed a note, each once. */
export const signersOf = (note: string): string[] => [
  ...new Set(parseNote(note).signatures.map(({ name }) => name)),
];

/** @returns the checkpoint with one cosignature more, or why not. */
function cosigned(note: string | undefined, { size, signature, witness, most }: Cosigning): string | Error {
  if (note === undefined) return new Refusal("not_found", `no checkpoint of size ${size} was signed`);
  const { text, signatures } = parseNote(note);
  if (!witness.verify(text, signature.signature))
    return new Refusal("signature_invalid", `the cosignature by ${witness.name} is wrong`);
  if (signatures.some(({ name, keyId }) => name === witness.name && keyId === witness.keyId)) return note;
  return signatures.length >= most ? note : addSignatures(note, [signature]);
}

async function latest(sql: Sql | Transaction): Promise<{ size: number; note?: string }> {
  const [row] = await sql`SELECT size, note FROM log_checkpoint ORDER BY size DESC LIMIT 1`;
  return row === undefined ? { size: 0 } : { size: row.size as number, note: row.note as string };
}

const hashReader =
  (sql: Sql | Transaction): HashReader =>
  async (level, index) => {
    const [row] = await sql`SELECT hash FROM log_hash WHERE level = ${level} AND index = ${index}`;
    if (row === undefined) throw new Refusal("log_forked", `the log's store lacks hash (${level}, ${index})`);
    return row.hash as Hash;
  };
