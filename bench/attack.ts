import { type Bfv, openBfv } from "../privacy/sum/encryption/bfv.ts";
import type { Attack } from "./attack/attack.ts";
import { attacks } from "./attack/attacks.ts";
import type { Bench, Figure } from "./bench.ts";

/** Plays an attack and its control. */
export async function play(attack: Attack, bfv: Bfv): Promise<Figure[]> {
  const { name, unit, guessing, success } = attack;
  const met = await attack.play(bfv, false);
  const taken = await attack.play(bfv, true);
  return [
    { name, value: rounded(met), unit, target: `<= ${guessing}`, holds: met <= guessing },
    {
      name: `${name}, control`,
      value: rounded(taken),
      unit,
      target: `>= ${success}`,
      holds: taken >= success,
    },
  ];
}

const rounded = (value: number): number => Number(value.toPrecision(4));

export const argument = "attacks whose name has one of these; all by default";

/** The attacks of the design's last table, each with its control. */
export const bench: Bench = async (_args, progress, names) => {
  const bfv = await openBfv();
  const figures: Figure[] = [];
  for (const attack of attacks) {
    if (names.length > 0 && !names.some((word) => attack.name.includes(word))) continue;
    const began = performance.now();
    figures.push(...(await play(attack, bfv)));
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const [met, control] = figures.slice(-2);
    progress(
      `${attack.name}: ${met!.value} ${met!.holds ? "" : "SUCCEEDS "}(control ${control!.value}${control!.holds ? "" : " FAILS"}) ${seconds} s`,
    );
  }
  await bfv.close();
  return { bench: "attack", runs: 1, figures };
};
