import { Refusal } from "../proto/reasons.ts";
import type { FederatedAlgorithm } from "./algorithm.ts";
import { evaluate } from "./evaluate.ts";
import { logistic } from "./logistic.ts";
import { neural } from "./neural.ts";
import { range } from "./range.ts";
import { standardize } from "./standardize.ts";
import { summary } from "./summary.ts";

const algorithms = new Map(
  [range, summary, standardize, logistic, neural, evaluate].map((algorithm) => [
    algorithm.name,
    algorithm as unknown as FederatedAlgorithm,
  ]),
);

export const algorithmNames: readonly string[] = [...algorithms.keys()];

/** @throws Refusal algorithm_unknown */
export function algorithmNamed(name: string): FederatedAlgorithm {
  const algorithm = algorithms.get(name);
  if (algorithm !== undefined) return algorithm;
  throw new Refusal("algorithm_unknown", `no algorithm is called ${name}`, {
    hint: `choose from ${algorithmNames.join(", ")}`,
  });
}
