/** The thread of `StatisticsThread`. */
import { parentPort } from "node:worker_threads";
import { secureRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Table } from "../../models/table.ts";
import { unpackTable } from "../rows/stored-columns.ts";
import { DirectStatistics, type StatisticsReply, type StatisticsRequest } from "./statistics.ts";

const statistics = new DirectStatistics(secureRandom);
const tables = new Map<number, Table>();

async function done(request: StatisticsRequest): Promise<StatisticsReply> {
  const { id } = request;
  try {
    switch (request.work) {
      case "table":
        tables.set(request.number, unpackTable(request.table));
        return { id, done: undefined };
      case "forget":
        tables.delete(request.number);
        return { id, done: undefined };
      case "contribute": {
        const { study, manifest, state, number } = request;
        return { id, done: await statistics.contribute(study, manifest, state, tables.get(number)!) };
      }
      case "advance":
        return { id, done: await statistics.advance(request.manifest, request.state, request.sum) };
    }
  } catch (error) {
    if (!(error instanceof Refusal)) return { id, defect: String((error as Error).stack ?? error) };
    const { reason, message, hint } = error;
    return { id, refusal: { reason, message, hint } };
  }
}

parentPort!.on("message", async (request: StatisticsRequest) => {
  parentPort!.postMessage(await done(request));
});
