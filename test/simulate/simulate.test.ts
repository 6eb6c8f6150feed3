import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { seededRandom, uniform } from "../../core/random.ts";
import { concatRows } from "../../models/rows.ts";
import type { Table } from "../../models/table.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { type Problem, readProblem } from "../../simulate/data.ts";
import { grpc } from "../../simulate/grpc.ts";
import { plain } from "../../simulate/plain.ts";
import { plotsOf } from "../../simulate/plots.ts";
import { sealed } from "../../simulate/sealed.ts";
import { type DropOut, type Outcome, type Step, steps, type Transport } from "../../simulate/transport.ts";
import { everyAlgorithm } from "../support/algorithms.ts";

const parties = 6;
const rows = 360;
const leaving = 2;

/** Two numbers of very different size and a category; log-odds −0.4 + 0.9·age + 0.6·(income − 50,000)/9,000 + 0.5·[b]. */
function csv(): string {
  const random = seededRandom("simulate test");
  const lines = ["age,income,region,bad"];
  for (let row = 0; row < rows; row++) {
    const age = 3 * uniform(random) - 1.5;
    const income = 50_000 + 9_000 * (4 * uniform(random) - 2);
    const region = uniform(random) < 0.4 ? "b" : "a";
    const logOdds = -0.4 + 0.9 * age + (0.6 * (income - 50_000)) / 9_000 + (region === "b" ? 0.5 : 0);
    lines.push(`${age},${income},${region},${uniform(random) < 1 / (1 + Math.exp(-logOdds)) ? 1 : 0}`);
  }
  return lines.join("\n");
}

let problem: Problem;

test.before(async () => {
  const folder = await temporaryDirectory();
  const data = join(folder, "loans.csv");
  await writeFile(data, csv());
  problem = await readProblem({
    data,
    label: "bad",
    parties,
    partition: "dirichlet:1",
    algorithm: "logistic",
    params: {},
    holdout: 0,
    // Deals every party good and bad rows of several, as a node asks for.
    seed: "10",
  });
  await rm(folder, { recursive: true });
});

interface Fit {
  readonly intercept: number;
  readonly coefficients: Readonly<Record<string, number>>;
  readonly standardErrors: Readonly<Record<string, number>>;
}

const run = (transport: Transport, drop: DropOut, about = problem): Promise<Outcome> =>
  transport(about, { drop, seed: "7", onRound: () => {} });
const nobody = { kind: "chance", probability: 0 } as const;
const fitOf = ({ results }: Outcome): Fit => results.logistic as unknown as Fit;

/**
 * Maximum likelihood of the rows as one table by Newton's method on columns brought to a common size, written apart
 * from the product's: plain elimination, no standardization over sums.
 */
function maximumLikelihood(table: Table): { names: string[]; coefficients: number[]; errors: number[] } {
  const numeric = (name: string): Float64Array => {
    const column = table.columns.get(name)!;
    if (column.kind !== "numeric") throw new TypeError(name);
    return column.values;
  };
  const region = table.columns.get("region")!;
  if (region.kind !== "categorical") throw new TypeError("region");
  const names = ["intercept", "age", "income", "region=b"];
  const units = [1, 1, 10_000, 1];
  const x = Array.from({ length: table.rows }, (_, row) => [
    1,
    numeric("age")[row]!,
    numeric("income")[row]! / 10_000,
    region.levels[region.codes[row]!] === "b" ? 1 : 0,
  ]);
  const beta = [0, 0, 0, 0];
  let inverse: number[][] = [];
  for (let iteration = 0; iteration < 30; iteration++) {
    const gradient = [0, 0, 0, 0];
    const information = beta.map(() => [0, 0, 0, 0]);
    for (const [row, values] of x.entries()) {
      const p = 1 / (1 + Math.exp(-values.reduce((sum, value, i) => sum + value * beta[i]!, 0)));
      for (const [i, a] of values.entries()) {
        gradient[i]! += a * (table.label[row]! - p);
        for (const [j, b] of values.entries()) information[i]![j]! += a * b * p * (1 - p);
      }
    }
    inverse = inverseOf(information);
    for (const i of beta.keys()) beta[i]! += inverse[i]!.reduce((sum, v, j) => sum + v * gradient[j]!, 0);
  }
  return {
    names,
    coefficients: beta.map((value, i) => value / units[i]!),
    errors: beta.map((_, i) => Math.sqrt(inverse[i]![i]!) / units[i]!),
  };
}

