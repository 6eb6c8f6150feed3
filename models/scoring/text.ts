import { csvCell } from "../../core/csv-cell.ts";
import { shortDigest } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Report } from "../../core/report.ts";
import type { RefusedRecord } from "./applicants.ts";
import type { ScoredRecord, Scores } from "./score.ts";

/** @param json - one JSON object instead of CSV. @throws Refusal cell_malformed where no row could be scored */
export function scoresReport(
  scores: Scores & { readonly study: string; readonly model: string },
  json: true | undefined,
): Report {
  requireScored(scores);
  const about = `model ${scores.model} of study ${shortDigest(scores.study)}`;
  const text = json ? `${JSON.stringify(scores)}\n` : scoresText(scores);
  return { lines: [about, ...summaryOf(scores)], text };
}

/** @returns CSV: a line for every record, those that were refused last, with what is wrong with them. */
function scoresText({ scored, refused }: Scores): string {
  const line = (cells: readonly (string | number)[]): string => cells.map(csvCell).join(",");
  return [
    "file,line,id,probability,grade,points,reasons,refused",
    ...scored.map(({ file, line: at, id = "", probability, grade, points, reasons = [] }: ScoredRecord) =>
      line([file, at, id, probability, grade, points ?? "", reasons.map(reasonText).join("; "), ""]),
    ),
    ...refused.map(({ file, line: at, id = "", problems }) =>
      line([file, at, id, "", "", "", "", problems.map(problemText).join("; ")]),
    ),
    "",
  ].join("\n");
}

const reasonText = ({ feature, effect }: { feature: string; effect: number }): string =>
  `${feature} +${effect.toFixed(3)}`;

const problemText = ({ column, problem }: RefusedRecord["problems"][number]): string =>
  `column "${column}": ${problem}`;

/** Kinds of faults named one by one. */
const mostNamed = 20;

/** @returns what was scored and what was not, a line each. */
function summaryOf({ scored, refused, baseline }: Scores): string[] {
  return [
    `${scored.length} rows scored, ${refused.length} refused`,
    ...faultsOf(refused),
    baseline === null
      ? "no reasons: the model gives none, or every score is 0 or 1"
      : `reasons are log-odds of bad against ${baseline.is}: probability ${baseline.probability.toFixed(4)}`,
  ];
}

/** @throws Refusal cell_malformed where no row could be scored */
function requireScored({ scored, refused }: Scores): void {
  if (scored.length > 0) return;
  throw new Refusal(
    "cell_malformed",
    `none of ${refused.length} rows can be scored: ${faultsOf(refused).join("; ")}`,
  );
}

function faultsOf(refused: readonly RefusedRecord[]): string[] {
  const kinds = new Map<string, { readonly first: string; rows: number }>();
  for (const { file, line, problems } of refused)
    for (const problem of problems.map(problemText)) {
      const known = kinds.get(problem);
      if (known === undefined) kinds.set(problem, { first: `${file}:${line}`, rows: 1 });
      else known.rows++;
    }
  const named = [...kinds].map(
    ([problem, { first, rows }]) => `${problem}: ${rows} rows, the first at ${first}`,
  );
  return named.length > mostNamed
    ? [...named.slice(0, mostNamed), `and ${named.length - mostNamed} more faults`]
    : named;
}
