import { html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import type { SpendingOfStudy } from "../ledger/budget.ts";
import type { SpendOfStudy } from "../ledger/egress.ts";
import type { Policy } from "../policy.ts";
import { epsilonText } from "./format.ts";
import { numeric, type View } from "./layout.ts";
import type { Locale } from "./locale.ts";

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
  locale: Locale,
): View {
  const { words, number, moment } = locale;
  const sums = spends.reduce((all, one) => all + one.sums, 0);
  const noiseless = spends.some(({ mechanism }) => mechanism === "none");
  const nameOf = (study: string): string => names.get(study) ?? study.slice(0, 16);
  const of = (table: string): string => (tables.length === 1 ? "" : words.ofTable(table));
  const body = html`${facts([
    ...tables.flatMap(({ table, maxEpsilon, overTime }): [string, string][] => [
      [
        words.lifetimeBudget(of(table)),
        words.epsilonAt(number(maxEpsilon.lifetime), String(maxEpsilon.delta ?? "")),
      ],
      [words.epsilonSpent(of(table)), epsilonText(overTime.at(-1)?.epsilon ?? 0, locale)],
    ]),
    [words.sumsOf, number(sums)],
  ])}
${!accounted && note(html`${words.notAccounted} <code>fedcredit node account</code>`)}
${noiseless && note(words.noiseless)}
${tables
  .filter(({ overTime }) => overTime.length > 0)
  .map(({ table: name, overTime }) =>
    table(
      words.spentOverTime(of(name)),
      [words.study, numeric(words.sumsWithNoise), words.last, numeric(words.epsilonSoFar)],
      overTime.map((one) => [
        nameOf(one.study),
        number(one.sums),
        moment(one.last),
        epsilonText(one.epsilon, locale),
      ]),
    ),
  )}
${
  spends.length === 0
    ? note(words.nothingSpent)
    : table(
        words.byStudy,
        [words.study, words.noise, words.unit, numeric(words.sums), words.last],
        spends.map((one) => [
          nameOf(one.study),
          words.mechanisms[one.mechanism] ?? one.mechanism,
          words.units[one.unit] ?? one.unit,
          number(one.sums),
          moment(one.last),
        ]),
      )
}`;
  return { title: words.budgetTitle, body };
}
