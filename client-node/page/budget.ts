import { html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import type { SpendingOfStudy } from "../ledger/budget.ts";
import type { SpendOfStudy } from "../ledger/egress.ts";
import type { Policy } from "../policy.ts";
import { moment, number } from "./format.ts";
import type { View } from "./layout.ts";

/** @returns ε with two digits behind the point, rounded up. */
const epsilonText = (epsilon: number): string =>
  Number.isFinite(epsilon) ? (Math.ceil(epsilon * 100) / 100).toFixed(2) : "not bounded";

/** What a table's sums with noise may cost, and how what they cost grew. */
export interface TableBudget {
  readonly table: string;
  readonly maxEpsilon: Policy["maxEpsilon"];
  readonly overTime: readonly SpendingOfStudy[];
}

/**
 * The privacy budget: what the policy allows and what studies have spent.
 * @param names - of studies, by digest. @param accounted - whether all that was spent is charged.
 */
export function budgetView(
  spends: readonly SpendOfStudy[],
  tables: readonly TableBudget[],
  names: ReadonlyMap<string, string>,
  accounted: boolean,
): View {
  const sums = spends.reduce((all, one) => all + one.sums, 0);
  const noiseless = spends.some(({ mechanism }) => mechanism === "none");
  const nameOf = (study: string): string => names.get(study) ?? study.slice(0, 16);
  const of = (table: string): string => (tables.length === 1 ? "" : ` (${table})`);
  const body = html`${facts([
    ...tables.flatMap(({ table, maxEpsilon, overTime }): [string, string][] => {
      const delta = maxEpsilon.delta === undefined ? "" : ` at δ = ${maxEpsilon.delta}`;
      return [
        [`Lifetime budget by policy.yaml${of(table)}`, `ε = ${maxEpsilon.lifetime}${delta}`],
        [`ε spent by sums with noise${of(table)}`, epsilonText(overTime.at(-1)?.epsilon ?? 0)],
      ];
    }),
    ["Sums this enterprise was part of", number(sums)],
  ])}
${
  !accounted &&
  note(
    html`This node lost its ledger, and what it spent before is not charged yet: nothing counts as left until <code>fedcredit node account</code> has gone through the bank's log.`,
  )
}
${
  noiseless &&
  note(
    html`Some of the sums below were released without noise, as policy.yaml allows under <code>unprotected</code>. What protects them is that only sums over the whole cohort are released; no ε can be stated for them, and the ε above does not count them.`,
  )
}
${tables
  .filter(({ overTime }) => overTime.length > 0)
  .map(({ table: name, overTime }) =>
    table(
      `Spent over time${of(name)}`,
      [
        "Study",
        { name: "Sums with noise", numeric: true },
        "Last",
        { name: "ε of everything so far", numeric: true },
      ],
      overTime.map((one) => [
        nameOf(one.study),
        number(one.sums),
        moment(one.last * 1000),
        epsilonText(one.epsilon),
      ]),
    ),
  )}
${
  spends.length === 0
    ? note("Nothing has been spent: this node has submitted to no sum.")
    : table(
        "By study",
        ["Study", "Noise", "Unit", { name: "Sums", numeric: true }, "Last"],
        spends.map((one) => [
          nameOf(one.study),
          one.mechanism,
          one.unit,
          number(one.sums),
          moment(one.last * 1000),
        ]),
      )
}`;
  return { title: "Privacy budget", body };
}
