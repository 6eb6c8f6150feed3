import { join } from "node:path";
import { Engine, quoteText } from "../client-node/operations/engine.ts";
import { cutSegment, parquetFiles } from "../client-node/operations/segments.ts";
import { Spool } from "../client-node/operations/spool.ts";
import { secureRandom } from "../core/random.ts";

export interface Stored {
  readonly readings: number;
  /** Sequence numbers between the first and the last that are not there. */
  readonly lost: number;
  readonly doubled: number;
}

/** What of a device's numbered readings is in the store of a node that has stopped. */
export async function storedOnce(dataDir: string, device: string, metric: string): Promise<Stored> {
  const folder = join(dataDir, "segments");
  const spool = new Spool({
    path: join(dataDir, "spool.db"),
    maxBytes: 4e9,
    maxAgeSeconds: 1e9,
    random: secureRandom,
    now: Date.now,
  });
  try {
    const options = { folder, deviceClass: () => "uncut", maxReadings: 5_000_000 };
    while ((await cutSegment(spool, options)) !== undefined);
  } finally {
    spool.close();
  }
  const engine = await Engine.open();
  try {
    const files = parquetFiles(folder).map((file) => quoteText(join(folder, file)));
    const [row] = await engine.rows(`
      SELECT count(*) AS readings, count(DISTINCT sequence) AS numbers, max(sequence) - min(sequence) + 1 AS span
      FROM read_parquet([${files}], hive_partitioning = false)
      WHERE device = ${quoteText(device)} AND metric = ${quoteText(metric)} AND sequence IS NOT NULL`);
    const [readings, numbers] = [Number(row!.readings), Number(row!.numbers)];
    return { readings, lost: Number(row!.span ?? 0) - numbers, doubled: readings - numbers };
  } finally {
    engine.close();
  }
}
