import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeRefusal } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import type { FeatureRowsConfig, NodeConfig } from "../config.ts";
import type { Site } from "../operations/device-registry.ts";
import { type Catalogue, readCatalogue, type WindowKind } from "../operations/features/catalogue.ts";
import type { FeatureRow } from "../operations/features/features.ts";
import { Findings, findingsFile } from "../operations/findings-store.ts";
import { localMicros } from "../operations/sites.ts";
import type { Cell, Records } from "./cells.ts";
import { readRecords } from "./sources.ts";

const dayMicros = 86_400_000_000;
/** Longest such window, µs: how long one that has ended is the last one. */
const longest: Readonly<Record<WindowKind, number>> = {
  day: dayMicros,
  week: 7 * dayMicros,
  month: 31 * dayMicros,
};

/** The table that features and ledger make, in a data directory: what a study's columns are read from. */
export const rowsFile = (dataDir: string): string => join(dataDir, "rows.csv");

/**
 * @returns the files that a study's rows are read from; those of `rows.features` are written first.
 * @throws Refusal as {@link joinLedger}
 */
export async function rowFiles({
  rows,
  premises,
  dataDir,
}: Pick<NodeConfig, "rows" | "premises" | "dataDir">): Promise<readonly string[]> {
  if (rows?.features === undefined) return rows?.files ?? [];
  if (premises === undefined)
    throw new Refusal("config_invalid", "rows.features: no premises", {
      hint: "name the sites under premises.sites",
    });
  const ledger: Records[] = [];
  for (const file of rows.features.ledger) ledger.push(await readRecords(file));
  const findings = new Findings(findingsFile(dataDir));
  let windows: FeatureRow[];
  try {
    windows = findings.features({ window: rows.features.window });
  } finally {
    findings.close();
  }
  const file = rowsFile(dataDir);
  const text = joinLedger(ledger, windows, premises.sites, rows.features, readCatalogue());
  try {
    writeFileSync(`${file}.part`, text, { mode: 0o600 });
    renameSync(`${file}.part`, file);
  } catch (error) {
    throw writeRefusal(file, error);
  }
  return [file];
}

/**
 * Joins each loan with what its site's devices showed in the last window that had ended by the row's date, so that
 * nothing is known to a row that came after it. A loan without such a window is left out.
 *
 * @returns CSV: the ledger's columns, then every feature of that window length.
 * @throws Refusal column_unknown, cell_malformed (never with the cell), file_malformed, config_invalid, rows_missing
 */
export function joinLedger(
  ledger: readonly Records[],
  windows: readonly FeatureRow[],
  sites: readonly Pick<Site, "id" | "utcOffsetHours">[],
  config: Omit<FeatureRowsConfig, "ledger">,
  catalogue: Pick<Catalogue, "features">,
): string {
  const kind = config.window;
  const names = [...catalogue.features].filter(([, one]) => one.window.includes(kind)).map(([name]) => name);
  if (config.site === undefined && sites.length > 1)
    throw new Refusal("config_invalid", "rows.features.site is missing: there are several sites");
  const offsets = new Map(sites.map((site) => [site.id, site.utcOffsetHours]));
  const bySite = Map.groupBy(windows.filter(isWhole), (window) => window.site);
  const lines: string[] = [];
  let header: readonly string[] | undefined;

  for (const source of ledger) {
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
        hint: "rename the ledger's column",
      });
    if (header === undefined) {
      header = source.header;
      lines.push([...header, ...names].map(csvCell).join(","));
    } else if (header.join("\0") !== source.header.join("\0"))
      throw new Refusal("file_malformed", `${source.name}: other columns than ${ledger[0]!.name}`);

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
      lines.push([...cells, ...names.map((name) => window.values.get(name))].map(csvCell).join(","));
    });
  }
  if (lines.length <= 1)
    throw new Refusal("rows_missing", "no loan's site has features of a window that ended before its date", {
      hint: "let the node collect, or back-fill with the file collector; then check rows.features",
    });
  return `${lines.join("\n")}\n`;
}

/** The day that is still running is no window yet. */
const isWhole = ({ window, from, until }: FeatureRow): boolean =>
  window !== "day" || until - from >= dayMicros;

function csvCell(cell: Cell): string {
  const text = cell === null || cell === undefined ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
