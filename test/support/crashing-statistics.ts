import { parentPort } from "node:worker_threads";
import type { StatisticsRequest } from "../../client-node/federation/statistics.ts";

/** The statistic's thread, which crashes at a study whose purpose says so. */
parentPort!.on("message", (request: StatisticsRequest) => {
  if (request.work === "contribute" && request.manifest.purpose === "crash") throw new Error("unreachable");
});
await import("../../client-node/federation/statistics-worker.ts");
