import test from "ava";
import fc from "fast-check";
import { utf8 } from "../../../core/bytes.ts";
import { Refusal } from "../../../core/reasons.ts";
import { leafHash } from "../../../privacy/log/merkle.ts";
import {
  bundlePath,
  formatBundle,
  maxEntryLength,
  parseBundle,
  parseTile,
  parseTilePath,
  tileBytes,
  tilePath,
  tilesOf,
} from "../../../privacy/log/tiles.ts";

test("paths of the C2SP tlog-tiles specification", (t) => {
  t.is(tilePath({ level: 0, index: 1234067, width: 256 }), "tile/0/x001/x234/067");
  t.is(tilePath({ level: 1, index: 0, width: 17 }), "tile/1/000.p/17");
  t.is(bundlePath(1234067, 8), "tile/entries/x001/x234/067.p/8");
});

test("a tree of 70,000 has the tiles the specification counts", (t) => {
  const tiles = tilesOf(70_000);
  const of = (level: number, full: boolean) =>
    tiles.filter((x) => x.level === level && (x.width === 256) === full);
  t.is(of(0, true).length, 273);
  t.deepEqual(of(0, false), [{ level: 0, index: 273, width: 112 }]);
  t.is(of(1, true).length, 1);
  t.deepEqual(of(1, false), [{ level: 1, index: 1, width: 17 }]);
  t.deepEqual([...of(2, true), ...of(2, false)], [{ level: 2, index: 0, width: 1 }]);
  t.deepEqual(tilesOf(256), [
    { level: 0, index: 0, width: 256 },
    { level: 1, index: 0, width: 1 },
  ]);
  t.deepEqual(tilesOf(0), []);
});

test("every path reads back; other spellings are no path", (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.nat(63), fc.maxSafeNat(), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
        const hashes = parseTilePath(tilePath({ level, index, width }));
        const entries = parseTilePath(bundlePath(index, width));
        return (
          JSON.stringify(hashes) === JSON.stringify({ kind: "hashes", level, index, width }) &&
          JSON.stringify(entries) === JSON.stringify({ kind: "entries", level: 0, index, width })
        );
      }),
    ),
  );
  for (const path of [
    "",
    "tile/0/1",
    "tile/00/001",
    "tile/64/001",
    "tile/0/x000/001",
    "tile/0/001.p/0",
    "tile/0/001.p/256",
    "tile/0/001.p/07",
    "tile/0/001/",
    "/tile/0/001",
    "tile/entries/../001",
    "tile/0/001\n",
  ])
    t.is(parseTilePath(path), undefined, path);
});

test("bundles hold entries of any length up to 65,535 bytes", (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), (entries) => {
        const back = parseBundle(formatBundle(entries), entries.length);
        return JSON.stringify(back.map((b) => [...b])) === JSON.stringify(entries.map((b) => [...b]));
      }),
    ),
  );
  const longest = new Uint8Array(maxEntryLength).fill(7);
  t.deepEqual(parseBundle(formatBundle([longest]), 1), [longest]);
  t.throws(() => formatBundle([new Uint8Array(maxEntryLength + 1)]), { instanceOf: RangeError });
  t.throws(() => formatBundle([]), { instanceOf: RangeError });
});

test("damaged tiles and bundles are refused", async (t) => {
  const tile = await tileBytes({ level: 0, index: 0, width: 3 }, (_, i) => leafHash(utf8(String(i))));
  t.is(parseTile(tile, 3).length, 3);
  const bundle = formatBundle([utf8("a"), utf8("bc")]);
  const bad = [
    () => parseTile(tile.subarray(1), 3),
    () => parseTile(tile, 2),
    () => parseBundle(bundle, 1),
    () => parseBundle(bundle, 3),
    () => parseBundle(bundle.subarray(0, -1), 2),
    () => parseBundle(new Uint8Array([...bundle, 0]), 2),
  ];
  for (const parse of bad)
    t.is(t.throws(parse, { instanceOf: Refusal })?.reason, "message_malformed", parse.toString());
});
