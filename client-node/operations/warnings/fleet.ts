import { distanceMetres, type Point } from "./geo.ts";
import type { Fleet } from "./rule.ts";

/** Degrees of latitude in one square of the index: about 1.1 km. */
const square = 0.01;

/** Last place and speed of every vehicle, findable by place. */
export class SquareFleet implements Fleet {
  readonly #at = new Map<string, { place: Point; speed: number; key: string }>();
  readonly #squares = new Map<string, Set<string>>();

  report(device: string, place: Point, speed: number): void {
    const key = keyOf(Math.floor(place.lat / square), Math.floor(place.lon / square));
    const known = this.#at.get(device);
    if (known?.key === key) {
      known.place = place;
      known.speed = speed;
      return;
    }
    if (known !== undefined) this.#squares.get(known.key)?.delete(device);
    this.#at.set(device, { place, speed, key });
    const here = this.#squares.get(key);
    if (here === undefined) this.#squares.set(key, new Set([device]));
    else here.add(device);
  }

  crawlingNear(device: string, place: Point, speed: number, metres: number): number {
    const reach = Math.ceil(metres / (square * 111_000));
    const row = Math.floor(place.lat / square);
    const column = Math.floor(place.lon / square);
    let count = 0;
    for (let i = -reach; i <= reach; i++) {
      for (let j = -2 * reach; j <= 2 * reach; j++) {
        for (const other of this.#squares.get(keyOf(row + i, column + j)) ?? []) {
          const at = this.#at.get(other)!;
          if (other !== device && at.speed < speed && distanceMetres(at.place, place) <= metres) count++;
        }
      }
    }
    return count;
  }
}

const keyOf = (row: number, column: number): string => `${row}/${column}`;
