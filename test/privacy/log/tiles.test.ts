import test from "ava";
import { utf8 } from "../../../core/bytes.ts";
import { seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { signCheckpoint } from "../../../privacy/log/checkpoint.ts";
import { appendLeaf, emptyRange, leafHash, rangeRoot } from "../../../privacy/log/merkle.ts";
import { noteSigner } from "../../../privacy/log/note.ts";
import { maxEntryLength, staticFiles, tilePath } from "../../../privacy/log/tiles.ts";

const signer = noteSigner("riverbank/bank", seededRandom("tiles").bytes(32));

const checkpointOf = (entries: readonly Uint8Array[]): string => {
  let range = emptyRange;
  for (const entry of entries) range = appendLeaf(range, leafHash(entry)).range;
  return signCheckpoint({ origin: signer.name, size: range.size, root: rangeRoot(range) }, signer);
};

async function filesOf(entries: readonly Uint8Array[], checkpoint = checkpointOf(entries)) {
  const files = new Map<string, Uint8Array>();
  for await (const { path, bytes } of staticFiles(checkpoint, entries)) files.set(path, bytes);
  return files;
}

const numbered = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => utf8(`entry ${i}`));

test("a tree has the tiles and bundles the specification counts, the checkpoint last", async (t) => {
  const pathsOf = async (size: number) => [...(await filesOf(numbered(size))).keys()];
  t.deepEqual(await pathsOf(0), ["checkpoint"]);
  t.deepEqual(await pathsOf(1), ["tile/entries/000.p/1", "tile/0/000.p/1", "checkpoint"]);
  t.deepEqual(await pathsOf(256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1", "checkpoint"]);
  // 70,000 = 273 · 256 + 112; 273 = 256 + 17; 1 full tile on level 1.
  const paths = await pathsOf(70_000);
  t.is(paths.filter((path) => /^tile\/0\/\d{3}$/.test(path)).length, 273);
  for (const path of ["tile/0/273.p/112", "tile/entries/273.p/112", "tile/1/000", "tile/1/001.p/17"])
    t.true(paths.includes(path), path);
  t.deepEqual(
    paths.filter((path) => path.startsWith("tile/2")),
    ["tile/2/000.p/1"],
  );
  t.is(paths.at(-1), "checkpoint");
});

test("a path has three digits a folder, as in the C2SP tlog-tiles specification", (t) => {
  t.is(tilePath({ level: 0, index: 1234067, width: 256 }), "tile/0/x001/x234/067");
  t.is(tilePath({ level: 1, index: 0, width: 17 }), "tile/1/000.p/17");
});

test("a tile is its hashes, a bundle its entries after their lengths", async (t) => {
  const entries = [utf8("a"), new Uint8Array(0), new Uint8Array(maxEntryLength).fill(7)];
  const files = await filesOf(entries);
  t.deepEqual(
    files.get("tile/0/000.p/3"),
    new Uint8Array(Buffer.concat(entries.map((entry) => leafHash(entry)))),
  );
  const bundle = Buffer.concat([Buffer.from([0, 1, 97, 0, 0, 0xff, 0xff]), entries[2]!]);
  t.deepEqual(files.get("tile/entries/000.p/3"), new Uint8Array(bundle));
  await t.throwsAsync(filesOf([new Uint8Array(maxEntryLength + 1)]), { instanceOf: RangeError });
});

test("no checkpoint is written over other entries than it covers", async (t) => {
  const entries = numbered(5);
  for (const other of [numbered(4), numbered(6), [...numbered(4), utf8("another")]]) {
    const refusal = await t.throwsAsync(filesOf(other, checkpointOf(entries)), { instanceOf: Refusal });
    t.is(refusal?.reason, "log_invalid");
  }
});
