import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { wholeNumber } from "../../core/number-argument.ts";
import { secureRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { print } from "../../core/terminal.ts";
import { readYaml } from "../../core/yaml.ts";
import { epsilonOf, stepOf } from "../../privacy/noise/accountant.ts";
import { gaussianMu } from "../../privacy/noise/analytic.ts";
import { maxVariance, sampleDiscreteGaussian } from "../../privacy/noise/discrete-gaussian.ts";
import { type PrivacyEvent, privacyEventSchema } from "../../privacy/noise/event.ts";
import { renyiEpsilon } from "../../privacy/noise/rdp.ts";
import { policyFile } from "../init.ts";
import { policyAt } from "../policy.ts";
import { type Common, commandOf } from "./node-folder.ts";

interface Flags extends Common {
  readonly delta: number;
  readonly sums?: number;
  readonly noise?: number;
  readonly samplingRate: number;
  readonly epsilon?: number;
  readonly events?: string;
}

/** `fedcredit node forecast`: what sums with noise would cost of the policy's budget, before there are any. */
export function addForecast(node: Command): void {
  commandOf(
    node,
    "forecast",
    "say what sums with noise would cost of maxEpsilon, or how much noise they need; nothing is spent",
    "forecast --dir mill --sums 10 --noise 13 --delta 1e-6",
  )
    .requiredOption(
      "--delta <delta>",
      "probability with which epsilon need not hold, e.g. 1e-6",
      number(0, 1),
    )
    .option("--sums <count>", "sums over the table", wholeNumber(1, 1_000_000_000))
    .option(
      "--noise <multiplier>",
      "standard deviation of each sum's noise, in units of the most that one record changes",
      number(0, Math.sqrt(maxVariance)),
    )
    .option(
      "--sampling-rate <q>",
      "probability with which each record is in a sum, 1 where all are",
      number(0, 1, true),
      1,
    )
    .option(
      "--epsilon <epsilon>",
      "say the least noise with which the sums cost so much, all rows in each",
      number(0, 1e6),
    )
    .option(
      "--events <file>",
      "JSON or YAML list of privacy events to count as well, such as those of the past",
    )
    .option("--json", "print one JSON object")
    .action(forecast);
}

async function forecast(flags: Flags): Promise<void> {
  const { maxEpsilon } = policyAt(policyFile(flags.dir))();
  const { delta } = flags;
  const before = flags.events === undefined ? [] : readYaml(flags.events, z.array(privacyEventSchema).min(1));
  const planned = plannedEvents(flags);
  const events = [...before, ...planned];
  if (events.length === 0)
    throw new Refusal("usage", "nothing to forecast", {
      hint: "give --sums and --noise, --sums and --epsilon, or --events FILE",
    });
  const epsilon = epsilonOf(events, delta);
  const renyi = Number.isFinite(epsilon) ? renyiEpsilon(touching(events).map(stepOf), delta) : epsilon;
  const report = {
    delta,
    events,
    // JSON knows no infinity
    epsilon: Number.isFinite(epsilon) ? epsilon : null,
    renyi: Number.isFinite(renyi) ? renyi : null,
    maxEpsilon: maxEpsilon.lifetime,
    withinBudget: epsilon <= maxEpsilon.lifetime,
    examples: planned.flatMap(({ sigma }) => examplesOf(sigma)),
  };
  if (flags.json) return print(JSON.stringify(report));
  for (const { sigma, sensitivity, count, samplingRate } of planned)
    print(
      `${count} sums with ${(sigma / sensitivity).toPrecision(6)} of noise${samplingRate < 1 ? `, each record in one with probability ${samplingRate}` : ""}`,
    );
  if (report.examples.length > 0)
    print(`with so much noise, 1000 rows would be released as ${report.examples.join(", ")}`);
  if (before.length > 0) print(`and ${before.length} events of ${flags.events}`);
  print(
    `cost ε = ${up(epsilon)} of ${maxEpsilon.lifetime} at δ = ${delta} (Rényi's bound, as a check: ${up(renyi)})`,
  );
  if (epsilon > maxEpsilon.lifetime) print("more than policy.yaml allows as maxEpsilon");
}

/** @returns what a count of 1000 would be with this noise, three times over. */
const examplesOf = (sigma: number): readonly number[] =>
  [...sampleDiscreteGaussian(Math.min(maxVariance, Math.ceil(sigma ** 2)), 3, secureRandom)].map(
    (x) => 1000 + x,
  );

const touching = (events: readonly PrivacyEvent[]) => events.filter(({ sensitivity }) => sensitivity > 0);

/** @returns the number as text, rounded up to four digits behind the point. */
const up = (epsilon: number): string =>
  Number.isFinite(epsilon) ? (Math.ceil(epsilon * 1e4) / 1e4).toFixed(4) : "∞";

function plannedEvents({ sums, noise, samplingRate, epsilon, delta }: Flags): readonly PrivacyEvent[] {
  if (sums === undefined) {
    if (noise === undefined && epsilon === undefined) return [];
    throw new Refusal("usage", "--noise and --epsilon are of --sums", { hint: "say how many: --sums 10" });
  }
  if ((noise === undefined) === (epsilon === undefined))
    throw new Refusal("usage", "--sums needs either --noise or --epsilon", {
      hint: "give one of the two",
    });
  if (epsilon !== undefined && samplingRate < 1)
    throw new Refusal("usage", "--epsilon is for sums of all rows", { hint: "try values of --noise" });
  const sigma = noise ?? Math.sqrt(sums) / gaussianMu(epsilon!, delta);
  return [{ mechanism: "gaussian", unit: "record", sensitivity: 1, sigma, samplingRate, count: sums }];
}

/** @returns a parser of numbers above `low` and below `high`; up to it with `closed`. */
function number(low: number, high: number, closed = false) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== "" && value > low && (value < high || (closed && value === high))) return value;
    throw new InvalidArgumentError(`Give a number above ${low} and ${closed ? "up to" : "below"} ${high}`);
  };
}
