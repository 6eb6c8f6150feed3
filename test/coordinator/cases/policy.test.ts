import test from "ava";
import fc from "fast-check";
import { type Cause, casePolicySchema, suggestionFor } from "../../../coordinator/cases/policy.ts";
import { Refusal } from "../../../core/reasons.ts";
import { parseYaml } from "../../../core/yaml.ts";
import { type LimitStep, limitSteps } from "../../../privacy/log/entry.ts";

const usual = casePolicySchema.parse({});
const grade = (before: string | undefined, now: string, passed?: number): Cause => ({
  ...{ cause: "grade", grade: now, before, passed },
});

const shift = (...kinds: ("scores" | "column")[]): Cause => ({
  cause: "shift",
  shifted: kinds.map((kind) => ({ kind, name: "a", index: 0.3 })),
});

test("a rule about scores that have shifted says nothing of columns", (t) => {
  const policy = casePolicySchema.parse({ rules: [{ cause: "shift", of: "scores", suggest: "reduce" }] });
  t.is(suggestionFor(policy, shift("column", "scores")), "reduce");
  t.is(suggestionFor(policy, shift("column")), undefined);
  t.is(suggestionFor(policy, grade("A", "G")), undefined);
});

test("by default a fall is reviewed or reduced, a rise held or increased where data are good", (t) => {
  const suggested: [Cause, LimitStep | undefined][] = [
    [grade("B", "C"), "review"],
    [grade("B", "D"), "reduce"],
    [grade("A", "G"), "reduce"],
    [grade("C", "B"), "hold"],
    [grade("D", "B", 0.95), "increase"],
    [grade("D", "B", 0.5), "hold"],
    [grade("D", "B"), "hold"],
    [grade("B", "B"), undefined],
    [grade(undefined, "G"), undefined],
    [grade("of an older scale", "B"), undefined],
    [{ cause: "warning", severity: "alarm" }, "reduce"],
    [{ cause: "warning", severity: "notice" }, "review"],
    [shift("column"), "review"],
  ];
  for (const [cause, step] of suggested) t.is(suggestionFor(usual, cause), step, JSON.stringify(cause));
});

test("the first rule that holds counts, and a rule about the grade now holds of a first score", (t) => {
  const policy = casePolicySchema.parse({
    rules: [
      { cause: "grade", to: ["F", "G"], suggest: "reduce" },
      { cause: "grade", suggest: "review" },
    ],
  });
  t.is(suggestionFor(policy, grade(undefined, "G")), "reduce");
  t.is(suggestionFor(policy, grade(undefined, "A")), undefined);
  t.is(suggestionFor(policy, grade("A", "G")), "reduce");
  t.is(suggestionFor(policy, grade("G", "A")), "review");
  t.is(suggestionFor(policy, { cause: "warning", severity: "alarm" }), undefined);
});

test("a worse grade never gets a milder suggestion by default", (t) => {
  const names = ["A", "B", "C", "D", "E", "F", "G"];
  const place = fc.nat(names.length - 1);
  t.notThrows(() =>
    fc.assert(
      fc.property(place, place, place, fc.double({ min: 0, max: 1, noNaN: true }), (before, a, b, passed) => {
        const [better, worse] = [Math.min(a, b), Math.max(a, b)];
        const step = (now: number): number => {
          const found = suggestionFor(usual, grade(names[before], names[now]!, passed));
          return found === undefined ? limitSteps.indexOf("hold") : limitSteps.indexOf(found);
        };
        return step(better) <= step(worse);
      }),
    ),
  );
});

test("a mistake in cases.yaml is named with its place", (t) => {
  const mistakes: [string, RegExp][] = [
    ["rules: [{ cause: grade, worse: 1, suggest: hold }]", /rules\.0\.worse/],
    ["rules: [{ cause: grade, suggest: double }]", /rules\.0\.suggest/],
    ["rules: [{ cause: weather, suggest: hold }]", /rules\.0\.cause/],
    ["rules: [{ cause: grade, to: [H], suggest: hold }]", /rules\.0\.to: no grade is called H/],
    ["grades: A:0.5,B:0.2,C:1", /grades: no scale of grades/],
    ["grades: '<img>:1'", /grades: a grade's name/],
    ["rule: []", /unknown key rule/],
    ["maxWindowAgeDays: 0", /maxWindowAgeDays/],
  ];
  for (const [text, message] of mistakes) {
    const refusal = t.throws(() => parseYaml(text, "cases.yaml", casePolicySchema), { instanceOf: Refusal });
    t.is(refusal?.reason, "config_invalid", text);
    t.regex(refusal!.message, message);
  }
});
