import type { Enterprise } from "../economy.ts";
import { coldFleet } from "./cold-fleet.ts";
import { cornerShops } from "./corner-shops.ts";
import { latheWorks } from "./lathe-works.ts";
import type { Plant } from "./plant.ts";
import { riverMill } from "./river-mill.ts";

export const plants: Readonly<Record<Enterprise["id"], Plant>> = {
  "lathe-works": latheWorks,
  "cold-fleet": coldFleet,
  "corner-shops": cornerShops,
  "river-mill": riverMill,
};
