import test from "ava";
import fc from "fast-check";
import { ivOf, optimalBins, type Trend, trends } from "../../../models/numerics/optimal-bins.ts";
import { quantileCuts } from "../../../models/numerics/quantile-cuts.ts";
import { settledCuts } from "../../../models/numerics/settled-cuts.ts";
import { treeCuts } from "../../../models/numerics/tree-cuts.ts";
import { cellOf, gridCuts } from "../../../models/numerics/value-grid.ts";

const counts = fc.array(fc.tuple(fc.nat(30), fc.nat(12)), { minLength: 1, maxLength: 9 });
const total = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0);

const joinedAt = (rows: readonly number[], firsts: readonly number[]): number[] =>
  firsts.map((from, bin) => total(rows.slice(from, firsts[bin + 1])));

function follows(rates: readonly number[], trend: Trend): boolean {
  const steps = rates.slice(1).map((rate, i) => Math.sign(rate - rates[i]!));
  const up = (from: readonly number[]) => from.every((step) => step >= 0);
  const down = (from: readonly number[]) => from.every((step) => step <= 0);
  if (trend === "none") return true;
  if (trend === "ascending") return up(steps);
  if (trend === "descending") return down(steps);
  const [first, second] = trend === "peak" ? [up, down] : [down, up];
  return [...steps, 0].some((_, turn) => first(steps.slice(0, turn)) && second(steps.slice(turn)));
}

test("no way to join neighbours has a larger information value", (t) => {
  fc.assert(
    fc.property(
      counts,
      fc.constantFrom(...trends),
      fc.nat(25),
      fc.nat(2),
      fc.integer({ min: 1, max: 9 }),
      (rows, trend, minRows, minOfClass, maxBins) => {
        const [good, bad] = [rows.map(([g]) => g), rows.map(([, b]) => b)];
        const all = { good: total(good) + 1, bad: total(bad) + 1 };
        let best: number | undefined;
        for (let ways = 0; ways < 2 ** (rows.length - 1); ways++) {
          const firsts = [0, ...rows.keys()].filter((i, at) => at === 0 || (i > 0 && (ways >> (i - 1)) & 1));
          const bins = firsts.map((from, bin) => {
            const end = firsts[bin + 1] ?? rows.length;
            return [total(good.slice(from, end)), total(bad.slice(from, end))] as const;
          });
          const large = bins.every(
            ([g, b]) => g + b >= Math.max(1, minRows) && g >= minOfClass && b >= minOfClass,
          );
          if (!large || bins.length > maxBins) continue;
          if (
            !follows(
              bins.map(([g, b]) => b / (g + b)),
              trend,
            )
          )
            continue;
          best = Math.max(
            best ?? -Infinity,
            bins.reduce((sum, [g, b]) => sum + ivOf(g, b, all), 0),
          );
        }
        const seen = optimalBins({ good, bad }, trend, { ...all, minRows, minOfClass, maxBins });
        t.is(seen === undefined, best === undefined);
        if (seen !== undefined) t.true(Math.abs(seen.iv - best!) < 1e-9, `${seen.iv}, not ${best}`);
      },
    ),
    { numRuns: process.env.SLOW ? 5000 : 300 },
  );
});

test("cuts settle where none can move alone for a larger information value", (t) => {
  const cells = fc.array(fc.tuple(fc.nat(30), fc.nat(12)), { minLength: 6, maxLength: 40 });
  fc.assert(
    fc.property(
      cells,
      fc.constantFrom(...trends),
      fc.nat(25),
      fc.nat(2),
      (rows, trend, minRows, minOfClass) => {
        const [good, bad] = [rows.map(([g]) => g), rows.map(([, b]) => b)];
        const limits = { good: total(good) + 1, bad: total(bad) + 1, minRows, minOfClass, maxBins: 9 };
        const every = [0, ...rows.keys()].filter((cell, i) => i === 0 || (cell > 0 && cell % 4 === 0));
        const pair = { good: joinedAt(good, every), bad: joinedAt(bad, every) };
        const started = optimalBins(pair, trend, limits);
        if (started === undefined) return;
        const ivAt = (firsts: readonly number[]): number | undefined => {
          const bins = joinedAt(good, [0, ...firsts]).map(
            (g, i) => [g, joinedAt(bad, [0, ...firsts])[i]!] as const,
          );
          if (bins.some(([g, b]) => g + b < Math.max(1, minRows) || g < minOfClass || b < minOfClass))
            return undefined;
          if (
            !follows(
              bins.map(([g, b]) => b / (g + b)),
              trend,
            )
          )
            return undefined;
          return bins.reduce((sum, [g, b]) => sum + ivOf(g, b, limits), 0);
        };
        const firsts = settledCuts(
          { good, bad },
          started.firsts.map((bin) => every[bin]!),
          trend,
          limits,
        );
        const iv = ivAt(firsts);
        t.true(iv !== undefined && iv >= started.iv - 1e-9, `${iv}, from ${started.iv}`);
        for (const [cut, first] of firsts.entries())
          for (let at = (firsts[cut - 1] ?? 0) + 1; at < (firsts[cut + 1] ?? rows.length); at++)
            if (at !== first) t.true((ivAt(firsts.with(cut, at)) ?? 0) <= iv! + 1e-9);
      },
    ),
  );
});

test("a column's grid holds every value between its bounds, and tells zero apart", (t) => {
  const bound = fc.integer({ min: -12, max: 20 }).map((e) => 2 ** e);
  const bounds = fc.oneof(
    bound.map((high) => [0, high] as const),
    fc.tuple(bound, bound).map(([a, b]) => [-a, b] as const),
    fc.tuple(bound, bound).map(([a, b]) => [Math.min(a, b) / 2, Math.max(a, b)] as const),
    bound.map((low) => [-low, 0] as const),
  );
  fc.assert(
    fc.property(bounds, fc.integer({ min: 64, max: 4096 }), ([low, high], cells) => {
      const cuts = gridCuts(low, high, cells);
      t.true(cuts.length <= cells + 1);
      t.true(cuts.every((cut, i) => cut > (cuts[i - 1] ?? low) && cut <= high));
      for (const [cell, cut] of cuts.entries()) t.is(cellOf(cuts, cut), cell + 1);
      t.is(cellOf(cuts, low), 0);
      if (low < 0 && high > 0) t.true(cellOf(cuts, -1e-9) < cellOf(cuts, 0));
      if (high > 2 ** -6 && low <= 0) t.true(cellOf(cuts, 0) < cellOf(cuts, 2 ** -19));
    }),
  );
});

test("a value that many rows have is a bin by itself; no bin is empty", (t) => {
  t.deepEqual(quantileCuts([1, 1, 50, 1, 1, 46], 4), [2, 3, 5]);
  t.deepEqual(quantileCuts([0, 0, 0], 4), []);
  fc.assert(
    fc.property(
      fc.array(fc.nat(20), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (rows, most) => {
        const firsts = [0, ...quantileCuts(rows, most)];
        t.true(firsts.length <= most);
        if (total(rows) > 0)
          for (const [bin, from] of firsts.entries()) t.true(total(rows.slice(from, firsts[bin + 1])) > 0);
      },
    ),
  );
});

test("a tree cuts where the classes part, and keeps its leaves large", (t) => {
  t.deepEqual(treeCuts([9, 9, 1, 1, 9], [1, 1, 9, 9, 1], 3, 1), [2, 4]);
  t.deepEqual(treeCuts([9, 9, 1, 1, 9], [1, 1, 9, 9, 1], 3, 11), [2]);
  t.deepEqual(treeCuts([9, 9], [1, 1], 20, 1), []);
});
