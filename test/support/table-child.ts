/** Reads a table, from memory or on disk, and prints the digest of the sums over it. */
import { tableFromRecords, tableFromStreams } from "../../client-node/rows/rows.ts";
import { digestOf, sha256 } from "../../core/canonical.ts";
import { secureRandom } from "../../core/random.ts";
import { readRecords, streamRecords } from "../../core/table-file.ts";
import { StudyMemory } from "../../models/memory.ts";
import { manifestSchema } from "../../models/study.ts";
import { advanceStudy, startStudy, studyContribute } from "../../models/study-loop.ts";

const [way, file, folder, columns] = process.argv.slice(2) as [string, string, string, string];
const manifest = manifestSchema.parse({
  consortium: "riverbank",
  name: "large",
  purpose: "credit risk",
  legalBasis: "contract",
  impactAssessment: "PIA-1",
  retentionDays: 30,
  label: { column: "status", bad: ["late"], good: ["paid"] },
  features: Array.from({ length: Number(columns) }, (_, i) => ({ name: `x${i}`, kind: "numeric" })),
  maxRowsPerParty: 100_000,
  holdout: { fraction: 0.2 },
  algorithms: [{ name: "range" }, { name: "summary" }, { name: "logistic" }],
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 10 },
});
const salt = sha256("salt");
const table =
  way === "disk"
    ? await tableFromStreams([await streamRecords(file)], manifest, salt, folder)
    : tableFromRecords([await readRecords(file)], manifest, salt);
const memory = new StudyMemory();
let state = startStudy(manifest);
for (let sums = 0; sums < 3; sums++) {
  const values = await studyContribute(manifest, state, table, { random: secureRandom, memory });
  process.stdout.write(`${state.algorithm} ${digestOf(new Uint8Array(values.buffer))}\n`);
  state = await advanceStudy(manifest, state, { values, parties: 1 });
}
