import {
  atLeast,
  atMost,
  type Bench,
  type BenchOptions,
  type Figure,
  median,
  noted,
  option,
} from "./bench.ts";
import { cases } from "./cases/all.ts";
import type { Check } from "./cases/case.ts";
import { kinds } from "./cases/drawn/enterprises.ts";
import { judgeQuarter, type Outcome } from "./cases/drawn/judge.ts";

export const argument = "cases as C1; all by default";

export const options: BenchOptions = {
  "--seed <seed>": "each case's enterprise drawn anew; 1..10 goes over ten seeds",
};

/**
 * Every case of the design as stated, one figure each: what was seen, and whether all of it held.
 */
export const bench: Bench = async (args, progress, names) => {
  if (args.includes("--seed")) return drawnAnew(option(args, "--seed", ""), names, progress);
  const figures: Figure[] = [];
  for (const one of cases) {
    if (names.length > 0 && !names.includes(one.id)) continue;
    let checks: Check[];
    try {
      checks = await one.run({ scale: 1, paced: true });
    } catch (error) {
      checks = [{ what: "ran", seen: (error as Error).message, holds: false }];
    }
    const holds = checks.every((check) => check.holds);
    progress(`${one.id}: ${holds ? "holds" : "MISSED"}`);
    figures.push({
      name: one.id,
      value: checks.map((check) => `${check.holds ? "" : "MISSED "}${check.what}: ${check.seen}`).join("; "),
      unit: "",
      target: `${one.title}: ${one.target}`,
      holds,
    });
  }
  return { bench: "cases", runs: 1, figures };
};

/** Seeds as `7` or `1..10`. @throws {RangeError} */
function seedsOf(text: string): string[] {
  const range = /^(\d{1,6})\.\.(\d{1,6})$/.exec(text);
  if (range === null) {
    if (text === "") throw new RangeError("--seed: write a seed, or a range of numbers as 1..10");
    return [text];
  }
  const [low, high] = [Number(range[1]), Number(range[2])];
  return Array.from({ length: high - low + 1 }, (_, i) => String(low + i));
}

/** Enterprises of other sizes, dates and courses: one quarter of each with its event, one quiet. */
async function drawnAnew(
  text: string,
  names: readonly string[],
  progress: (line: string) => void,
): ReturnType<Bench> {
  const seeds = seedsOf(text);
  const chosen = kinds.filter(({ id }) => names.length === 0 || names.includes(id));
  const outcomes: Outcome[] = [];
  const begun = performance.now();
  for (const [i, seed] of seeds.entries()) {
    for (const kind of chosen)
      for (const planted of [true, false]) {
        const outcome = await judgeQuarter(kind, seed, planted);
        outcomes.push(outcome);
        if (outcome.warned === false) progress(`seed ${seed}, ${kind.id}: not warned`);
        for (const one of outcome.falseAlarms)
          progress(`seed ${seed}, ${kind.id}, ${planted ? "planted" : "quiet"}: ${one}`);
      }
    const left = ((performance.now() - begun) / (i + 1)) * (seeds.length - i - 1);
    progress(`seed ${seed} done, ${Math.round(left / 1000)} s left`);
  }
  const planted = outcomes.filter(({ warned }) => warned !== undefined);
  const leads = planted.flatMap(({ leadDays }) => leadDays ?? []);
  const delays = planted.flatMap(({ delayDays }) => delayDays ?? []);
  const warned = planted.filter((one) => one.warned).length / planted.length;
  const alarms = outcomes.map(({ falseAlarms }) => falseAlarms.length);
  const mean = alarms.reduce((sum, count) => sum + count, 0) / outcomes.length;
  return {
    bench: "cases, drawn anew",
    runs: seeds.length,
    figures: [
      noted("planted events", planted.length, "events"),
      atLeast("warned of", warned, "share", 0.95),
      noted("quarters", outcomes.length, "enterprises and quarters"),
      atMost("false alarms", mean, "an enterprise and quarter", 1),
      noted("false alarms, most", Math.max(...alarms), "in one quarter"),
      noted(
        "notices beside",
        outcomes.reduce((sum, { notices }) => sum + notices, 0) / outcomes.length,
        "an enterprise and quarter",
      ),
      ...(leads.length === 0
        ? []
        : [
            noted("lead before the report, median", median(leads), "days"),
            noted("lead before the report, least", Math.min(...leads), "days"),
            noted("from event to warning, median", median(delays), "days"),
          ]),
      ...chosen.map(({ id, what }) => {
        const own = planted.filter(({ kind }) => kind === id);
        const stray = outcomes.filter(({ kind }) => kind === id);
        return noted(
          `${id}, ${what}`,
          `${own.filter((one) => one.warned).length} of ${own.length} warned, ${stray.reduce((sum, one) => sum + one.falseAlarms.length, 0)} false alarms in ${stray.length} quarters`,
          "",
        );
      }),
    ],
  };
}
