import test from "ava";
import canonicalize from "canonicalize";
import fc from "fast-check";
import { utf8 } from "../../core/bytes.ts";
import { canonicalJson, isCanonical, isCanonicalText } from "../../core/canonical.ts";

const told = (text: string): boolean => isCanonicalText(text, JSON.parse(text));

test("a canonical text is told, and the same value written in any other way is not", (t) => {
  const runs = { numRuns: process.env.SLOW ? 20_000 : 500 };
  const key = fc.oneof(fc.string({ unit: "binary", maxLength: 4 }), fc.nat({ max: 12 }).map(String));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ unit: "binary" }),
      fc.constantFrom(true, null, 0, -1),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(key, tie("value"), { maxKeys: 5 }),
    ),
  }));
  t.notThrows(() =>
    fc.assert(
      fc.property(value, (any) => {
        const text = canonicalJson(any);
        const other = JSON.stringify(any);
        return told(text) && told(other) === (other === text) && !told(`${text} `);
      }),
      runs,
    ),
  );
});

for (const [what, text] of [
  ["keys out of order", '{"b":1,"a":2}'],
  ["keys out of order further in", '{"a":[{"b":1,"a":2}]}'],
  ["numbers as keys in the order of their value", '{"9":1,"10":2}'],
  ["a key twice", '{"a":1,"a":2}'],
  ["minus zero", "[-0]"],
  ["a number of another form", "[1.0]"],
  ["a number out of range", "[1e999]"],
  ["an escape that is not needed", '["\\u0061"]'],
  ["a lone surrogate", '["\\ud800"]'],
  ["a lone surrogate in a key", '{"\\udfff":1}'],
  ["a space", '{"a": 1}'],
] as const)
  test(`not canonical: ${what}`, (t) => t.false(told(text)));

test("canonical: numbers as keys by their text, escapes that look like surrogates, names of every object", (t) => {
  for (const text of ['{"10":2,"9":1}', '["\\\\ud800"]', '{"__proto__":1,"constructor":2}', '["\u{1f600}"]'])
    t.true(told(text), text);
});

test("bytes that are not UTF-8 are canonical of nothing, though their text reads alike", (t) => {
  const text = '["\ufffd"]';
  t.true(isCanonical(utf8(text), [text.slice(2, 3)]));
  t.false(isCanonical(Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d), ["\ufffd"]));
});

test("what is written fast is what the reference writes, and what it refuses is refused", (t) => {
  const key = fc.oneof(
    fc.string({ unit: "binary", maxLength: 3 }),
    fc.nat({ max: 12 }).map(String),
    fc.constantFrom("__proto__", "toJSON", "length"),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.oneof(fc.double(), fc.integer(), fc.constant(-0)),
      fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\ud800", "a\udfff", "\\ud800")),
      fc.constantFrom(
        true,
        null,
        undefined,
        new Date(0),
        Uint8Array.of(1, 2),
        new Map([[1, 2]]),
        Symbol("a"),
        () => "toJSON",
      ),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(key, tie("value"), { maxKeys: 5, noNullPrototype: false }),
    ),
  }));
  const outcome = (write: (any: unknown) => string | undefined, any: unknown): string => {
    try {
      return write(any) ?? "none";
    } catch {
      return "none";
    }
  };
  t.notThrows(() =>
    fc.assert(
      fc.property(value, (any) => outcome(canonicalJson, any) === outcome(canonicalize, any)),
      { numRuns: process.env.SLOW ? 20_000 : 1000 },
    ),
  );
});
