import test from "ava";
import { numeric, shortNumber, textTable } from "../../core/text-table.ts";

test("numbers stand under their heading's end, Chinese names take the room of two letters, and nothing moves the cursor", (t) => {
  t.deepEqual(
    textTable(
      ["column", numeric("mean")],
      [
        ["用电量", "1.5"],
        ["a\u001b[2J\nb", "-10.25"],
      ],
    ),
    ["  column       mean", "  用电量        1.5", "  a\ufffd[2J\ufffdb  -10.25"],
  );
});

test("a long cell makes its own line long, and a table may have very many rows", (t) => {
  const long = "x".repeat(300);
  const [heading, first, second] = textTable(
    ["column", numeric("n")],
    [
      [long, "1"],
      ["y", "2"],
    ],
  );
  t.is(heading!.length, 2 + 60 + 2 + 1);
  t.is(first, `  ${long}  1`);
  t.is(second!.length, heading!.length);
  t.is(
    textTable(
      ["n"],
      Array.from({ length: 300_000 }, () => ["1"]),
    ).length,
    300_001,
  );
});

test("numbers are short, but whole ones are whole", (t) => {
  const written = [0.123456789, -1234567.5, 1234567, 1e300, 9.717024604291166e23, 0].map(shortNumber);
  t.deepEqual(written, ["0.123457", "-1234570", "1234567", "1e+300", "9.71702e+23", "0"]);
});
