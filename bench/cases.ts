import type { Bench, Figure } from "./bench.ts";
import { cases } from "./cases/all.ts";
import type { Check } from "./cases/case.ts";

/** Every case of the design as stated, one figure each: what was seen, and whether all of it held. */
export const bench: Bench = async (args, progress) => {
  const wanted = args.filter((one) => /^C\d+$/.test(one));
  const figures: Figure[] = [];
  for (const one of cases) {
    if (wanted.length > 0 && !wanted.includes(one.id)) continue;
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
