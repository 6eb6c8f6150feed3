import { fork } from "node:child_process";
import { setPriority } from "node:os";
import type { computeRefresh, RefreshJob } from "./refresh.ts";

type Done = Awaited<ReturnType<typeof computeRefresh>>;

/** Bytes of the engine; with the process around it, it stays below 1 GB. */
const engineBytes = 450e6;

/**
 * Computes a refresh in a process of its own: polling, warnings and the page wait for none of it, and what it takes
 * of memory is given back. One thread, so that sums come in one order, and the other cores stay free.
 *
 * @param signal - ends the process.
 * @throws {Error} what went wrong in the process, or that it ended.
 */
export async function refreshApart(
  job: Omit<RefreshJob, "engine">,
  signal: AbortSignal,
  onStart: (pid: number) => void = () => {},
): Promise<Done> {
  signal.throwIfAborted();
  const child = fork(new URL("refresh-worker.ts", import.meta.url), [], {
    serialization: "advanced",
    execArgv: ["--no-warnings", "--max-old-space-size=256"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    signal,
  });
  const answered = new Promise<Done>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, ended) =>
      reject(new Error(`the refresh's process ended (${ended ?? `exit code ${code}`})`)),
    );
    child.once("message", (answer: { done: Done } | { failed: string }) =>
      "done" in answer ? resolve(answer.done) : reject(new Error(answer.failed)),
    );
  });
  if (child.pid !== undefined) {
    try {
      // Below everything that has to answer, and not so low that a busy machine never gets to it.
      setPriority(child.pid, 5);
    } catch {
      // A machine that allows none has it run like the others.
    }
    onStart(child.pid);
  }
  // A process that is gone already has said so above.
  child.send({ ...job, engine: { threads: 1, memoryBytes: engineBytes } } satisfies RefreshJob, () => {});
  return answered;
}
