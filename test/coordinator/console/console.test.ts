import { EventEmitter } from "node:events";
import { join } from "node:path";
import test from "ava";
import type { Browser, Page } from "playwright-core";
import { within } from "../../../bench/cases/within.ts";
import { lastMonth } from "../../../client-node/federation/statements.ts";
import type { RunningNode } from "../../../client-node/node.ts";
import type { Bank } from "../../../coordinator/bank.ts";
import { consoleApplication } from "../../../coordinator/console/console.ts";
import { backUp } from "../../../coordinator/restore.ts";
import type { Participants } from "../../../coordinator/rounds/participants.ts";
import { quotas } from "../../../coordinator/service/quotas.ts";
import { canonicalBytes, digestOf } from "../../../core/canonical.ts";
import { escapeHtml } from "../../../core/pages/html.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { studyArithmetic } from "../../../models/recompute.ts";
import { noteSigner } from "../../../privacy/log/note.ts";
import { type ScoreStatement, signScoreStatement } from "../../../privacy/log/score-statement.ts";
import { verifyExport } from "../../../privacy/log/verify.ts";
import { WireClient } from "../../../proto/client.ts";
import { refusalOf, Scores } from "../../../proto/wire.ts";
import { findChromium, startChromium } from "../../support/chromium.ts";
import { ConsoleStage, type ConsoleUser, hostile, password, type SignedIn } from "../../support/console.ts";
import { leftOut } from "../../support/left-out.ts";
import { mayChange, type Route, routesOf } from "../../support/routes.ts";
import { shown, sound, watchedTab } from "../../support/walk.ts";

let stage: ConsoleStage;
let maria: SignedIn;
let li: SignedIn;
let anna: SignedIn;
/** Of a study that nobody starts, whose every text is hostile. */
let proposed: string;
/** Of a study with a published model. */
let study: string;
let browser: Browser | undefined;
/** Whose walk goes on from test to test: a code works once. */
let officer: Awaited<ReturnType<typeof watched>> | undefined;

test.before(async () => {
  stage = await ConsoleStage.open({ models: { approvals: 2, stability: { watch: 0.1, alarm: 0.25 } } });
  maria = await stage.signIn("maria");
  li = await stage.signIn("li");
  anna = await stage.signIn("anna");
  proposed = await stage.bank.operator.propose({
    ...stage.manifest,
    name: "hostile",
    purpose: hostile,
    legalBasis: hostile,
    impactAssessment: hostile,
    label: { column: "status", bad: [hostile], good: ["0"] },
    features: [{ name: hostile, kind: "categorical", levels: [hostile] }],
    algorithms: [{ name: "range" }, { name: "bins" }],
  });
  const program = findChromium();
  if (program === undefined) leftOut("chromium: the walks through the console");
  else browser = await startChromium(program);
});

test.after.always(async () => {
  await browser?.close();
  await stage?.close();
});

/** Every route there is, as the router has them: a new one cannot be forgotten. */
const routes = ((): Route[] => {
  const bank = { config: {}, events: new EventEmitter(), clock: { now: () => 0 } } as unknown as Bank;
  const { app, close } = consoleApplication({
    bank,
    participants: {} as Participants,
    isDraining: () => false,
  });
  close();
  return routesOf(app);
})();

const reach = (path: string): string =>
  path
    .replace(":study", proposed)
    .replace(":model", "0".repeat(64))
    .replace(":enterprise", "mill")
    .replace(":case", "1")
    .replace(/:\w+/g, "none");

const open = ["/sign-in", "/language/:language", "/style.css", "/live.js", "/icon.svg"];
const changing = routes.filter((route) => mayChange(route) && !open.includes(route.path));
const pagesThere = routes.filter((route) => !mayChange(route)).map(({ path }) => path);
/** What somebody may who only reads. */
const ownAffairs = ["/sign-out", "/account/password"];

