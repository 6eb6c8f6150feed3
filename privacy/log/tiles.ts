import { concatBytes, equalBytes, utf8 } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { appendLeaf, emptyRange, type Hash, type HashReader, leafHash, rangeRoot } from "./merkle.ts";
import { parseNote } from "./note.ts";
import { parseCheckpoint } from "./tree-head.ts";

/** Hashes in a full tile, entries in a full bundle. @see C2SP tlog-tiles */
const tileWidth = 256;
/** Longest entry a bundle holds, bytes. */
export const maxEntryLength = 65_535;

/** The hashes MTH at level 8·`level` with indices index·256 … index·256 + width − 1. */
interface Tile {
  readonly level: number;
  readonly index: number;
  /** 1…256; below 256 the tile is partial. */
  readonly width: number;
}

/**
 * @returns `tile/<L>/<N>[.p/<W>]`.
 * @internal - so that the specification's own example is tested without a tree of that size.
 */
export const tilePath = ({ level, index, width }: Tile): string => `tile/${level}/${indexPath(index, width)}`;

/** @returns `tile/entries/<N>[.p/<W>]`. */
const bundlePath = (index: number, width: number): string => `tile/entries/${indexPath(index, width)}`;

function indexPath(index: number, width: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError("a tile's index is a whole number");
  if (!Number.isInteger(width) || width < 1 || width > tileWidth)
    throw new RangeError("a tile is 1…256 wide");
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g)!;
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/");
  return width === tileWidth ? path : `${path}.p/${width}`;
}

/** @returns every tile of a tree of this size, the partial ones last on their level. */
function tilesOf(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / tileWidth)) {
    for (let index = 0; index * tileWidth < hashes; index++)
      tiles.push({ level, index, width: Math.min(tileWidth, hashes - index * tileWidth) });
  }
  return tiles;
}

/** @returns the tile's hashes, concatenated: 32 · width bytes. */
async function tileBytes({ level, index, width }: Tile, read: HashReader): Promise<Uint8Array> {
  const hashes = Array.from({ length: width }, (_, i) => read(8 * level, index * tileWidth + i));
  return concatBytes(...(await Promise.all(hashes)));
}

/** @returns the entries, each after its length as a big-endian uint16. */
function formatBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > tileWidth) throw new RangeError("a bundle holds 1…256 entries");
  return concatBytes(
    ...entries.flatMap((entry) => {
      if (entry.length > maxEntryLength) throw new RangeError("an entry has at most 65,535 bytes");
      return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry];
    }),
  );
}

export interface StaticFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * A log as static files: every tile and bundle, the checkpoint last, so that who finds it finds what it covers.
 * @param checkpoint - signed note; its signatures are not looked at.
 * @param entries - all of them, in order. Their hashes are held in memory, the entries are not.
 * @throws Refusal log_invalid, where the entries do not have the checkpoint's root; note_malformed
 */
export async function* staticFiles(
  checkpoint: string,
  entries: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<StaticFile> {
  const signed = parseCheckpoint(parseNote(checkpoint).text);
  const hashes = new Map<string, Hash>();
  let range = emptyRange;
  let bundle: Uint8Array[] = [];
  const bundleFile = (): StaticFile => ({
    path: bundlePath(Math.floor((range.size - 1) / tileWidth), bundle.length),
    bytes: formatBundle(bundle),
  });
  for await (const entry of entries) {
    const { range: grown, stored } = appendLeaf(range, leafHash(entry));
    range = grown;
    for (const { level, index, hash } of stored) hashes.set(`${level}/${index}`, hash);
    bundle.push(entry);
    if (bundle.length < tileWidth) continue;
    yield bundleFile();
    bundle = [];
  }
  if (bundle.length > 0) yield bundleFile();
  if (signed.size !== range.size || !equalBytes(signed.root, rangeRoot(range)))
    throw new Refusal("log_invalid", "the entries do not have the root that the checkpoint states", {
      hint: "fedcredit audit verify says what is wrong with the export",
    });
  const read: HashReader = (level, index) => hashes.get(`${level}/${index}`)!;
  for (const tile of tilesOf(range.size)) yield { path: tilePath(tile), bytes: await tileBytes(tile, read) };
  yield { path: "checkpoint", bytes: utf8(checkpoint) };
}
