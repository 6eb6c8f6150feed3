import { takeRows } from "../../models/rows.ts";
import type { CreditSet } from "../credit/sets.ts";
import type { Method } from "./methods.ts";
import { foldsOf, modelsFrom } from "./settings.ts";

/** The paper's four indicator groups, by the columns of LendingClub's book that are known when a loan is granted. */
export const indicatorGroups: Readonly<Record<string, readonly string[]>> = {
  "basic information": ["emp_length", "home_ownership", "purpose", "verification_status"],
  "ability to pay": ["annual_inc", "dti", "loan_amnt", "installment"],
  "bad credit history": ["delinq_2yrs", "mths_since_last_delinq", "pub_rec", "pub_rec_bankruptcies"],
  "external credit status": ["grade", "inq_last_6mths", "open_acc", "revol_bal", "revol_util", "total_acc"],
};

export interface GroupTable {
  readonly method: string;
  /** Cronbach's α of the four groups' scores; reported as reliable above 0.7. */
  readonly alpha: number | null;
  /** Of the log-odds that the method gives by the group alone. */
  readonly groups: readonly {
    readonly group: string;
    readonly mean: number;
    readonly standardDeviation: number;
    readonly standardError: number;
  }[];
}

/** Trains each method on each group alone, pooled, and scores a fifth of the loans. */
export async function groupTables(
  { manifest, table }: CreditSet,
  used: readonly Method[],
  progress: (line: string) => void,
): Promise<GroupTable[]> {
  const [{ training, test }] = foldsOf(table, 5, "groups") as [{ training: number[]; test: number[] }];
  const [rows, heldOut] = [takeRows(table, training), takeRows(table, test)];
  const scores = new Map<string, Map<string, number[]>>();
  for (const [group, columns] of Object.entries(indicatorGroups)) {
    progress(`indicator group ${group}`);
    const features = manifest.features.filter(({ name }) => columns.includes(name));
    for (const [method, model] of await modelsFrom({ ...manifest, features }, used, [rows])) {
      const logOdds = Array.from(model.score(heldOut), (p) =>
        Math.log(Math.max(p, 1e-9) / Math.max(1 - p, 1e-9)),
      );
      scores.set(method, (scores.get(method) ?? new Map()).set(group, logOdds));
    }
  }
  return used.flatMap(({ name: method }) => {
    const own = scores.get(method);
    if (own === undefined) return [];
    const items = [...own.values()];
    return {
      method,
      alpha: items.length < 2 ? null : cronbachsAlpha(items),
      groups: [...own].map(([group, values]) => {
        const standardDeviation = Math.sqrt(varianceOf(values));
        return {
          group,
          mean: meanOf(values),
          standardDeviation,
          standardError: standardDeviation / Math.sqrt(values.length),
        };
      }),
    };
  });
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1);
}

/** @param items - of each item its values, in the order of the rows. @see Cronbach 1951, doi:10.1007/BF02310555 */
export function cronbachsAlpha(items: readonly (readonly number[])[]): number {
  const totals = items[0]!.map((_, row) => items.reduce((sum, item) => sum + item[row]!, 0));
  const own = items.reduce((sum, item) => sum + varianceOf(item), 0);
  return (items.length / (items.length - 1)) * (1 - own / varianceOf(totals));
}
