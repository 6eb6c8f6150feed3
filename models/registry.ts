import { Refusal } from "../core/reasons.ts";
import type { Algorithm } from "./algorithm.ts";
import { additive } from "./algorithms/additive.ts";
import { additivePrivate } from "./algorithms/additive-private.ts";
import { bins } from "./algorithms/bins.ts";
import { boosting } from "./algorithms/boosting.ts";
import { correlation } from "./algorithms/correlation.ts";
import { drift } from "./algorithms/drift.ts";
import { evaluate } from "./algorithms/evaluate.ts";
import { extraTrees } from "./algorithms/extra-trees.ts";
import { forest } from "./algorithms/forest.ts";
import { logistic } from "./algorithms/logistic.ts";
import { logisticPrivate } from "./algorithms/logistic-private.ts";
import { multinomial } from "./algorithms/multinomial.ts";
import { naiveBayes } from "./algorithms/naive-bayes.ts";
import { neighbours } from "./algorithms/neighbours.ts";
import { neural } from "./algorithms/neural.ts";
import { neuralPrivate } from "./algorithms/neural-private.ts";
import { range } from "./algorithms/range.ts";
import { scorecard } from "./algorithms/scorecard.ts";
import { select } from "./algorithms/select.ts";
import { standardize } from "./algorithms/standardize.ts";
import { summary } from "./algorithms/summary.ts";
import { traditional } from "./algorithms/traditional.ts";
import { transform } from "./algorithms/transform.ts";
import { woe } from "./algorithms/woe.ts";

const registered: readonly Algorithm[] = [
  // One a line, in the order in which they are listed to people.
  transform,
  range,
  summary,
  standardize,
  bins,
  woe,
  correlation,
  drift,
  select,
  logistic,
  multinomial,
  scorecard,
  additive,
  boosting,
  forest,
  extraTrees,
  naiveBayes,
  neighbours,
  neural,
  additivePrivate,
  logisticPrivate,
  neuralPrivate,
  traditional,
  evaluate,
];

const algorithms = new Map(registered.map((algorithm) => [algorithm.name, algorithm]));

export const algorithmNames: readonly string[] = [...algorithms.keys()];

/** @throws Refusal algorithm_unknown */
export function algorithmNamed(name: string): Algorithm {
  const algorithm = algorithms.get(name);
  if (algorithm !== undefined) return algorithm;
  throw new Refusal("algorithm_unknown", `no algorithm is called ${name}`, {
    hint: `choose from ${algorithmNames.join(", ")}`,
  });
}
