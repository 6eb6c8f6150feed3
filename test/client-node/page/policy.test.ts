import { chmod, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { stringify } from "yaml";
import { eventsToCome } from "../../../client-node/ledger/budget.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { writePassword } from "../../../client-node/page/access.ts";
import { chineseErrors, inChinese } from "../../../client-node/page/chinese-faults.ts";
import { effectParts } from "../../../client-node/page/policy.ts";
import { policyEffect } from "../../../client-node/page/policy-effect.ts";
import type { KnownStudy } from "../../../client-node/page/studies.ts";
import { type Policy, policySchema } from "../../../client-node/policy.ts";
import { escapeHtml, html } from "../../../core/pages/html.ts";
import { secureRandom } from "../../../core/random.ts";
import { yamlFaults } from "../../../core/yaml.ts";
import { studyEvents } from "../../../models/study-loop.ts";
import { epsilonOf } from "../../../privacy/noise/accountant.ts";
import { policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { withNoise } from "../../support/algorithms.ts";
import { localeIn, openPage, passwordFileIn } from "../../support/page.ts";
import { borrowerFeatures, studyOf } from "../../support/rows.ts";

const secret = "correct horse battery";
const manifest = { ...studyOf(borrowerFeatures, [{ name: "summary" }]), name: "sme" };
const allowing = policyFor(manifest);
const now = 1000;

/** A study that the enterprise consented to, or did not. */
function effectsOf(before: Policy | undefined, after: Policy, consented: boolean, phase = "running") {
  const db = openStore(":memory:");
  const study: KnownStudy = { study: "ab", name: "sme", manifest, phase, algorithm: "", round: 0 };
  const consent = { study: "ab", manifest: "", expiresMillis: now + 1, withdrawn: false };
  const consents = new Map(consented ? [["ab", consent]] : []);
  const effect = policyEffect(before, after, { studies: [study], consents }, db, now);
  db.close();
  return effect;
}

test("what becomes of a study under another policy, by what the one before let it do", (t) => {
  const forbidding = { ...allowing, allow: { ...allowing.allow, algorithms: ["range"] } };
  const become = (before: Policy | undefined, after: Policy, consented: boolean): string =>
    effectsOf(before, after, consented).studies[0]!.becomes;
  t.is(become(allowing, forbidding, true), "stops");
  t.is(become(allowing, forbidding, false), "refused");
  t.is(become(forbidding, forbidding, true), "stays refused");
  t.is(become(forbidding, allowing, true), "allowed");
  t.is(become(undefined, allowing, true), "allowed", "what cannot be read lets nothing run");
  t.is(become(allowing, { ...allowing, consentDays: 1 }, true), "goes on");
  t.is(become(allowing, { ...allowing, consentDays: 1 }, false), "stays allowed");
  t.deepEqual(effectsOf(allowing, forbidding, true).studies[0]!.forbidden, [
    { what: "algorithm", name: "summary" },
  ]);
  t.deepEqual(effectsOf(allowing, forbidding, true, "finished").studies, [], "what is over is not concerned");
  // No sum more without noise over the table: the study ends although nothing of it is forbidden.
  const spent = { ...allowing, exactSums: { ...allowing.exactSums, perTable: 0 } };
  t.is(become(allowing, spent, true), "stops");
  const { scores: _, ...silent } = { ...spent, minRows: allowing.minRows + 1 };
  const { tables, rowsChange, scores, warnings } = effectsOf(allowing, silent, true);
  t.like(tables[0], { table: "rows", perTable: 0, exactSums: 0 });
  t.deepEqual([rowsChange, scores, warnings], [true, "end", undefined]);
});

test("what a study with noise may still cost, of what a policy would leave, and whether that is enough", (t) => {
  const noisy = withNoise(manifest, 30);
  const of = (lifetime: number) => ({ ...policyFor(noisy), maxEpsilon: { lifetime, delta: 1e-6 } });
  const db = openStore(":memory:");
  t.teardown(() => db.close());
  const study: KnownStudy = {
    study: "ab",
    name: "sme",
    manifest: noisy,
    phase: "proposed",
    algorithm: "",
    round: 0,
  };
  const effectOf = (after: Policy, consented: boolean) => {
    const consent = { study: "ab", manifest: "", expiresMillis: now + 1, withdrawn: false };
    const consents = new Map(consented ? [["ab", consent]] : []);
    return policyEffect(of(100), after, { studies: [study], consents }, db, now).studies[0]!;
  };
  const whole = epsilonOf(studyEvents(noisy), 1e-6);
  t.deepEqual(effectOf(of(100), false).cost, { delta: 1e-6, lifetime: 100, spent: 0, after: whole });
  t.is(effectOf(of(whole), false).becomes, "stays allowed", "to the last of it");
  // As the consent would be refused.
  const short = effectOf(of(whole * 0.99), false);
  t.deepEqual([short.becomes, short.forbidden], ["refused", [{ what: "cost", lifetime: whole * 0.99 }]]);
  // Who agreed goes on until a sum does not fit, and sees that one will not.
  const agreed = effectOf(of(whole * 0.99), true);
  t.deepEqual([agreed.becomes, agreed.forbidden], ["goes on", []]);
  t.true(agreed.cost!.after > agreed.cost!.lifetime);
  t.is(effectOf(allowing, false).cost?.delta, allowing.maxEpsilon.delta);
  const { delta: _, ...uncounted } = of(1).maxEpsilon;
  t.is(effectOf({ ...of(1), maxEpsilon: uncounted }, false).cost, undefined, "without δ nobody can say");

  // Sums that were charged are not to come.
  const [event] = studyEvents(noisy);
  const charge = db.prepare("INSERT INTO spend VALUES (?, ?, ?, NULL, 'rows', ?, ?)");
  const two = { ...noisy, algorithms: [{ name: "summary" }, { name: "range" }] };
  const planned = studyEvents(two);
  t.is(eventsToCome(db, "ab", planned).length, 2);
  charge.run("r1", "ab", 1, 1, JSON.stringify({ ...event, count: 1 }));
  t.deepEqual(eventsToCome(db, "ab", planned), planned.slice(1));
  t.deepEqual(eventsToCome(db, "cd", planned), planned);
  const done = effectOf(of(100), true).cost!;
  t.is(done.after, done.spent, "all of it is spent");

  const shown = (after: Policy, consented = true): string =>
    String(
      html`${effectParts({ ...policyEffect(of(100), after, { studies: [], consents: new Map() }, db, now), studies: [effectOf(after, consented)] }, localeIn("en"))}`
        .text,
    );
  t.notRegex(shown(of(100)), /does not fit/);
  charge.run("r2", "cd", 1, 2, JSON.stringify({ ...event, count: 1 }));
  db.prepare("DELETE FROM spend WHERE study = 'ab'").run();
  t.regex(shown(of(whole)), /up to [\d.]+ of the 0 that are left: <span class="warning">it does not fit/);
});

test("what is wrong with a policy is said in Chinese words, whatever it is", (t) => {
  const base = { ...policyFor(manifest), anonymity: undefined };
  const field = { name: "a", class: "operational", level: "C1", operator: "keep" };
  const bad: object[] = [
    { minCohort: "four" },
    { minCohort: 1 },
    { minCohort: 2.5 },
    { minCohort: undefined },
    { minCohort: null },
    { maxEpsilon: 3 },
    { maxEpsilon: { lifetime: 0, delta: 2 } },
    { allow: { algorithms: "all", purposes: [""] } },
    { unprotected: ["nothing"] },
    { scores: { send: true } },
    { people: 3 },
    { extra: 1 },
    { fields: [{ ...field, class: "sensitive" }] },
    { fields: [{ ...field, level: "C3" }] },
    { fields: [field, field] },
    { fields: [{ ...field, operator: "shuffle" }] },
    { fields: [{ ...field, operator: "top-bottom-code", low: 2, high: 1 }] },
    { fields: [{ ...field, class: "quasi", operator: "bins", origin: 0, width: 1 }] },
    { fields: [{ ...field, name: "x".repeat(300) }] },
    { tables: { "Bad Name": {} } },
    { warnings: { purpose: "p", leastSeverity: "alarm", period: "day", keepDays: 1, until: "soon" } },
    {
      warnings: {
        purpose: "p",
        leastSeverity: "alarm",
        period: "day",
        keepDays: 1,
        until: "2030-01-01",
        types: [],
        places: { a: "<" },
      },
    },
  ];
  for (const change of bad) {
    const faults = yamlFaults(stringify({ ...base, ...change }), policySchema, chineseErrors);
    t.true(faults.length > 0, JSON.stringify(change));
    for (const { message } of faults) {
      const said = inChinese(message);
      t.regex(said, /\p{Script=Han}/u, said);
      // What stands in a policy is quoted, or in parentheses.
      const words = said.replaceAll(/“[^”]*”|（[^）]*）|C3|low|high/g, "");
      t.notRegex(words, /[A-Za-z]{3}/, `${JSON.stringify(change)}: ${said}`);
    }
  }
});

async function openEditor(t: ExecutionContext) {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true }));
  await writePassword(passwordFileIn(folder), secret, secureRandom, { N: 1024, r: 8, p: 1 });
  const page = await openPage(folder, undefined);
  t.teardown(() => page.stop());
  const post = (
    path: string,
    fields: Record<string, string>,
    cookie = "",
    language = "en",
  ): Promise<Response> =>
    fetch(new URL(path, page.url), {
      method: "POST",
      redirect: "manual",
      headers: { cookie, "accept-language": language },
      body: new URLSearchParams(fields),
    });
  const cookie = (await post("/login", { password: secret })).headers.get("set-cookie")!.split(";")[0]!;
  const get = async (path: string): Promise<string> =>
    (await fetch(new URL(path, page.url), { headers: { cookie } })).text();
  const token = /name="token" value="([0-9a-f]{64})"/.exec(await get("/policy"))![1]!;
  return { file: join(folder, "policy.yaml"), post, get, cookie, token };
}

