import test from "ava";
import fc from "fast-check";
import { seededRandom } from "../../core/random.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import type { Json, PriorResults, SealedSum } from "../../models/algorithm.ts";
import { runPlain } from "../../models/plain.ts";
import { algorithmNamed, algorithmNames } from "../../models/registry.ts";
import { takeRows } from "../../models/rows.ts";
import type { NumericColumn, Table } from "../../models/table.ts";
import { dequantizeSum, planPacking, quantize, T } from "../../privacy/sum/layout.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../support/rows.ts";

const schema = { features: borrowerFeatures, maxRowsPerParty: 300 };
const parameters: Record<string, Json> = { neural: { hidden: [4], rounds: 2 } };
const all = borrowers();
const before = await runPlain(
  studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "summary" },
    { name: "logistic" },
    { name: "neural", hidden: [4], rounds: 2 },
  ]),
  [all],
);

const summing = algorithmNames.filter((name) => name !== "standardize");

function stateOf(name: string): { state: Json; prior: PriorResults } {
  const prior = before.results;
  return { state: algorithmNamed(name).start(schema, parameters[name] ?? {}, prior), prior };
}

async function sumOf(name: string, state: Json, parties: readonly Table[]): Promise<SealedSum> {
  const algorithm = algorithmNamed(name);
  const packing = planPacking(algorithm.layout(state), 16);
  const total = new Float64Array(packing.slots);
  for (const table of parties) {
    const slots = quantize(await algorithm.contribute(state, table, seededRandom("party")), packing);
    for (let s = 0; s < total.length; s++) total[s] = (total[s]! + slots[s]!) % T;
  }
  return { values: dequantizeSum(total, packing, parties.length), parties: parties.length };
}

function withValue(column: string, value: number): Table {
  const old = all.columns.get(column) as NumericColumn;
  const values = old.values.slice();
  values[17] = value;
  return { ...all, columns: new Map(all.columns).set(column, { kind: "numeric", values }) };
}

async function refused(run: () => unknown): Promise<Refusal> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

for (const name of summing) {
  test(`${name}: the order of the parties changes nothing`, async (t) => {
    const { state } = stateOf(name);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.string(), async (parties, seed) => {
        const tables = scatter(all.rows, parties, seed).map((rows) => takeRows(all, rows));
        const forwards = await sumOf(name, state, tables);
        t.deepEqual(await sumOf(name, state, tables.toReversed()), forwards);
      }),
      { numRuns: 5 },
    );
  });

  test(`${name}: splitting a party's rows changes nothing beyond the grid`, async (t) => {
    const { state } = stateOf(name);
    const { blocks } = algorithmNamed(name).layout(state);
    const whole = await sumOf(name, state, [all]);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.string(), async (parties, seed) => {
        const tables = scatter(all.rows, parties, seed).map((rows) => takeRows(all, rows));
        const split = await sumOf(name, state, tables);
        let at = 0;
        for (const block of blocks)
          for (let i = 0; i < block.length; i++, at++) {
            // Below the first limb of an exact sum only the joined value is the same.
            if (/\.[12]$/.test(block.name) && name === "summary") continue;
            const apart = Math.abs(split.values[at]! - whole.values[at]!);
            const rounding = block.step === 1 ? 0 : (parties + 1) * block.step + 1e-12 * block.bound;
            t.true(apart <= rounding, `${block.name}[${i}]: ${apart}`);
          }
      }),
      { numRuns: 5 },
    );
  });

  test(`${name}: a party without rows is harmless`, async (t) => {
    const { state } = stateOf(name);
    const alone = await sumOf(name, state, [all]);
    const joined = await sumOf(name, state, [takeRows(all, []), all]);
    t.deepEqual(joined.values, alone.values);
  });

  test(`${name}: a contribution is finite and within its layout, also with missing values`, async (t) => {
    const { state } = stateOf(name);
    const algorithm = algorithmNamed(name);
    const packing = planPacking(algorithm.layout(state), 2);
    const vector = await algorithm.contribute(state, withValue("share", Number.NaN), seededRandom("party"));
    t.is(vector.length, packing.length);
    t.notThrows(() => quantize(vector, packing));
  });

  for (const value of [Infinity, -Infinity])
    test(`${name}: ${value} is refused with the column's name`, async (t) => {
      const { state } = stateOf(name);
      const { reason, message } = await refused(() => sumOf(name, state, [withValue("age", value)]));
      t.is(reason, "value_not_finite" satisfies Reason);
      t.regex(message, /\bage\b/);
    });

  // Scoring takes any finite value; every sum of values has a public bound.
  if (name !== "evaluate")
    test(`${name}: a value out of bounds is refused with the column's name`, async (t) => {
      const { state } = stateOf(name);
      const { reason, message } = await refused(() => sumOf(name, state, [withValue("income", 1e300)]));
      t.is(reason, "value_out_of_bounds" satisfies Reason);
      t.regex(message, /\bincome\b/);
    });

  test(`${name}: more rows than the study's bound are refused`, async (t) => {
    const { state } = stateOf(name);
    const rows = Array.from({ length: 301 }, (_, i) => i % all.rows);
    const { reason } = await refused(() => sumOf(name, state, [takeRows(all, rows)]));
    t.is(reason, "value_out_of_bounds" satisfies Reason);
  });

  test(`${name}: an absent column is refused with its name`, async (t) => {
    const { state } = stateOf(name);
    const columns = new Map(all.columns);
    columns.delete("sector");
    const { reason, message } = await refused(() => sumOf(name, state, [{ ...all, columns }]));
    t.is(reason, "column_unknown" satisfies Reason);
    t.regex(message, /sector/);
  });

  test(`${name}: an unknown parameter is refused with a hint`, async (t) => {
    const { reason, hint } = await refused(() =>
      algorithmNamed(name).start(schema, { nonsense: 1 }, before.results),
    );
    t.is(reason, "parameters_invalid" satisfies Reason);
    t.true(hint.length > 0);
  });
}
