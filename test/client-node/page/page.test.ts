import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import type { Browser } from "playwright-core";
import { rememberManifest } from "../../../client-node/ledger/records.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import type { Operations } from "../../../client-node/operations/operations.ts";
import { openWarning } from "../../../client-node/operations/warnings/warning.ts";
import { Sessions, writePassword } from "../../../client-node/page/access.ts";
import type { Decisions } from "../../../client-node/page/decisions.ts";
import type { RunningPage } from "../../../client-node/page/page.ts";
import { escapeHtml, html } from "../../../core/pages/html.ts";
import { secureRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import type { ScoreStatement } from "../../../privacy/log/score-statement.ts";
import { findChromium, startChromium } from "../../support/chromium.ts";
import { leftOut } from "../../support/left-out.ts";
import { openPage, passwordFileIn, previewOf, study, view } from "../../support/page.ts";
import { crowded, history, hostileDevice, openPlant, type Plant, until } from "../../support/plant.ts";
import { mayChange, type Route } from "../../support/routes.ts";
import { sound, watchedTab } from "../../support/walk.ts";

const paths = [
  "",
  "quality",
  "features",
  "warnings",
  "egress",
  "egress/3",
  "studies",
  "policy",
  "budget",
  "model",
  "nowhere",
];
/** A hash that is quick to compute. */
const lightCost = { N: 2 ** 10, r: 8, p: 1 };
const secret = "correct horse battery";

let plant: Plant;
let operations: Operations;
let page: RunningPage;
let browser: Browser | undefined;

test.before(async () => {
  plant = await openPlant();
  operations = await plant.start({ sites: crowded(plant.sites) });
  const lines = [...history()];
  await plant.export("history", lines);
  await until(operations, () => (operations.collectors()[1]?.health.readings ?? 0) >= lines.length);
  plant.press.vibration = 7;
  await until(operations, () => operations.findings.countWarnings().open > 0);
  await operations.refresh();
  // Forty stoppages that ended.
  const long = plant.now() * 1000 - 9e9;
  for (let i = 0; i < 40; i++)
    operations.findings.recordWarning({
      ...openWarning({
        ...{ type: "stoppage", severity: "notice", site: "hall-1", device: `${hostileDevice} ${i}` },
        ...{ onset: long, detected: long, explanation: "works again", numbers: { hours: 0 } },
      }),
      closed: long + 1,
    });
  page = await openPage(plant.folder, operations, { now: plant.now });
  const program = findChromium();
  if (program === undefined) leftOut("chromium: page tests");
  else browser = await startChromium(program);
});

test.after.always(async () => {
  await browser?.close();
  await page?.stop();
  await operations?.stop();
  await plant?.close();
});

const textOf = async (path: string): Promise<string> => (await fetch(new URL(path, page.url))).text();

// Before the others: one of them changes what the press reports.
test.serial(
  "every page is whole HTML over plain HTTP, with nothing that only a script would fill in",
  async (t) => {
    for (const path of paths) {
      const response = await fetch(new URL(path, page.url));
      t.is(response.status, path === "nowhere" ? 404 : 200, path);
      const text = await response.text();
      t.regex(text, /^<!doctype html>/);
      t.true(text.includes("</html>"), path);
      const policy = response.headers.get("content-security-policy") ?? "";
      t.true(policy.includes("default-src 'none'") && !policy.includes("unsafe"), policy);
      t.is(response.headers.get("cache-control"), "no-store");
    }
    t.regex(await textOf("/"), /12\.5 kW/);
    t.regex(await textOf("/warnings"), /operating rate 3\d %, usually 75 %/);
    t.regex(await textOf("/features"), /<svg[^>]*aria-hidden/);
    t.regex(await textOf("/quality"), /meter-1/);
    t.regex(await textOf("/budget"), /released without noise/);
    t.regex(await textOf("/model"), /own rows by score/);
    t.regex(await textOf("/egress/3"), /The proof holds/);
    t.regex(await textOf("/studies"), /Consent in force/);
  },
);

/** What somebody reads, without what was named, typed or said elsewhere. */
const readText = (page: string): string =>
  page
    .replace(/^[\s\S]*<body/, "<body")
    .replace(/<(code|pre|option|svg)\b[^>]*>[\s\S]*?<\/\1>/g, " ")
    .replace(/<(\w+)[^>]* lang="en"[^>]*>[\s\S]*?<\/\1>/g, " ")
    .replaceAll(/<a href="\/language[\s\S]*?<\/a>/g, " ")
    .replace(/<[^>]*>/g, "|")
    .replace(/fedcredit node [a-z-]+/g, " ");

test("in Chinese every page is Chinese, and a choice outlasts the browser's language", async (t) => {
  const get = async (path: string, headers: Record<string, string>): Promise<string> =>
    (await fetch(new URL(path, page.url), { headers, redirect: "manual" })).text();
  for (const path of paths) {
    const text = await get(path, { "accept-language": "zh-CN,en;q=0.5" });
    t.regex(text, /<html lang="zh-CN">/, path);
    t.deepEqual(readText(text).match(/[a-z]{3,} [a-z]{2,} [a-z]{2,}/g), null, path);
  }
  const chosen = await fetch(new URL("/language/en", page.url), {
    redirect: "manual",
    headers: { "accept-language": "zh-CN", referer: new URL("/warnings", page.url).href },
  });
  t.is(chosen.headers.get("location"), "/warnings");
  const cookie = chosen.headers.get("set-cookie")!.split(";")[0]!;
  t.regex(await get("/warnings", { "accept-language": "zh-CN", cookie }), /<html lang="en-GB">/);
  t.regex(await get("/warnings", { "accept-language": "zh-CN" }), /开工率 3\d\.\d%，通常 75\.\d%/);
});

test("what a device calls itself is text and never markup", async (t) => {
  for (const path of paths) t.false((await textOf(path)).includes("<img"), path);
  t.true((await textOf("/")).includes(escapeHtml(hostileDevice)));
  t.is(
    html`<a title="${`"'<>&`}">${["<b>", html`<i>${1}</i>`, undefined, false]}</a>`.text,
    `<a title="&quot;&#39;&lt;&gt;&amp;">&lt;b&gt;<i>1</i></a>`,
  );
});

test("a local page answers to this machine's names only", async (t) => {
  const { port } = new URL(page.url);
  const statusFor = (host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request({ host: "127.0.0.1", port, headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
  t.is(await statusFor(`localhost:${port}`), 200);
  t.is(await statusFor(`bank.example:${port}`), 421);
  t.is(await statusFor(`127.0.0.1.bank.example:${port}`), 421);
});

test("where others can reach the page it asks for the password, and without one it does not start", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-page-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const open = (listen: string): Promise<RunningPage> => openPage(folder, undefined, { listen });
  const refused = await t.throwsAsync(open("0.0.0.0:0"), { instanceOf: Refusal });
  t.is(refused?.reason, "config_invalid");
  t.regex(refused!.hint, /node password/);

  const file = passwordFileIn(folder);
  const short = await t.throwsAsync(writePassword(file, "short", secureRandom, lightCost), {
    instanceOf: Refusal,
  });
  t.is(short?.reason, "parameters_invalid");
  await writePassword(file, secret, secureRandom, lightCost);
  t.is((await stat(file)).mode & 0o777, 0o600);

  const guarded = await open("0.0.0.0:0");
  t.teardown(() => guarded.stop());
  const at = (path: string): string => `http://127.0.0.1:${new URL(guarded.url).port}${path}`;
  const get = (path: string, cookie = ""): Promise<Response> =>
    fetch(at(path), { redirect: "manual", headers: { cookie, accept: "text/html" } });
  const login = (password: string): Promise<Response> =>
    fetch(at("/login"), { method: "POST", redirect: "manual", body: new URLSearchParams({ password }) });

  for (const path of ["/", "/egress", "/model"]) {
    const response = await get(path);
    t.is(response.status, 303);
    t.is(response.headers.get("location"), path === "/" ? "/login" : `/login?to=${encodeURIComponent(path)}`);
  }
  t.is((await get("/live")).status, 401);
  t.is((await get("/", "fedcredit=guess")).status, 303);
  t.is((await login("wrong horse battery")).status, 401);
  const welcome = await login(secret);
  t.is(welcome.status, 303);
  const set = welcome.headers.get("set-cookie")!;
  for (const part of ["HttpOnly", "SameSite=Strict", "Path=/"]) t.true(set.includes(part), set);
  const cookie = set.split(";")[0]!;
  t.is((await get("/egress", cookie)).status, 200);
  const token = tokenIn(await (await get("/egress", cookie)).text());
  const leave = (fields: Record<string, string>): Promise<Response> =>
    fetch(at("/logout"), {
      ...{ method: "POST", redirect: "manual", headers: { cookie } },
      body: new URLSearchParams(fields),
    });
  t.is((await leave({})).status, 403, "nobody elsewhere ends a session");
  t.is((await leave({ token })).status, 303);
  t.is((await get("/egress", cookie)).status, 303, "the session is over, whoever still has its cookie");
});

const tokenIn = (text: string): string => /name="token" value="([0-9a-f]{64})"/.exec(text)![1]!;

/** Decisions that say what was decided, and a statement whose every text is markup. */
function decisionsInto(decided: string[]): Decisions {
  const statement: ScoreStatement = {
    ...{ consortium: "riverbank", enterprise: "mill", study, model: "ab".repeat(32), result: hostileDevice },
    ...{ from: "2026-10-01", until: "2026-11-01", issued: 0, probability: 0.1234, grade: hostileDevice },
    ...{ reasons: [hostileDevice], scored: 1, passed: 0.92 },
  };
  const note = (what: string) => async () => void decided.push(what);
  return {
    consent: note("consent"),
    withdraw: note("withdraw"),
    keep: () => void decided.push("keep"),
    preview: async () => previewOf(hostileDevice, { before: hostileDevice, after: hostileDevice }),
    statements: {
      agree: async () => note("agree")().then(() => ({ expiresMillis: 2e12 })),
      withdraw: note("say nothing"),
      make: async () => statement,
      send: async () => note("send")().then(() => statement),
    },
  };
}

/** Of the routes that nobody signs in for. */
const open = ["/login", "/language/:language", "/style.css", "/live.js", "/icon.svg"];

test("no route there is changes anything without a session and its own form, and none reads without a session", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-page-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const decided: string[] = [];
  const decisions = decisionsInto(decided);
  const unguarded = await openPage(folder, undefined, {}, { decisions });
  t.teardown(() => unguarded.stop());
  t.deepEqual(unguarded.routes().filter(mayChange), [], "without a password nobody decides");

  await writePassword(passwordFileIn(folder), secret, secureRandom, lightCost);
  const guarded = await openPage(folder, undefined, {}, { decisions });
  t.teardown(() => guarded.stop());
  const reach = (path: string): string =>
    path.replace(":study", study).replace(":position", "0").replace(/:\w+/g, "none");
  const ask = (method: string, path: string, fields: Record<string, string> = {}, cookie = "") =>
    fetch(new URL(reach(path), guarded.url), {
      ...{ method, redirect: "manual", headers: { cookie, accept: "text/html" } },
      ...(method === "GET" ? {} : { body: new URLSearchParams(fields) }),
    });
  const signIn = async (): Promise<string> =>
    (await ask("POST", "/login", { password: secret })).headers.get("set-cookie")!.split(";")[0]!;
  const [own, other] = [await signIn(), await signIn()];
  const token = async (cookie: string): Promise<string> =>
    tokenIn(await (await ask("GET", "/studies", {}, cookie)).text());
  const [mine, others] = [await token(own), await token(other)];
  const policy = await readFile(join(folder, "policy.yaml"), "utf8");
  const [changing, reading] = [true, false].map((changes) =>
    guarded.routes().filter((route) => mayChange(route) === changes && !open.includes(route.path)),
  ) as [Route[], Route[]];
  t.true(changing.length >= 12 && reading.length >= 12, `${changing.length} and ${reading.length} routes`);
  for (const { path, method } of changing) {
    t.is((await ask(method, path, { token: mine })).status, 401, `${path} without a session`);
    t.is((await ask(method, path, {}, own)).status, 403, `${path} without a token`);
    t.is((await ask(method, path, { token: others }, own)).status, 403, `${path}, another session's token`);
  }
  for (const { path, method } of reading) {
    const { status } = await ask(method, path);
    t.is(status, path === "/live" ? 401 : 303, `${path} without a session`);
    const response = await ask(method, path, {}, own);
    // What nobody has to see yet leads elsewhere.
    t.is(response.status, path === "/policy/waiting" ? 303 : 200, path);
    await response.body?.cancel();
  }
  t.deepEqual(decided, []);
  // The control: with both it is the order itself that is answered.
  for (const { path, method } of changing.toSorted(
    (a, b) => Number(a.path === "/logout") - Number(b.path === "/logout"),
  ))
    t.true([303, 200, 400].includes((await ask(method, path, { token: mine }, own)).status), path);
  t.deepEqual(decided.toSorted(), ["agree", "consent", "keep", "say nothing", "send", "withdraw"]);
  t.is(await readFile(join(folder, "policy.yaml"), "utf8"), policy);
  t.is((await ask("GET", "/studies", {}, own)).status, 303, "signed out");
});

test("what bank, devices and people wrote is text on every page there is, in both languages", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-page-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await writePassword(passwordFileIn(folder), secret, secureRandom, lightCost);
  const { manifest } = view;
  const foul = {
    ...manifest,
    ...{ purpose: hostileDevice, legalBasis: hostileDevice, impactAssessment: hostileDevice },
    label: { ...manifest.label, column: hostileDevice, bad: [hostileDevice] },
    features: [...manifest.features, { name: hostileDevice, kind: "numeric" as const }],
  };
  const known = openStore(join(folder, "ledger.db"));
  const open = await openPage(
    folder,
    operations,
    { now: plant.now, enterprise: hostileDevice },
    {
      studies: async () => [
        { ...view, manifest: foul, phase: "failed", algorithm: hostileDevice, reason: hostileDevice },
        { ...view, study: "ef".repeat(32), manifest: foul, phase: "proposed" },
      ],
      decisions: decisionsInto([]),
      coordinator: hostileDevice,
    },
  );
  t.teardown(() => open.stop());
  rememberManifest(known, study, JSON.stringify(foul));
  known.close();
  const login = await fetch(new URL("/login", open.url), {
    ...{ method: "POST", redirect: "manual" as const },
    body: new URLSearchParams({ password: secret }),
  });
  const cookie = login.headers.get("set-cookie")!.split(";")[0]!;
  let told = 0;
  for (const language of ["en", "zh-CN"])
    for (const { path } of open.routes().filter((route) => !mayChange(route))) {
      const at = path.replace(":study", study).replace(":position", "0").replace(":language", "en");
      const response = await fetch(new URL(at, open.url), {
        headers: { cookie, accept: "text/html", "accept-language": language },
        redirect: "manual",
      });
      if (!(response.headers.get("content-type") ?? "").includes("html")) {
        await response.body?.cancel();
        continue;
      }
      const text = await response.text();
      t.false(text.includes("<img") || text.includes("undefined"), path);
      if (text.replace("</title>", "").split(escapeHtml(hostileDevice)).length > 2) told++;
    }
  // Every page says the enterprise's name, so that each has been tried.
  t.true(told >= 2 * 12, `${told} pages`);
});

test("what is decided on the page needs its password and its own form, and a refusal is shown", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-page-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const decided: string[] = [];
  const statement: ScoreStatement = {
    ...{ consortium: "riverbank", enterprise: "mill", study, model: "ab".repeat(32), result: "logistic" },
    ...{ from: "2026-10-01", until: "2026-11-01", issued: 0, probability: 0.1234, grade: "E" },
    ...{ reasons: ["<img src=x>"], scored: 1, passed: 0.92 },
  };
  const note = (what: string) => async (of: string) => void decided.push(`${what} ${of === study}`);
  const decisions: Decisions = {
    consent: note("consent"),
    async withdraw() {
      throw new Refusal("unavailable", "<b>no route</b>");
    },
    keep: (of) => void decided.push(`keep ${of === study}`),
    preview: async () => previewOf("<b>income</b>", { before: "12", after: "<b>10</b>" }),
    statements: {
      agree: async (of) => note("agree")(of).then(() => ({ expiresMillis: 2e12 })),
      withdraw: note("say nothing"),
      make: async () => statement,
      send: async (of) => note("send")(of).then(() => statement),
    },
  };
  const open = await openPage(folder, undefined, {}, { decisions });
  t.teardown(() => open.stop());
  t.regex(await (await fetch(new URL("/studies", open.url))).text(), /fedcredit node password/);
  t.is((await fetch(new URL(`/studies/${study}/consent`, open.url), { method: "POST" })).status, 404);
  t.is((await fetch(new URL(`/studies/${study}/score`, open.url))).status, 404);

  await writePassword(passwordFileIn(folder), secret, secureRandom, lightCost);
  const guarded = await openPage(folder, undefined, {}, { decisions });
  t.teardown(() => guarded.stop());
  const send = (path: string, fields: Record<string, string>, cookie = ""): Promise<Response> =>
    fetch(new URL(path, guarded.url), {
      method: "POST",
      redirect: "manual",
      headers: { cookie },
      body: new URLSearchParams(fields),
    });
  const cookie = (await send("/login", { password: secret })).headers.get("set-cookie")!.split(";")[0]!;
  const get = async (path: string): Promise<string> =>
    (await fetch(new URL(path, guarded.url), { headers: { cookie } })).text();
  const text = await get("/studies");
  for (const words of [/What leaves/, /Dry run on own rows/, /What can be learned without noise/])
    t.regex(text, words);
  const token = /name="token" value="([0-9a-f]{64})"/.exec(text)![1]!;
  const paths = ["consent", "withdraw", "scores/agree", "scores/withdraw", "scores/send", "scores/keep"];
  for (const path of paths) {
    const at = `/studies/${study}/${path}`;
    t.is((await send(at, { token })).status, 401, `${path} without a session`);
    t.is((await send(at, {}, cookie)).status, 403, `${path} without the form's token`);
    t.is((await send(at, { token: "0".repeat(64) }, cookie)).status, 403, `${path}, another token`);
    const { status } = await send(at, { token }, cookie);
    t.is(status, path === "withdraw" ? 400 : 303, path);
    t.is((await send(`/studies/nothing/${path}`, { token }, cookie)).status, 400);
  }
  t.deepEqual(
    decided,
    ["consent", "agree", "say nothing", "send", "keep"].map((what) => `${what} true`),
  );
  const refused = await (await send(`/studies/${study}/withdraw`, { token }, cookie)).text();
  t.true(refused.includes(escapeHtml("<b>no route</b>")) && !refused.includes("<b>no route"));
  const tried = await get(`/studies/${study}/preview`);
  t.regex(tried, /Nothing was sent/);
  t.true(tried.includes(escapeHtml("12 → <b>10</b>")) && !tried.includes("<b>"));
  const asked = await get(`/studies/${study}/score`);
  t.true(asked.includes(escapeHtml("<img src=x>")) && !asked.includes("<img"));
  t.regex(asked, /12\.3\d? ?%/);
});

