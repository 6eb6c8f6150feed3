/**
 * Manifests and tables that single somebody out. A node is asked to consent; the control is what the statistic, had it
 * been computed, says of that one person.
 */
import type { Policy } from "../../client-node/policy.ts";
import { isHeldOut, splitKeyOf } from "../../client-node/rows/rows.ts";
import { sha256 } from "../../core/canonical.ts";
import { seededRandom } from "../../core/random.ts";
import type { Reason } from "../../core/reasons.ts";
import { Refusal } from "../../core/reasons.ts";
import { StudyMemory } from "../../models/memory.ts";
import { selectRows } from "../../models/rows.ts";
import type { StudyManifest } from "../../models/study.ts";
import {
  advanceStudy,
  type StudyState,
  startStudy,
  studyContribute,
  studyLayout,
} from "../../models/study-loop.ts";
import type { NumericColumn, Table } from "../../models/table.ts";
import type { Bfv } from "../../privacy/sum/encryption/bfv.ts";
import { type Attack, correlation, counted } from "./attack.ts";
import { gainOf, manifestOf, Stage, tableOf } from "./stage.ts";

/** The row that the bank is after. */
const target = 7;

/** @returns how many honest enterprises consent to a manifest. @throws where one refuses for another reason */
async function consents(
  bfv: Bfv,
  manifest: object,
  reason: Reason,
  rows: (id: string) => Table = tableOf,
  policy: Partial<Policy> = {},
): Promise<number> {
  await using stage = await Stage.open(bfv, { honest: 3, rows, policy });
  const study = stage.bank.propose(manifest as StudyManifest);
  let agreed = 0;
  for (const node of stage.nodes.values())
    try {
      await node.consent(study);
      agreed++;
    } catch (error) {
      if (!(error instanceof Refusal) || error.reason !== reason) throw error;
    }
  return agreed;
}

const means = () => ({ random: seededRandom("control"), memory: new StudyMemory() });

/** A statistic over one row is that row. */
async function oneRow(): Promise<number> {
  const manifest = manifestOf("control");
  const one = selectRows(tableOf("party-0"), (row) => row === target);
  const shown = await studyContribute(manifest, startStudy(manifest), one, means());
  const values = [...one.columns.values()].map((column) =>
    column.kind === "numeric" ? column.values[0]! : 0,
  );
  // 144 counts a column: of negative powers of two from the 0th on, of positive ones from the 72nd.
  const guess = values.map((_, i) => {
    const bucket = shown.subarray(i * 144, (i + 1) * 144).indexOf(1);
    const exponent = (bucket < 71 ? 70 - bucket : bucket - 72) - 20;
    return (bucket < 71 ? -1 : 1) * exponent;
  });
  const truth = values.map((x) => Math.sign(x) * Math.ceil(Math.log2(Math.abs(x))));
  return gainOf(guess, Float64Array.from(truth)) > 0.95 ? 1 : 0;
}

/** One row alone has a level. */
const withRareLevel = (id: string): Table => {
  const table = tableOf(id);
  const codes = Int32Array.from({ length: table.rows }, (_, row) => (row === target ? 1 : 0));
  const columns = new Map(table.columns);
  return { ...table, columns: columns.set("sector", { kind: "categorical", codes, levels: ["a", "rare"] }) };
};

const bayes = { algorithms: [{ name: "range" }, { name: "naive-bayes" }] };
const rareLevels: StudyManifest = {
  ...manifestOf("level"),
  ...bayes,
  features: [...manifestOf("level").features, { name: "sector", kind: "categorical", levels: ["a", "rare"] }],
};

/** @returns a block of what the victim adds to the sums of a naive Bayes. */
async function bayesBlock(manifest: StudyManifest, table: Table, name: string): Promise<Float64Array> {
  const first = startStudy(manifest);
  const values = await studyContribute(manifest, first, table, means());
  const state: StudyState = await advanceStudy(manifest, first, { values, parties: 1 });
  const shown = await studyContribute(manifest, state, table, means());
  let at = 0;
  for (const block of studyLayout(manifest, state).blocks) {
    if (block.name === name) return shown.subarray(at, at + block.length);
    at += block.length;
  }
  throw new RangeError(`no block ${name}`);
}

