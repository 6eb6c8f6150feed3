import test from "ava";
import { studyArithmetic } from "../../../models/recompute.ts";
import type { Entry } from "../../../privacy/log/entry.ts";
import { verifyExport } from "../../../privacy/log/verify.ts";
import { ConsoleStage } from "../../support/console.ts";

test("a model published beyond the bank's threshold raises one case, which people assign and decide", async (t) => {
  // So low that every column has shifted; what nobody looked at has not.
  const stability = { watch: 1e-9, alarm: 1e-8 };
  const stage = await ConsoleStage.open(
    { models: { approvals: 0, stability } },
    undefined,
    (row) => row % 3 === 0,
  );
  t.teardown(() => stage.close());
  const { operator } = stage.bank;
  const publish = async (name: string, algorithms: readonly string[]): Promise<string> => {
    const study = await operator.propose({
      ...stage.manifest,
      ...{ name, holdout: { fraction: 0.3 }, algorithms: algorithms.map((one) => ({ name: one })) },
    });
    await stage.consentAll(study);
    await operator.start(study);
    let last = "";
    for await (const { phase } of operator.follow(study)) last = phase;
    t.is(last, "finished");
    return (await operator.model(study)).digest;
  };
  await publish("not-looked", ["range"]);
  t.deepEqual(await operator.cases(), []);
  const model = await publish("quarterly", ["range", "bins", "drift"]);
  const [raised, ...others] = await operator.cases();
  t.deepEqual(others, [], "one, however many columns have shifted");
  t.like(raised, { number: 1, enterprise: "", model, cause: "shift", suggestion: "review", decision: "" });
  const entries: Entry[] = [];
  const auditor = stage.bank.auditor();
  t.teardown(() => auditor.close());
  const seen = await auditor.witness(undefined, Date.now());
  for await (const [index, entry] of auditor.entries(0, seen.size, seen)) entries[index] = entry;
  const entry = entries.find(({ type }) => type === "case.raised");
  t.true(entry?.type === "case.raised" && entry.model === model && entry.enterprise === undefined);
  const cause = entry?.type === "case.raised" ? entries[entry.entry] : undefined;
  t.true(cause?.type === "model.published" && cause.model === model);

  const { cookie, token } = await stage.signIn("li");
  for (const [language, caption] of [
    ["en", "shifted model"],
    ["zh-CN", "模型偏移"],
  ] as const)
    for (const path of ["/cases", "/cases/1"]) {
      const page = await (await stage.get(path, { cookie, language })).text();
      t.true(page.includes(caption) && page.includes(`href="/models/${model}">quarterly</a>`), path);
      t.false(page.includes("undefined"), path);
    }
  t.regex(await (await stage.get("/cases/1", { cookie })).text(), /CSI \w+ \d\.\d\d/);
  const order = async (what: string, fields: Record<string, string>): Promise<number> =>
    (await stage.post(`/cases/1/${what}`, { token, ...fields }, cookie)).status;
  t.is(await order("assign", { user: "li" }), 303);
  t.is(await order("decide", { decision: "hold" }), 400, "an override needs a reason");
  t.is(await order("decide", { decision: "hold", reason: "a season, as every year" }), 303);
  t.like(await operator.case(1), { assignedTo: "li", decision: "hold" });

  // The next model that has shifted is another breach.
  const next = await publish("next-quarter", ["range", "bins", "drift"]);
  t.like((await operator.cases())[0], { number: 2, model: next, decision: "" });
  const checks = await verifyExport(operator.exportLog(), stage.bank.logPolicy(), {
    arithmetic: studyArithmetic,
  });
  t.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
});
