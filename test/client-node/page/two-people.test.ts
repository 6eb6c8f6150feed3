import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { storeApproved } from "../../../client-node/ledger/approvals.ts";
import { storeConsent } from "../../../client-node/ledger/records.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { startNode } from "../../../client-node/node.ts";
import { readPeople, removePassword, writePassword } from "../../../client-node/page/access.ts";
import { Approvals } from "../../../client-node/page/approvals.ts";
import { approvedOnly, policyAt, policyDigest } from "../../../client-node/policy.ts";
import { secureRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { findChromium, startChromium } from "../../support/chromium.ts";
import { leftOut } from "../../support/left-out.ts";
import { openPage, passwordFileIn, policyIn, study } from "../../support/page.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";
import { sound, watchedTab } from "../../support/walk.ts";

const cost = { N: 1024, r: 8, p: 1 };
const manifest = { ...studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }]), name: "sme" };
const byTwo = { ...policyFor(manifest), people: 2 };
const passwordOf = (name: string): string => `correct horse ${name}`;

test("a decision by two needs two names, of the same thing, within a week", (t) => {
  let now = 0;
  const approvals = new Approvals(() => now);
  t.deepEqual(approvals.decide("consent", "", 1), []);
  t.deepEqual(approvals.decide("consent", "anna", 1), ["anna"]);
  t.throws(() => approvals.decide("consent", "", 2), { instanceOf: Refusal, message: /no name/ });
  t.is(approvals.decide("consent", "anna", 2), undefined);
  t.is(approvals.decide("consent", "anna", 2), undefined, "nobody is two");
  t.is(approvals.size, 1);
  t.deepEqual(approvals.decide("consent", "bo", 2), ["anna", "bo"]);
  t.is(approvals.decide("policy", "anna", 2, "this"), undefined);
  t.is(approvals.decide("policy", "bo", 2, "that"), undefined, "another text waits anew");
  t.deepEqual(approvals.decide("policy", "anna", 2, "that"), ["bo", "anna"]);
  now = 7 * 86_400_000;
  t.is(approvals.decide("policy", "anna", 2, "that"), undefined, "a week is over");
  approvals.forget("policy");
  t.is(approvals.size, 0);
});

test("a policy that asks for two is in force once two approved it, and nobody alone replaces it in the file", async (t) => {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true }));
  const db = openStore(":memory:");
  t.teardown(() => db.close());
  const file = join(folder, "policy.yaml");
  policyIn(folder, byTwo);
  const read = policyAt(file);
  const inForce = approvedOnly(db, read);
  const refused = (what: string) =>
    t.is(t.throws(inForce, { instanceOf: Refusal })?.reason, "policy_refuses", what);
  refused("never approved");
  storeApproved(db, { digest: policyDigest(read()), people: 2 });
  t.is(inForce().people, 2);
  const text = await readFile(file, "utf8");
  await writeFile(file, `${text}# a comment is no change\n`);
  t.notThrows(inForce);
  await writeFile(file, text.replace("minCohort: ", "minCohort: 1"));
  refused("edited");
  await writeFile(file, text.replace(/^people: 2\n/m, ""));
  refused("that two are asked for is taken out");
  await writeFile(file, text);
  t.notThrows(inForce);
  // One that two approved and that asks for one ends it.
  storeApproved(db, { digest: "cd".repeat(32), people: 1 });
  await writeFile(file, text.replace(/^people: 2\n/m, ""));
  t.notThrows(inForce);
});

test("passwords have names, each its own; the last one is not removed", async (t) => {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true }));
  const file = passwordFileIn(folder);
  for (const name of ["", "anna", "bo"])
    await writePassword(file, passwordOf(name), secureRandom, cost, name);
  await writePassword(file, passwordOf("another"), secureRandom, cost, "bo");
  const people = readPeople(file);
  t.deepEqual([...people.keys()], ["", "anna", "bo"]);
  t.true(await people.get("bo")!(passwordOf("another")));
  t.false(await people.get("anna")!(passwordOf("another")));
  await t.throwsAsync(writePassword(file, passwordOf("x"), secureRandom, cost, "Bo Li"), {
    message: /no name/,
  });
  for (const name of ["", "anna"]) removePassword(file, name);
  t.throws(() => removePassword(file, "anna"), { message: /nobody called/ });
  t.throws(() => removePassword(file, "bo"), { message: /nobody could sign in/ });
});

