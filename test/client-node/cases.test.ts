import test from "ava";
import { cases } from "../../bench/cases/all.ts";

test("every case of the design is here, once", (t) => {
  t.deepEqual(
    cases.map((one) => one.id),
    Array.from({ length: 22 }, (_, i) => `C${i + 1}`),
  );
});

for (const one of cases) {
  test(`${one.id}: ${one.title}`, async (t) => {
    const checks = await one.run({ scale: process.env.SLOW ? 0.2 : 0.02, paced: false });
    t.true(checks.length >= 3);
    for (const check of checks) t.true(check.holds, `${check.what}: ${check.seen}`);
  });
}
