import test from "ava";
import { shortBinNames } from "../../models/binning.ts";
import { runPlain } from "../../models/plain.ts";
import type { FeatureSchema } from "../../models/table.ts";
import { drawing, plotsOf } from "../../simulate/plots.ts";
import { studyOf, tableOf } from "../support/rows.ts";

test("charts of columns whose names no file can have, that differ in nothing a file system tells apart, or that are long, are files of their own", async (t) => {
  const names = [
    "月均用电量",
    "月均用水量",
    "a b",
    "a_b",
    "A_B",
    `${"电".repeat(300)}1`,
    `${"电".repeat(300)}2`,
  ];
  const features = names.map((name): FeatureSchema => ({ name, kind: "numeric" }));
  const values = [1, 2, 3, 4, 5, 6, 7, 8];
  const rows = tableOf(Object.fromEntries(names.map((name) => [name, values])), [0, 0, 1, 0, 1, 0, 1, 1]);
  const manifest = studyOf(features, [{ name: "range" }, { name: "bins" }, { name: "woe" }]);
  const { results } = await runPlain(manifest, [rows]);
  const files = plotsOf({ ...manifest, results }).map(({ name }) => name);
  t.deepEqual(files.slice(0, 5), [
    "woe-月均用电量.svg",
    "woe-月均用水量.svg",
    "woe-a_b.svg",
    "woe-a_b-2.svg",
    "woe-A_B-3.svg",
  ]);
  t.is(new Set(files.map((file) => file.toLowerCase())).size, names.length);
  for (const file of files) t.true(Buffer.byteLength(file) <= 255, file);
});

test("names in a legend do not run into each other, in a wide font either", (t) => {
  const series = ["financial ratios", "operating features", "both"].flatMap((sees) =>
    ["federated", "each enterprise alone"].map((how) => ({
      name: `${sees}, ${how}`,
      type: "line",
      data: [[0, 1]],
    })),
  );
  const svg = drawing({ of: "chart", xAxis: { type: "value" }, yAxis: { type: "value" }, series });
  const texts = series.map(({ name }) => {
    const text = svg.match(
      new RegExp(`<text[^>]*transform="translate\\(([\\d.]+) ([\\d.]+)\\)"[^>]*>${name}</text>`),
    );
    return { name, x: Number(text?.[1]), y: Number(text?.[2]) };
  });
  for (const one of texts) {
    const end = one.x + 0.6 * 12 * one.name.length;
    t.true(end < 720, `${one.name} ends at ${end}`);
    for (const other of texts)
      t.false(other.y === one.y && other.x > one.x && other.x < end, `${one.name}, ${other.name}`);
  }
});

test("short names of bins have as many digits as tell their cuts apart", (t) => {
  const named = (...cuts: number[]) => shortBinNames({ kind: "numeric", cuts, special: [-9] }, []);
  t.deepEqual(named(0.123456789, 2147480000000), [
    "[-inf, 0.123457)",
    "[0.123457, 2.14748e+12)",
    "[2.14748e+12, inf)",
    "special -9",
    "missing",
  ]);
  t.deepEqual(named(1_000_000.25, 1_000_000.5).slice(0, 3), [
    "[-inf, 1000000.25)",
    "[1000000.25, 1000000.5)",
    "[1000000.5, inf)",
  ]);
});
