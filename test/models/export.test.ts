/** Exported models in other software: every model of the registry, none known by name. */
import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { writeInto } from "../../core/files.ts";
import { runPlain } from "../../models/plain.ts";
import { modelsOf } from "../../models/results.ts";
import type { NumericColumn, Table } from "../../models/table.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { modelNames, studyAbout } from "../support/algorithms.ts";
import { leftOut } from "../support/left-out.ts";
import { borrowers, tableOf } from "../support/rows.ts";

const all = borrowers();
const ages = (all.columns.get("age") as NumericColumn).values;
const special = ages[0]!;
/** Rows that say little: missing, special, at an edge, far out. */
const odd = tableOf(
  {
    income: [Number.NaN, 1e12, 0, 50_000, -5, 50_000],
    age: [Number.NaN, special, special, 1e9, 44, Number.NaN],
    share: [Number.NaN, Number.NaN, 0.5, 0, 1, 0.1],
    sector: { codes: [-1, 0, 1, 2, -1, 1], levels: ["textile", "trade", "transport"] },
  },
  [0, 0, 0, 0, 0, 0],
);

const cellsOf = (table: Table) =>
  Object.fromEntries(
    [...table.columns].map(([name, column]) => [
      name,
      column.kind === "numeric"
        ? { kind: column.kind, cells: Array.from(column.values, (x) => (Number.isNaN(x) ? null : x)) }
        : { kind: column.kind, cells: Array.from(column.codes, (code) => column.levels[code] ?? null) },
    ]),
  );

interface Foreign {
  readonly versions: Readonly<Record<string, string>>;
  readonly scores: Readonly<Record<string, readonly (number | string)[]>>;
}

test("other software scores exported models as we do", async (t) => {
  const study = studyAbout(modelNames[0]!);
  const named = new Map(
    modelNames.flatMap((name) => studyAbout(name).algorithms).map((entry) => [entry.name, entry] as const),
  );
  const algorithms = [...named.values()].map((entry) =>
    entry.name === "bins" ? { ...entry, special: { age: [special] } } : entry,
  );
  const { results } = await runPlain({ ...study, algorithms }, [all]);
  const models = modelsOf({ algorithms, results });
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const files: Record<"onnx" | "pmml", Record<string, string>> = { onnx: {}, pmml: {} };
  for (const [name, { exports }] of models)
    for (const format of ["onnx", "pmml"] as const) {
      const written = await exports.get(format)?.();
      if (written !== undefined)
        for (const file of await writeInto(join(dir, name), written)) files[format][name] = file;
    }
  for (const [part, table] of [
    ["the rows of training", all],
    ["rows that say little", odd],
  ] as const) {
    const rows = join(dir, "rows.json");
    await writeFile(rows, JSON.stringify({ columns: cellsOf(table), ...files }));
    const script = fileURLToPath(new URL("../support/score_exports.py", import.meta.url));
    const said = await promisify(execFile)(process.env.PYTHON ?? "python3", [script, rows], {
      maxBuffer: 1e9,
    }).catch(() => undefined);
    const { versions, scores } =
      said === undefined ? { versions: {}, scores: {} } : (JSON.parse(said.stdout) as Foreign);
    for (const format of ["onnx", "pmml"])
      if (versions[format] === undefined)
        leftOut(
          `python3 with ${format === "onnx" ? "onnxruntime" : "pypmml and Java"}: exported models as ${format}`,
        );
    for (const [what, foreign] of Object.entries(scores)) {
      const [name, format] = what.split(" ") as [string, string];
      const model = models.get(name)!;
      if (format === "reasons") continue;
      const own = (format === "pmml" && model.points?.(table)) || model.score(table);
      const apart = Math.max(...own.map((score, row) => Math.abs(score - Number(foreign[row]))));
      t.true(apart <= 1e-6, `${name} as ${format}, ${part}: ${apart}`);
    }
    t.log(versions, Object.keys(scores).length, "lists of scores compared");
  }
  t.true(Object.keys(files.onnx).length >= 6 && Object.keys(files.pmml).length >= 5);
});
