import { copyFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import {
  type GuideName,
  type GuideRun,
  type GuideStep,
  guideNames,
  namedBlocks,
  parseGuide,
  runGuides,
} from "../support/guides.ts";

const docs = join(import.meta.dirname, "../../docs");
const enterprises = ["mill", "bakery", "foundry", "dairy"];

/** Longest wait for a step: a dozen commands, or a study. */
const stepMillis = 300_000;

const textOf = (guide: GuideName): Promise<string> => readFile(join(docs, `${guide}.md`), "utf8");

const allSteps = async (changed: (text: string) => string = (text) => text): Promise<GuideStep[]> =>
  (
    await Promise.all(guideNames.map(async (guide) => parseGuide(guide, changed(await textOf(guide)))))
  ).flat();

test("the three guides, run as they stand, lead from nothing to a model and a verified export", async (t) => {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await using cleanUp = new AsyncDisposableStack();
  const guides = await runGuides(await allSteps(), enterprises, folder, cleanUp, (step) =>
    t.timeout(stepMillis, `step ${step} of the guides`),
  );
  const { home, printed, seconds } = guides;

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
  t.timeout(stepMillis, "docs/operating.md");
  await operate(t, guides);
});

/** The commands of docs/operating.md, on the consortium that the guides have founded. */
async function operate(t: ExecutionContext, { home, run, start, stop }: GuideRun): Promise<void> {
  const blocks = namedBlocks(await readFile(join(docs, "operating.md"), "utf8"));
  const as = (side: string, name: string): Promise<string> =>
    run(blocks.get(name)!, `docs/operating.md, ${name}`, side, side === "bank" ? "mill" : side);
  const hand = (file: string, from: string, to: string): Promise<void> =>
    copyFile(join(home(from), file), join(home(to), file));

  await as("bank", "renew token");
  await hand("mill.token", "bank", "mill");
  t.regex(await as("mill", "renew enrol"), /enrolled as mill/);
  await as("bank", "renew auditor");
  await copyFile(join(home("bank"), "auditor.pem"), join(home("auditor"), "auditor", "auditor.pem"));
  t.regex(await as("bank", "renew operator"), /renewed until/);
  t.regex(await as("bank", "add operator"), /sme-default-90: finished/);
  await as("bank", "remove operator");
  await t.throwsAsync(
    run("fedcredit coordinator status --config maria/coordinator.yaml", "a removed operator", "bank"),
    { message: /certificate_invalid/ },
  );
  t.regex(await as("mill", "withdraw"), /withdrew from sme-default-90/);
  await stop("mill");
  t.regex(await as("mill", "enterprise backup"), /mill-backup: \d+ files/);
  t.regex(await as("mill", "enterprise restore"), /restored as of/);
  const again =
    "sed s/sme-default-90/again/ study.yaml > again.yaml\nfedcredit coordinator propose again.yaml --config bank/coordinator.yaml";
  await run(again, "a second study", "bank");
  const stopping = blocks.get("stop study")!.replace("sme-default-90", "again");
  t.regex(await run(stopping, "docs/operating.md, stop study", "bank"), /again: stopped/);
  t.regex(await as("bank", "prune"), /\d+ old checkpoints removed/);
  t.notRegex(await as("bank", "remove member"), /mill/);
  const list = "fedcredit coordinator enterprise list --config bank/coordinator.yaml";
  t.regex(await run(list, "who stands how", "bank"), /mill: removed/);

  await stop("bank");
  await as("bank", "bank backup");
  await rm(join(home("bank"), "bank"), { recursive: true });
  await as("bank", "bank restore");
  await start("bank", "bank");
  // The certificate that was renewed is taken, and the log goes on where the auditor saw it last.
  await run("fedcredit audit watch --once --dir auditor --coordinator 127.0.0.1:8443", "a look", "auditor");
  t.deepEqual([...blocks.keys()].sort(), [...operated].sort());
}

/** `move database` needs two PostgreSQL servers and their tools. */
const operated = [
  ...["renew token", "renew enrol", "renew auditor", "withdraw", "stop study", "prune", "remove member"],
  ...["renew operator", "add operator", "remove operator"],
  ...["bank backup", "bank restore", "enterprise backup", "enterprise restore", "move database"],
];

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
