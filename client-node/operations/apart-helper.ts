/** The helper of `Apart`: begins a process for each order, and hands on what it says. */
import { type ChildProcess, fork } from "node:child_process";
import { setPriority } from "node:os";
import { type Answer, apartOptions, type Order, processEnded, type Word } from "./apart.ts";

const begun = new Set<ChildProcess>();
const say = (word: Word): void => {
  if (process.connected) process.send!(word, () => {});
};

process.on("message", ({ id, worker, job }: Order) => {
  const child = fork(new URL(worker), [], apartOptions);
  begun.add(child);
  let answered = false;
  const answer = (answer: Answer<unknown>): void => {
    if (answered) return;
    answered = true;
    say({ id, answer });
  };
  const failed = ({ message, stack, code }: NodeJS.ErrnoException): void =>
    answer({ failed: message, stack, code });
  child.once("message", answer);
  child.once("error", failed);
  child.once("exit", (code, signal) => {
    begun.delete(child);
    if (!process.connected && begun.size === 0) process.exit();
    failed(processEnded(signal ?? `exit code ${code}`));
  });
  if (child.pid === undefined) return;
  try {
    // Below everything that has to answer, and not so low that a busy machine never gets to it.
    setPriority(child.pid, 5);
  } catch {
    // A machine that allows none has it run like the others.
  }
  say({ id, pid: child.pid });
  // A process that is gone already has said so above.
  child.send(job, () => {});
});
process.once("disconnect", () => {
  for (const child of begun) child.kill("SIGKILL");
  if (begun.size === 0) process.exit();
});
