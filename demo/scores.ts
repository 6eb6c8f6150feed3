import { stringify } from "yaml";
import { enterprises } from "./economy.ts";
import { pairwise, run } from "./processes.ts";
import { studyName } from "./study.ts";

/** Of the study's models, the one that enterprises score themselves by. */
const scorer = "scorecard";

/** The bank looks at everybody's first score. */
export const casesYaml = stringify({
  rules: [{ cause: "grade", to: ["A", "B", "C", "D", "E", "F", "G"], suggest: "review" }],
});

/** What an enterprise said of itself. */
export interface Score {
  readonly enterprise: string;
  readonly grade: string;
  readonly probability: number;
  /** Columns that moved it most towards bad. */
  readonly reasons: readonly string[];
}

export interface Decided {
  readonly case: number;
  readonly enterprise: string;
  readonly decision: string;
}

/** Every enterprise agrees to say how its own rows score, and says it. */
export async function sayScores(
  folderOf: (id: string) => string,
  say: (line: string) => void,
): Promise<Score[]> {
  const scores = new Map<string, Score>();
  await pairwise(enterprises, async ({ id }) => {
    const flags = [studyName, "--dir", folderOf(id), "--json"];
    await run("node", "statement", "agree", ...flags);
    const said = JSON.parse(await run("node", "statement", "send", ...flags, "--result", scorer));
    const { grade, probability, reasons } = said as Score;
    scores.set(id, { enterprise: id, grade, probability, reasons });
    say(
      `${id}: says that it scores ${grade}, ${(100 * probability).toFixed(1)} % bad, for ${reasons.join(", ")}`,
    );
  });
  return enterprises.map(({ id }) => scores.get(id)!);
}

/** The bank decides the first of the cases that the scores raised. */
export async function decideCase(
  operator: (command: string, ...args: string[]) => Promise<string>,
  say: (line: string) => void,
): Promise<Decided | undefined> {
  const [first] = JSON.parse(await operator("case", "list")) as { number: number; enterprise: string }[];
  if (first === undefined) return undefined;
  const { number, enterprise } = first;
  const decision = "hold";
  const reason = "the score is the first of this enterprise";
  await operator("case", "decide", String(number), decision, "--reason", reason);
  say(`bank: decides case ${number} of ${enterprise}: ${decision}`);
  return { case: number, enterprise, decision };
}
