import test from "ava";
import { eventually, within } from "../../bench/cases/within.ts";

test("a wait that comes to nothing says for what, and how far things came", async (t) => {
  let seen = 0;
  const never = new Promise<void>(() => {});
  const waiting = within(() => `3 readings (${seen} came)`, never, 0.05);
  seen = 2;
  await t.throwsAsync(waiting, { message: "waited 0.05 s for 3 readings (2 came)" });
  await t.throwsAsync(
    eventually(
      () => false,
      () => "the broker",
      0.05,
    ),
    { message: "waited 0.05 s for the broker" },
  );
});

test("a wait that is over hands on what came, a failure too", async (t) => {
  t.is(await within(() => "an answer", Promise.resolve(7)), 7);
  await t.throwsAsync(
    within(() => "an answer", Promise.reject(new Error("refused"))),
    { message: "refused" },
  );
  let looks = 0;
  await eventually(() => ++looks === 3);
  t.is(looks, 3);
});