test("on the page a consent and a change of the policy wait for a second person, and the ledger names both", async (t) => {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true }));
  for (const name of ["", "anna", "bo"])
    await writePassword(passwordFileIn(folder), passwordOf(name), secureRandom, cost, name);
  const { policyFile, policy } = policyIn(folder, byTwo);
  const db = openStore(join(folder, "ledger.db"));
  t.teardown(() => db.close());
  const consented: unknown[] = [];
  const page = await openPage(
    folder,
    undefined,
    {},
    {
      policyFile,
      policy: approvedOnly(db, policy),
      decisions: {
        consent: async (of: string, by: readonly string[]) => void consented.push([of, by]),
      } as never,
    },
  );
  t.teardown(() => page.stop());
  const post = (path: string, fields: Record<string, string>, cookie = ""): Promise<Response> =>
    fetch(new URL(path, page.url), {
      method: "POST",
      redirect: "manual",
      headers: { cookie },
      body: new URLSearchParams(fields),
    });
  const get = async (path: string, cookie: string): Promise<string> =>
    (await fetch(new URL(path, page.url), { headers: { cookie } })).text();
  const signIn = async (name: string): Promise<string> =>
    (await post("/login", { name, password: passwordOf(name) })).headers.get("set-cookie")!.split(";")[0]!;
  t.is((await post("/login", { name: "anna", password: passwordOf("bo") })).status, 401);
  t.is((await post("/login", { name: "eve", password: passwordOf("bo") })).status, 401);
  const [nobody, anna, bo] = [await signIn(""), await signIn("anna"), await signIn("bo")];
  const tokens = new Map<string, string>();
  for (const cookie of [nobody, anna, bo])
    tokens.set(cookie, /name="token" value="([0-9a-f]{64})"/.exec(await get("/policy", cookie))![1]!);
  t.is(new Set(tokens.values()).size, 3);
  const order = (path: string, fields: Record<string, string>, cookie: string) =>
    post(path, { token: tokens.get(cookie)!, ...fields }, cookie);
  const consent = (cookie: string) => order(`/studies/${study}/consent`, {}, cookie);

  t.is((await consent(anna)).status, 400, "the policy was not approved by anybody");
  // As it stands, by two.
  const { text, digest: base } = policyFile.read();
  const write = (cookie: string, to = text) => order("/policy/write", { base, text: to }, cookie);
  t.regex(await (await order("/policy/effect", { text }, anna)).text(), /Write it to policy.yaml/);
  t.is((await write(nobody)).status, 400);
  t.is((await write(anna)).status, 303);
  t.is((await write(anna)).status, 303);
  t.is((await consent(anna)).status, 400);
  t.regex(await get("/policy/waiting", bo), /Two people have to write it[\s\S]*Write it to policy.yaml/);
  t.is((await write(bo)).status, 303);

  t.is((await consent(nobody)).status, 400);
  t.is((await consent(anna)).status, 303);
  t.is((await consent(anna)).status, 303);
  t.deepEqual(consented, []);
  t.is((await order(`/studies/${study}/consent/decline`, {}, bo)).status, 303);
  t.is((await consent(bo)).status, 303);
  t.deepEqual(consented, [], "what was taken off is decided anew");
  t.is((await consent(anna)).status, 303);
  t.deepEqual(consented, [[study, ["bo", "anna"]]]);

  // Nobody alone takes it out again.
  const alone = text.replace(/^people: 2\n/m, "");
  t.is((await write(anna, alone)).status, 303);
  t.is(policyFile.read().text, text);
  t.is((await write(bo, alone)).status, 303);
  t.is(policyFile.read().text, alone);
  const entries = db
    .prepare(
      "SELECT CAST(body AS TEXT) AS body FROM entry WHERE body LIKE '%policy.changed%' ORDER BY position",
    )
    .all()
    .map(({ body }) => JSON.parse(String(body)));
  t.deepEqual(
    entries.map(({ version, by }) => [version, by]),
    [
      [1, ["anna", "bo"]],
      [2, ["anna", "bo"]],
    ],
  );
});

