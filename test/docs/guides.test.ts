import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { type GuideName, type GuideStep, guideNames, parseGuide, runGuides } from "../support/guides.ts";

const docs = join(import.meta.dirname, "../../docs");
const enterprises = ["mill", "bakery", "foundry", "dairy"];

const textOf = (guide: GuideName): Promise<string> => readFile(join(docs, `${guide}.md`), "utf8");

const allSteps = async (changed: (text: string) => string = (text) => text): Promise<GuideStep[]> =>
  (
    await Promise.all(guideNames.map(async (guide) => parseGuide(guide, changed(await textOf(guide)))))
  ).flat();

test("the three guides, run as they stand, lead from nothing to a model and a verified export", async (t) => {
  t.timeout(300_000, "a command of a guide, or a node that should say that it is connected");
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await using cleanUp = new AsyncDisposableStack();
  const { home, printed, seconds } = await runGuides(await allSteps(), enterprises, folder, cleanUp);

  t.regex(
    printed.get("auditor 9")!,
    /roster 1 of riverbank\n( {2}\w+ {2}\w+ Ltd {2}([0-9a-f]{4} ?){16}\n){4}/,
  );
  t.regex(printed.get("bank 12")!, /sme-default-90: finished; 4 consented/);
  const model = JSON.parse(await readFile(join(home("bank"), "model.json"), "utf8"));
  t.true(model.results.logistic.coefficients.operating_rate < -1, "the made-up rows' own weight is -4");
  t.true(model.results.evaluate.models.logistic.auc > 0.6);
  for (const id of enterprises)
    t.deepEqual(JSON.parse(await readFile(join(home(id), `${id}-model.json`), "utf8")), model);
  const checks = printed.get("auditor 15")!;
  t.notRegex(checks, /^FAIL/m);
  t.regex(checks, /^ok/m);
  t.log(
    `after npm ci: first model ${seconds.get(12)!.toFixed(0)} s, verified export ${seconds.get(15)!.toFixed(0)} s`,
  );
  t.log(`ended at, s: ${[...seconds].map(([step, at]) => `${step}: ${at.toFixed(0)}`).join(", ")}`);
});

test("a command of a guide that no longer works is named, with what it said", async (t) => {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await using cleanUp = new AsyncDisposableStack();
  const broken = await allSteps((text) => text.replace("--quorum 1 \\", "--quora 1 \\"));
  await t.throwsAsync(runGuides(broken, enterprises, folder, cleanUp), {
    message:
      /^docs\/bank\.md, step 2, line \d+, as bank: exit code 2\n[\s\S]*coordinator init[\s\S]*required option '--quorum <n>'/,
  });
});

test("the guides install alike, and every step is in exactly one of them", async (t) => {
  const steps = await allSteps();
  const installing = steps.filter(({ step }) => step === 0);
  t.is(installing.length, 3);
  t.is(new Set(installing.map((one) => (one as { script?: string }).script)).size, 1);
  const byNumber = Map.groupBy(steps, ({ step }) => step);
  byNumber.delete(0);
  t.deepEqual(
    [...byNumber.keys()].sort((a, b) => a - b),
    Array.from({ length: 15 }, (_, i) => i + 1),
  );
  for (const [number, of] of byNumber) t.is(new Set(of.map(({ guide }) => guide)).size, 1, `step ${number}`);
});