/** One row alone is bad. */
const withRareLabel = (id: string): Table => {
  const table = tableOf(id);
  const label = Uint8Array.from({ length: table.rows }, (_, row) => (row === target ? 1 : 0));
  const codes = Int32Array.from({ length: table.rows }, (_, row) => row % 2);
  const columns = new Map(table.columns);
  columns.set("sector", { kind: "categorical", codes, levels: ["a", "rare"] });
  return { ...table, label, outcome: label, columns };
};

/** One row alone has no value of a column. */
const withGap = (id: string): Table => {
  const table = tableOf(id);
  const values = (table.columns.get("x1") as NumericColumn).values.slice();
  values[target] = Number.NaN;
  return { ...table, columns: new Map(table.columns).set("x1", { kind: "numeric", values }) };
};

const gapped: StudyManifest = {
  ...manifestOf("gap"),
  algorithms: [{ name: "range" }, { name: "summary" }, { name: "logistic" }],
};

/** @returns how well what logistic regression multiplies with the mark of the empty cell says the row it stands in. */
async function rowOfGap(): Promise<number> {
  const table = withGap("party-0");
  const own = means();
  let state = startStudy(gapped);
  while (state.algorithm !== "logistic") {
    const values = await studyContribute(gapped, state, table, own);
    state = await advanceStudy(gapped, state, { values, parties: 1 });
  }
  const shown = await studyContribute(gapped, state, table, own);
  const guess: number[] = [];
  let at = 0;
  // Columns of the design: 1, x1, its mark, x2 to x12.
  for (const { name, length } of studyLayout(gapped, state).blocks) {
    const line = Number(/^hessian\.(\d+)$/.exec(name)?.[1] ?? 0);
    if (line > 2) guess.push(shown[at + 2]!);
    at += length;
  }
  const truth = [...table.columns.values()].slice(1).map((column) => {
    const { values } = column as NumericColumn;
    const mean = values.reduce((sum, x) => sum + x / values.length, 0);
    const square = values.reduce((sum, x) => sum + (x - mean) ** 2 / values.length, 0);
    return (values[target]! - mean) / Math.sqrt(square);
  });
  return gainOf(guess, Float64Array.from(truth));
}

/** Dealt as a node deals its rows; as a control, by the same key whatever the share. */
const dealt = (id: string, { holdout }: StudyManifest, control: boolean): Table => {
  const table = tableOf(id);
  const salt = sha256(`salt of ${id}`);
  const key = control ? salt : splitKeyOf(holdout, salt);
  const side = (_: unknown, row: number): number => (isHeldOut(holdout, key, String(row)) ? 1 : 0);
  return { ...table, holdout: table.holdout.map(side) };
};

/** Sums of studies whose shares grow by less than a row. @returns how often two of them differ by one row */
async function nearbyHoldouts(bfv: Bfv, control: boolean): Promise<number> {
  const rows = (id: string, manifest: StudyManifest | undefined): Table =>
    dealt(id, manifest ?? manifestOf("rows"), control);
  await using stage = await Stage.open(bfv, { honest: 3, rows, ...(control ? { weakness: {} } : {}) });
  const sums: Float64Array[] = [];
  for (let i = 0; i < 8; i++) {
    const study = await stage.study({ holdout: { fraction: 0.3 + 0.004 * i } });
    const round = stage.round(await stage.header(study));
    sums.push((await (await round.sum()).release(bfv))!);
  }
  const differ = (a: Float64Array, b: Float64Array): number =>
    a.reduce((all, x, i) => all + Math.abs(x - b[i]!), 0);
  // A row is counted once in each of twelve columns.
  return sums.slice(1).filter((sum, i) => differ(sum, sums[i]!) === 12).length;
}

