/**
 * Cuts a histogram into at most `most` runs of cells with about equally many rows. A cell that holds a run's share by
 * itself is a run of its own: a value that many rows have is not mixed with its neighbours.
 * @param counts - rows per cell.
 * @returns the first cell of each run but the first, ascending; each run holds at least one row.
 */
export function quantileCuts(counts: ArrayLike<number>, most: number): number[] {
  let rows = 0;
  for (let cell = 0; cell < counts.length; cell++) rows += counts[cell]!;
  const share = rows / most;
  const runs: { first: number; rows: number }[] = [];
  let full = true;
  for (let cell = 0; cell < counts.length; cell++) {
    const here = counts[cell]!;
    if (here === 0) continue;
    if (full || here >= share) runs.push({ first: cell, rows: here });
    else runs.at(-1)!.rows += here;
    full = runs.at(-1)!.rows >= share;
  }
  while (runs.length > most) mergeSmallest(runs);
  return runs.slice(1).map(({ first }) => first);
}

function mergeSmallest(runs: { first: number; rows: number }[]): void {
  let at = 0;
  const together = (i: number) => runs[i]!.rows + runs[i + 1]!.rows;
  for (let i = 1; i + 1 < runs.length; i++) if (together(i) < together(at)) at = i;
  runs[at]!.rows += runs[at + 1]!.rows;
  runs.splice(at + 1, 1);
}
