import { html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import type { SpendOfStudy } from "../ledger/egress.ts";
import type { Policy } from "../policy.ts";
import { moment, number } from "./format.ts";
import type { View } from "./layout.ts";

/** The privacy budget: what the policy allows and what studies have spent. @param names - of studies, by digest */
export function budgetView(
  spends: readonly SpendOfStudy[],
  policy: Policy,
  names: ReadonlyMap<string, string>,
): View {
  const sums = spends.reduce((all, one) => all + one.sums, 0);
  const noiseless = spends.some(({ mechanism }) => mechanism === "none");
  const body = html`${facts([
    ["Lifetime budget by policy.yaml, not yet enforced", `ε = ${policy.maxEpsilon.lifetime}`],
    ["Sums this enterprise was part of", number(sums)],
    ["ε spent", noiseless ? "not bounded" : "0"],
  ])}
${
  noiseless &&
  note(
    html`The sums below were released without noise, as policy.yaml allows under <code>unprotected</code>. What protects them is that only sums over the whole cohort are released; no ε can be stated for them.`,
  )
}
${
  spends.length === 0
    ? note("Nothing has been spent: this node has submitted to no sum.")
    : table(
        "By study",
        ["Study", "Noise", "Unit", { name: "Sums", numeric: true }, "Last"],
        spends.map((one) => [
          names.get(one.study) ?? one.study.slice(0, 16),
          one.mechanism,
          one.unit,
          number(one.sums),
          moment(one.last * 1000),
        ]),
      )
}`;
  return { title: "Privacy budget", body };
}
