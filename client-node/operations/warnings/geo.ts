import type { Position } from "../../../collectors/reading.ts";

export interface Point {
  readonly lat: number;
  readonly lon: number;
}

/** Mean Earth radius (IUGG), metres. */
const earthRadius = 6_371_008.8;
const radians = Math.PI / 180;

/** @returns metres; equirectangular, within 0.1 % up to 100 km away from the poles. */
export function distanceMetres(a: Point, b: Point): number {
  const x = (b.lon - a.lon) * radians * Math.cos(((a.lat + b.lat) / 2) * radians);
  const y = (b.lat - a.lat) * radians;
  return Math.hypot(x, y) * earthRadius;
}

/** @returns metres from a point to the nearest place on a line of at least one point. */
export function distanceToLineMetres(point: Point, line: readonly Point[]): number {
  let nearest = Number.POSITIVE_INFINITY;
  const scale = Math.cos(point.lat * radians);
  let previous: { x: number; y: number } | undefined;
  for (const corner of line) {
    const x = (corner.lon - point.lon) * scale;
    const y = corner.lat - point.lat;
    nearest = Math.min(nearest, x * x + y * y);
    if (previous !== undefined) {
      const dx = x - previous.x;
      const dy = y - previous.y;
      const length = dx * dx + dy * dy;
      if (length > 0) {
        const along = -(previous.x * dx + previous.y * dy) / length;
        if (along > 0 && along < 1) {
          const nearX = previous.x + along * dx;
          const nearY = previous.y + along * dy;
          nearest = Math.min(nearest, nearX * nearX + nearY * nearY);
        }
      }
    }
    previous = { x, y };
  }
  return Math.sqrt(nearest) * radians * earthRadius;
}

/** Krasovsky 1940, on which GCJ-02 is defined: semi-major axis in metres, first eccentricity squared. */
const semiMajor = 6_378_245;
const eccentricity2 = 0.006_693_421_622_965_943;

/** @returns the same place in WGS-84; GCJ-02 is taken back by two fixed-point steps, to about a metre. */
export function toWgs84(position: Pick<Position, "lat" | "lon" | "datum">): Point {
  if (position.datum === "WGS-84") return position;
  let guess: Point = position;
  for (let i = 0; i < 2; i++) {
    const shifted = gcj02Of(guess);
    guess = {
      lat: guess.lat + position.lat - shifted.lat,
      lon: guess.lon + position.lon - shifted.lon,
    };
  }
  return guess;
}

/** The published obfuscation of mainland positions: polynomials and sines of the offset from 35 N, 105 E. */
export function gcj02Of({ lat, lon }: Point): Point {
  const x = lon - 105;
  const y = lat - 35;
  const wave = (of: number): number => Math.sin(of * Math.PI);
  const common = (20 * wave(6 * x) + 20 * wave(2 * x)) * (2 / 3);
  const north =
    -100 +
    2 * x +
    3 * y +
    0.2 * y * y +
    0.1 * x * y +
    0.2 * Math.sqrt(Math.abs(x)) +
    common +
    (20 * wave(y) + 40 * wave(y / 3)) * (2 / 3) +
    (160 * wave(y / 12) + 320 * wave(y / 30)) * (2 / 3);
  const east =
    300 +
    x +
    2 * y +
    0.1 * x * x +
    0.1 * x * y +
    0.1 * Math.sqrt(Math.abs(x)) +
    common +
    (20 * wave(x) + 40 * wave(x / 3)) * (2 / 3) +
    (150 * wave(x / 12) + 300 * wave(x / 30)) * (2 / 3);
  const latitude = lat * radians;
  const magic = 1 - eccentricity2 * Math.sin(latitude) ** 2;
  const meridian = (semiMajor * (1 - eccentricity2)) / magic ** 1.5;
  const parallel = (semiMajor / Math.sqrt(magic)) * Math.cos(latitude);
  return { lat: lat + north / (meridian * radians), lon: lon + east / (parallel * radians) };
}
