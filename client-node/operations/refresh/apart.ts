import { doApart } from "../apart.ts";
import type { computeRefresh, RefreshJob } from "./refresh.ts";

type Done = Awaited<ReturnType<typeof computeRefresh>>;

/** Bytes of the engine; with the process around it, it stays below 1 GB. */
const engineBytes = 450e6;

/**
 * Computes a refresh in a process of its own. One thread, so that sums come in one order, and the other cores stay
 * free.
 *
 * @param signal - ends the process.
 * @throws {Error} as `doApart`.
 */
export const refreshApart = (
  job: Omit<RefreshJob, "engine">,
  signal: AbortSignal,
  onStart?: (pid: number) => void,
): Promise<Done> =>
  doApart<RefreshJob, Done>(
    new URL("refresh-worker.ts", import.meta.url),
    { ...job, engine: { threads: 1, memoryBytes: engineBytes } },
    signal,
    onStart,
  );
