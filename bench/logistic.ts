import { manifestSchema } from "../models/study.ts";
import type { Table } from "../models/table.ts";
import { seededRandom, uniform } from "../privacy/random.ts";
import { atMost, type Bench, median } from "./bench.ts";
import { Federation } from "./simulate/grpc.ts";

const features = 30;
const parties = 10;
const rowsPerParty = 10_000;
const runs = 3;

/**
 * A logistic study over gRPC on loopback with every layer on: ten nodes, a coordinator and its database in one
 * process. Counted from the study's start to its coefficients; founding the consortium is not.
 */
export const bench: Bench = async (_args, progress) => {
  const seconds: number[] = [];
  const roundMillis: number[] = [];
  let rounds = 0;
  for (let run = 0; run < runs; run++) {
    const random = seededRandom(`bench logistic ${run}`);
    const tables = Array.from({ length: parties }, () => syntheticTable(random));
    const times: number[] = [];
    const onRound = (algorithm: string) => {
      if (algorithm === "logistic") times.push(performance.now());
    };
    const drop = { kind: "chance", probability: 0 } as const;
    await using federation = await Federation.open({ manifest, tables }, { drop, seed: "bench", onRound });
    const begun = performance.now();
    const { lineage } = await federation.train();
    seconds.push((performance.now() - begun) / 1000);
    rounds = lineage.rounds.length;
    for (let i = 1; i < times.length; i++) roundMillis.push(times[i]! - times[i - 1]!);
    progress(`run ${run + 1} of ${runs}: ${seconds.at(-1)!.toFixed(2)} s, ${rounds} rounds`);
  }
  return {
    bench: "logistic",
    runs,
    figures: [
      atMost("start to coefficients", median(seconds), "s", 2),
      atMost("one round", median(roundMillis), "ms", 200),
      { name: "rounds", value: rounds, unit: "", target: null, holds: null },
    ],
  };
};

const names = Array.from({ length: features }, (_, i) => `x${i + 1}`);

export const manifest = manifestSchema.parse({
  consortium: "bench",
  name: "logistic",
  purpose: "benchmark",
  legalBasis: "none",
  impactAssessment: "none",
  retentionDays: 1,
  label: { column: "bad", bad: ["1"], good: ["0"] },
  features: names.map((name) => ({ name, kind: "numeric" })),
  maxRowsPerParty: rowsPerParty,
  holdout: { fraction: 0, seed: "" },
  algorithms: [{ name: "range" }, { name: "summary" }, { name: "logistic" }],
  privacy: { minCohort: 2, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 60 },
});

/** Uniform columns; log-odds −1 + 0.2·Σ x over the first ten. */
export function syntheticTable(random: ReturnType<typeof seededRandom>): Table {
  const columns = names.map(() => Float64Array.from({ length: rowsPerParty }, () => 4 * uniform(random) - 2));
  const label = Uint8Array.from({ length: rowsPerParty }, (_, row) => {
    const logOdds = columns.slice(0, 10).reduce((sum, column) => sum + 0.2 * column[row]!, -1);
    return uniform(random) < 1 / (1 + Math.exp(-logOdds)) ? 1 : 0;
  });
  return {
    rows: rowsPerParty,
    columns: new Map(names.map((name, i) => [name, { kind: "numeric", values: columns[i]! }])),
    label,
    holdout: new Uint8Array(rowsPerParty),
  };
}
