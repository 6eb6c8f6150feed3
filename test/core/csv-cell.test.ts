import test from "ava";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { csvCell } from "../../core/csv-cell.ts";

test("no text that is written begins a formula, and numbers stay as they are", (t) => {
  for (const text of ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", '="a",b']) {
    const [[cell]] = parse(csvCell(text), { relax_column_count: true }) as [[string]];
    t.is(cell, `'${text}`);
  }
  for (const text of ["-5", "+5", "-1.5e3", "", "a=b", "A-1", "账户"]) t.is(csvCell(text), text);
  t.is(csvCell(-0.25), "-0.25");
});

test("every other text is read back as it was", (t) => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
      const [[cell, after]] = parse(`${csvCell(text)},end`) as [[string, string]];
      t.is(after, "end");
      t.true(cell === text || cell === `'${text}`);
    }),
  );
});
