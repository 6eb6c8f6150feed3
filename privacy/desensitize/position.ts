import { cellToLatLng, latLngToCell } from "h3-js";
import { type Random, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";

/** WGS-84 degrees. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/** @throws Refusal cell_malformed, unless the numbers are degrees of a place on earth. */
export function positionOf(latitude: number, longitude: number): Position {
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180))
    throw new Refusal("cell_malformed", "not a position in degrees");
  return { latitude, longitude };
}

/**
 * @param digits - characters of the geohash.
 * @returns the middle of the geohash cell that holds the position. Two places of one cell become one.
 * @see https://en.wikipedia.org/wiki/Geohash
 */
export function geohashMiddle({ latitude, longitude }: Position, digits: number): Position {
  // Of 5 bits a digit, longitude takes the first, latitude the second, and so on.
  const bits = 5 * digits;
  return {
    latitude: intervalMiddle(latitude, 90, Math.floor(bits / 2)),
    longitude: intervalMiddle(longitude, 180, Math.ceil(bits / 2)),
  };
}

/** @returns the middle of that of 2^bits intervals of [-limit, limit] which holds x. */
function intervalMiddle(x: number, limit: number, bits: number): number {
  const intervals = 2 ** bits;
  const width = (2 * limit) / intervals;
  const index = Math.min(intervals - 1, Math.floor((x + limit) / width));
  return -limit + (index + 0.5) * width;
}

/** @returns the middle of the H3 cell that holds the position. @see https://h3geo.org */
export function h3Middle({ latitude, longitude }: Position, resolution: number): Position {
  const [lat, lng] = cellToLatLng(latLngToCell(latitude, longitude, resolution));
  return { latitude: lat, longitude: lng };
}

/** Mean radius of the earth, metres. */
const earthRadius = 6_371_008.8;
const degrees = 180 / Math.PI;
/** Decimals kept, about a metre: the low bits of a noisy coordinate would tell the noise from the place. */
const decimals = 1e5;

/**
 * Planar-Laplace noise: the position r metres away in a uniform direction, r with density ε²·r·exp(−ε·r), which
 * is the sum of two exponentials of mean 1/ε. Geo-indistinguishable: places d metres apart differ by ε·d at most.
 *
 * @param epsilonPerMetre - ε > 0, 1/metre; the mean distance is 2/ε.
 * @throws {RangeError} if ε is not positive.
 * @see Andrés, Bordenabe, Chatzikokolakis and Palamidessi 2013, arXiv:1212.1984, section 4.1
 */
export function addPlanarLaplace(
  { latitude, longitude }: Position,
  epsilonPerMetre: number,
  random: Random,
): Position {
  if (!(epsilonPerMetre > 0)) throw new RangeError("epsilonPerMetre must be > 0");
  const direction = 2 * Math.PI * uniform(random);
  const distance = -(Math.log(1 - uniform(random)) + Math.log(1 - uniform(random))) / epsilonPerMetre;
  // The point at this distance on the great circle in this direction.
  const arc = distance / earthRadius;
  const from = latitude / degrees;
  const sine = Math.sin(from) * Math.cos(arc) + Math.cos(from) * Math.sin(arc) * Math.cos(direction);
  const turn = Math.atan2(
    Math.sin(direction) * Math.sin(arc) * Math.cos(from),
    Math.cos(arc) - Math.sin(from) * sine,
  );
  const east = longitude + turn * degrees;
  return {
    latitude: rounded(Math.asin(Math.max(-1, Math.min(1, sine))) * degrees),
    longitude: rounded(east - 360 * Math.round(east / 360)),
  };
}

const rounded = (x: number): number => Math.round(x * decimals) / decimals;

/** How often a subject's position may be shown in a day. */
export class DailyBudget {
  readonly #perDay: number;
  readonly #shown = new Map<string, number>();

  /** @throws {RangeError} unless both are positive. */
  constructor(epsilonPerMetre: number, dailyBudgetPerMetre: number) {
    if (!(epsilonPerMetre > 0 && dailyBudgetPerMetre > 0)) throw new RangeError("budgets must be > 0");
    // One rounding error of the quotient must not cost a position: 0.3 / 0.1 is below 3.
    this.#perDay = Math.floor((dailyBudgetPerMetre / epsilonPerMetre) * (1 + 1e-12));
  }

  /** @returns the number of this position among the subject's positions of the day, from 0; undefined once the budget is spent. */
  spend(subject: string, day: string): number | undefined {
    const key = `${day} ${subject}`;
    const shown = this.#shown.get(key) ?? 0;
    if (shown >= this.#perDay) return undefined;
    this.#shown.set(key, shown + 1);
    return shown;
  }
}
