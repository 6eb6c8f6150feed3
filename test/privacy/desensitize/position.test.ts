import test from "ava";
import fc from "fast-check";
import { greatCircleDistance, latLngToCell, UNITS } from "h3-js";
import { seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import {
  addPlanarLaplace,
  DailyBudget,
  geohashMiddle,
  h3Middle,
  type Position,
  positionOf,
} from "../../../privacy/desensitize/position.ts";
import { chiSquared, chiSquaredLimit } from "../../support/chi-squared.ts";
import { readVectors } from "../../support/vectors.ts";

const { planarLaplace } = readVectors("desensitize.json") as {
  readonly planarLaplace: {
    readonly epsilonPerMetre: number;
    readonly shares: readonly number[];
    readonly radiiMetres: readonly number[];
  };
};
const place = fc.record({
  latitude: fc.double({ min: -89, max: 89, noNaN: true }),
  longitude: fc.double({ min: -180, max: 180, noNaN: true }),
});
const metres = (a: Position, b: Position): number =>
  greatCircleDistance([a.latitude, a.longitude], [b.latitude, b.longitude], UNITS.m);

test("ezs42 is the geohash cell around 42.605, −5.603", (t) => {
  // https://en.wikipedia.org/wiki/Geohash: 42.605 ± 0.022, −5.603 ± 0.022
  const middle = geohashMiddle({ latitude: 42.6, longitude: -5.6 }, 5);
  t.is(middle.latitude.toFixed(3), "42.605");
  t.is(middle.longitude.toFixed(3), "-5.603");
});

test("87283472bffffff is the H3 cell of the library's own example", (t) => {
  const position = { latitude: 37.3615593, longitude: -122.0553238 };
  const middle = h3Middle(position, 7);
  t.is(latLngToCell(middle.latitude, middle.longitude, 7), "87283472bffffff");
  t.notDeepEqual(middle, position);
});

test("a cell has one middle, and the middle lies in the cell", (t) => {
  fc.assert(
    fc.property(place, fc.integer({ min: 1, max: 7 }), (position, size) => {
      const square = geohashMiddle(position, size);
      t.deepEqual(geohashMiddle(square, size), square);
      const halfHeight = 90 / 2 ** Math.floor((5 * size) / 2);
      t.true(Math.abs(square.latitude - position.latitude) <= halfHeight * (1 + 1e-9));
      const hexagon = h3Middle(position, size);
      t.deepEqual(h3Middle(hexagon, size), hexagon);
    }),
  );
});

const nowhere: [number, number][] = [
  [91, 0],
  [0, -181],
  [Number.POSITIVE_INFINITY, 0],
];
for (const [latitude, longitude] of nowhere)
  test(`${latitude}, ${longitude} is nowhere`, (t) => {
    const error = t.throws(() => positionOf(latitude, longitude), { instanceOf: Refusal });
    t.is(error?.reason, "cell_malformed");
  });

test("planar-Laplace noise has the radii of the vector, in every direction alike", (t) => {
  const { epsilonPerMetre, shares, radiiMetres } = planarLaplace;
  const draws = process.env.SLOW ? 200_000 : 10_000;
  const random = seededRandom("planar-laplace");
  const here = { latitude: 31.2, longitude: 121.5 };
  const distances = new Float64Array(draws);
  const directions = new Float64Array(draws);
  for (let i = 0; i < draws; i++) {
    const there = addPlanarLaplace(here, epsilonPerMetre, random);
    distances[i] = metres(here, there);
    const east = (there.longitude - here.longitude) * Math.cos((here.latitude * Math.PI) / 180);
    directions[i] = Math.atan2(there.latitude - here.latitude, east);
  }
  for (const [i, share] of shares.entries()) {
    const within = distances.filter((distance) => distance <= radiiMetres[i]!).length;
    const tolerance = 5.5 * Math.sqrt(draws * share * (1 - share));
    t.true(Math.abs(within - draws * share) < tolerance, `${within} of ${draws * share}`);
  }
  const sectors = 16;
  const sectorOf = (angle: number): number =>
    Math.min(sectors - 1, Math.floor(((angle + Math.PI) / (2 * Math.PI)) * sectors));
  t.true(chiSquared(directions, sectorOf, sectors) < chiSquaredLimit(sectors - 1));
});

test("noise stays on earth, and keeps five decimals", (t) => {
  fc.assert(
    fc.property(place, fc.string(), (position, seed) => {
      const { latitude, longitude } = addPlanarLaplace(position, 1e-5, seededRandom(seed));
      t.true(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180);
      t.is(latitude, Number(latitude.toFixed(5)));
    }),
  );
  t.throws(() => addPlanarLaplace({ latitude: 0, longitude: 0 }, 0, seededRandom("")), {
    instanceOf: RangeError,
  });
});

test("a subject's positions of a day end with its budget", (t) => {
  const budget = new DailyBudget(0.1, 0.3);
  const spend = (subject: string, day: string) => budget.spend(subject, day);
  t.deepEqual(
    [1, 2, 3, 4, 5].map(() => spend("truck", "2026-03-01")),
    [0, 1, 2, undefined, undefined],
  );
  t.is(spend("truck", "2026-03-02"), 0);
  t.is(spend("van", "2026-03-01"), 0);
  t.is(new DailyBudget(0.2, 0.1).spend("truck", "2026-03-01"), undefined);
  t.throws(() => new DailyBudget(0, 1), { instanceOf: RangeError });
});
