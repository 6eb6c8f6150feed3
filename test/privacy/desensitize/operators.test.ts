import test from "ava";
import fc from "fast-check";
import { Refusal } from "../../../core/reasons.ts";
import { keyedDigest, purposeKeys } from "../../../privacy/desensitize/keys.ts";
import {
  binMiddle,
  decryptFormatPreserving,
  encryptFormatPreserving,
  maskText,
  pseudonym,
  topBottomCode,
} from "../../../privacy/desensitize/operators.ts";
import { readVectors } from "../../support/vectors.ts";

const vectors = readVectors("desensitize.json") as {
  readonly pseudonym: {
    readonly root: string;
    readonly purpose: string;
    readonly rotationDays: number;
    readonly nowMillis: number;
    readonly key: string;
    readonly field: string;
    readonly value: string;
    readonly pseudonym: string;
  };
};
const hex = (text: string): Uint8Array => Buffer.from(text, "hex");
const key = hex("00".repeat(32));

test("a pseudonym and its key are those of the vector", (t) => {
  const { root, purpose, rotationDays, nowMillis, ...expected } = vectors.pseudonym;
  const derived = purposeKeys(hex(root), purpose, nowMillis).key("pseudonym", rotationDays);
  t.is(Buffer.from(derived).toString("hex"), expected.key);
  t.is(pseudonym(expected.value, expected.field, derived), expected.pseudonym);
});

test("pseudonyms are joined within a field, a purpose and a period only", (t) => {
  const root = hex("11".repeat(32));
  const day = 86_400_000;
  const of = (purpose: string, nowMillis: number, field = "id", value = "A1", days = 30): string =>
    pseudonym(value, field, purposeKeys(root, purpose, nowMillis).key("pseudonym", days));
  const here = of("credit", 0);
  t.is(of("credit", 30 * day - 1), here);
  const others = [
    of("credit", 30 * day),
    of("marketing", 0),
    of("credit", 0, "other"),
    of("credit", 0, "id", "A2"),
    of("credit", 0, "id", "A1", 31),
  ];
  t.is(new Set([here, ...others]).size, 6);
  t.throws(() => purposeKeys(hex("11"), "credit", 0), { instanceOf: RangeError });
});

test("the parts of a keyed digest do not run into each other", (t) => {
  t.notDeepEqual(keyedDigest(key, "ab", "c"), keyedDigest(key, "a", "bc"));
});

// NIST SP 800-38G, "FF1 samples": AES-128, AES-192, AES-256.
const nistKeys = [
  "2B7E151628AED2A6ABF7158809CF4F3C",
  "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F",
  "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94",
];
const decimal = "0123456789";
const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyz";
const samples: [
  alphabet: string,
  plain: string,
  tweak: string,
  ciphers: readonly [string, string, string],
][] = [
  [decimal, "0123456789", "", ["2433477484", "2830668132", "6657667009"]],
  [decimal, "0123456789", "39383736353433323130", ["6124200773", "2496655549", "1001623463"]],
  [
    alphanumeric,
    "0123456789abcdefghi",
    "3737373770717273373737",
    ["a9tv40mll9kdu509eum", "xbj3kv35jrawxv32ysr", "xs8a0azh2avyalyzuwd"],
  ],
];
for (const [i, [alphabet, plain, tweak, ciphers]] of samples.entries())
  test(`FF1 sample ${i + 1} with keys of 128, 192 and 256 bits`, (t) => {
    for (const [j, cipher] of ciphers.entries()) {
      const nistKey = hex(nistKeys[j]!);
      t.is(encryptFormatPreserving(plain, alphabet, nistKey, hex(tweak)), cipher);
      t.is(decryptFormatPreserving(cipher, alphabet, nistKey, hex(tweak)), plain);
    }
  });

test("format-preserving keeps length and alphabet, and comes back", (t) => {
  const text = (alphabet: string) =>
    fc
      .array(fc.constantFrom(...alphabet), { minLength: 6, maxLength: 24 })
      .map((characters) => ({ alphabet, plain: characters.join("") }));
  fc.assert(
    fc.property(
      fc.oneof(text(decimal), text(alphanumeric), text("京沪粤苏浙鲁豫川ABCDEF0123456789")),
      ({ alphabet, plain }) => {
        const cipher = encryptFormatPreserving(plain, alphabet, key, hex("01"));
        t.is([...cipher].length, [...plain].length);
        t.true([...cipher].every((character) => alphabet.includes(character)));
        t.is(decryptFormatPreserving(cipher, alphabet, key, hex("01")), plain);
      },
    ),
    { numRuns: 60 },
  );
});

const unfit: [string, string, string, RegExp][] = [
  ["five digits", "12345", decimal, /fewer than 1,000,000/],
  ["nothing", "", decimal, /fewer than 1,000,000/],
  ["19 bits", "1".repeat(19), "01", /fewer than 1,000,000/],
  ["another character", "123-45678", decimal, /outside the alphabet/],
];
for (const [name, value, alphabet, message] of unfit)
  test(`format-preserving of ${name} is refused, without the value`, (t) => {
    const error = t.throws(() => encryptFormatPreserving(value, alphabet, key, hex("")), {
      instanceOf: Refusal,
    });
    t.is(error?.reason, "cell_malformed");
    t.regex(error!.message, message);
    t.false(value !== "" && error!.message.includes(value));
  });

test("a domain of exactly 1,000,000 is enough", (t) => {
  t.is(encryptFormatPreserving("123456", decimal, key, hex("")).length, 6);
  t.is(encryptFormatPreserving("1".repeat(20), "01", key, hex("")).length, 20);
});

test("a mask shows no more than it was told to, and nothing of a short value", (t) => {
  t.is(maskText("13812345678", 3, 4), "138****5678");
  t.is(maskText("粤B12345", 2, 0), "粤B*****");
  t.is(maskText("1234567", 3, 4), "*******");
  t.is(maskText("", 1, 1), "");
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{0,20}$/), fc.nat(8), fc.nat(8), (value, first, last) => {
      const masked = maskText(value, first, last);
      const shown = masked.replaceAll("*", "").length;
      return (
        masked.length === value.length &&
        (shown === first + last || shown === 0) &&
        shown < Math.max(1, value.length)
      );
    }),
  );
});

test("a bin's middle is half a width away at most, and the same for all of the bin", (t) => {
  t.is(binMiddle(37, 0, 10), 35);
  t.is(binMiddle(40, 0, 10), 45);
  t.is(binMiddle(-0.1, 0, 10), -5);
  t.is(binMiddle(0.31, 0.05, 0.1), 0.05 + 2.5 * 0.1);
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: -100, max: 100, noNaN: true }),
      fc.double({ min: 0.01, max: 1000, noNaN: true }),
      (x, origin, width) => {
        const middle = binMiddle(x, origin, width);
        return (
          Math.abs(x - middle) <= (width / 2) * (1 + 1e-6) && binMiddle(middle, origin, width) === middle
        );
      },
    ),
  );
});

test("top and bottom are coded, and what is between stays", (t) => {
  t.deepEqual(
    [-5, 1, 3.25, 9, 1e9].map((x) => topBottomCode(x, 1, 9)),
    [1, 1, 3.25, 9, 9],
  );
});
