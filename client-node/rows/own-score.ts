/** How an enterprise's own rows score, as one figure: what it may say of itself. */
import { textOf } from "../../core/cell.ts";
import { columnAt, type Records } from "../../core/csv.ts";
import { monthOf } from "../../core/month.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Model } from "../../models/algorithm.ts";
import type { Passage } from "../../models/cells.ts";
import { selectRows } from "../../models/rows.ts";
import { readApplicants } from "../../models/scoring/applicants.ts";
import type { Table } from "../../models/table.ts";
import { isReasonCode, mostReasonCodes } from "../../privacy/log/score-statement.ts";

export interface OwnScore {
  /** Of bad: the mean over the rows, four decimals. */
  readonly probability: number;
  /** Columns that moved the mean most towards bad, the strongest first; none where the model gives no reasons. */
  readonly reasons: readonly string[];
  /** Share of the rows that could be scored, two decimals. */
  readonly scored: number;
}

/** A network's reasons take a millisecond a row. */
const mostExplained = 500;

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/**
 * @param month - months since the year 0. @param dateColumn - of the rows' dates; without it every row is of the month.
 * @throws Refusal rows_missing, cell_malformed where no row can be scored; those of `readApplicants`
 */
export function ownScore(
  model: Model,
  sources: readonly Records[],
  passage: Passage,
  { month, dateColumn }: { readonly month: number; readonly dateColumn: string | undefined },
): OwnScore {
  const within =
    dateColumn === undefined ? sources : sources.map((source) => ofMonth(source, dateColumn, month));
  const { table, refused } = readApplicants(within, model.features, passage);
  if (table.rows === 0)
    throw new Refusal("cell_malformed", `none of the month's ${refused.length} rows can be scored`, {
      hint: "fedcredit node score says what is wrong with each",
    });
  return scoreOf(model, table, refused.length);
}

/** @param refused - rows beside the table that could not be scored. */
export function scoreOf({ score, explain }: Model, table: Table, refused: number): OwnScore {
  const mean = score(table).reduce((sum, one) => sum + one, 0) / table.rows;
  const every = Math.ceil(table.rows / mostExplained);
  const moved = new Map<string, number>();
  for (const factors of explain?.(selectRows(table, (row) => row % every === 0)) ?? [])
    for (const { feature, effect } of factors) moved.set(feature, (moved.get(feature) ?? 0) + effect);
  return {
    probability: rounded(mean, 4),
    reasons: [...moved]
      .filter(([feature, effect]) => effect > 0 && isReasonCode(feature))
      .sort(([, a], [, b]) => b - a)
      .slice(0, mostReasonCodes)
      .map(([feature]) => feature),
    scored: rounded(table.rows / (table.rows + refused), 2),
  };
}

function ofMonth(source: Records, column: string, month: number): Records {
  const at = columnAt(source, column);
  return {
    ...source,
    each: (visit) =>
      source.each((cells, line) => {
        if (monthOf(textOf(cells[at])) === month) visit(cells, line);
      }),
  };
}