/** Gauss–Jordan elimination with pivoting. */
function inverseOf(matrix: number[][]): number[][] {
  const n = matrix.length;
  const work = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let row = column; row < n; row++)
      if (Math.abs(work[row]![column]!) > Math.abs(work[pivot]![column]!)) pivot = row;
    [work[column], work[pivot]] = [work[pivot]!, work[column]!];
    const scale = work[column]![column]!;
    work[column] = work[column]!.map((value) => value / scale);
    for (let row = 0; row < n; row++) {
      const factor = row === column ? 0 : work[row]![column]!;
      work[row] = work[row]!.map((value, j) => value - factor * work[column]![j]!);
    }
  }
  return work.map((row) => row.slice(n));
}

const relative = (a: number, b: number): number => Math.abs(a - b) / Math.abs(b);

/** @returns the largest relative difference of coefficients and standard errors. */
function distance(fit: Fit, tables: readonly Table[]): number {
  const expected = maximumLikelihood(concatRows(tables));
  const values = { intercept: fit.intercept, ...fit.coefficients };
  return Math.max(
    ...expected.names.flatMap((name, i) => [
      relative(values[name as keyof typeof values] as number, expected.coefficients[i]!),
      relative(fit.standardErrors[name]!, expected.errors[i]!),
    ]),
  );
}

test("without drops: pooled maximum likelihood, and plain, sealed and gRPC agree bit for bit on every algorithm", async (t) => {
  // Thirty rounds over gRPC would show no more of boosting than two.
  const short = { rounds: 1, trees: 3, depth: 2 };
  const algorithms = everyAlgorithm(40).map((entry) =>
    entry.name === "boosting" ? { ...entry, ...short } : entry,
  );
  const everything = { ...problem, manifest: { ...problem.manifest, algorithms } };
  const inMemory = await run(plain, nobody, everything);
  t.deepEqual(Object.keys(inMemory.results).sort(), algorithms.map(({ name }) => name).sort());
  t.true(distance(fitOf(inMemory), problem.tables) < 1e-8);
  for (const transport of [sealed, grpc]) {
    const outcome = await run(transport, nobody, everything);
    t.deepEqual(outcome.results, inMemory.results);
    t.is(outcome.rounds, inMemory.rounds);
    t.true(outcome.protection.masks);
  }
});

const overGrpc: readonly Step[] = process.env.SLOW ? steps : ["submit", "unmask"];
const cases: readonly (readonly [string, Transport, readonly Step[]])[] = [
  ["plain", plain, steps],
  ["sealed", sealed, steps],
  ["gRPC", grpc, overGrpc],
];

for (const [name, transport, leaveAt] of cases)
  for (const step of leaveAt)
    test.serial(
      `${name}: ${leaving} of ${parties} leave at ${step}, the survivors' maximum likelihood stays`,
      async (t) => {
        const outcome = await run(transport, { kind: "at", parties: leaving, step });
        const survivors = problem.tables.slice(leaving);
        t.true(distance(fitOf(outcome), survivors) < 1e-8, `${distance(fitOf(outcome), survivors)}`);
        t.true(distance(fitOf(outcome), problem.tables) > 1e-3, "the leavers' rows would show");
        t.is(
          (outcome.results.evaluate as { models: { logistic: { n: number } } }).models.logistic.n,
          survivors.reduce((sum, table) => sum + table.rows, 0),
        );
      },
    );

