import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { Refusal } from "../../../core/reasons.ts";
import { LocalBank } from "../../../simulate/consortium.ts";
import { findChromium, startChromium } from "../../support/chromium.ts";
import { freePort } from "../../support/collecting.ts";
import { clientId, clientSecret, IdentityProvider, type Vouched } from "../../support/identity-provider.ts";
import { leftOut } from "../../support/left-out.ts";
import { sound, watchedTab } from "../../support/walk.ts";

let folder: string;
let bank: LocalBank;
let provider: IdentityProvider;
let origin: string;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "fedcredit-oidc-"));
  const clientSecretFile = join(folder, "client.secret");
  await writeFile(clientSecretFile, `${clientSecret}\n`);
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  // Under another name than the console, as it is at a bank: a browser brings less along from another site.
  provider = await IdentityProvider.start("localhost", `${origin}/sign-in/done`);
  bank = await LocalBank.start({
    console: {
      listen: `127.0.0.1:${port}`,
      tls: "proxy",
      names: [],
      oidc: {
        issuer: provider.issuer,
        clientId,
        clientSecretFile,
        address: origin,
        userClaim: "person",
        roleClaim: "groups",
        roles: { operator: ["credit-ops"], officer: ["credit-officers"], auditor: ["audit", "risk"] },
      },
    },
  });
});

