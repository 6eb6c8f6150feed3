/** One pass of each algorithm over a table on disk; the last line says how long each took, and the peak of memory. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromStreams } from "../../client-node/rows/rows.ts";
import { secureRandom } from "../../core/random.ts";
import { streamRecords } from "../../core/table-file.ts";
import { StudyMemory } from "../../models/memory.ts";
import { manifestSchema } from "../../models/study.ts";
import { advanceStudy, startStudy, studyContribute } from "../../models/study-loop.ts";

const [file, columns, only] = process.argv.slice(2) as [string, string, string];
const wanted = only.split(",");
const algorithms = [
  { name: "range" },
  { name: "bins", most: 32, cells: 1024 },
  { name: "woe" },
  { name: "additive", binsPerColumn: 5, maxSteps: 1 },
  { name: "boosting", rounds: 1, depth: 2 },
  { name: "summary" },
  { name: "logistic", maxIterations: 2 },
].filter(({ name }) => wanted.includes(name));
const manifest = manifestSchema.parse({
  consortium: "bench",
  name: "table",
  purpose: "bench",
  legalBasis: "none",
  impactAssessment: "none",
  retentionDays: 1,
  label: { column: "status", bad: ["bad"], good: ["good"] },
  features: Array.from({ length: Number(columns) }, (_, i) => ({ name: `x${i}`, kind: "numeric" })),
  maxRowsPerParty: 10_000_000,
  holdout: { fraction: 0.2 },
  algorithms,
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 600 },
});
const seconds: Record<string, number> = {};
let since = performance.now();
const lap = (name: string): void => {
  const now = performance.now();
  // Of several passes the last, which has what is made once.
  seconds[name] = (now - since) / 1000;
  since = now;
  process.stdout.write(
    `${name}: ${seconds[name]!.toFixed(1)} s, peak ${(process.resourceUsage().maxRSS / 1000).toFixed(0)} MB\n`,
  );
};
const folder = await mkdtemp(join(tmpdir(), "columns-"));
const streams = [await streamRecords(file)];
const table = await tableFromStreams(streams, manifest, secureRandom.bytes(32), folder);
lap("reading");
const memory = new StudyMemory();
let state = startStudy(manifest);
while (state.algorithm !== null) {
  const { algorithm } = state;
  try {
    const values = await studyContribute(manifest, state, table, { random: secureRandom, memory });
    lap(algorithm);
    state = await advanceStudy(manifest, state, { values, parties: 1 });
    since = performance.now();
  } catch (error) {
    // A regression of two steps has not converged: nothing after it needs its result.
    if (algorithm !== "logistic") throw error;
    break;
  }
}
process.stdout.write(`${JSON.stringify({ seconds, peakBytes: process.resourceUsage().maxRSS * 1024 })}\n`);