const baseIn = (text: string): string => /name="base" value="([0-9a-f]{64})"/.exec(text)![1]!;

test("a policy is written as a whole after its effect was shown, with its comments, as readable as it was", async (t) => {
  const { file, post, cookie, token } = await openEditor(t);
  await chmod(file, 0o640);
  const before = await readFile(file, "utf8");
  const text = before.replace("- evaluate\n", "# not this one: - evaluate\n");
  t.not(text, before);
  for (const path of ["/policy/effect", "/policy/write"]) {
    t.is((await post(path, { token, text })).status, 401, `${path} without a session`);
    t.is((await post(path, { text }, cookie)).status, 403, `${path} without the form's token`);
  }
  const shown = await post("/policy/effect", { token, text }, cookie);
  t.is(shown.status, 200);
  const page = await shown.text();
  t.regex(page, /Nothing was written yet/);
  t.is(await readFile(file, "utf8"), before);
  const base = baseIn(page);
  // Somebody else was faster.
  await writeFile(file, `${before}# mine\n`);
  t.is((await post("/policy/write", { token, text, base }, cookie)).status, 400);
  t.is(await readFile(file, "utf8"), `${before}# mine\n`);
  await writeFile(file, before);
  // As a browser sends it.
  const sent = { token, base, text: text.replaceAll("\n", "\r\n") };
  t.is((await post("/policy/write", sent, cookie)).status, 303);
  t.is(await readFile(file, "utf8"), text);
  t.is((await stat(file)).mode & 0o777, 0o640);
});

