import { Refusal } from "../../core/reasons.ts";
import type { FeatureSchema } from "../../models/table.ts";
import { isMissing, numberOf } from "../../privacy/desensitize/value.ts";
import type { Records } from "./cells.ts";

/**
 * Guesses a feature's kind from its cells: numeric where every cell that is not missing is a number,
 * categorical with the levels that occur (sorted) otherwise.
 *
 * Only for data whose owner is also the reader (simulation): levels are values.
 *
 * @param exclude - columns that are no features: the label, the subject.
 * @param names - the features wanted, in order; every other column when absent.
 * @throws Refusal column_unknown
 */
export function inferFeatures(
  source: Records,
  exclude: readonly string[],
  names: readonly string[] = source.header.filter((column) => !exclude.includes(column)),
): FeatureSchema[] {
  const columns = names.map((name) => {
    const index = source.header.indexOf(name);
    if (index < 0)
      throw new Refusal("column_unknown", `${source.name}: no column "${name}"`, {
        hint: `the columns are ${source.header.join(", ")}`,
      });
    return { name, index, numeric: true, levels: new Set<string>() };
  });
  source.each((cells) => {
    for (const column of columns) {
      const cell = cells[column.index];
      if (column.numeric && numberOf(cell) === undefined) column.numeric = false;
      const text = String(cell ?? "").trim();
      // Numeric columns hold many values: past this many a level list is of no use, so it is not kept.
      if (!isMissing(text) && (!column.numeric || column.levels.size < 1000)) column.levels.add(text);
    }
  });
  return columns.map(({ name, numeric, levels }) =>
    numeric ? { name, kind: "numeric" } : { name, kind: "categorical", levels: [...levels].sort() },
  );
}
