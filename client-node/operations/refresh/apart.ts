import type { Apart } from "../apart.ts";
import type { computeRefresh, RefreshJob } from "./refresh.ts";

type Done = Awaited<ReturnType<typeof computeRefresh>>;

/** Bytes of the engine; with the process around it, it stays below 1 GB. */
const engineBytes = 450e6;

/**
 * Computes a refresh in a process of its own. One thread, so that sums come in one order, and the other cores stay
 * free.
 *
 * @throws {Error} as `Apart`.
 */
export const refreshApart = (
  job: Omit<RefreshJob, "engine">,
  apart: Apart,
  onStart?: (pid: number) => void,
): Promise<Done> =>
  apart.do<Done>(
    new URL("refresh-worker.ts", import.meta.url),
    { ...job, engine: { threads: 1, memoryBytes: engineBytes } } satisfies RefreshJob,
    onStart,
  );
