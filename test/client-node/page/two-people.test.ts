import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { storeApproved } from "../../../client-node/ledger/approvals.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { startNode } from "../../../client-node/node.ts";
import { readPeople, removePassword, writePassword } from "../../../client-node/page/access.ts";
import { Approvals } from "../../../client-node/page/approvals.ts";
import { approvedOnly, policyAt, policyDigest } from "../../../client-node/policy.ts";
import { secureRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { openPage, passwordFileIn, policyIn, study } from "../../support/page.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";

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
  const token = /name="token" value="([0-9a-f]{64})"/.exec(await get("/policy", anna))![1]!;
  const consent = (cookie: string) => post(`/studies/${study}/consent`, { token }, cookie);

  t.is((await consent(anna)).status, 400, "the policy was not approved by anybody");
  // As it stands, by two.
  const { text, digest: base } = policyFile.read();
  const write = (cookie: string, to = text) => post("/policy/write", { token, base, text: to }, cookie);
  t.regex(await (await post("/policy/effect", { token, text }, anna)).text(), /Write it to policy.yaml/);
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
  t.is((await post(`/studies/${study}/consent/decline`, { token }, bo)).status, 303);
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