test.serial("nothing is changed without a session, its form's token, and the role", async (t) => {
  t.true(changing.length >= 15, `${changing.length} routes`);
  // What is sent below is sent as a form: no route answers another method.
  t.deepEqual([...new Set(changing.map(({ method }) => method))], ["POST"]);
  for (const { path } of changing) {
    const at = reach(path);
    t.is((await stage.post(at, { token: maria.token })).status, 401, `${path} without a session`);
    t.is((await stage.post(at, {}, maria.cookie)).status, 403, `${path} without a token`);
    t.is((await stage.post(at, { token: li.token }, maria.cookie)).status, 403, `${path}, another's token`);
    if (ownAffairs.includes(path)) continue;
    t.is((await stage.post(at, { token: anna.token }, anna.cookie)).status, 403, `${path} as auditor`);
    // The control: with all three it is the order itself that is answered.
    if (path.startsWith("/enterprises"))
      t.is((await stage.post(at, { token: li.token }, li.cookie)).status, 403, `${path} as officer`);
    else t.not((await stage.post(at, { token: li.token }, li.cookie)).status, 403, `${path} as officer`);
  }
  for (const { path } of changing.filter((one) => one.path.startsWith("/enterprises"))) {
    const { status } = await stage.post(reach(path), { token: maria.token }, maria.cookie);
    t.true([400, 404].includes(status), `${path} as operator, of an empty form: ${status}`);
  }
  const all = await stage.bank.operator.enterprises();
  t.is(all.find(({ enterprise }) => enterprise === "mill")?.standing, "member");
});

test.serial("nothing is read without a session", async (t) => {
  for (const path of pagesThere) {
    if (open.includes(path)) continue;
    const response = await stage.get(reach(path));
    t.is(response.status, 303, path);
    const at = new URL(response.headers.get("location")!, stage.url);
    t.is(at.pathname, "/sign-in", path);
    if (path !== "/") t.is(at.searchParams.get("to"), reach(path));
  }
  t.is((await stage.get("/studies", { cookie: "__Host-fedcredit=guess" })).status, 303);
  for (const path of ["/sign-in", "/style.css"]) {
    const response = await stage.get(path);
    t.is(response.status, 200);
    const policy = response.headers.get("content-security-policy") ?? "";
    t.true(policy.includes("default-src 'none'") && !policy.includes("unsafe"), policy);
    t.is(response.headers.get("cache-control"), "no-store");
  }
});

const pages = (): string[] => [
  "/studies",
  `/studies/${proposed}`,
  "/studies/new",
  "/models",
  "/enterprises",
  "/enterprises/stranger",
  "/operations",
  "/account",
];

test.serial("names and texts of others are text on every page, in both languages", async (t) => {
  for (const language of ["en", "zh-CN,zh;q=0.9"])
    for (const path of pages()) {
      const response = await stage.get(path, { cookie: maria.cookie, language });
      t.is(response.status, 200, path);
      const text = await response.text();
      t.false(text.includes("<img"), path);
      t.false(text.includes("undefined"), path);
      t.true(text.includes(`<html lang="${language.startsWith("zh") ? "zh-CN" : "en-GB"}">`), path);
    }
  t.true((await (await stage.get("/enterprises", maria)).text()).includes(escapeHtml(hostile)));
  t.true((await (await stage.get(`/studies/${proposed}`, maria)).text()).includes(escapeHtml(hostile)));
  const log = await stage.get("/log.fcexport", anna);
  t.is(log.status, 200);
  t.regex(await log.text(), /"type":"consortium.created"/);
  // What is sent back into a form, and what a refusal repeats.
  const draft = {
    token: maria.token,
    name: hostile,
    purpose: hostile,
    features: hostile,
    parameters: hostile,
  };
  const back = await stage.post("/studies/check", draft, maria.cookie);
  t.is(back.status, 400);
  const text = await back.text();
  t.true(!text.includes("<img") && text.includes(escapeHtml(hostile)));
  const token = { token: maria.token, enterprise: hostile, organisation: hostile, hours: "1" };
  const refused = await stage.post("/enterprises/token", token, maria.cookie);
  t.is(refused.status, 400);
  t.false((await refused.text()).includes("<img"));
  for (const path of ["/studies/%00", "/studies/%ff", "/models/..%2f", "/enterprises/__proto__"]) {
    const { status } = await stage.get(path, maria);
    t.true(status >= 400 && status < 500, `${path}: ${status}`);
  }
  t.is(
    (await stage.post("/studies/check", { token: maria.token, x: "y".repeat(300_000) }, maria.cookie)).status,
    413,
  );
});

