import type { Case } from "./case.ts";
import { fleetCases } from "./fleet.ts";
import { floorCases } from "./floor.ts";
import { plantCases } from "./plant.ts";
import { tradeCases } from "./trade.ts";

/** C1 … C22, in order. */
export const cases: readonly Case[] = [...plantCases, ...tradeCases, ...fleetCases, ...floorCases].sort(
  (a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)),
);