/** Sessions whose password is `secret`, and their clock. */
function sessionsAt() {
  const clock = { now: 0, derived: 0 };
  const check = async (password: string): Promise<boolean> => {
    clock.derived++;
    return password === secret;
  };
  return { clock, sessions: new Sessions(new Map([["", check]]), () => clock.now, secureRandom) };
}

test("guessing is slowed by address, the longer the more guesses, and a session ends by itself", async (t) => {
  const { clock, sessions } = sessionsAt();
  const [guesser, owner] = ["10.0.0.9", "10.0.0.2"];
  for (let i = 0; i < 5; i++) t.is(await sessions.login("guess", guesser), "wrong");
  for (const wait of [1000, 2000, 4000, 8000]) {
    t.is(await sessions.login("guess", guesser), "too many");
    clock.now += wait - 1;
    t.is(await sessions.login(secret, guesser), "too many", "not even the right one, from there");
    clock.now += 1;
    t.is(await sessions.login("guess", guesser), "wrong");
  }
  t.is(clock.derived, 9, "what has to wait costs nothing");
  const outcome = await sessions.login(secret, owner);
  if (typeof outcome === "string") return t.fail(outcome);
  const cookie = outcome.cookie.split(";")[0];
  t.is(sessions.personOf(`other=1; ${cookie}`), "");
  t.is(sessions.personOf(undefined), undefined);
  // No wait is longer than a quarter of an hour, and the right password ends it.
  for (let i = 0; i < 20; i++) {
    clock.now += 15 * 60_000;
    t.is(await sessions.login("guess", guesser), "wrong");
  }
  clock.now += 15 * 60_000;
  t.is(typeof (await sessions.login(secret, guesser)), "object");
  t.is(await sessions.login("guess", guesser), "wrong");
  t.is(typeof (await sessions.login(secret, guesser)), "object");
  clock.now += 8 * 3_600_000;
  t.is(sessions.personOf(cookie), undefined);
});