test.serial(
  "a code works once, a removed user or another role ends the sessions, and wrong guesses are slowed",
  async (t) => {
    const { operator } = stage.bank;
    const code = stage.code("anna");
    const first = await stage.post("/sign-in", { user: "anna", password, code });
    t.is(first.status, 303);
    const set = first.headers.get("set-cookie")!;
    for (const part of ["__Host-", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"])
      t.true(set.includes(part), set);
    t.is((await stage.post("/sign-in", { user: "anna", password, code })).status, 401, "the same code again");
    const wrong = { user: "anna", password: `${password}!`, code: "000000" };
    t.is((await stage.post("/sign-in", wrong)).status, 401);
    t.is((await stage.post("/sign-in", { ...wrong, user: "nobody" })).status, 401);

    const cookie = set.split(";")[0]!;
    t.is(first.headers.get("location"), "/studies");
    const asked = await stage.get("/sign-in?to=%2Fcases%2F3%3Fa%3D1", { cookie });
    t.is(asked.headers.get("location"), "/cases/3?a=1", "whoever has a session goes on");
    t.regex(
      await (await stage.get("/sign-in?to=%2Fcases%2F3")).text(),
      /type="hidden" name="to" value="\/cases\/3"/,
    );
    t.regex(
      await (await stage.post("/account/password", {})).text(),
      /action="\/sign-in"/,
      "an ended session",
    );
    t.is((await stage.get("/studies", { cookie })).status, 200);
    await operator.changeRole("anna", "officer");
    t.is((await stage.get("/studies", { cookie })).status, 303, "another role");
    await operator.changeRole("anna", "auditor");
    await t.throwsAsync(operator.changeRole("anna", "owner"), { message: /no role/ });
    await t.throwsAsync(operator.addUser("li", "officer", password), { message: /already/ });
    await t.throwsAsync(operator.addUser("short", "officer", "short"), { message: /12 characters/ });
    await operator.addUser("guest", "auditor", password);
    await operator.removeUser("guest");
    await t.throwsAsync(operator.removeUser("guest"), { message: /no user/ });
    t.deepEqual(
      (await operator.users()).map(({ user, role }) => [user, role]),
      [
        ["anna", "auditor"],
        ["li", "officer"],
        ["maria", "operator"],
      ],
    );
  },
);

/** As the console's template of a scorecard has it. */
const cardStudy = {
  name: "sme-card",
  algorithms: ["range", "bins", "woe", "scorecard", "evaluate"].map((name) => ({ name })),
};

/** What a browser's console says of a form that is refused. */
const badRequest = "Failed to load resource: the server responded with a status of 400 (Bad Request)";

const watched = (width: number, language: string) => watchedTab(browser!, stage.url, width, language);

/** Signs in as somebody, with what the page shows. */
async function enter(tab: Page, user: ConsoleUser, labels = ["User", "Password", "Code"]): Promise<void> {
  await tab.goto(stage.url);
  const given = [user, password, stage.code(user)];
  for (const [i, label] of labels.entries()) await tab.getByLabel(label, { exact: true }).fill(given[i]!);
  await tab.keyboard.press("Enter");
  await tab.locator("nav").waitFor();
}

test.serial("from sign-in over a study to its published model and champion, in a browser", async (t) => {
  if (browser === undefined) {
    // Without one the study runs all the same: what follows needs its model.
    const { operator } = stage.bank;
    study = await operator.propose({ ...stage.manifest, ...cardStudy });
    await stage.consentAll(study);
    await operator.start(study);
    for await (const { phase } of operator.follow(study)) if (phase === "finished") return t.pass();
    return t.fail("the study did not finish");
  }
  officer = await watched(1280, "en-GB");
  const { tab, complaints } = officer;
  await enter(tab, "li");
  await tab.getByRole("link", { name: "Propose a study" }).click();
  await tab.getByRole("link", { name: "Scorecard" }).click();
  const fields = {
    Name: cardStudy.name,
    Purpose: "credit risk",
    "Legal basis": "contract",
    "Impact assessment": "PIA-1",
    "Days that sums and model are kept": "30",
    "Column to predict": "status",
    "Values that count as bad": "1",
    "Values that count as good": "0",
    "Columns to learn from": "income\nage\nshare\nsector: textile, trade, transport",
    "Most rows of one enterprise": "300",
    "Share of rows held out": "0",
    "Fewest organisations in a sum": "3",
    "Enterprises that may collude": "7",
  };
  for (const [label, value] of Object.entries(fields))
    await tab.getByLabel(label, { exact: true }).fill(value);
  await tab.getByRole("button", { name: "Check, and say what it costs" }).click();
  await tab.getByRole("heading", { name: "It cannot be proposed yet" }).waitFor();
  t.is(await tab.getByRole("button", { name: "Propose to all enterprises" }).count(), 0);
  await tab.getByLabel("Enterprises that may collude").fill("1");
  await tab.getByRole("button", { name: "Check, and say what it costs" }).click();
  await tab.getByRole("heading", { name: "It can be proposed" }).waitFor();
  t.regex(
    (await tab.locator("#checked").textContent()) ?? "",
    /Rounds, at most[\s\S]*Each enterprise sends[\s\S]*[kM]?B/,
  );
  t.deepEqual(await sound(tab), []);
  await tab.getByRole("button", { name: "Propose to all enterprises" }).click();
  await tab.getByRole("heading", { name: cardStudy.name }).waitFor();
  t.is(await tab.getByText("not given").count(), 3);
  study = new URL(tab.url()).pathname.split("/").at(-1)!;
  await stage.consentAll(study);
  // Said by the stream: nobody loads the page again.
  await within(
    () => "consents on the page",
    tab
      .getByText(/^given, until/)
      .nth(2)
      .waitFor(),
  );
  await tab.getByRole("button", { name: "Start" }).click();
  let seen = "";
  await within(
    () => `a finished study: ${seen}`,
    (async () => {
      for await (const now of stage.bank.operator.follow(study)) seen = JSON.stringify(now);
      await tab.getByRole("link", { name: "Results and model" }).waitFor({ timeout: 0 });
    })(),
    300,
  );
  t.deepEqual(await sound(tab), []);
  await tab.getByRole("link", { name: "Results and model" }).click();
  for (const heading of ["scorecard: scorecard", "woe: information value", "How well it scores"])
    await tab.getByRole("heading", { name: heading }).waitFor();
  t.true((await tab.locator("figure svg").count()) >= 8);
  // The check that found a problem answered with its own status.
  t.deepEqual(complaints.splice(0), [badRequest]);
});

test.serial("nobody brings a model into use alone: by page and by command", async (t) => {
  const { operator } = stage.bank;
  const { digest } = await operator.model(study);
  const order = async (what: string, { cookie, token }: SignedIn, result = "scorecard"): Promise<number> =>
    (await stage.post(`/models/${digest}/${what}`, { token, result, reason: "read its card" }, cookie))
      .status;
  const ordered = (what: string) =>
    operator.orderModel({ study, result: "", order: what, reason: "holds on the last quarter" });
  t.is(await order("promote", li), 400);
  t.is(await order("approve", li, "woe"), 404, "it scores nobody");
  t.is(await order("approve", li), 303);
  t.is(await order("approve", li), 400, "nobody counts twice");
  for (const what of ["promote", "challenge"]) {
    t.is(await order(what, li), 400);
    const error = await t.throwsAsync(ordered(what), { instanceOf: Refusal });
    t.is((error as Refusal).reason, "approval_missing" satisfies Reason);
  }
  const page = await (await stage.get(`/models/${digest}`, li)).text();
  t.regex(page, /Approved by 1 of 2 people/);
  t.notRegex(page, /Make champion|Approve its use/);
  t.regex(await (await stage.get(`/models/${digest}`, maria)).text(), /Approve its use/);
  const { models, approvalsNeeded } = await ordered("approve");
  t.is(approvalsNeeded, 2);
  t.deepEqual(
    models.map(({ result, standing, approvedBy }) => ({ result, standing, approvedBy })),
    [{ result: "scorecard", standing: "", approvedBy: ["li", "operator"] }],
  );
  const unknown = await t.throwsAsync(ordered("sell"), { instanceOf: Refusal });
  t.is((unknown as Refusal).reason, "message_malformed" satisfies Reason);
});

test.serial("a model becomes champion, in a browser", async (t) => {
  if (officer === undefined) return t.pass();
  const { tab, complaints } = officer;
  await tab.reload();
  const card = tab.locator("article").filter({ has: tab.getByRole("heading", { name: /^scorecard/ }) });
  await card.getByLabel("Reason").fill(hostile);
  await card.getByRole("button", { name: "Make champion" }).click();
  await tab.getByText("champion", { exact: true }).first().waitFor();
  t.deepEqual(await sound(tab), []);
  const model = new URL(tab.url()).pathname;
  const links = await tab.locator("main a[href$='.json'], main a[href$='.csv']").all();
  const files = await Promise.all(links.map((link) => link.getAttribute("href")));
  for (const file of files) {
    const response = await stage.get(file!, li);
    t.is(response.status, 200, file!);
    t.regex(response.headers.get("content-disposition")!, /attachment/);
  }
  t.is(files.length, 2);
  t.deepEqual(complaints.splice(0), []);
  const decide = async (order: string): Promise<number> => {
    const decision = { token: li.token, result: "scorecard", reason: "drifted" };
    return (await stage.post(`${model}/${order}`, decision, li.cookie)).status;
  };
  t.is(await decide("promote"), 400, "it is the champion already");
  t.is(await decide("roll-back"), 404, "there is no champion before it");
});

test.serial("what follows a champion is held against it, unless the bank says that it is not", async (t) => {
  const { operator } = stage.bank;
  const { digest } = await operator.model(study);
  const decision = { token: li.token, result: "scorecard", reason: "the first" };
  // In a browser it is the champion already.
  await stage.post(`/models/${digest}/promote`, decision, li.cookie);
  const next = { ...stage.manifest, ...cardStudy, name: "sme-card-2", holdout: { fraction: 0.3 } };
  const found = await operator.check(next);
  t.deepEqual(found.problems, []);
  t.true(found.notes.some((note) => note.startsWith("gate: enterprises hold scorecard against")));
  t.is(await operator.propose(next), found.study, "the digest is of the study with its gate");
  const unheld = { ...next, name: "sme-card-3", holdout: { fraction: 0 } };
  const error = await t.throwsAsync(operator.propose(unheld), { instanceOf: Refusal });
  t.is((error as Refusal).reason, "parameters_invalid" satisfies Reason);
  const without = { ...unheld, gate: "none" };
  t.is(await operator.propose(without), digestOf(canonicalBytes(without)), "as it was written");
});

/** What an enterprise would say next, as its node makes it, changed and signed by whoever. */
async function said(
  enterprise: string,
  changes: Partial<ScoreStatement> = {},
  signer = enterprise,
): Promise<string> {
  const node = stage.nodes.find((one) => one.enterprise === enterprise)!;
  const { identity } = stage.credentials.get(signer)!;
  const honest = await node.statements.make(study);
  return signScoreStatement({ ...honest, ...changes }, noteSigner(identity.name, identity.signingSeed));
}

/** Sends bytes of one's own making, as an enterprise whose node does what it likes. */
async function state(enterprise: string, note: string): Promise<number> {
  const { certificate, tlsKey, ca } = stage.credentials.get(enterprise)!;
  const keys = { certificatePem: certificate, privateKeyPem: tlsKey, authorityPem: ca };
  const wire = new WireClient(stage.bank.coordinator.address, keys);
  try {
    return (await wire.call(Scores.service.State, { note })).entry;
  } finally {
    wire.close();
  }
}

test.serial(
  "a statement is taken once, fresh, its enterprise's own, of the model in use, under consent",
  async (t) => {
    const [, mill, truck] = stage.nodes as [RunningNode, RunningNode, RunningNode];
    const refused = (work: Promise<unknown>, reason: Reason) =>
      t.throwsAsync(work, { instanceOf: Refusal, message: /./ }).then((error) => {
        t.is((error as Refusal).reason, reason, (error as Refusal).message);
      });
    await refused(mill.statements.send(study), "consent_missing");
    await refused(state("mill", await said("mill")), "consent_missing");
    await mill.statements.agree(study);
    const own = await mill.statements.make(study);
    t.is(own.result, "scorecard", "the bank's champion");
    t.true(
      own.reasons.length > 0 &&
        own.reasons.every((reason) => reason in { income: 1, age: 1, share: 1, sector: 1 }),
    );

    const day = 86_400_000;
    const changed: [Partial<ScoreStatement>, Reason][] = [
      [{ issued: Date.now() - day }, "clock_skew"],
      [{ issued: Date.now() + day }, "clock_skew"],
      [{ from: "2020-01-01", until: "2020-02-01" }, "score_mismatch"],
      [{ until: "2200-01-01" }, "score_mismatch"],
      [{ model: "0".repeat(64) }, "not_found"],
      [{ study: proposed }, "not_found"],
      [{ result: "nobody" }, "not_found"],
      [{ result: "woe" }, "not_found"],
      [{ probability: 0.001, grade: "G" }, "score_mismatch"],
      [{ grade: "Z" }, "score_mismatch"],
      [{ reasons: [hostile] }, "score_mismatch"],
      [{ enterprise: "truck" }, "signature_invalid"],
      [{ consortium: "elsewhere" }, "signature_invalid"],
    ];
    for (const [changes, reason] of changed)
      await refused(state("mill", await said("mill", changes)), reason);
    await refused(state("mill", await said("mill", {}, "truck")), "signature_invalid");
    const honest = await said("mill");
    for (const spoilt of [
      honest.replace('"scored"', '"income":7,"scored"'),
      honest.replace("fedcredit/score/v1", "fedcredit/consent/v1"),
      honest.slice(0, 40),
      "",
      "x".repeat(2_000_000),
    ])
      await t.throwsAsync(state("mill", spoilt), { instanceOf: Refusal });
    t.deepEqual(await stage.bank.operator.statements(), [], "nothing of all that was kept");

    const entry = await state("mill", honest);
    await refused(state("mill", honest), "already_exists");
    await refused(mill.statements.send(study), "already_exists");
    await refused(state("truck", honest), "signature_invalid");
    const taken = await stage.bank.operator.statements("mill");
    t.deepEqual(
      taken.map((one) => [one.entry, one.note]),
      [[entry, honest]],
    );

    await truck.statements.agree(study);
    await truck.statements.withdraw(study);
    await refused(state("truck", await said("truck")), "consent_missing");
    await truck.statements.agree(study);
    const flood = await said("truck", { grade: "Z" });
    const tries = await Promise.all(
      Array.from({ length: quotas.statementsPerHour }, () => state("truck", flood).catch(refusalOf)),
    );
    t.true(tries.some((one) => one instanceof Refusal && one.reason === "rate_limited"));
    await refused(state("truck", await said("truck")), "rate_limited");
  },
);

test.serial(
  "a change of grade becomes a case, which people decide with a reason, in a browser",
  async (t) => {
    const { bank } = stage;
    const [lathe] = stage.nodes as [RunningNode];
    await lathe.statements.agree(study);
    const month = lastMonth(Date.now());
    await lathe.statements.send(study, { month: month - 1 });
    t.deepEqual(await bank.operator.cases(), [], "a first score is no change");
    // Its rows are the same: what it says of the next month is what somebody wrote who would like a higher limit.
    const { probability } = await lathe.statements.make(study);
    const other = probability > 0.3 ? { probability: 0.005, grade: "A" } : { probability: 0.9, grade: "G" };
    await state("lathe", await said("lathe", { ...other, passed: 0.95 }));
    const [raised] = await bank.operator.cases();
    const suggestion = other.grade === "A" ? "increase" : "reduce";
    t.like(raised, { number: 1, enterprise: "lathe", cause: "grade", suggestion, decision: "" });

    const send = (order: string, fields: Record<string, string>): Promise<Response> =>
      stage.post(`/cases/1/${order}`, { token: li.token, ...fields }, li.cookie);
    t.is(
      (await send("decide", { decision: "hold", reason: "" })).status,
      400,
      "an override without a reason",
    );
    t.is((await send("decide", { decision: "double", reason: "why not" })).status, 400);
    t.is((await send("assign", { user: "anna" })).status, 400, "an auditor decides nothing");
    t.is((await send("assign", { user: "nobody" })).status, 400);
    t.is((await send("comment", { comment: "" })).status, 400);
    t.is((await send("comment", { comment: "x".repeat(2001) })).status, 400);
    t.is((await stage.post("/cases/99/comment", { token: li.token, comment: "?" }, li.cookie)).status, 404);
    await bank.operator.orderCase(1, { comment: "by the command line" });

    if (officer === undefined) {
      t.is((await send("decide", { decision: "hold", reason: hostile })).status, 303);
    } else {
      const { tab, complaints } = officer;
      await tab.getByRole("link", { name: "Cases" }).click();
      t.deepEqual(await sound(tab), []);
      await tab.getByRole("link", { name: "Case 1" }).click();
      await tab.getByRole("button", { name: "Assign" }).click();
      await tab.getByRole("cell", { name: "assigned", exact: true }).waitFor();
      await tab.getByLabel("Comment").fill(hostile);
      await tab.getByRole("button", { name: "Add the comment" }).click();
      await tab.getByText(hostile).waitFor();
      t.deepEqual(await sound(tab), []);
      await tab.getByLabel("About the limit").selectOption("hold");
      await tab.getByRole("button", { name: "Decide" }).click();
      await tab.getByText(`${suggestion} was suggested: hold needs a reason`).waitFor();
      await tab.goBack();
      await tab.getByLabel("About the limit").selectOption("hold");
      await tab.getByLabel("Reason").fill(hostile);
      await tab.getByRole("button", { name: "Decide" }).click();
      await tab.getByRole("cell", { name: "decided", exact: true }).waitFor();
      t.is(await tab.getByRole("button", { name: "Decide" }).count(), 0, "it is decided");
      // The decision that was refused answered with its own status.
      t.deepEqual(complaints, [badRequest]);
    }
    t.is((await send("comment", { comment: "too late" })).status, 400);
    const found = await bank.operator.case(1);
    t.is(found.decision, "hold");
    t.deepEqual([found.events[0]!.what, found.events.at(-1)!.what], ["raised", "decided"]);
    t.is(found.events.at(-1)!.said, hostile);

    const checks = await verifyExport(bank.operator.exportLog(), bank.logPolicy(), {
      arithmetic: studyArithmetic,
    });
    t.deepEqual(
      checks.filter(({ ok }) => !ok),
      [],
    );
  },
);

test.serial("operations says when a backup was last made and read back, or that none was", async (t) => {
  const shown = async (): Promise<string> => (await stage.get("/operations", maria)).text();
  t.regex(await shown(), /Last backup that was read back[\s\S]*none yet/);
  await backUp(stage.bank.operator, join(stage.bank.dir, "bank.fcbackup"));
  t.notRegex(await shown(), /none yet/);
});

test.serial(
  "every page there is shows what others wrote as text, in both languages, and changes nothing",
  async (t) => {
    const { operator } = stage.bank;
    const { digest } = await operator.model(study);
    const before = await operator.checkpoint();
    const targets = (path: string): string[] =>
      path.includes(":study")
        ? [proposed, study].map((one) => path.replace(":study", one))
        : [
            path
              .replace(":model", digest)
              .replace(":enterprise", "stranger")
              .replace(":case", "1")
              .replace(":language", "zh")
              .replace(/:\w+/g, "scorecard"),
          ];
    let [shownPages, told] = [0, 0];
    for (const language of ["en", "zh-CN"])
      for (const path of pagesThere.flatMap(targets)) {
        const response = await stage.get(path, { cookie: maria.cookie, language });
        t.true(response.status < 500, `${path}: ${response.status}`);
        if (!(response.headers.get("content-type") ?? "").includes("html") || response.status !== 200) {
          await response.body?.cancel();
          continue;
        }
        const text = await response.text();
        shownPages++;
        t.false(text.includes("<img") || text.includes("undefined"), path);
        if (text.includes(escapeHtml(hostile))) told++;
      }
    t.true(shownPages >= 2 * 12 && told >= 2 * 4, `${shownPages} pages, ${told} of them say it`);
    t.is(await operator.checkpoint(), before, "whoever reads changes nothing");
  },
);

test.serial("every page again on a phone, in Chinese, in the dark", async (t) => {
  if (browser === undefined) return t.pass();
  const { tab, complaints } = await watched(390, "zh-CN");
  t.teardown(() => tab.context().close());
  await tab.emulateMedia({ colorScheme: "dark" });
  await tab.goto(new URL("/sign-in", stage.url).href);
  t.deepEqual(await sound(tab), []);
  await enter(tab, "maria", ["用户", "密码", "验证码"]);
  const { digest } = await stage.bank.operator.model(study);
  // One second a page: axe looks at each kind of page once, and the width matters on all.
  for (const path of [...pages(), `/models/${digest}`, `/models/compare?a=${digest}&b=${digest}`, "/cases"]) {
    await tab.goto(new URL(path, stage.url).href);
    t.deepEqual(await shown(tab), [], path);
  }
  for (const path of [`/studies/${study}`, `/models/${digest}/card`, "/cases/1", "/enterprises/lathe"]) {
    await tab.goto(new URL(path, stage.url).href);
    t.deepEqual(await sound(tab), [], path);
  }
  await tab.getByRole("link", { name: "English" }).click();
  await tab.getByText("What it says of its own score").waitFor();
  t.deepEqual(complaints, []);
});
