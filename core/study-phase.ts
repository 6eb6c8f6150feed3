/** How far a study has come, as bank and enterprises say it. */
export type StudyPhase = "proposed" | "running" | "paused" | "finished" | "failed" | "stopped";

const ended: ReadonlySet<string> = new Set<StudyPhase>(["finished", "failed", "stopped"]);

/** @returns whether nothing will happen to a study any more. */
export const isEnded = (phase: string): boolean => ended.has(phase);
