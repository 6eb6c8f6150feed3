import test from "ava";
import { seededRandom, uniform } from "../../core/random.ts";
import type { CoarseColumn } from "../../models/coarse-bins.ts";
import { columnStep, smoothnessOf } from "../../models/column-steps.ts";

/** Bins of values, and one of what is missing. */
const numeric = (bins: number): CoarseColumn => ({
  binned: { kind: "numeric", cuts: Array.from({ length: bins - 1 }, (_, i) => i), special: [] },
  coarse: Array.from({ length: bins + 1 }, (_, i) => i),
});

test("a step ends where what is believed and the penalties hold the balance", (t) => {
  const random = seededRandom("balance");
  const bins = 6;
  const draws = (scale: number) => Float64Array.from({ length: bins + 1 }, () => scale * uniform(random));
  const [gradient, curvature, effects] = [draws(40), draws(300), draws(1)];
  const [smoothness, ridge, variance] = [7, 3, 50];
  const change = columnStep(numeric(bins), effects, { gradient, curvature, variance }, { smoothness, ridge });
  const after = effects.map((x, i) => x + change[i]!);
  for (let i = 0; i <= bins; i++) {
    const h = curvature[i]!;
    const pull = (h / (variance + h)) * (gradient[i]! - h * change[i]!);
    let penalty = ridge * after[i]!;
    if (i > 0 && i < bins) penalty += smoothness * (after[i]! - after[i - 1]!);
    if (i + 1 < bins) penalty += smoothness * (after[i]! - after[i + 1]!);
    t.true(Math.abs(pull - penalty) < 1e-9, `${i}: ${pull} ${penalty}`);
  }
});

test("columns that are as smooth as a penalty says are found to be; of noise alone nothing is concluded", (t) => {
  const random = seededRandom("smooth");
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
  const bins = 12;
  const ridge = 4;
  const chosenFor = (smoothness: number, variance: number): number => {
    const chosen = Array.from({ length: 41 }, () => {
      // A walk whose steps have the penalty's variance: what the penalty takes effects for, but for the ridge.
      let at = normal() / Math.sqrt(bins * ridge);
      const effects = Array.from({ length: bins }, () => (at += normal() / Math.sqrt(smoothness)));
      const curvature = new Float64Array(bins + 1).fill(400);
      const gradient = curvature.map((h, i) => h * (effects[i] ?? 0) + Math.sqrt(h + variance) * normal());
      return smoothnessOf(numeric(bins), { gradient, curvature, variance }, ridge);
    });
    return chosen.sort((a, b) => a - b)[20]!;
  };
  for (const [smoothness, least, most] of [
    [4, 2, 16],
    [32, 16, 64],
    [512, 64, 1024],
  ] as const) {
    const chosen = chosenFor(smoothness, 100);
    t.true(chosen >= least && chosen <= most, `${smoothness}: ${chosen}`);
  }
  t.true(chosenFor(4, 100) < chosenFor(32, 100) && chosenFor(32, 100) < chosenFor(512, 100));
  t.is(chosenFor(4, 1e12), 32);
});