test("guesses from everywhere do not lock the owner out, nor fill the memory", async (t) => {
  const { clock, sessions } = sessionsAt();
  for (let i = 0; i < 10_100; i++) await sessions.login("guess", `guesser ${i}`);
  t.is(typeof (await sessions.login(secret, "10.0.0.2")), "object");
  for (let i = 0; i < 6; i++) await sessions.login("guess", "guesser 10099");
  t.is(await sessions.login("guess", "guesser 10099"), "too many");
  // The first ones are forgotten: one more wrong password of theirs is their first.
  for (let i = 0; i < 4; i++) t.is(await sessions.login("guess", "guesser 0"), "wrong");
  clock.derived = 0;
  const many = await Promise.all(Array.from({ length: 50 }, () => sessions.login("guess", "guesser 1")));
  t.is(clock.derived, 1, "at once, one address is tried once");
  t.is(many.filter((outcome) => outcome === "too many").length, 49);
});

test("over HTTP the right password from another address works during an attack", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-page-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await writePassword(passwordFileIn(folder), secret, secureRandom, lightCost);
  // Whoever guessed has to wait for seconds: on a clock that stands, it is never over before the next guess.
  const now = () => 1_774_000_000_000;
  const page = await openPage(folder, undefined, { listen: "0.0.0.0:0", now });
  t.teardown(() => page.stop());
  const { port } = new URL(page.url);
  const login = (from: string, password: string, extra: Record<string, string> = {}): Promise<number> =>
    new Promise((resolve, reject) => {
      const body = new URLSearchParams({ password }).toString();
      const headers = { "content-type": "application/x-www-form-urlencoded", ...extra };
      const options = { port, method: "POST", path: "/login", headers, localAddress: from };
      request({ host: "127.0.0.1", ...options }, (response) => resolve(response.resume().statusCode!))
        .on("error", reject)
        .end(body);
    });
  const attack: number[] = [];
  for (let i = 0; i < 8; i++) attack.push(await login("127.0.0.9", "guess"));
  t.deepEqual(attack.slice(0, 5), [401, 401, 401, 401, 401]);
  t.true(attack.includes(429));
  t.is(await login("127.0.0.2", secret), 303);
  // Behind a proxy on this machine the addresses are those that it names, whatever its clients wrote before.
  const proxied = (address: string) => ({ "x-forwarded-for": `10.0.0.${attack.length++}, ${address}` });
  for (let i = 0; i < 5; i++) t.is(await login("127.0.0.1", "guess", proxied("198.51.100.7")), 401);
  t.is(await login("127.0.0.1", secret, proxied("198.51.100.7")), 429);
  t.is(await login("127.0.0.1", secret, proxied("198.51.100.8")), 303);
});

