import { parentPort } from "node:worker_threads";

/** Stands in for SEAL's thread: answers its first call and crashes at the second. */
let calls = 0;
parentPort?.on("message", ({ id }: { id: number }) => {
  if (++calls === 2) throw new Error("unreachable");
  parentPort?.postMessage({ id, value: new Uint8Array([calls]) });
});
