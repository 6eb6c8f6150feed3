import { fork } from "node:child_process";
import { setPriority } from "node:os";

/** What a worker answers: one job, one answer. */
export type Answer<Done> =
  | { readonly done: Done }
  | { readonly failed: string; readonly stack: string | undefined; readonly code: string | undefined };

/**
 * Does a job in a process of its own: polling, warnings and the page wait for none of it, and what it takes of memory
 * is given back.
 *
 * @param worker - a module that answers with `answerJob`.
 * @param signal - ends the process.
 * @throws {Error} what went wrong in the process, with its `code`; or that it ended, which has one, too.
 */
export async function doApart<Job extends object, Done>(
  worker: URL,
  job: Job,
  signal: AbortSignal,
  onStart: (pid: number) => void = () => {},
): Promise<Done> {
  signal.throwIfAborted();
  const child = fork(worker, [], {
    serialization: "advanced",
    execArgv: ["--no-warnings", "--max-old-space-size=256"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    signal,
  });
  const answered = new Promise<Done>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, ended) => {
      const how = ended ?? `exit code ${code}`;
      reject(Object.assign(new Error(`the process apart ended (${how})`), { code: "PROCESS_ENDED" }));
    });
    child.once("message", (answer: Answer<Done>) => {
      if ("done" in answer) return resolve(answer.done);
      const { failed, stack, code } = answer;
      const error = new Error(failed);
      if (stack !== undefined) error.stack = stack;
      reject(code === undefined ? error : Object.assign(error, { code }));
    });
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
  child.send(job, () => {});
  return answered;
}

/** The other side of `doApart`: call it once in the worker. */
export function answerJob<Job, Done>(work: (job: Job) => Promise<Done>): void {
  const say = (answer: Answer<Done>): void =>
    void process.send!(answer, undefined, undefined, () => process.disconnect());
  process.once("message", async (job: Job) => {
    try {
      say({ done: await work(job) });
    } catch (error) {
      const { message, stack, code } = error as NodeJS.ErrnoException;
      say({ failed: message, stack, code });
    }
  });
  // Whoever asked is gone: nobody wants the answer.
  process.once("disconnect", () => process.exit());
}
