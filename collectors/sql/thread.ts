import { Worker } from "node:worker_threads";
import { Refused } from "../runtime/supervise.ts";
import type { SqlConnection, SqlLogin, SqlRow } from "./connection.ts";

/** What is asked of the thread, one at a time; each has one answer. */
export type Ask = "open" | { readonly start: string } | "next" | "close";
export type Answer =
  | "loaded"
  | "opened"
  | "closed"
  | "end"
  | { readonly rows: readonly SqlRow[] }
  | { readonly failed: string; readonly refused: boolean };

const memoryMegabytes = 512;
/** A busy machine takes its time to start a thread; that is no fault of the database. */
const loadMillis = 60_000;

/**
 * A connection in a thread of its own. The libraries that speak to databases throw at what a server should not say,
 * where nobody catches it: that ends the thread, and not the node.
 */
export async function openThread(login: SqlLogin, signal: AbortSignal): Promise<SqlConnection> {
  const worker = new Worker(new URL("./sql-worker.ts", import.meta.url), {
    workerData: login,
    resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes },
    execArgv: ["--no-warnings"],
  });
  let settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
  let ended: Error | undefined;
  const end = (error: Error): void => {
    ended ??= error;
    settle?.reject(ended);
    void worker.terminate();
  };
  const onAbort = () => end(new Error("stopped"));
  signal.addEventListener("abort", onAbort, { once: true });
  worker.on("message", (answer: Answer) => settle?.resolve(answer));
  worker.on("error", (error) => end(error as Error));
  worker.on("exit", () => {
    signal.removeEventListener("abort", onAbort);
    end(new Error("connection closed"));
  });

  /** @throws {Error} what ended it; after it nothing more is answered. */
  async function ask(
    request?: Ask,
    timeoutMillis = login.config.timeout,
  ): Promise<Exclude<Answer, { failed: string }>> {
    const late = setTimeout(
      () => end(new Error(`the database did not answer within ${timeoutMillis / 1000} s`)),
      timeoutMillis,
    );
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        settle = { resolve, reject };
        if (request !== undefined) worker.postMessage(request);
      });
      if (typeof answer === "string" || !("failed" in answer)) return answer;
      const error = answer.refused ? new Refused(answer.failed, undefined) : new Error(answer.failed);
      end(error);
      throw error;
    } finally {
      clearTimeout(late);
      settle = undefined;
    }
  }

  if (signal.aborted) onAbort();
  await ask(undefined, loadMillis);
  await ask("open");
  return {
    async *rows(statement) {
      let whole = false;
      try {
        let answer = await ask({ start: statement });
        while (typeof answer === "object") {
          yield answer.rows;
          answer = await ask("next");
        }
        whole = true;
      } finally {
        if (!whole) end(new Error("left early"));
      }
    },
    async close() {
      await ask("close").catch(() => {});
      await worker.terminate();
    },
  };
}