test("while the bank cannot be reached, studies and consents are shown from memory, and it is asked once a minute", async (t) => {
  let asked = 0;
  const now = () => 1_774_000_000_000;
  const alone = await openPage(
    plant.folder,
    undefined,
    { now },
    {
      studies() {
        asked++;
        return Promise.reject(new Refusal("unavailable", "no route"));
      },
      now,
    },
  );
  t.teardown(() => alone.stop());
  for (let i = 0; i < 3; i++) {
    const text = await (await fetch(new URL("/studies", alone.url))).text();
    t.regex(text, /cannot be reached/);
    t.regex(text, /no route/);
    t.regex(text, /sme-default-90/);
    t.regex(text, /Consent in force/);
  }
  t.is(asked, 1);
  t.regex(await (await fetch(alone.url)).text(), /No collectors are configured/);
});

for (const [width, language, colorScheme] of [
  [1280, "en-GB", "light"],
  [390, "zh-CN", "dark"],
  [1280, "zh-CN", "dark"],
  [390, "en-GB", "light"],
] as const) {
  test(`${width} pixels wide, in ${language} and ${colorScheme}, nothing overflows, runs, or asks anybody else, and axe finds nothing serious`, async (t) => {
    if (browser === undefined) return t.pass();
    const { tab, complaints } = await watchedTab(browser, page.url, width, language);
    t.teardown(() => tab.context().close());
    await tab.emulateMedia({ colorScheme });
    for (const path of [...paths, "features?site=*"]) {
      await tab.goto(new URL(path, page.url).href);
      t.deepEqual(await sound(tab), [], path);
      t.is(await tab.evaluate("document.querySelectorAll('main img').length"), 0, path);
    }
    t.deepEqual(
      complaints.filter((one) => !one.includes("404")),
      [],
    );
  });
}

