import type { Engine } from "../engine.ts";
import { buildTable, selectOf } from "../sql-files.ts";
import { type Catalogue, families, type WindowKind } from "./catalogue.ts";

const here = new URL(".", import.meta.url);

/** Every value is finite or absent. */
export interface FeatureRow {
  readonly site: string;
  readonly window: WindowKind;
  /** µs UTC, end exclusive. */
  readonly from: number;
  readonly until: number;
  readonly values: ReadonlyMap<string, number>;
}

/**
 * All families over the table `filled`, for every window of every site.
 *
 * @returns one row a site and window, oldest first; a feature the window says nothing about is absent.
 * @throws RangeError where a family yields a column that the catalogue does not describe
 */
export async function computeFeatures(engine: Engine, catalogue: Catalogue): Promise<FeatureRow[]> {
  await buildTable(engine, here, "windowed");
  const rows = new Map<string, { row: FeatureRow; values: Map<string, number> }>();
  for (const family of families) {
    for (const found of await engine.rows(selectOf(new URL(`${family}.sql`, here)))) {
      const { site, kind_of_window: window, from_us: from, until_us: until, ...columns } = found;
      const key = `${site}/${window}/${from}`;
      let entry = rows.get(key);
      if (entry === undefined) {
        const values = new Map<string, number>();
        const row = {
          site: String(site),
          window: window as WindowKind,
          from: Number(from),
          until: Number(until),
          values,
        };
        entry = { row, values };
        rows.set(key, entry);
      }
      for (const [name, value] of Object.entries(columns)) {
        const feature = catalogue.features.get(name);
        if (feature?.family !== family)
          throw new RangeError(`${family}.sql: ${name} is not in the catalogue`);
        if (typeof value !== "number" || !Number.isFinite(value)) continue;
        if (!feature.window.includes(window as WindowKind)) continue;
        entry.values.set(name, value);
      }
    }
  }
  return [...rows.values()]
    .map(({ row }) => row)
    .sort((a, b) => a.from - b.from || a.until - b.until || (a.site < b.site ? -1 : 1));
}
