import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import { sumAttacks } from "./sum-attacks.ts";

export interface Attack {
  readonly name: string;
  readonly unit: string;
  /** What an attacker has without looking, and no more is allowed. */
  readonly guessing: number;
  /** What the control must reach. */
  readonly success: number;
  /** Cheap enough for every run of the tests. */
  readonly quick: boolean;
  /** @param control - whether the defence is taken out. @returns the attacker's gain. */
  readonly play: (bfv: Bfv, control: boolean) => Promise<number>;
}

export const attacks: readonly Attack[] = [...sumAttacks];
