/** A content-addressed directory: `ab/cdef…` holds the bytes whose SHA-256 is `abcdef…`. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Digest, digestOf } from "../../core/canonical.ts";
import { isFull, writeAll } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";

export interface BlobStatus {
  /** Bytes held; durably, in a store that is. */
  readonly committed: number;
  readonly complete: boolean;
}

// A partial file is made durable at least this often, so that an interrupted upload loses little.
const syncEveryBytes = 8 * 1024 * 1024;

// What a round brings, every survivor downloads at once: the aggregate, and what it is recomputed from.
const mostRecentBytes = 16 * 1024 * 1024;
const largestRecentBytes = 256 * 1024;

export class BlobStore {
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #durable: boolean;
  readonly #writing = new Set<Digest>();
  /** The last small blobs stored, oldest first: read without the disk. */
  readonly #recent = new Map<Digest, Uint8Array>();
  #recentBytes = 0;
  #holds = 0;
  /** To be removed, but for those who hold. */
  readonly #leaving = new Set<Digest>();

  private constructor(directory: string, maxBytes: number, durable: boolean) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#durable = durable;
  }

  /**
   * @param options.maxBytes - largest blob.
   * @param options.durable - whether what is stored survives the machine; by default it does. What is read is
   *   checked against its digest either way.
   * @throws Refusal disk_full, config_invalid
   */
  static async open(
    directory: string,
    options: { readonly maxBytes?: number; readonly durable?: boolean } = {},
  ): Promise<BlobStore> {
    const { maxBytes = 256 * 1024 * 1024, durable = true } = options;
    // Where two digits of a digest lead: made once, not at every blob.
    const folders = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const make = (name: string) => mkdir(join(directory, name), { recursive: true, mode: 0o700 });
      await Promise.all(["partial", ...folders].map(make));
      if (durable) await syncDirectory(directory);
    } catch (error) {
      throw fileRefusal(error);
    }
    return new BlobStore(directory, maxBytes, durable);
  }

  #path(digest: Digest): string {
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new Refusal("message_malformed", "not a SHA-256 digest");
    return join(this.#directory, digest.slice(0, 2), digest.slice(2));
  }

  #partialPath(digest: Digest, owner: string): string {
    this.#path(digest);
    return join(this.#directory, "partial", `${owner}.${digest}`);
  }

  /** @param owner - who uploads: interrupted uploads of different owners never mix. */
  async status(digest: Digest, owner: string): Promise<BlobStatus> {
    const recent = this.#recent.get(digest);
    if (recent !== undefined) return { committed: recent.length, complete: true };
    const whole = await stat(this.#path(digest)).catch(() => undefined);
    if (whole) return { committed: whole.size, complete: true };
    const partial = await stat(this.#partialPath(digest, owner)).catch(() => undefined);
    return { committed: partial?.size ?? 0, complete: false };
  }

  async has(digest: Digest): Promise<boolean> {
    return (await stat(this.#path(digest)).catch(() => undefined)) !== undefined;
  }

  /**
   * Opens an upload, which starts at the offset its first `write` names.
   * @param size - of the whole blob, bytes.
   * @throws Refusal upload_too_large, message_unexpected, disk_full
   */
  async upload(digest: Digest, size: number, owner: string): Promise<Upload> {
    if (size > this.#maxBytes)
      throw new Refusal("upload_too_large", `${size} bytes, at most ${this.#maxBytes} are taken`);
    this.#leaving.delete(digest);
    const partial = this.#partialPath(digest, owner);
    if (this.#writing.has(partial))
      throw new Refusal("message_unexpected", "this upload is under way already");
    this.#writing.add(partial);
    try {
      const file = await open(partial, "a", 0o600);
      const { size: offset } = await file.stat();
      const done = (): void => {
        this.#writing.delete(partial);
      };
      const stored = (content: Uint8Array): void => this.#keep(digest, content);
      const durable = this.#durable;
      const path = this.#path(digest);
      return new Upload({ file, partial, path, digest, size, offset, durable, done, stored });
    } catch (error) {
      this.#writing.delete(partial);
      throw fileRefusal(error);
    }
  }

  /** Makes blobs survive the machine, in a store where that is not so by itself. @throws Refusal not_found, disk_full */
  async sync(digests: Iterable<Digest>): Promise<void> {
    const paths = [...new Set(digests)].map((digest) => this.#path(digest));
    try {
      await Promise.all(paths.map(syncFile));
      await Promise.all([...new Set(paths.map(dirname))].map(syncDirectory));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT")
        throw new Refusal("not_found", "a blob to keep is gone", { cause });
      throw fileRefusal(cause);
    }
  }

  /** Whether so much fits now: nobody is asked for what cannot be kept. @throws Refusal disk_full */
  async requireRoom(bytes: number): Promise<void> {
    const { bsize, bavail, blocks } = await statfs(this.#directory);
    // Some file systems do not say.
    if (blocks > 0 && bsize * bavail < bytes)
      throw new Refusal(
        "disk_full",
        `the bank's disk has ${bsize * bavail} bytes left, and a round takes ${bytes}`,
      );
  }

  /** Stores bytes of this process's own. @returns their digest. @throws Refusal disk_full: nothing of them stays */
  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes);
    this.#leaving.delete(digest);
    if (await this.has(digest)) return digest;
    const owner = `own-${process.pid}-${this.#writing.size}`;
    const upload = await this.upload(digest, bytes.length, owner);
    try {
      await upload.write(upload.offset, bytes.subarray(upload.offset));
      await upload.commit();
    } catch (error) {
      // Nobody comes back for it, and it may be what fills the disk.
      await this.removePartial([{ digest, owner }]);
      throw error;
    } finally {
      await upload.close();
    }
    return digest;
  }

  #keep(digest: Digest, content: Uint8Array): void {
    this.#drop(digest);
    this.#recent.set(digest, content);
    this.#recentBytes += content.length;
    for (const oldest of this.#recent.keys()) {
      if (this.#recentBytes <= mostRecentBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(digest: Digest): void {
    this.#recentBytes -= this.#recent.get(digest)?.length ?? 0;
    this.#recent.delete(digest);
  }

  /** @throws Refusal not_found; digest_mismatch when the disk returns other bytes than were stored. */
  async get(digest: Digest): Promise<Uint8Array> {
    const recent = this.#recent.get(digest);
    if (recent !== undefined) return recent;
    const bytes = await readFile(this.#path(digest)).catch((cause) => {
      throw new Refusal("not_found", `no blob ${digest}`, { cause });
    });
    if (digestOf(bytes) !== digest) throw new Refusal("digest_mismatch", `blob ${digest} is damaged`);
    return bytes;
  }

  /** @returns the bytes from `offset` on, in chunks. @throws Refusal not_found */
  async *read(digest: Digest, offset: number, chunkBytes: number): AsyncGenerator<Buffer> {
    const recent = this.#recent.get(digest);
    if (recent !== undefined) {
      for (let at = offset; at < recent.length; at += chunkBytes)
        yield Buffer.from(recent.buffer, recent.byteOffset + at, Math.min(chunkBytes, recent.length - at));
      return;
    }
    const file = await open(this.#path(digest), "r").catch((cause) => {
      throw new Refusal("not_found", `no blob ${digest}`, { cause });
    });
    try {
      // A buffer no larger than what is left: most blobs are smaller than a chunk.
      for (let { size } = await file.stat(), at = offset; at < size; ) {
        const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, size - at));
        const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
        if (bytesRead === 0) return;
        yield chunk.subarray(0, bytesRead);
        at += bytesRead;
      }
    } finally {
      await file.close();
    }
  }

  /** Puts removals off: rounds go on while somebody reads what they had at one moment. @returns what ends that. */
  hold(): () => Promise<void> {
    this.#holds++;
    return async () => {
      if (--this.#holds > 0) return;
      const leaving = [...this.#leaving];
      this.#leaving.clear();
      await this.remove(leaving);
    };
  }

  /** Removes blobs; one that is not there is no error. */
  async remove(digests: Iterable<Digest>): Promise<void> {
    const paths: string[] = [];
    for (const digest of digests) {
      if (this.#holds > 0) this.#leaving.add(digest);
      else {
        this.#drop(digest);
        paths.push(this.#path(digest));
      }
    }
    await removeAll(paths);
  }

  /** Removes what owners began to upload; where it is being written, that fails when it is whole. */
  async removePartial(uploads: Iterable<{ readonly digest: Digest; readonly owner: string }>): Promise<void> {
    await removeAll([...uploads].map(({ digest, owner }) => this.#partialPath(digest, owner)));
  }

  /** Removes what was last written before a time, Unix milliseconds, but for what is still needed. */
  async removeOlder(millis: number, needed: ReadonlySet<Digest>): Promise<void> {
    const entries = await readdir(this.#directory, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((item) => item.isFile())) {
      const path = join(entry.parentPath, entry.name);
      const digest = `${basename(dirname(path))}${entry.name}`;
      if (needed.has(digest) || this.#leaving.has(digest)) continue;
      // Rounds go on meanwhile, and remove what they are done with.
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || found.mtimeMs >= millis) continue;
      await rm(path, { force: true });
      this.#drop(digest);
    }
  }
}

/** One upload under way. Whoever opened it closes it; what was written stays for the next attempt. */
export class Upload {
  /** Bytes written so far. */
  offset: number;
  readonly #file: FileHandle;
  readonly #partial: string;
  readonly #path: string;
  readonly #digest: Digest;
  readonly #size: number;
  readonly #durable: boolean;
  readonly #done: () => void;
  readonly #stored: (content: Uint8Array) => void;
  /** All of a small blob. */
  #content: Uint8Array | undefined;
  /** Of all bytes so far; undefined when an earlier upload is resumed. */
  readonly #hash: Hash | undefined;
  #unsynced = 0;
  /** Whether a write failed: what is in the file then is known again when it is opened again. */
  #isTorn = false;

  constructor(from: {
    readonly file: FileHandle;
    readonly partial: string;
    readonly path: string;
    readonly digest: Digest;
    readonly size: number;
    readonly offset: number;
    readonly durable: boolean;
    readonly done: () => void;
    /** Called with a small blob once it has its name. */
    readonly stored: (content: Uint8Array) => void;
  }) {
    this.#file = from.file;
    this.#partial = from.partial;
    this.#path = from.path;
    this.#digest = from.digest;
    this.#size = from.size;
    this.#durable = from.durable;
    this.#done = from.done;
    this.#stored = from.stored;
    this.offset = from.offset;
    this.#hash = from.offset === 0 ? createHash("sha256") : undefined;
  }

  /** @throws Refusal upload_offset, upload_too_large, disk_full */
  async write(offset: number, data: Uint8Array): Promise<void> {
    if (offset !== this.offset)
      throw new Refusal("upload_offset", `offset ${offset}, ${this.offset} bytes are held`);
    if (offset + data.length > this.#size)
      throw new Refusal("upload_too_large", `more than the announced ${this.#size} bytes`);
    if (this.#isTorn) throw new Refusal("disk_full", "this upload failed: begin it again");
    try {
      await writeAll(this.#file, data);
      this.#hash?.update(data);
      if (data.length === this.#size && data.length <= largestRecentBytes)
        this.#content = new Uint8Array(data);
      this.offset += data.length;
      this.#unsynced += data.length;
      if (this.#unsynced >= syncEveryBytes) {
        await this.#sync();
        this.#unsynced = 0;
      }
    } catch (error) {
      this.#isTorn = true;
      throw fileRefusal(error);
    }
  }

  /**
   * Checks the digest and gives the blob its name, durably in a store that is; wrong bytes are thrown away.
   * @throws Refusal digest_mismatch, upload_offset, disk_full
   */
  async commit(): Promise<void> {
    if (this.#isTorn) throw new Refusal("disk_full", "this upload failed: begin it again");
    if (this.offset !== this.#size)
      throw new Refusal("upload_offset", `${this.offset} of ${this.#size} bytes are held`);
    try {
      await this.#sync();
      const { size } = await this.#file.stat();
      const found = this.#hash?.digest("hex") ?? (await hashFile(this.#partial));
      if (found !== this.#digest || size !== this.#size) {
        await rm(this.#partial, { force: true });
        throw new Refusal("digest_mismatch", "the uploaded bytes do not have the announced digest");
      }
      await rename(this.#partial, this.#path);
      if (this.#durable) await syncDirectory(dirname(this.#path));
      if (this.#content !== undefined) this.#stored(this.#content);
    } catch (error) {
      throw fileRefusal(error);
    }
  }

  /** What a disk did not take is not asked of it twice: it would say yes to what it has lost. */
  async #sync(): Promise<void> {
    if (!this.#durable) return;
    await this.#file.datasync().catch(async (error: unknown) => {
      this.#isTorn = true;
      await rm(this.#partial, { force: true });
      throw error;
    });
  }

  async close(): Promise<void> {
    this.#done();
    await this.#file.close();
  }
}

/** Removes files at once; one that is not there is no error. */
async function removeAll(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}

async function hashFile(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  await file.datasync().finally(() => file.close());
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  await directory.sync().finally(() => directory.close());
}

function fileRefusal(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (isFull(error)) return new Refusal("disk_full", "the disk is full", { cause: error });
  if (code === "ENOENT")
    return new Refusal("message_unexpected", "the upload was given up", { cause: error });
  if (code === "EACCES" || code === "EROFS" || code === "ENOTDIR")
    return new Refusal("config_invalid", `blobs: ${message}`, { cause: error });
  return error;
}
