import { type FileHandle, open, readdir, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { writeBackup } from "../../../coordinator/store/backup.ts";
import { BlobStore, Upload } from "../../../coordinator/store/blobs.ts";
import type { Transaction } from "../../../coordinator/store/sql.ts";
import { digestOf } from "../../../core/canonical.ts";
import { seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { temporaryDirectory } from "../../../simulate/consortium.ts";
import { leftOut } from "../../support/left-out.ts";
import { tinyDisk } from "../../support/tiny-disk.ts";

const random = seededRandom("blobs");

async function store(t: ExecutionContext, maxBytes?: number): Promise<{ dir: string; blobs: BlobStore }> {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return { dir, blobs: await BlobStore.open(dir, maxBytes === undefined ? {} : { maxBytes }) };
}

const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (error instanceof Refusal ? error.reason : String(error)),
  );

test("an upload that broke off goes on where it ended, also in another process", async (t) => {
  const { dir, blobs } = await store(t);
  const bytes = random.bytes(300_000);
  const digest = digestOf(bytes);
  const first = await blobs.upload(digest, bytes.length, "mill");
  await first.write(0, bytes.subarray(0, 100_000));
  await first.close();

  const later = await BlobStore.open(dir);
  t.deepEqual(await later.status(digest, "mill"), { committed: 100_000, complete: false });
  t.deepEqual(await later.status(digest, "truck"), { committed: 0, complete: false }, "uploads do not mix");
  const second = await later.upload(digest, bytes.length, "mill");
  t.is(await reasonOf(second.write(0, bytes)), "upload_offset");
  await second.write(100_000, bytes.subarray(100_000));
  await second.commit();
  await second.close();
  t.deepEqual(await later.status(digest, "truck"), { committed: 300_000, complete: true });
  t.true(Buffer.from(await later.get(digest)).equals(bytes));
  const read: Buffer[] = [];
  for await (const chunk of later.read(digest, 250_000, 65_536)) read.push(chunk);
  t.true(Buffer.concat(read).equals(bytes.subarray(250_000)));
});

test("bytes of another digest are thrown away, also when an upload is resumed", async (t) => {
  const { dir, blobs } = await store(t);
  const digest = digestOf("announced");
  for (const parts of [["somethin", "g"], ["annou"], ["nceX"]] as const) {
    const upload = await blobs.upload(digest, 9, "mill");
    let outcome = "none";
    for (const part of parts) await upload.write(upload.offset, Buffer.from(part));
    if (upload.offset === 9) outcome = await reasonOf(upload.commit());
    await upload.close();
    t.is(outcome, upload.offset === 9 ? "digest_mismatch" : "none");
  }
  t.deepEqual(await blobs.status(digest, "mill"), { committed: 0, complete: false });
  t.deepEqual(await readdir(join(dir, "partial")), []);
});

test("what is too large, incomplete, doubled or unknown is refused", async (t) => {
  const { blobs } = await store(t, 10);
  const digest = digestOf("0123456789");
  t.is(await reasonOf(blobs.upload(digest, 11, "mill")), "upload_too_large");
  const upload = await blobs.upload(digest, 10, "mill");
  t.is(await reasonOf(blobs.upload(digest, 10, "mill")), "message_unexpected");
  t.is(await reasonOf(upload.write(0, Buffer.alloc(11))), "upload_too_large");
  await upload.write(0, Buffer.from("01234"));
  t.is(await reasonOf(upload.commit()), "upload_offset");
  await upload.close();
  t.is(await reasonOf(blobs.get(digest)), "not_found");
  t.is(await reasonOf(blobs.get("../../etc/passwd")), "message_malformed");
});

test("a disk that returns other bytes than were stored is noticed", async (t) => {
  const { dir, blobs } = await store(t);
  const digest = await blobs.put(Buffer.from("model state"));
  t.is(await blobs.put(Buffer.from("model state")), digest);
  await truncate(join(dir, digest.slice(0, 2), digest.slice(2)), 5);
  const afterRestart = await BlobStore.open(dir);
  t.is(await reasonOf(afterRestart.get(digest)), "digest_mismatch");
});

test("what was just put reads the same from memory and from disk, and not once it is removed", async (t) => {
  const { dir, blobs } = await store(t);
  const bytes = random.bytes(200_000);
  const digest = await blobs.put(bytes);
  for (const held of [blobs, await BlobStore.open(dir)])
    for (const offset of [0, 65_536, 199_999, 200_000]) {
      const read: Buffer[] = [];
      for await (const chunk of held.read(digest, offset, 65_536)) read.push(chunk);
      t.true(Buffer.concat(read).equals(bytes.subarray(offset)), `from ${offset}`);
      t.true(read.every(({ length }) => length <= 65_536));
    }
  await blobs.remove([digest]);
  t.is(await reasonOf(blobs.read(digest, 0, 10).next()), "not_found");
});

test("old uploads are removed, young and needed ones stay", async (t) => {
  const { dir, blobs } = await store(t);
  const [old, young] = [await blobs.put(Buffer.from("old")), await blobs.put(Buffer.from("young"))];
  const needed = await blobs.put(Buffer.from("needed"));
  await utimes(join(dir, needed.slice(0, 2), needed.slice(2)), 1, 1);
  await utimes(join(dir, old.slice(0, 2), old.slice(2)), 1, 1);
  await blobs.removeOlder(2000, new Set([needed]));
  t.deepEqual([await blobs.has(old), await blobs.has(young), await blobs.has(needed)], [false, true, true]);
  await blobs.remove([young]);
  t.false(await blobs.has(young));
  await rm(dir, { recursive: true });
  await t.throwsAsync(stat(dir));
});

// /dev/full is a disk without space: every write to it fails with ENOSPC.
test("a full disk is disk_full, and nothing is half done", async (t) => {
  if (process.platform !== "linux") {
    leftOut("/dev/full: a full disk under the blob store");
    return t.pass();
  }
  const { symlink } = await import("node:fs/promises");
  const { dir, blobs } = await store(t);
  const digest = digestOf("does not fit");
  await symlink("/dev/full", join(dir, "partial", `mill.${digest}`));
  const upload = await blobs.upload(digest, 12, "mill");
  t.is(await reasonOf(upload.write(0, Buffer.from("does not fit"))), "disk_full");
  await upload.close();
  t.false(await blobs.has(digest));
});

test("a disk that fills up in the middle: nothing truncated gets its name, and the upload goes on when there is room", async (t) => {
  const dir = await tinyDisk(t, 1024);
  if (dir === undefined) return t.pass();
  const blobs = await BlobStore.open(join(dir, "blobs"));
  const bytes = random.bytes(300_000);
  const digest = digestOf(bytes);
  await writeFile(join(dir, "ballast"), Buffer.alloc(600_000));
  t.is(await reasonOf(blobs.put(random.bytes(500_000))), "disk_full");
  t.deepEqual(await readdir(join(dir, "blobs", "partial")), [], "of its own bytes nothing stays");

  const first = await blobs.upload(digest, bytes.length, "mill");
  // The bytes that do not fit any more are in the middle of one write.
  await writeFile(join(dir, "more"), Buffer.alloc(150_000));
  t.is(await reasonOf(first.write(0, bytes)), "disk_full");
  await rm(join(dir, "ballast"));
  t.is(await reasonOf(first.write(first.offset, bytes)), "disk_full", "it is not written on behind a hole");
  t.is(await reasonOf(first.commit()), "disk_full");
  await first.close();
  t.false(await blobs.has(digest));

  const { committed } = await blobs.status(digest, "mill");
  t.true(committed > 0 && committed < bytes.length, `${committed} bytes`);
  const second = await blobs.upload(digest, bytes.length, "mill");
  await second.write(committed, bytes.subarray(committed));
  await second.commit();
  await second.close();
  const later = await BlobStore.open(join(dir, "blobs"));
  t.true(Buffer.from(await later.get(digest)).equals(bytes));
});

/** A file as {@link Upload} has it. */
function faulty(file: FileHandle, faults: Partial<Pick<FileHandle, "write" | "datasync">>): FileHandle {
  return new Proxy(file, {
    get: (target, name) => {
      const own = (faults as Record<string | symbol, unknown>)[name] ?? Reflect.get(target, name);
      return typeof own === "function" ? own.bind(target) : own;
    },
  });
}

const noSpace = async (): Promise<never> => {
  throw Object.assign(new Error("no space"), { code: "ENOSPC" });
};

for (const [name, size, faults, reason] of [
  ["a write that takes half", 100, { half: true }, "none"],
  ["a write that takes all of it and stores half", 100, { lies: true }, "digest_mismatch"],
  ["a sync that fails", 100, { sync: true }, "disk_full"],
] as const)
  test(`${name}: ${reason}`, async (t) => {
    const { dir, blobs } = await store(t);
    const bytes = random.bytes(size);
    const digest = digestOf(bytes);
    const partial = join(dir, "partial", `mill.${digest}`);
    const path = join(dir, digest.slice(0, 2), digest.slice(2));
    const handle = await open(partial, "a");
    const write = async (data: Uint8Array, offset: number, length: number) => {
      const half = await handle.write(data, offset, Math.ceil(length / 2));
      return "lies" in faults ? { ...half, bytesWritten: length } : half;
    };
    const file = faulty(handle, {
      ...("sync" in faults ? { datasync: noSpace } : { write: write as unknown as FileHandle["write"] }),
    });
    const upload = new Upload({
      file,
      partial,
      path,
      digest,
      size,
      offset: 0,
      durable: true,
      done() {},
      stored() {},
    });
    await upload.write(0, bytes);
    t.is(await reasonOf(upload.commit()), reason);
    await upload.close();
    t.is(await blobs.has(digest), reason === "none");
    if (reason === "none") t.true(Buffer.from(await (await BlobStore.open(dir)).get(digest)).equals(bytes));
    t.deepEqual(await readdir(join(dir, "partial")), []);
  });

test("what a backup saw of an attempt is in it, though the attempt ends and is cleared away meanwhile", async (t) => {
  const { blobs } = await store(t);
  const { blobs: published } = await store(t);
  const digests = await Promise.all([1, 2].map(() => blobs.put(random.bytes(300))));
  const [needed, again] = digests as [string, string];
  const sql = async (text: TemplateStringsArray): Promise<object[]> => {
    // The attempt ends right after it was seen.
    if (text.join().includes("log_checkpoint")) await blobs.remove(digests);
    return text.join().includes("log_checkpoint") ? [{ size: 1 }] : [];
  };
  const of = { consortium: "riverbank", bankKey: "", time: 0 };
  const lines = writeBackup(sql as unknown as Transaction, of, { uploads: blobs, published }, async () => ({
    uploads: [needed],
    published: [],
  }));
  const next = async (): Promise<string> => Buffer.from((await lines.next()).value!).toString();
  t.regex(await next(), /^H /);
  t.true((await next()).startsWith(`B uploads ${needed} `));
  // Sent anew by its owner, it is wanted again.
  await blobs.put(await blobs.get(again));
  t.regex(await next(), /^E /);
  t.deepEqual([await blobs.has(needed), await blobs.has(again)], [false, true], "it is cleared away then");
  await blobs.remove([again]);
  t.false(await blobs.has(again));
});
