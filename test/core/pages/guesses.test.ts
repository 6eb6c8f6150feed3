import test from "ava";
import { Guesses } from "../../../core/pages/guesses.ts";

test("who guesses waits, and a clock that is set back locks nobody out", async (t) => {
  const day = 86_400_000;
  let now = 10 * day;
  const guesses = new Guesses(() => now);
  const wrong = () => guesses.guess("10.0.0.9", async () => undefined);
  for (let i = 0; i < 5; i++) t.is(await wrong(), "wrong");
  t.is(await wrong(), "too many");
  now -= day;
  t.is(await wrong(), "wrong", "for a day it would wait otherwise");
  t.is(await wrong(), "too many");
  now += 2000;
  t.is(await wrong(), "wrong");
});
