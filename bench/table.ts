import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DuckDBConnection } from "@duckdb/node-api";
import { atMost, type Bench, type BenchOptions, type Figure, noted, option } from "./bench.ts";

/** What one pass over the table may hold beside the rows' own labels, subjects and margins. */
const bytesOfARow = 100;
const ground = 700e6;

export const options: BenchOptions = {
  "--rows <n>": "of the table (1000000)",
  "--columns <n>": "of the table (200)",
  "--only <names>": "algorithms, with commas between; all by default",
};

/**
 * A table that is larger than memory: written as Parquet, read once into columns on disk, and passed over by range,
 * summary, bins, logistic regression, additive and boosting.
 */
export const bench: Bench = async (args, progress) => {
  const rows = Number(option(args, "--rows", "1000000"));
  const columns = Number(option(args, "--columns", "200"));
  await using cleanUp = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), "fedcredit-table-"));
  cleanUp.defer(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, "rows.parquet");
  await writeTable(file, rows, columns);
  progress(`wrote ${rows} rows of ${columns} columns`);
  const only = option(args, "--only", "range,bins,woe,additive,boosting,summary,logistic");
  // In a process of its own, whose memory is what it needs and nothing else.
  const child = spawn(
    process.execPath,
    [
      "--no-warnings",
      fileURLToPath(new URL("./table/pass.ts", import.meta.url)),
      file,
      String(columns),
      only,
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, TMPDIR: dir } },
  );
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    for (const line of chunk.toString().split("\n")) if (line !== "") progress(line);
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the pass ended with ${code}`);
  const { seconds, peakBytes } = JSON.parse(text.trim().split("\n").at(-1)!) as {
    seconds: Record<string, number>;
    peakBytes: number;
  };
  const figures: Figure[] = [
    noted("rows", rows, ""),
    noted("columns", columns, ""),
    noted("in memory the numbers alone would take", Math.round((rows * columns * 8) / 1e6), "MB"),
    atMost(
      "peak resident memory",
      Math.round(peakBytes / 1e6),
      "MB",
      Math.round((ground + bytesOfARow * rows) / 1e6),
    ),
    ...Object.entries(seconds).map(([name, value]) =>
      noted(`${name}, one pass`, Math.round(value * 10) / 10, "s"),
    ),
  ];
  return { bench: "table", runs: 1, figures };
};

async function writeTable(file: string, rows: number, columns: number): Promise<void> {
  const connection = await DuckDBConnection.create();
  try {
    await connection.run("SET memory_limit = '1GB'");
    const made = Array.from(
      { length: columns },
      (_, i) => `(hash(r * ${columns} + ${i}) % 1000003)::DOUBLE / 1000.0 AS x${i}`,
    );
    const risk = "x0 + x1 - x2 + (hash(r + 77777777) % 1000003) / 500.0";
    await connection.run(
      `COPY (SELECT *, CASE WHEN ${risk} > 1500 THEN 'bad' ELSE 'good' END AS status
         FROM (SELECT ${made.join(", ")}, r FROM range(${rows}) t(r))) TO '${file}' (FORMAT parquet)`,
    );
  } finally {
    connection.closeSync();
  }
}
