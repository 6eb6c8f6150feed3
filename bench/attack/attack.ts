import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import type { Weakness } from "./local-party.ts";
import { type Setting, Stage } from "./stage.ts";

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

/** The attacker's gain is how well it guesses many numbers. */
export const correlation = { unit: "correlation", guessing: 0.2, success: 0.99, quick: true } as const;

/** The attacker's gain is counted, and there shall be none. */
export const counted = (unit: string, success: number) =>
  ({ unit, guessing: 0, success, quick: true }) as const;

/** Plays on a stage of its own, with nodes or with what is left of them. */
export const onStage =
  (setting: Setting, weakness: Weakness, script: (stage: Stage) => Promise<number>) =>
  async (bfv: Bfv, control: boolean): Promise<number> => {
    await using stage = await Stage.open(bfv, control ? { ...setting, weakness } : setting);
    return await script(stage);
  };