test("what is no policy is refused with everything that is wrong, in the reader's language, and shown as text", async (t) => {
  const { file, post, cookie, token } = await openEditor(t);
  const before = await readFile(file, "utf8");
  const text = `${before.replace(/^minCohort: .*$/m, "minCohort: 1").replace(/^consentDays: .*$/m, "consentDays: never")}\n"<img src=x>": 1\n`;
  const page = await (await post("/policy/effect", { token, text }, cookie)).text();
  for (const part of ["<code>minCohort</code>", "<code>consentDays</code>", escapeHtml('"<img src=x>"')])
    t.true(page.includes(part), part);
  t.false(page.includes("<img"));
  const chinese = await (await post("/policy/effect", { token, text }, cookie, "zh")).text();
  t.regex(chinese, /<code>minCohort<\/code><\/td><td><span class="long">[^<]*\p{Script=Han}/u);
  const noYaml = await (await post("/policy/effect", { token, text: "a: [\nb: }" }, cookie)).text();
  t.regex(noYaml, /not YAML/);
  t.is((await post("/policy/write", { token, text, base: "00" }, cookie)).status, 400);
  t.is(await readFile(file, "utf8"), before);
});

test("the usual choices change their own lines and no other", async (t) => {
  const { file, post, get, cookie, token } = await openEditor(t);
  const before = await readFile(file, "utf8");
  const form = await get("/policy");
  const fields: Record<string, string> = { token };
  for (const [, name, value] of form.matchAll(/<input id="(\w+)"[^>]* value="([^"]*)"/g))
    fields[name!] = value!;
  for (const [, name, value] of form.matchAll(/name="(\w+)"><option value="(\w+)"/g))
    fields[name!] ??= value!;
  const lists = new URLSearchParams({
    ...fields,
    cohortChange: allowing.exactSums.cohortChange,
    scores: allowing.scores!.send,
    purposes: allowing.allow.purposes.join("\r\n"),
    ...(allowing.unprotected.includes("noise") ? { noise: "yes" } : {}),
    minCohort: "4",
  });
  for (const [, name] of form.matchAll(/name="algorithm" value="([\w-]+)" checked/g))
    lists.append("algorithm", name!);
  const response = await fetch(new URL("/policy/effect", (await post("/policy", {})).url), {
    method: "POST",
    headers: { cookie },
    body: lists,
  });
  const page = await response.text();
  const changed = /<pre>([^<]*)<\/pre>/.exec(page)![1]!;
  t.is(changed, `− minCohort: ${allowing.minCohort}\n+ minCohort: 4`);
  t.true(page.includes("# What the board decided."));
  t.is(await readFile(file, "utf8"), before);
});
