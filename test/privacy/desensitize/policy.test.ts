import test from "ava";
import {
  type FieldClass,
  type FieldLevel,
  fieldClasses,
  fieldSchema,
  fieldsSchema,
  type Operator,
  outputOf,
} from "../../../privacy/desensitize/policy.ts";

const position = { pair: "lng", axis: "latitude" };
/** Each operator with parameters that are fine. */
const operators: Record<Operator, object> = {
  keep: {},
  drop: {},
  "aggregate-only": {},
  pseudonym: { rotationDays: 30 },
  "format-preserving": { alphabet: "0123456789", rotationDays: 30 },
  mask: { keepFirst: 1, keepLast: 1 },
  bins: { origin: 0, width: 10 },
  "truncate-time": { unit: "month" },
  geohash: { ...position, digits: 5 },
  h3: { ...position, resolution: 7 },
  "planar-laplace": {
    ...position,
    epsilonPerMetre: 0.01,
    dailyBudgetPerMetre: 0.05,
    subject: "id",
    time: "at",
    rotationDays: 30,
  },
  "date-shift": { subject: "id", maxDays: 30, rotationDays: 30 },
  "top-bottom-code": { low: 0, high: 1 },
};
const names = Object.keys(operators) as Operator[];
const accepts = (operator: Operator, fieldClass: FieldClass, level: FieldLevel): boolean =>
  fieldSchema.safeParse({ name: "x", class: fieldClass, level, operator, ...operators[operator] }).success;

test("what may be done with a class", (t) => {
  const allowed = (fieldClass: FieldClass): Operator[] =>
    names.filter((operator) => accepts(operator, fieldClass, "C2"));
  t.deepEqual(allowed("direct"), ["drop", "pseudonym", "format-preserving", "mask"]);
  t.deepEqual(
    allowed("quasi"),
    names.filter((operator) => operator !== "keep"),
  );
  t.deepEqual(allowed("sensitive"), allowed("quasi"));
  t.deepEqual(allowed("operational"), names);
});

test("a C3 field is dropped, or in aggregates only, whatever its class", (t) => {
  for (const fieldClass of fieldClasses)
    for (const operator of names)
      t.is(
        accepts(operator, fieldClass, "C3"),
        operator === "drop" || (operator === "aggregate-only" && fieldClass !== "direct"),
        `${fieldClass} ${operator}`,
      );
});

test("no parameter of an operator has a default, and none is unknown", (t) => {
  for (const operator of names) {
    const line = { name: "x", class: "operational", level: "C1", operator, ...operators[operator] };
    for (const key of Object.keys(line)) {
      const { [key as keyof typeof line]: _, ...rest } = line;
      t.false(fieldSchema.safeParse(rest).success, `${operator} without ${key}`);
    }
    t.false(fieldSchema.safeParse({ ...line, colour: "red" }).success);
  }
});

const refused: [string, Operator, object, RegExp][] = [
  ["an alphabet with a character twice", "format-preserving", { alphabet: "0120" }, /twice/],
  ["bounds in the wrong order", "top-bottom-code", { low: 2, high: 1 }, /below high/],
  ["a bin without width", "bins", { width: 0 }, /./],
  ["a geohash that is the place itself", "geohash", { digits: 12 }, /./],
];
for (const [name, operator, change, message] of refused)
  test(`${name} is refused`, (t) => {
    const line = { name: "x", class: "operational", level: "C1", operator, ...operators[operator] };
    const { error } = fieldSchema.safeParse({ ...line, ...change });
    t.regex(error?.issues[0]?.message ?? "", message);
  });

test("each column has one line, and so has every column that an operator reads", (t) => {
  const line = (name: string, operator: Operator) => ({
    name,
    class: "operational",
    level: "C1",
    operator,
    ...operators[operator],
  });
  const messageOf = (...lines: object[]): string =>
    fieldsSchema.safeParse(lines).error?.issues[0]?.message ?? "";
  t.is(messageOf(line("a", "keep"), line("a", "drop")), '"a" has two lines');
  t.is(messageOf(line("lat", "h3")), '"lat" reads "lng", which has no line');
  t.is(messageOf(line("seen", "date-shift")), '"seen" reads "id", which has no line');
  t.is(messageOf(line("lat", "h3"), line("lng", "drop")), "");
});

test("only a dropped column gives nothing", (t) => {
  for (const operator of names) {
    const line = { name: "x", class: "operational", level: "C1", operator, ...operators[operator] };
    t.is(outputOf(fieldSchema.parse(line)) === "nothing", operator === "drop", operator);
  }
});
