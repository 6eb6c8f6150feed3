import { type ChildProcess, type ForkOptions, fork } from "node:child_process";

/** What a worker answers: one job, one answer. */
export type Answer<Done> =
  | { readonly done: Done }
  | { readonly failed: string; readonly stack: string | undefined; readonly code: string | undefined };

/** What the helper is told to have done. */
export interface Order {
  readonly id: number;
  /** A module that answers with `answerJob`. */
  readonly worker: string;
  readonly job: object;
}

/** What the helper says of an order: which process does it, then what came of it. */
export type Word = { readonly id: number } & (
  | { readonly pid: number }
  | { readonly answer: Answer<unknown> }
);

interface Waiting {
  resolve(done: unknown): void;
  reject(error: Error): void;
  onStart(pid: number): void;
}

export const apartOptions = {
  serialization: "advanced",
  execArgv: ["--no-warnings", "--max-old-space-size=256"],
  stdio: ["ignore", "ignore", "inherit", "ipc"],
} satisfies ForkOptions;

export const processEnded = (how: string): Error & { readonly code: string } =>
  Object.assign(new Error(`the process apart ended (${how})`), { code: "PROCESS_ENDED" });

/**
 * Does jobs in processes of their own: polling, warnings and the page wait for none of them, and what they take of
 * memory is given back.
 *
 * To begin a process stops the one that begins it for as long as a copy of its page tables takes: a node of a gigabyte
 * for a tenth of a second and more. So a helper that stays small, begun with this object, begins the others.
 */
export class Apart {
  readonly #signal: AbortSignal;
  readonly #waiting = new Map<number, Waiting>();
  #helper: ChildProcess | undefined;
  #orders = 0;

  /** @param signal - ends the helper and what it began. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#stop(), { once: true });
    if (!signal.aborted) this.#begin();
  }

  /**
   * @param worker - a module that answers with `answerJob`.
   * @throws {Error} what went wrong in the process, with its `code`; or that it ended, which has one, too.
   */
  do<Done>(worker: URL, job: object, onStart: (pid: number) => void = () => {}): Promise<Done> {
    if (this.#signal.aborted) return Promise.reject(stopped());
    const helper = this.#helper ?? this.#begin();
    const id = ++this.#orders;
    return new Promise<Done>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (done) => resolve(done as Done), reject, onStart });
      this.#holdOn();
      // A helper that is gone says so by its end.
      helper.send({ id, worker: worker.href, job } satisfies Order, () => {});
    });
  }

  #begin(): ChildProcess {
    const helper = fork(new URL("apart-helper.ts", import.meta.url), [], apartOptions);
    this.#helper = helper;
    helper.on("message", (word: Word) => this.#hear(word));
    const ended = (error: Error): void => {
      if (this.#helper === helper) this.#helper = undefined;
      this.#fail(error);
    };
    helper.once("error", ended);
    helper.once("exit", (code, signal) =>
      ended(this.#signal.aborted ? stopped() : processEnded(signal ?? `exit code ${code}`)),
    );
    this.#holdOn();
    return helper;
  }

  #hear(word: Word): void {
    const waiting = this.#waiting.get(word.id);
    if (waiting === undefined) return;
    if ("pid" in word) {
      waiting.onStart(word.pid);
      return;
    }
    this.#waiting.delete(word.id);
    this.#holdOn();
    const { answer } = word;
    if ("done" in answer) {
      waiting.resolve(answer.done);
      return;
    }
    const { failed, stack, code } = answer;
    const error = new Error(failed);
    if (stack !== undefined) error.stack = stack;
    waiting.reject(code === undefined ? error : Object.assign(error, { code }));
  }

  /** The helper ends once all that it began has ended: what waits is told then, for until then it may still write. */
  #stop(): void {
    if (this.#helper?.connected) this.#helper.disconnect();
  }

  #fail(error: Error): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#holdOn();
    for (const { reject } of all) reject(error);
  }

  /** This process need not live on for a helper that does nothing. */
  #holdOn(): void {
    const how = this.#waiting.size > 0 ? "ref" : "unref";
    this.#helper?.[how]();
    this.#helper?.channel?.[how]();
  }
}

const stopped = (): Error => Object.assign(new Error("stopped"), { name: "AbortError", code: "ABORT_ERR" });

/** The other side of a job: call it once in the worker. */
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
