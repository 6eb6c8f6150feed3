import { type Random, secureRandom, seededRandom, uniformInteger } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { type Bench, type BenchOptions, type Figure, noted, option } from "./bench.ts";
import { mutate } from "./fuzz/mutate.ts";
import { type Target, targets } from "./fuzz/targets.ts";

/** What one parser did. */
interface Fuzzed {
  readonly executions: number;
  /** Taken as valid although changed: the parser was reached to its end. */
  readonly accepted: number;
  readonly findings: readonly string[];
}

/** A parser that takes longer for one input of this size holds up everything beside it. */
const slowMillis = 2000;

export const options: BenchOptions = {
  "--only <name>": "parsers whose name has it",
  "--seconds <n>": "of each parser (30)",
  "--executions <n>": "of each parser, instead of seconds",
  "--seed <text>": "repeats a run",
};

/**
 * Changed inputs to every parser that a peer, a device or a file reaches: each is taken or refused by a `Refusal`.
 */
export const bench: Bench = async (args, progress) => {
  const only = option(args, "--only", "");
  const executions = Number(option(args, "--executions", "Infinity"));
  const seconds = Number(
    option(args, "--seconds", executions < Number.POSITIVE_INFINITY ? "Infinity" : "30"),
  );
  const seed = option(args, "--seed", Buffer.from(secureRandom.bytes(6)).toString("hex"));
  progress(`seed ${seed}`);
  const figures: Figure[] = [noted("seed", seed, "")];
  for (const target of targets.filter(({ name }) => name.includes(only))) {
    const done = await fuzz(
      target,
      { executions, seconds, slowMillis },
      seededRandom(`${seed} ${target.name}`),
    );
    const { findings } = done;
    progress(
      `${target.name}: ${done.executions} executions, ${done.accepted} taken, ${findings.length} findings`,
    );
    figures.push({
      name: target.name,
      value: `${done.executions} executions, ${done.accepted} taken${findings.map((one) => `; ${one}`).join("")}`,
      unit: "",
      target: "no finding",
      holds: findings.length === 0,
    });
  }
  return { bench: "fuzz", runs: 1, figures };
};

/** When a run ends, and what is a finding beside an unforeseen error. */
interface Limits {
  readonly executions: number;
  readonly seconds: number;
  readonly slowMillis: number;
}

/** Kinds of finding that are told of one parser. */
const mostFindings = 5;

/** @throws Error where a seed is not valid: then nothing behind it is reached. */
export async function fuzz(
  target: Target,
  { executions, seconds, slowMillis }: Limits,
  random: Random,
): Promise<Fuzzed> {
  for (const seed of target.seeds) await target.run(seed);
  const findings = new Map<string, string>();
  const end = performance.now() + 1000 * seconds;
  let accepted = 0;
  let n = 0;
  for (; n < executions && (n % 64 > 0 || performance.now() < end) && findings.size < mostFindings; n++) {
    const seed = target.seeds[uniformInteger(random, target.seeds.length)]!;
    const input = mutate(seed, target.form, target.seeds, random);
    const begun = performance.now();
    try {
      await target.run(input);
      accepted++;
    } catch (error) {
      if (!(error instanceof Refusal)) remember(findings, String(error), input);
    }
    const took = performance.now() - begun;
    if (took > slowMillis) remember(findings, `took more than ${slowMillis} ms`, input);
  }
  return { executions: n, accepted, findings: [...findings.values()] };
}

function remember(findings: Map<string, string>, what: string, input: Uint8Array): void {
  const shown = Buffer.from(input.subarray(0, 3000)).toString("base64");
  const kind = what.slice(0, 60);
  const known = findings.get(kind);
  const said = `${what} on ${input.length} bytes ${shown}`;
  if (known === undefined || said.length < known.length) findings.set(kind, said);
}
