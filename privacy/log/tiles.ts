import { concatBytes } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Hash, HashReader } from "./merkle.ts";

/** Hashes in a full tile, entries in a full bundle. @see C2SP tlog-tiles */
export const tileWidth = 256;
/** Longest entry a bundle holds, bytes. */
export const maxEntryLength = 65_535;

/** The hashes MTH at level 8·`level` with indices index·256 … index·256 + width − 1. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 1…256; below 256 the tile is partial. */
  readonly width: number;
}

/** @returns `tile/<L>/<N>[.p/<W>]`. */
export const tilePath = ({ level, index, width }: Tile): string => `tile/${level}/${indexPath(index, width)}`;

/** @returns `tile/entries/<N>[.p/<W>]`. */
export const bundlePath = (index: number, width: number): string => `tile/entries/${indexPath(index, width)}`;

function indexPath(index: number, width: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new RangeError("a tile's index is a whole number");
  if (!Number.isInteger(width) || width < 1 || width > tileWidth)
    throw new RangeError("a tile is 1…256 wide");
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g)!;
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/");
  return width === tileWidth ? path : `${path}.p/${width}`;
}

const pathForm = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** @returns what a path names, or undefined where it is none in its one canonical form. */
export function parseTilePath(path: string): (Tile & { kind: "hashes" | "entries" }) | undefined {
  const [, level = "", groups = "", width] = pathForm.exec(path) ?? [];
  if (groups === "") return undefined;
  const tile = {
    level: level === "entries" ? 0 : Number(level),
    index: Number(groups.replace(/\D/g, "")),
    width: width === undefined ? tileWidth : Number(width),
  };
  if (tile.level > 63 || !Number.isSafeInteger(tile.index) || tile.width > tileWidth) return undefined;
  const kind = level === "entries" ? "entries" : "hashes";
  const canonical = kind === "entries" ? bundlePath(tile.index, tile.width) : tilePath(tile);
  return canonical === path ? { kind, ...tile } : undefined;
}

/** @returns every tile of a tree of this size, the partial ones last on their level. */
export function tilesOf(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / tileWidth)) {
    for (let index = 0; index * tileWidth < hashes; index++)
      tiles.push({ level, index, width: Math.min(tileWidth, hashes - index * tileWidth) });
  }
  return tiles;
}

/** @returns the tile's hashes, concatenated: 32 · width bytes. */
export async function tileBytes({ level, index, width }: Tile, read: HashReader): Promise<Uint8Array> {
  const hashes = Array.from({ length: width }, (_, i) => read(8 * level, index * tileWidth + i));
  return concatBytes(...(await Promise.all(hashes)));
}

/** @throws Refusal message_malformed, unless there are 32 · width bytes. */
export function parseTile(bytes: Uint8Array, width: number): Hash[] {
  if (bytes.length !== 32 * width)
    throw new Refusal(
      "message_malformed",
      `a tile ${width} wide has ${32 * width} bytes, not ${bytes.length}`,
    );
  return Array.from({ length: width }, (_, i) => bytes.slice(32 * i, 32 * i + 32));
}

/** @returns the entries, each after its length as a big-endian uint16. */
export function formatBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > tileWidth) throw new RangeError("a bundle holds 1…256 entries");
  return concatBytes(
    ...entries.flatMap((entry) => {
      if (entry.length > maxEntryLength) throw new RangeError("an entry has at most 65,535 bytes");
      return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry];
    }),
  );
}

/** @throws Refusal message_malformed, unless the bytes are exactly `width` entries. */
export function parseBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at + 2 <= bytes.length && entries.length < width) {
    const end = at + 2 + bytes[at]! * 256 + bytes[at + 1]!;
    if (end > bytes.length) break;
    entries.push(bytes.slice(at + 2, end));
    at = end;
  }
  if (entries.length !== width || at !== bytes.length)
    throw new Refusal("message_malformed", `the bundle does not hold exactly ${width} entries`);
  return entries;
}
