import test from "ava";
import { findStudy, idPattern } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";

test("a study is found by its name or by the beginning of its digest", (t) => {
  const study = (name: string, digest: string) => ({ name, study: digest.repeat(8) });
  const studies = [
    study("a", "11112222"),
    study("b", "33334444"),
    study("c", "33334445"),
    study("c", "55556666"),
  ];
  t.is(findStudy(studies, "a"), studies[0]!);
  t.is(findStudy(studies, "33334445"), studies[2]!);
  for (const wanted of ["d", "3333444", "c", "1111"]) {
    const refusal = t.throws(() => findStudy(studies, wanted), { instanceOf: Refusal }, wanted);
    t.is(refusal?.reason, "not_found", wanted);
  }
});

test("an id is what a command line, a certificate and a log take alike", (t) => {
  for (const id of ["a", "mill", "3m", "cold-chain", "a".repeat(63)]) t.regex(id, idPattern);
  for (const id of ["", "-mill", "Mill", "mill ", "mi/ll", "mill\n", "a".repeat(64), "mühle"])
    t.notRegex(id, idPattern);
});
