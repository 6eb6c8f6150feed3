import type { Attack } from "./attack.ts";
import { consortiumAttacks } from "./consortium-attacks.ts";
import { floodAttacks } from "./flood-attacks.ts";
import { manifestAttacks } from "./manifest-attacks.ts";
import { memberAttacks } from "./member-attacks.ts";
import { membershipAttacks } from "./membership-attacks.ts";
import { noiseAttacks } from "./noise-attacks.ts";
import { poisonAttacks } from "./poison-attacks.ts";
import { stateAttacks } from "./state-attacks.ts";
import { sumAttacks } from "./sum-attacks.ts";

/** In the order of the design's table. */
export const attacks: readonly Attack[] = [
  ...sumAttacks,
  ...stateAttacks,
  ...manifestAttacks,
  ...consortiumAttacks,
  ...memberAttacks,
  ...poisonAttacks,
  ...noiseAttacks,
  ...membershipAttacks,
  ...floodAttacks,
];
