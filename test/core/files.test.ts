import { spawnSync } from "node:child_process";
import type { FileHandle } from "node:fs/promises";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { replaceSecret, writeAll, writeNewFiles, writeWhole } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { tinyDisk } from "../support/tiny-disk.ts";

/** A file that takes `takes[i]` bytes of the i-th write at most, and then all. */
function shortFile(takes: readonly number[]): { file: Pick<FileHandle, "write">; bytes: () => Buffer } {
  const held: Buffer[] = [];
  const left = [...takes];
  const write = async (data: Uint8Array, offset = 0, length = data.length - offset) => {
    const bytesWritten = Math.min(left.shift() ?? length, length);
    held.push(Buffer.from(data.subarray(offset, offset + bytesWritten)));
    return { bytesWritten, buffer: data };
  };
  return { file: { write } as unknown as Pick<FileHandle, "write">, bytes: () => Buffer.concat(held) };
}

test("whatever a file takes at a time, all of it is written, in order", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.integer({ min: 1, max: 40 })),
      async (data, takes) => {
        const { file, bytes } = shortFile(takes);
        await writeAll(file, data);
        return bytes().equals(data);
      },
    ),
  );
  t.pass();
});

test("a file that takes nothing and says nothing is full", async (t) => {
  const { file } = shortFile([5, 0]);
  t.like(await t.throwsAsync(writeAll(file, Buffer.alloc(10))), { code: "ENOSPC" });
});

test("a full disk: each write is refused as such, leaves nothing behind, and works when there is room", async (t) => {
  const dir = await tinyDisk(t, 256);
  if (dir === undefined) return t.pass();
  await writeFile(join(dir, "ballast"), Buffer.alloc(220 * 1024));
  await writeFile(join(dir, "secret"), "as it was");
  const large = "x".repeat(64 * 1024);
  const chunks = async function* () {
    for (let i = 0; i < 16; i++) yield Buffer.alloc(4096, i);
  };
  const writes: [string, () => unknown][] = [
    ["whole", () => writeWhole(join(dir, "whole"), large)],
    ["streamed", () => writeWhole(join(dir, "streamed"), chunks())],
    [
      "new",
      async () =>
        writeNewFiles([
          { path: join(dir, "first"), text: "1", mode: 0o600 },
          { path: join(dir, "new"), text: large, mode: 0o600 },
        ]),
    ],
    ["secret", async () => replaceSecret(join(dir, "secret"), large)],
  ];
  for (const [name, write] of writes) {
    const refusal = await t.throwsAsync(async () => write(), { instanceOf: Refusal }, name);
    t.is(refusal?.reason, "disk_full", name);
    t.deepEqual((await readdir(dir)).sort(), ["ballast", "secret"], name);
    t.is(await readFile(join(dir, "secret"), "utf8"), "as it was");
  }
  await rm(join(dir, "ballast"));
  for (const [name, write] of writes) {
    await write();
    t.is((await readFile(join(dir, name))).length, large.length, name);
    if (name !== "secret") await rm(join(dir, name));
    await rm(join(dir, "first"), { force: true });
  }
});

test("a limit of the process is a full disk too", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, "made"));
  const code = `
    process.on("SIGXFSZ", () => {});
    const { writeWhole } = await import(${JSON.stringify(join(import.meta.dirname, "../../core/files.ts"))});
    await writeWhole(${JSON.stringify(join(dir, "made", "file"))}, "x".repeat(100_000)).catch(({ reason }) => console.log(reason));`;
  const { stdout, stderr } = spawnSync(
    "sh",
    ["-c", 'ulimit -f 8; exec "$0" --no-warnings --input-type=module -e "$1"', process.execPath, code],
    { encoding: "utf8" },
  );
  t.is(stdout.trim(), "disk_full", stderr);
  t.deepEqual(await readdir(join(dir, "made")), []);
});
