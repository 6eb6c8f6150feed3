import { type Random, shuffle, uniform } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";

export type Partition =
  | { readonly kind: "iid" }
  | { readonly kind: "dirichlet"; readonly alpha: number }
  | { readonly kind: "by"; readonly column: string };

/** Far beyond this the shares are equal to the last row, and the sampler runs out of digits. */
const largestAlpha = 1_000_000;

/**
 * Parses `iid`, `dirichlet:ALPHA` or `by:COLUMN`.
 * @throws Refusal usage
 */
export function parsePartition(text: string): Partition {
  const colon = text.indexOf(":");
  const [kind, argument] = colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
  if (kind === "iid" && argument === "") return { kind };
  if (kind === "dirichlet" && Number(argument) > 0 && Number(argument) <= largestAlpha)
    return { kind, alpha: Number(argument) };
  if (kind === "by" && argument !== "") return { kind, column: argument };
  throw new Refusal("usage", `--partition ${text} is not a partition`, {
    hint: `iid, dirichlet:ALPHA with ALPHA above 0 and up to ${largestAlpha}, or by:COLUMN`,
  });
}

/** Marsaglia–Tsang for shape >= 1; Johnk's boost below. @see doi:10.1145/358407.358414 */
function gamma(shape: number, random: Random): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - uniform(random)) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - uniform(random)) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/**
 * Splits rows over parties.
 * - iid: shuffled, equal sizes.
 * - dirichlet: each class is split in proportions drawn from Dir(alpha): label skew. @see Hsu et al. 2019, arXiv:1909.06335
 * - by: distinct values of a column, largest first, each to the party with the fewest rows so far.
 *
 * @param labels - class per row, shape [rows].
 * @param groups - value of the partition column per row; only read for `by`.
 * @returns row indices per party, ascending.
 * @throws Refusal usage when a party would get no row.
 */
export function partitionRows(
  partition: Partition,
  parties: number,
  labels: Uint8Array,
  groups: readonly string[],
  random: Random,
): number[][] {
  const out: number[][] = Array.from({ length: parties }, () => []);
  switch (partition.kind) {
    case "iid":
      for (const [i, row] of shuffle([...labels.keys()], random).entries()) out[i % parties]!.push(row);
      break;
    case "dirichlet":
      for (const cls of [0, 1]) {
        const rows = shuffle(
          [...labels.keys()].filter((row) => labels[row] === cls),
          random,
        );
        const weights = Array.from({ length: parties }, () => gamma(partition.alpha, random));
        const total = weights.reduce((sum, w) => sum + w, 0);
        let cumulative = 0;
        let start = 0;
        for (const [party, weight] of weights.entries()) {
          cumulative += weight;
          const end = party === parties - 1 ? rows.length : Math.round((cumulative / total) * rows.length);
          out[party]!.push(...rows.slice(start, end));
          start = end;
        }
      }
      break;
    case "by": {
      const byValue = Map.groupBy(labels.keys(), (row) => groups[row]!);
      const largestFirst = [...byValue].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1));
      for (const [, rows] of largestFirst)
        out.reduce((least, rowsOf) => (rowsOf.length < least.length ? rowsOf : least)).push(...rows);
      break;
    }
  }
  const empty = out.findIndex((rows) => rows.length === 0);
  if (empty >= 0)
    throw new Refusal("usage", `${labels.length} rows: party ${empty + 1} of ${parties} would get none`, {
      hint: "use fewer parties, a larger ALPHA or a column with more values",
    });
  return out.map((rows) => rows.sort((a, b) => a - b));
}
