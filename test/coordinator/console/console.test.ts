import { EventEmitter } from "node:events";
import test from "ava";
import type { Bank } from "../../../coordinator/bank.ts";
import { consoleApplication } from "../../../coordinator/console/console.ts";
import type { Participants } from "../../../coordinator/rounds/participants.ts";
import { escapeHtml } from "../../../core/pages/html.ts";
import { ConsoleStage, hostile, password, type SignedIn } from "../../support/console.ts";

let stage: ConsoleStage;
let maria: SignedIn;
let li: SignedIn;
let anna: SignedIn;
/** Of a study that nobody starts, whose every text is hostile. */
let proposed: string;

test.before(async () => {
  stage = await ConsoleStage.open();
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
  });
});

test.after.always(async () => {
  await stage?.close();
});

/** Every route there is, as the router has them: a new one cannot be forgotten. */
const routes = ((): { path: string; method: "get" | "post" }[] => {
  const bank = { events: new EventEmitter(), clock: { now: () => 0 } } as unknown as Bank;
  const { app, close } = consoleApplication({
    bank,
    participants: {} as Participants,
    isDraining: () => false,
  });
  close();
  return app.router.stack.flatMap(({ route }) =>
    route === undefined
      ? []
      : route.stack.map(({ method }) => ({ path: route.path, method: method as "get" | "post" })),
  );
})();

const reach = (path: string): string =>
  path
    .replace(":study", proposed)
    .replace(":model", "0".repeat(64))
    .replace(":enterprise", "mill")
    .replace(/:\w+/g, "none");

const open = ["/sign-in", "/language/:language", "/style.css", "/live.js", "/icon.svg"];
const changing = routes.filter(({ path, method }) => method !== "get" && !open.includes(path));
/** What somebody may who only reads. */
const ownAffairs = ["/sign-out", "/account/password"];

test.serial("nothing is changed without a session, its form's token, and the role", async (t) => {
  t.true(changing.length >= 15, `${changing.length} routes`);
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
  for (const { path, method } of routes) {
    if (method !== "get" || open.includes(path)) continue;
    const response = await stage.get(reach(path));
    t.is(response.status, 303, path);
    t.is(response.headers.get("location"), "/sign-in");
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
