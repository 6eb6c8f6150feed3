/** How long is learned from, and how rare a false alarm has to be. */
export interface AnomalySettings {
  /** Steps of quiet that are learned from before anything is said. */
  readonly quietSteps: number;
  /** Steps of a day: what is usual may depend on the hour. */
  readonly stepsPerDay: number;
  /** Blocks, each a twenty-fourth of what is remembered, in which a limit is passed once where all is quiet. */
  readonly returnBlocks: number;
}

/** Fewer steps than these tell nothing, however long they took. */
export const leastSteps = 100;
/** Quiet periods that are remembered. */
export const remembered = 3;
