/** cases.yaml: when a score, a warning or a shift becomes a case, and what is suggested about the limit. */
import { z } from "zod";
import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { type Grade, parseGrades, usualGrades } from "../../models/scoring/grades.ts";
import { type LimitStep, limitSteps } from "../../privacy/log/entry.ts";
import { gradePattern } from "../../privacy/log/score-statement.ts";

const suggest = z.enum(limitSteps).describe("what is suggested about the limit");
const steps = z.int().min(1);

const gradeRule = z.strictObject({
  cause: z.literal("grade").describe("the grade is another than before"),
  worseBy: steps.optional().describe("the grade fell by so many steps of the scale, or more"),
  betterBy: steps.optional().describe("the grade rose by so many steps of the scale, or more"),
  to: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("the grade now is one of these; such a rule holds of an enterprise's first score, too"),
  minPassed: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("at least this share of the devices' cells passed the enterprise's checks, as it says"),
  suggest,
});

const warningRule = z.strictObject({
  cause: z.literal("warning").describe("a warning of the enterprise reached the bank"),
  severity: z
    .enum(["notice", "warning", "alarm"])
    .optional()
    .describe("of the warning; any of them without it"),
  suggest,
});

const shiftRule = z.strictObject({
  cause: z
    .literal("shift")
    .describe("a model is published whose scores or columns have shifted beyond models.stability.alarm"),
  of: z
    .enum(["scores", "column"])
    .optional()
    .describe("what has shifted: scores (PSI) or a column (CSI); either without it"),
  suggest,
});

/** What the bank writes about cases. */
export const casePolicySchema = z
  .strictObject({
    grades: z
      .string()
      .default(usualGrades)
      .describe(
        "NAME:LARGEST,…: bands of the probability of bad, ascending to 1, which score statements are graded by",
      ),
    maxWindowAgeDays: z
      .number()
      .positive()
      .max(366)
      .default(62)
      .describe("a score statement whose window ended longer ago is refused, days"),
    rules: z
      .array(z.discriminatedUnion("cause", [gradeRule, warningRule, shiftRule]))
      .max(100)
      .default([
        { cause: "grade", worseBy: 2, suggest: "reduce" },
        { cause: "grade", worseBy: 1, suggest: "review" },
        { cause: "grade", betterBy: 2, minPassed: 0.9, suggest: "increase" },
        { cause: "grade", betterBy: 1, suggest: "hold" },
        { cause: "warning", severity: "alarm", suggest: "reduce" },
        { cause: "warning", suggest: "review" },
        { cause: "shift", suggest: "review" },
      ])
      .describe("the first that holds gives the suggestion; where none does, no case is raised"),
  })
  .superRefine(({ grades, rules }, context) => {
    const names = namesOf(grades);
    if (typeof names === "string") {
      context.addIssue({ code: "custom", path: ["grades"], message: names });
      return;
    }
    for (const [i, rule] of rules.entries()) {
      const unknown = rule.cause === "grade" && rule.to?.find((name) => !names.includes(name));
      if (unknown)
        context.addIssue({
          code: "custom",
          path: ["rules", i, "to"],
          message: `no grade is called ${unknown}`,
        });
    }
  });

export type CasePolicy = z.output<typeof casePolicySchema>;

/** An index beyond the bank's threshold. */
interface ShiftedIndex {
  readonly kind: "scores" | "column";
  readonly name: string;
  readonly index: number;
}

/** What a case is raised by. */
export type Cause =
  | {
      readonly cause: "grade";
      readonly grade: string;
      /** The enterprise's last one for the purpose, where there is one. */
      readonly before: string | undefined;
      readonly passed: number | undefined;
    }
  | { readonly cause: "warning"; readonly severity: "notice" | "warning" | "alarm" }
  | { readonly cause: "shift"; readonly shifted: readonly ShiftedIndex[] };

/** @returns the names of a scale, or what is wrong with it. */
function namesOf(scale: string): string[] | string {
  try {
    const names = parseGrades(scale).map(({ name }) => name);
    return names.every((name) => gradePattern.test(name))
      ? names
      : "a grade's name is 1 to 8 letters, digits, + or -";
  } catch (error) {
    if (error instanceof Refusal) return `no scale of grades: ${error.hint}`;
    throw error;
  }
}

export const gradesOf = ({ grades }: CasePolicy): Grade[] => parseGrades(grades);

export const casePolicyDigest = (policy: CasePolicy): Digest => digestOf(canonicalBytes(policy));

/** @returns what the first rule that holds suggests; undefined where none does, or nothing changed. */
export function suggestionFor(policy: CasePolicy, cause: Cause): LimitStep | undefined {
  if (cause.cause === "warning")
    return policy.rules.find(
      (rule) => rule.cause === "warning" && (rule.severity === undefined || rule.severity === cause.severity),
    )?.suggest;
  if (cause.cause === "shift")
    return policy.rules.find(
      (rule) =>
        rule.cause === "shift" &&
        (rule.of === undefined || cause.shifted.some(({ kind }) => kind === rule.of)),
    )?.suggest;
  const { grade, before, passed } = cause;
  if (grade === before) return undefined;
  const names = gradesOf(policy).map(({ name }) => name);
  // A grade of an older scale is on none of its steps.
  const from = before === undefined ? -1 : names.indexOf(before);
  const fall = from === -1 ? undefined : names.indexOf(grade) - from;
  return policy.rules.find(
    (rule) =>
      rule.cause === "grade" &&
      (fall !== undefined || rule.to !== undefined) &&
      (rule.worseBy === undefined || (fall ?? 0) >= rule.worseBy) &&
      (rule.betterBy === undefined || -(fall ?? 0) >= rule.betterBy) &&
      (rule.to === undefined || rule.to.includes(grade)) &&
      (rule.minPassed === undefined || (passed ?? 0) >= rule.minPassed),
  )?.suggest;
}