/** Two studies over a table of which one leaves a row out: by its dates, its label, or the columns that it reads. */
async function nearbyTables(bfv: Bfv, control: boolean): Promise<number> {
  const rows = (id: string, manifest: StudyManifest | undefined): Table => {
    const table = tableOf(id);
    const { subject } = table;
    const whole = { ...table, records: { of: subject, subject } };
    return id === "party-0" && manifest?.name === "fewer"
      ? selectRows(whole, (row) => row !== target)
      : whole;
  };
  await using stage = await Stage.open(bfv, { honest: 3, rows, ...(control ? { weakness: {} } : {}) });
  const sumOf = async (name: string): Promise<Float64Array> => {
    const study = await stage.study({ name });
    const round = stage.round(await stage.header(study));
    return (await (await round.sum()).release(bfv))!;
  };
  const all = await sumOf("all");
  try {
    const fewer = await sumOf("fewer");
    // A row is counted once in each of twelve columns.
    return all.reduce((apart, x, i) => apart + Math.abs(x - fewer[i]!), 0) === 12 ? 1 : 0;
  } catch (error) {
    if (error instanceof Refusal && error.reason === "rows_too_few") return 0;
    throw error;
  }
}

export const manifestAttacks: readonly Attack[] = [
  {
    name: "a hold-out seed of the bank's choice",
    ...counted("consents", 1),
    quick: false,
    play: (bfv, control) => {
      const manifest = { ...manifestOf("seed"), holdout: { fraction: 0.05, seed: "ground" } };
      return control ? oneRow() : consents(bfv, manifest, "parameters_invalid");
    },
  },
  {
    name: "a hold-out of one row",
    ...counted("consents", 1),
    quick: false,
    play: (bfv, control) =>
      control
        ? oneRow()
        : consents(bfv, { ...manifestOf("tiny"), holdout: { fraction: 0.01 } }, "parameters_invalid"),
  },
  {
    name: "a table of fewer rows than minRows",
    ...counted("consents", 1),
    quick: false,
    play: (bfv, control) => {
      const small = (id: string): Table => selectRows(tableOf(id), (row) => row < 9);
      return control ? oneRow() : consents(bfv, manifestOf("small"), "rows_too_few", small, { minRows: 10 });
    },
  },
  {
    name: "a level that one data subject alone has",
    ...counted("consents", 1),
    play: async (bfv, control) => {
      if (!control) return consents(bfv, rareLevels, "level_singular", withRareLevel);
      // Of the bad with the level there is one or none: the person's label.
      const table = withRareLevel("party-0");
      const bad = await bayesBlock(rareLevels, table, "levels.12.1");
      return bad[1] === table.label[target] ? 1 : 0;
    },
  },
  {
    name: "a cell that one data subject alone has empty",
    ...correlation,
    guessing: 0,
    play: (bfv, control) => (control ? rowOfGap() : consents(bfv, gapped, "level_singular", withGap)),
  },
  {
    name: "a value of the label that one data subject alone has",
    ...counted("consents", 1),
    play: async (bfv, control) => {
      if (!control) return consents(bfv, rareLevels, "level_singular", withRareLabel);
      // Of the bad there is one: the counts of their levels are that person's level.
      const bad = await bayesBlock(rareLevels, withRareLabel("party-0"), "levels.12.1");
      return bad[target % 2] === 1 && bad[1 - (target % 2)] === 0 ? 1 : 0;
    },
  },
  {
    name: "rows of one person counted as rows of many",
    ...counted("consents", 3),
    quick: false,
    play: (bfv, control) =>
      consents(
        bfv,
        manifestOf("anonymous"),
        "policy_refuses",
        tableOf,
        control ? {} : { subject: "customer" },
      ),
  },
  {
    name: "noise for a record where a person has many",
    ...counted("consents", 3),
    quick: false,
    play: (bfv, control) => {
      const plain = manifestOf("unit");
      const noise = { multiplier: 4, delta: 1e-6, dropOuts: 0 };
      const manifest = {
        ...plain,
        subject: "sector",
        privacy: { ...plain.privacy, noise },
        unprotected: [],
      };
      return consents(bfv, manifest, "policy_refuses", tableOf, {
        maxEpsilon: { lifetime: 100, delta: 1e-6 },
        ...(control ? {} : { subject: "sector" }),
      });
    },
  },
  {
    name: "two hold-outs that differ by one row",
    ...counted("pairs of sums", 1),
    play: nearbyHoldouts,
  },
  {
    name: "two tables that differ by one row",
    ...counted("pairs of sums", 1),
    play: nearbyTables,
  },
];
