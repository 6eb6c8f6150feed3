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

/**
 * The privacy budget: what the policy allows and what studies have spent.
 * @param overTime - how ε of the sums with noise grew. @param names - of studies, by digest
 */
export function budgetView(
  spends: readonly SpendOfStudy[],
  overTime: readonly SpendingOfStudy[],
  { maxEpsilon }: Policy,
  names: ReadonlyMap<string, string>,
): View {
  const sums = spends.reduce((all, one) => all + one.sums, 0);
  const noiseless = spends.some(({ mechanism }) => mechanism === "none");
  const nameOf = (study: string): string => names.get(study) ?? study.slice(0, 16);
  const delta = maxEpsilon.delta === undefined ? "" : ` at δ = ${maxEpsilon.delta}`;
  const body = html`${facts([
    ["Lifetime budget by policy.yaml", `ε = ${maxEpsilon.lifetime}${delta}`],
    ["ε spent by sums with noise", epsilonText(overTime.at(-1)?.epsilon ?? 0)],
    ["Sums this enterprise was part of", number(sums)],
  ])}
${
  noiseless &&
  note(
    html`Some of the sums below were released without noise, as policy.yaml allows under <code>unprotected</code>. What protects them is that only sums over the whole cohort are released; no ε can be stated for them, and the ε above does not count them.`,
  )
}
${
  overTime.length > 0 &&
  table(
    "Spent over time",
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
  )
}
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
