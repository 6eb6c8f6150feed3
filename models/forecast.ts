/** What a study's sums will be like, before there is any: tried on rows that are made up from its schema. */
import { seededRandom } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { type VectorLayout, vectorLength } from "../privacy/sum/layout.ts";
import type { NoiseTerms } from "../privacy/sum/noise-terms.ts";
import { withoutGroups } from "./groups.ts";
import { StudyMemory } from "./memory.ts";
import { entriesOf } from "./results.ts";
import type { StudyManifest } from "./study.ts";
import {
  advanceStudy,
  mostEntries,
  mostSums,
  type NextSum,
  requireSealable,
  startStudy,
  studyContribute,
  studyNext,
} from "./study-loop.ts";
import type { Column, Table } from "./table.ts";

export interface AlgorithmForecast {
  /** Its result's. */
  readonly name: string;
  readonly mostSums: number;
  /** Of its first sum, where every column has missing values and every level occurs; absent where made-up rows lead to none. */
  readonly layout?: VectorLayout;
  /** Under that sum. */
  readonly noise?: NoiseTerms;
  /** How long one row took in that sum's statistic, seconds; 0 without a clock. */
  readonly rowSeconds: number;
}

/** Numbers of further sums that the trial goes on with: beyond, later algorithms are not tried. */
const mostTried = 2 ** 18;
const leastRows = 16;
const mostRows = 400;
const mostCells = 2 ** 16;

/**
 * @param millis - a clock that times the statistics on this machine.
 * @returns one for each algorithm of the manifest.
 * @throws Refusal layout_overflow where a vector would be too long to be sealed; algorithm_unknown, parameters_invalid
 */
export async function forecastStudy(
  manifest: StudyManifest,
  millis: () => number = () => 0,
): Promise<AlgorithmForecast[]> {
  const entries = entriesOf(manifest.algorithms);
  // A group's sum has the layout of everybody's.
  const tried = {
    ...withoutGroups(manifest),
    maxRowsPerParty: Math.max(mostCells, manifest.maxRowsPerParty),
  };
  const trials = await trialsOf(tried, millis);
  return entries.map((entry, index) => {
    const { as } = entry;
    const { layout, noise, rowSeconds = 0 } = trials.get(index) ?? {};
    if (layout !== undefined) requireSealable(as, layout);
    return {
      name: as,
      mostSums: mostSums(manifest, entry),
      rowSeconds,
      ...(layout === undefined ? {} : { layout }),
      ...(noise === undefined ? {} : { noise }),
    };
  });
}

interface Trial extends NextSum {
  readonly rowSeconds: number;
}

async function trialsOf(manifest: StudyManifest, millis: () => number): Promise<Map<number, Trial>> {
  const trials = new Map<number, Trial>();
  const means = { random: seededRandom("forecast"), memory: new StudyMemory() };
  const table = madeUp(manifest);
  let budget = mostTried;
  let state = startStudy(manifest);
  try {
    while (state.algorithm !== null) {
      const next = studyNext(manifest, state);
      const { layout } = next;
      const isFirst = !trials.has(state.index);
      if (isFirst) trials.set(state.index, { ...next, rowSeconds: 0 });
      const length = vectorLength(layout);
      // An algorithm's first sum tells its size; the further ones only lead to the next algorithm.
      if (state.step > 0) budget -= length;
      if (length > mostEntries || budget < 0) break;
      const begun = millis();
      const values = await studyContribute(manifest, state, table, means);
      if (isFirst) trials.set(state.index, { ...next, rowSeconds: (millis() - begun) / 1000 / table.rows });
      state = await advanceStudy(manifest, state, { values, parties: 1 });
    }
  } catch (error) {
    // Made-up rows need not have a result; what comes after it is not known then.
    if (!(error instanceof Refusal)) throw error;
  }
  return trials;
}

/** Every numeric column has a missing value, every label and side of the split its rows. */
function madeUp({ features, label }: StudyManifest): Table {
  const random = seededRandom("made-up rows");
  const longest = Math.max(0, ...features.map((one) => (one.kind === "categorical" ? one.levels.length : 0)));
  // Few rows of many columns: sizes depend on what occurs, not on how often.
  const most = Math.max(leastRows, Math.floor(mostCells / features.length));
  const rows = Math.min(most, Math.max(mostRows, longest + 1));
  // A byte each: what is drawn here needs no precision.
  const draws = (): Float64Array => Float64Array.from(random.bytes(rows), (x) => x / 256);
  const columns = new Map<string, Column>();
  const indices = Array.from({ length: rows }, (_, row) => row);
  for (const [position, feature] of features.entries())
    if (feature.kind === "numeric") {
      const values = draws();
      for (let row = position % 8; row < rows; row += 8 + (position % 5)) values[row] = Number.NaN;
      columns.set(feature.name, { kind: "numeric", values });
    } else {
      const { levels } = feature;
      // Each level, and none, turn by turn: however many there are, as many as there are rows occur.
      const codes = Int32Array.from(indices, (row) => ((row * 7919) % (levels.length + 1)) - 1);
      columns.set(feature.name, { kind: "categorical", codes, levels });
    }
  // Good and bad by turns, each side's values in turn.
  const outcome = Uint8Array.from(indices, (row) =>
    row % 2 === 0 ? (row / 2) % label.good.length : label.good.length + (((row - 1) / 2) % label.bad.length),
  );
  return {
    rows,
    columns,
    label: outcome.map((code) => Number(code >= label.good.length)),
    outcome,
    subject: Int32Array.from(indices),
    holdout: Uint8Array.from(indices, (row) => (row % 5 < 2 ? 0 : Number(row % 5 === 2))),
  };
}