test("several algorithms make one study, each with its parameters, and charts of what came", async (t) => {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const data = join(folder, "loans.csv");
  await writeFile(data, csv());
  const common = {
    data,
    label: "bad",
    parties: 3,
    partition: "iid",
    algorithm: "logistic",
    params: {},
    holdout: 0,
    seed: "7",
  };
  const algorithms = [
    { name: "logistic", as: "ridge", penalty: 0.01 },
    { name: "bins", cells: 64 },
    { name: "scorecard" },
  ];
  const several = await readProblem({ ...common, algorithms });
  t.deepEqual(
    several.manifest.algorithms.map(({ name, as = name }) => as),
    ["range", "summary", "ridge", "bins", "woe", "scorecard", "evaluate"],
  );
  t.is(several.manifest.algorithms.find(({ name }) => name === "bins")!.cells, 64);
  const { results } = await run(plain, nobody, several);
  const plots = plotsOf({ ...several.manifest, results });
  t.deepEqual(
    plots.map(({ name }) => name),
    [
      ...["age", "income", "region"].map((column) => `woe-${column}.svg`),
      ...["ridge", "scorecard"].flatMap((model) =>
        ["roc", "ks", "calibration", "lift"].map((kind) => `${model}-${kind}.svg`),
      ),
    ],
  );
  for (const { name, svg } of plots) {
    t.true(svg.startsWith("<svg ") && svg.endsWith("</svg>"));
    if (name.endsWith("-roc.svg")) t.regex(svg, /AUC 0\.\d{4} ± 0\.\d{4}/);
  }
  const twice = [{ name: "logistic" }, { name: "logistic", penalty: 1 }];
  t.like(await t.throwsAsync(readProblem({ ...common, algorithms: twice })), {
    reason: "parameters_invalid",
  });
});

test("a label of several values: those named as bad, those that count as neither, and all others as good", async (t) => {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const data = join(folder, "loans.csv");
  const values = ["paid", "late", "lost, sold", "disputed", "current", ""];
  const lines = Array.from({ length: 120 }, (_, row) => `${row % 7},"${values[row % 6]}"`);
  await writeFile(data, ["x,status", ...lines].join("\n"));
  const read = (label: { bad?: string; indeterminate?: string }) =>
    readProblem({
      ...{ data, label: "status", parties: 3, partition: "iid", algorithm: "naive-bayes" },
      ...{ params: {}, holdout: 0, seed: "1" },
      ...label,
    });
  const { manifest, rows: counts, tables } = await read({ bad: "late", indeterminate: "disputed" });
  t.deepEqual(manifest.label, {
    column: "status",
    bad: ["late"],
    good: ["current", "lost, sold", "paid"],
    indeterminate: ["disputed"],
  });
  t.deepEqual(counts, { records: 120, unlabelled: 20, indeterminate: 20 });
  const bad = tables.reduce((sum, { label }) => sum + label.reduce((all, one) => all + one, 0), 0);
  t.is(bad, 20);
  t.deepEqual((await read({ bad: "lost, sold" })).manifest.label.bad, ["lost, sold"]);
  t.deepEqual((await read({ bad: "late, disputed" })).manifest.label.bad, ["late", "disputed"]);
  for (const [label, reason, about] of [
    [{}, "label_not_binary", /5 values/],
    [{ bad: "late,gone" }, "label_not_binary", /5 values/],
    [{ bad: "late", indeterminate: "gone" }, "label_not_binary", /5 values/],
    [{ bad: "late", indeterminate: "late" }, "usage", /bad and as neither/],
  ] as const)
    t.like(await t.throwsAsync(read(label), { message: about }), { reason });
  await writeFile(data, ["x,status", ...lines.filter((line) => !/paid|current|lost/.test(line))].join("\n"));
  t.like(await t.throwsAsync(read({ bad: "late", indeterminate: "disputed" })), { reason: "single_class" });
});