test.after.always(async () => {
  await bank?.stop();
  await provider?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A browser's cookies, by origin, and no more of a browser than that. */
class Jar {
  readonly #cookies = new Map<string, Map<string, string>>();

  of(url: URL): string {
    return [...(this.#cookies.get(url.origin) ?? [])].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  set(url: URL, name: string, value: string): void {
    const known = this.#cookies.get(url.origin) ?? new Map<string, string>();
    this.#cookies.set(url.origin, known.set(name, value));
  }

  async get(address: string): Promise<Response> {
    const url = new URL(address);
    const headers = { cookie: this.of(url), accept: "text/html" };
    const response = await fetch(url, { redirect: "manual", headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      this.set(url, name!, value!);
    }
    return response;
  }

  /** @returns the address that somebody is sent back to by the provider, not yet asked for. */
  async signInAt(who: Vouched | undefined): Promise<string> {
    provider.who = who;
    let next = `${origin}/sign-in/begin`;
    for (let hops = 0; hops < 10 && !next.startsWith(`${origin}/sign-in/done`); hops++) {
      const response = await this.get(next);
      next = new URL(response.headers.get("location") ?? "nowhere:", next).href;
    }
    return next;
  }

  /** @returns the status of what the provider sends somebody back to. */
  async signIn(who: Vouched | undefined): Promise<number> {
    return (await this.get(await this.signInAt(who))).status;
  }

  /** @returns what the page says of who is signed in; of somebody who is not, where it sends. */
  async account(): Promise<string> {
    const response = await this.get(`${origin}/account`);
    return response.headers.get("location") ?? response.text();
  }
}

const maria: Vouched = { person: "maria", groups: ["staff", "credit-ops", "audit"] };

test.serial("somebody whom the provider vouches for works in the role that a claim gives", async (t) => {
  const browser = new Jar();
  const begun = await browser.get(`${origin}/sign-in/begin`);
  const { searchParams } = new URL(begun.headers.get("location")!);
  t.is(searchParams.get("code_challenge_method"), "S256");
  for (const name of ["state", "nonce", "code_challenge"]) t.regex(searchParams.get(name)!, /^[\w-]{43}$/);
  t.is(await browser.signIn(maria), 200);
  t.regex(await browser.account(), /Signed in as maria, operator/);
  for (const [groups, role] of [
    [["risk"], "auditor"],
    [["credit-officers", "risk"], "credit officer"],
  ] as const) {
    const other = new Jar();
    t.is(await other.signIn({ person: "li", groups }), 200);
    t.regex(await other.account(), new RegExp(`Signed in as li, ${role}`));
  }
  const users = (await bank.operator.users()).map(({ user, role }) => [user, role]);
  t.deepEqual(users, [
    ["li", "officer"],
    ["maria", "operator"],
  ]);
});

test.serial("no password opens the console then, and none can be given", async (t) => {
  const body = new URLSearchParams({ user: "maria", password: "correct horse battery", code: "000000" });
  t.is((await fetch(`${origin}/sign-in`, { method: "POST", redirect: "manual", body })).status, 401);
  t.notRegex(await (await fetch(`${origin}/sign-in`)).text(), /password/i);
  const refused = await t.throwsAsync(bank.operator.addUser("eve", "operator", "correct horse battery"), {
    instanceOf: Refusal,
  });
  t.is((refused as Refusal).reason, "parameters_invalid");
});

test.serial("an answer of the provider opens one session, in the browser that asked", async (t) => {
  const asked = new Jar();
  const answer = await asked.signInAt(maria);
  t.is((await new Jar().get(answer)).status, 401, "another browser");
  const other = new Jar();
  await other.get(`${origin}/sign-in/begin`);
  t.is((await other.get(answer)).status, 401, "one that asked for something else");
  const cookieName = "__Host-fedcredit-sign-in";
  const own = asked.of(new URL(origin)).split("=")[1]!.split(".");
  for (const [part, what] of ["state", "nonce", "verifier"].entries()) {
    // Each answer is spent by the try.
    const spoilt = new Jar();
    const fresh = await spoilt.signInAt(maria);
    const held = spoilt.of(new URL(origin)).split("=")[1]!.split(".");
    spoilt.set(new URL(origin), cookieName, held.with(part, own[part]!).join("."));
    t.is((await spoilt.get(fresh)).status, 401, `another ${what}`);
  }
  t.is((await asked.get(answer)).status, 200);
  const session = asked.of(new URL(origin));
  const again = new Jar();
  again.set(new URL(origin), cookieName, own.join("."));
  t.is((await again.get(answer)).status, 401, "the same answer again");
  t.regex(session, /__Host-fedcredit=[\w-]{43}/);
});

test.serial(
  "who has no role at the provider, or no name, is not let in; another role ends sessions",
  async (t) => {
    t.is(await new Jar().signIn(undefined), 401);
    t.is(await new Jar().signIn({ person: "eve", groups: ["staff"] }), 401);
    t.is(await new Jar().signIn({ person: "<img src=x>", groups: ["credit-ops"] }), 401);
    const first = new Jar();
    t.is(await first.signIn(maria), 200);
    const second = new Jar();
    t.is(await second.signIn({ ...maria, groups: ["audit"] }), 200);
    t.is(await first.account(), "/sign-in?to=%2Faccount", "her session in the role of before has ended");
    t.regex(await second.account(), /maria, auditor/);
    t.is(await new Jar().signIn({ ...maria, groups: [] }), 401);
    t.is(await second.account(), "/sign-in?to=%2Faccount", "and every session once she has no role");
    t.deepEqual(
      (await bank.operator.users()).map(({ user }) => user),
      ["li"],
    );
  },
);

test.serial("in a browser, from the provider's site back to the studies", async (t) => {
  const program = findChromium();
  if (program === undefined) {
    leftOut("chromium: sign-in at a provider");
    return t.pass();
  }
  const browser = await startChromium(program);
  t.teardown(() => browser.close());
  provider.who = maria;
  const { tab } = await watchedTab(browser, origin, 1280, "en-GB");
  await tab.goto(`${origin}/sign-in`);
  t.deepEqual(await sound(tab), []);
  await tab.getByRole("link", { name: "Sign in at the bank's provider" }).click();
  await tab.waitForURL(`${origin}/studies`);
  await tab.getByRole("link", { name: "Account" }).click();
  await tab.getByText("Signed in as maria, operator").waitFor();
});