test("two people in two browsers: what one decides, the same one cannot decide again, and the other can", async (t) => {
  const program = findChromium();
  if (program === undefined) {
    leftOut("chromium: two people decide on the enterprise's page");
    return t.pass();
  }
  await using cleanUp = new AsyncDisposableStack();
  const browser = await startChromium(program);
  cleanUp.defer(() => browser.close());
  const folder = await temporaryDirectory();
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  for (const name of ["anna", "bo"])
    await writePassword(passwordFileIn(folder), passwordOf(name), secureRandom, cost, name);
  const { policyFile, policy } = policyIn(folder, byTwo);
  const db = openStore(join(folder, "ledger.db"));
  cleanUp.defer(() => db.close());
  storeApproved(db, { digest: policyDigest(policy()), people: 2 });
  const consented: unknown[] = [];
  const consentTo = (withdrawn: boolean): void =>
    storeConsent(db, { study, manifest: "", expiresMillis: 2e12, withdrawn });
  const page = await openPage(
    folder,
    undefined,
    {},
    {
      ...{ policyFile, policy: approvedOnly(db, policy) },
      decisions: {
        consent: async (of: string, by: readonly string[]) => {
          consented.push([of, by]);
          consentTo(false);
        },
      } as never,
    },
  );
  cleanUp.defer(() => page.stop());
  consentTo(true);
  const enter = async (name: string, width: number, language: string, labels: readonly string[]) => {
    const watched = await watchedTab(browser, page.url, width, language);
    await watched.tab.goto(page.url);
    await watched.tab.getByLabel(labels[0]!, { exact: true }).fill(name);
    await watched.tab.getByLabel(labels[1]!, { exact: true }).fill(passwordOf(name));
    await watched.tab.keyboard.press("Enter");
    await watched.tab.locator("nav").waitFor();
    return watched;
  };
  const anna = await enter("anna", 1280, "en-GB", ["Name", "Password"]);
  const bo = await enter("bo", 390, "zh-CN", ["姓名", "密码"]);
  const at = (path: string): string => new URL(path, page.url).href;

  await anna.tab.goto(at("/studies"));
  await anna.tab.getByRole("button", { name: "Consent, as a whole" }).click();
  await anna.tab.getByText("Decided by anna; it waits for a second person.").waitFor();
  t.deepEqual(await sound(anna.tab), []);
  // Nothing is left for her to press but to take it off, and loading it again changes nothing.
  await anna.tab.reload();
  const left = anna.tab.locator(`form[action^="/studies/${study}/consent"] button`);
  t.deepEqual(await left.allTextContents(), ["Take it off"]);
  t.deepEqual(consented, []);
  await bo.tab.goto(at("/"));
  t.regex(
    (await bo.tab.locator("main").textContent()) ?? "",
    /第二人/,
    "the first view says that something waits",
  );
  await bo.tab.goto(at("/studies"));
  await bo.tab.getByText("anna 已决定；等待第二人。").waitFor();
  t.deepEqual(await sound(bo.tab), []);
  await bo.tab.getByRole("button", { name: "作为第二人同样决定" }).click();
  await bo.tab.getByText("同意有效").waitFor();
  t.deepEqual(consented, [[study, ["anna", "bo"]]]);
  await anna.tab.reload();
  await anna.tab.getByText("Consent in force").waitFor();

  // The other way round, with the policy: what waits is shown to its author without a button.
  const before = policyFile.read().text;
  await bo.tab.goto(at("/policy"));
  await bo.tab.getByLabel("发布的总和至少包含的法人数").fill("5");
  await bo.tab.getByRole("button", { name: "显示其效果" }).first().click();
  await bo.tab.getByRole("button", { name: "写入 policy.yaml" }).click();
  await bo.tab.getByRole("link", { name: "查看其效果" }).click();
  await bo.tab.getByText("bo 已决定；等待第二人。").waitFor();
  t.is(await bo.tab.getByRole("button", { name: "写入 policy.yaml" }).count(), 0);
  t.deepEqual(await sound(bo.tab), []);
  t.is(policyFile.read().text, before);
  await anna.tab.goto(at("/policy"));
  await anna.tab.getByRole("link", { name: "See what it would do" }).click();
  await anna.tab.getByText("+ minCohort: 5").waitFor();
  t.deepEqual(await sound(anna.tab), []);
  await anna.tab.getByRole("button", { name: "Write it to policy.yaml" }).click();
  await anna.tab.waitForURL(at("/policy"));
  t.is(policyFile.read().text, before.replace(/^minCohort: .*$/m, "minCohort: 5"));
  t.deepEqual([...anna.complaints, ...bo.complaints], []);
});

test("a node whose policy asks for two consents to nothing that two have not decided", async (t) => {
  await using cleanUp = new AsyncDisposableStack();
  const bank = await LocalBank.start();
  cleanUp.defer(() => bank.stop());
  const bfv = await openBfv();
  cleanUp.defer(() => bfv.close());
  const folder = await temporaryDirectory();
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const credentials = (await bank.enrolAll(["mill", "lathe", "truck"])).get("mill")!;
  const ledger = join(folder, "ledger.db");
  const { policy } = policyIn(folder, byTwo);
  const db = openStore(ledger);
  cleanUp.defer(() => db.close());
  const mill = await startNode({
    ...{ credentials, coordinator: bank.coordinator.address, policy, ledger, bfv, random: secureRandom },
    ...{ rows: async () => borrowers(), statistics: new DirectStatistics(secureRandom), now: Date.now },
    onEvent() {},
  });
  cleanUp.defer(() => mill.stop().catch(() => {}));
  const proposed = await bank.operator.propose(manifest);
  const reasonOf = async (by?: readonly string[]) =>
    (await t.throwsAsync(mill.consent(proposed, by), { instanceOf: Refusal }))?.message;
  t.regex((await reasonOf(["anna", "bo"])) ?? "", /was not approved by two people/);
  storeApproved(db, { digest: policyDigest(policy()), people: 2 });
  for (const by of [undefined, ["anna"], ["anna", "anna"]])
    t.regex((await reasonOf(by)) ?? "", /two have not decided/);
  await mill.consent(proposed, ["bo", "anna"]);
  const [entry] = db
    .prepare("SELECT CAST(body AS TEXT) AS body FROM entry WHERE body LIKE '%study.consented%'")
    .all();
  t.deepEqual(JSON.parse(String(entry!.body)).by, ["anna", "bo"]);
});