test("a value changes on the open page when the device's does", async (t) => {
  if (browser === undefined) return t.pass();
  const context = await browser.newContext();
  t.teardown(() => context.close());
  const tab = await context.newPage();
  await tab.goto(page.url);
  const cell = tab.locator(`[data-live="${quotedCss(`${hostileDevice}\tactive_power\tvalue`)}"]`);
  plant.press.power = 99.5;
  await cell.filter({ hasText: "99.5 kW" }).waitFor();
  t.is(await cell.textContent(), "99.5 kW");
  t.is(await tab.evaluate("window.stolen"), undefined);
});

test("without JavaScript the pages say the same", async (t) => {
  if (browser === undefined) return t.pass();
  const context = await browser.newContext({ javaScriptEnabled: false });
  t.teardown(() => context.close());
  const tab = await context.newPage();
  await tab.goto(page.url);
  t.true(await tab.getByRole("rowheader", { name: "lathe-1" }).isVisible());
  await tab.getByRole("link", { name: "Features" }).click();
  await tab.getByRole("combobox", { name: "Window" }).selectOption("week");
  await tab.getByRole("button", { name: "Show" }).click();
  t.regex(tab.url(), /window=week/);
  t.true(await tab.getByText("share of observed, unexcluded machine time at work").first().isVisible());
});

/** A string within a quoted CSS attribute value. */
function quotedCss(text: string): string {
  return text.replace(/["\\]/g, "\\$&").replaceAll("\t", "\\9 ");
}
