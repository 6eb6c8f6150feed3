import { seededRandom, uniform } from "../core/random.ts";
import { manifestSchema } from "../models/study.ts";
import type { Table } from "../models/table.ts";
import { atMost, type Bench, median, noted } from "./bench.ts";
import { Consortium, startHosts } from "./consortium.ts";

const features = 30;
const parties = 10;
const rowsPerParty = 10_000;
const runs = 3;

/**
 * A logistic study over gRPC on loopback with every layer on: a coordinator with its database, and ten nodes in
 * two more processes. Counted from the study's start to its coefficients; founding the consortium is not.
 */
export const bench: Bench = async (_args, progress) => {
  const seconds: number[] = [];
  const roundMillis: number[] = [];
  let rounds = 0;
  const hosts = startHosts();
  for (let run = 0; run < runs; run++) {
    const random = seededRandom(`bench logistic ${run}`);
    const tables = Array.from({ length: parties }, () => syntheticTable(random));
    const times: number[] = [];
    await using consortium = await Consortium.found(hosts, { manifest, tables });
    const begun = performance.now();
    const { lineage } = await consortium.train((algorithm) => {
      if (algorithm === "logistic") times.push(performance.now());
    });
    rounds = lineage.rounds.length;
    seconds.push((performance.now() - begun) / 1000);
    for (let i = 1; i < times.length; i++) roundMillis.push(times[i]! - times[i - 1]!);
    progress(`run ${run + 1} of ${runs}: ${seconds.at(-1)!.toFixed(2)} s, ${rounds} rounds`);
  }
  for (const host of hosts) host.disconnect();
  return {
    bench: "logistic",
    runs,
    figures: [
      atMost("start to coefficients", median(seconds), "s", 1.5),
      atMost("one round", median(roundMillis), "ms", 120),
      noted("rounds", rounds, ""),
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
  holdout: { fraction: 0 },
  algorithms: [{ name: "range" }, { name: "summary" }, { name: "logistic" }],
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
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
    outcome: label,
    subject: Int32Array.from({ length: rowsPerParty }, (_, row) => row),
    holdout: new Uint8Array(rowsPerParty),
  };
}
