import type { Cell } from "../../core/cell.ts";
import type { CsvOptions, Records } from "../../core/csv.ts";
import { Refusal } from "../../core/reasons.ts";
import { readRecords } from "../../core/table-file.ts";
import type { FeatureRowsConfig, NodeConfig } from "../config.ts";
import type { Site } from "../operations/device-registry.ts";
import { type Catalogue, readCatalogue, type WindowKind } from "../operations/features/catalogue.ts";
import type { FeatureRow } from "../operations/features/features.ts";
import { FindingsStore, findingsFile } from "../operations/findings-store.ts";
import { localMicros } from "../operations/sites.ts";

const dayMicros = 86_400_000_000;
/** Longest such window, µs: how long one that has ended is the last one. */
const longest: Readonly<Record<WindowKind, number>> = {
  day: dayMicros,
  week: 7 * dayMicros,
  month: 31 * dayMicros,
};

/**
 * @returns the enterprise's loans with what its devices showed, in memory only: nothing of it is written down.
 * @throws Refusal as {@link joinLoans}
 */
export async function featureRecords(
  { loans: files, ...join }: FeatureRowsConfig,
  { dataDir, sites }: Pick<NodeConfig, "dataDir" | "sites">,
  csv: CsvOptions = {},
): Promise<readonly Records[]> {
  const loans: Records[] = [];
  for (const file of files) loans.push(await readRecords(file, undefined, csv));
  const store = new FindingsStore(findingsFile(dataDir));
  let windows: FeatureRow[];
  try {
    windows = store.features({ window: join.window });
  } finally {
    store.close();
  }
  return joinLoans(loans, windows, sites, join, readCatalogue());
}

interface Row {
  readonly cells: readonly Cell[];
  readonly line: number;
}

/**
 * Joins each loan with what its site's devices showed in the last window that had ended by the row's date, so that
 * nothing is known to a row that came after it. A loan without such a window is left out.
 *
 * @returns the loans' columns, then every feature of that window length.
 * @throws Refusal column_unknown, cell_malformed (never with the cell), file_malformed, config_invalid, rows_missing
 */
export function joinLoans(
  loans: readonly Records[],
  windows: readonly FeatureRow[],
  sites: readonly Pick<Site, "id" | "utcOffsetHours">[],
  config: Omit<FeatureRowsConfig, "loans">,
  catalogue: Pick<Catalogue, "features">,
): Records[] {
  const kind = config.window;
  const names = [...catalogue.features].filter(([, one]) => one.window.includes(kind)).map(([name]) => name);
  if (config.site === undefined && sites.length > 1)
    throw new Refusal("config_invalid", "rows.features.site is missing: there are several sites");
  const offsets = new Map(sites.map((site) => [site.id, site.utcOffsetHours]));
  const bySite = Map.groupBy(windows.filter(isWhole), (window) => window.site);

  const joined = loans.map((source): Records => {
    const at = (column: string): number => {
      const index = source.header.indexOf(column);
      if (index < 0) throw new Refusal("column_unknown", `${source.name}: no column "${column}"`);
      return index;
    };
    const dateAt = at(config.date);
    const siteAt = config.site === undefined ? undefined : at(config.site);
    const both = source.header.find((column) => catalogue.features.has(column));
    if (both !== undefined)
      throw new Refusal("config_invalid", `${source.name}: column "${both}" is a feature's name too`, {
        hint: "rename the column in the file of loans",
      });
    if (source.header.join("\0") !== loans[0]!.header.join("\0"))
      throw new Refusal("file_malformed", `${source.name}: other columns than ${loans[0]!.name}`);

    const rows: Row[] = [];
    source.each((cells, line) => {
      const site = siteAt === undefined ? sites[0]!.id : String(cells[siteAt] ?? "").trim();
      const offset = offsets.get(site);
      if (offset === undefined)
        throw new Refusal("cell_malformed", `${source.name}:${line}: column "${config.site}": no such site`);
      const date = localMicros(
        String(cells[dateAt] ?? "")
          .trim()
          .replace(" ", "T"),
        offset,
      );
      if (!Number.isFinite(date))
        throw new Refusal("cell_malformed", `${source.name}:${line}: column "${config.date}": not a date`, {
          hint: "write dates as 2026-03-01",
        });
      const window = bySite.get(site)?.findLast(({ until }) => until <= date);
      if (window === undefined || date - window.until >= longest[kind]) return;
      rows.push({ cells: [...cells, ...names.map((name) => window.values.get(name))], line });
    });
    return {
      name: source.name,
      header: [...source.header, ...names],
      atMost: rows.length,
      each(visit) {
        for (const { cells, line } of rows) visit(cells, line);
      },
    };
  });
  if (joined.every(({ atMost }) => atMost === 0))
    throw new Refusal("rows_missing", "no loan's site has features of a window that ended before its date", {
      hint: "let the node collect, or back-fill with the file collector; then check rows.features",
    });
  return joined;
}

/** The day that is still running is no window yet. */
const isWhole = ({ window, from, until }: FeatureRow): boolean =>
  window !== "day" || until - from >= dayMicros;
