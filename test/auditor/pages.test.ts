import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test from "ava";
import type { Browser } from "playwright-core";
import { browserModules } from "../../auditor/pages/browser-code.ts";
import { answered, hash, verify } from "../../auditor/pages/browser-crypto.ts";
import { auditorPages, startAuditorPages } from "../../auditor/pages/desk.ts";
import { ShownLog } from "../../auditor/pages/shown-log.ts";
import { checkInChinese } from "../../auditor/report/checks-zh.ts";
import { utf8 } from "../../core/bytes.ts";
import { sha256 } from "../../core/canonical.ts";
import { escapeHtml } from "../../core/pages/html.ts";
import { ed25519PublicKey, ed25519Sign } from "../../privacy/log/ed25519.ts";
import type { Entry } from "../../privacy/log/entry.ts";
import { parseReceipt, verifyReceipt } from "../../privacy/log/proof.ts";
import { epsilonOf } from "../../privacy/noise/accountant.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { findChromium, startChromium } from "../support/chromium.ts";
import { leftOut } from "../support/left-out.ts";
import {
  auditor,
  bank,
  type LogBuilder,
  manifest,
  placeOf,
  policy,
  policyText,
  sampleLedger,
  sampleLog,
} from "../support/log.ts";
import { mayChange, routesOf } from "../support/routes.ts";
import { shown, sound, watchedTab } from "../support/walk.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const hostile = `<img src=x onerror="window.stolen=1">"'&`;

async function logOf(log: LogBuilder, ledgers: readonly LogBuilder[] = []): Promise<ShownLog> {
  const bytes = await log.export();
  const shownLedgers = await Promise.all(ledgers.map((ledger) => ledger.export([], "ledger")));
  const files = { bank: () => [bytes], ledgers: shownLedgers.map((one) => () => [one]), policy, policyText };
  return ShownLog.open(files, 0);
}

/** The pages on a port of this machine. */
async function served(log: ShownLog): Promise<{ url: string; server: Server }> {
  const server = createServer(auditorPages(log)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

const indexOf = (log: ShownLog, type: Entry["type"]): number =>
  log.entries.findIndex(({ entry }) => entry?.type === type);

/** Every free text of it was written by somebody who would like to run in the auditor's browser. */
function hostileLog(): LogBuilder {
  const log = sampleLog({
    manifest: { purpose: hostile, legalBasis: hostile, impactAssessment: hostile },
    entry: (entry) => (entry.type === "case.decided" ? [{ ...entry, reason: hostile }] : [entry]),
  });
  log.append({ type: hostile, time: 1_790_000_900_000, note: hostile });
  return log;
}

function ledgerWithRuns(): LogBuilder {
  const ledger = sampleLedger("cold-chain", []);
  ledger.append({
    ...{ type: "desensitization.ran", time: 1_790_000_000_500, enterprise: "cold-chain" },
    ...{ policy: "ab".repeat(32), version: 3, rowsIn: 1234, rowsOut: 1200, k: 5, l: 2, t: 0.125 },
    ...{
      suppressionRate: 0.0276,
      fields: [{ field: hostile, class: "quasi", level: "C2", operator: "mask" }],
    },
  });
  return ledger;
}

let log: ShownLog;
let pages: Awaited<ReturnType<typeof served>>;
let foul: Awaited<ReturnType<typeof served>>;
let foulLog: ShownLog;
let browser: Browser | undefined;

test.before(async () => {
  log = await logOf(sampleLog(), [ledgerWithRuns()]);
  pages = await served(log);
  foulLog = await logOf(hostileLog(), [ledgerWithRuns()]);
  foul = await served(foulLog);
  const program = findChromium();
  if (program === undefined) leftOut("chromium: the walk through the auditor's pages");
  else browser = await startChromium(program);
});

test.after.always(async () => {
  await browser?.close();
  for (const { server } of [pages, foul]) server.close().closeAllConnections();
});

const paths = (of: ShownLog): string[] => [
  "/timeline",
  `/entries/${indexOf(of, "round.released")}`,
  `/entries/${of.entries.length - 1}`,
  ...["/verification", "/privacy", "/rounds", "/desensitization", "/receipts", "/report", "/report.html"],
];

const get = (url: string, path: string, language = "en"): Promise<Response> =>
  fetch(new URL(path, url), { redirect: "manual", headers: { "accept-language": language } });

test("every page is there in both languages, and lets nothing run but its own files", async (t) => {
  for (const path of paths(log)) {
    const [english, chinese] = await Promise.all([get(pages.url, path), get(pages.url, path, "zh-CN")]);
    t.is(english.status, 200, path);
    const policyOf = english.headers.get("content-security-policy") ?? "";
    t.regex(policyOf, /default-src 'none'/, path);
    t.notRegex(policyOf, /script-src[^;]*unsafe/, path);
    const [text, other] = [await english.text(), await chinese.text()];
    t.notRegex(text, /<script(?! type="module" src="\/verify\.js"><)|<[a-z][^>]*\son\w+=|javascript:/, path);
    if (path !== "/report.html") {
      t.regex(text, /<html lang="en-GB">/, path);
      t.regex(other, /<html lang="zh-CN">/, path);
    }
  }
});

test("nothing that a log, a ledger or an address says is taken for HTML", async (t) => {
  const addressed = `/timeline?${new URLSearchParams({ enterprise: hostile, study: hostile, round: hostile, kind: hostile })}`;
  const all = foulLog.entries.map(({ index }) => `/entries/${index}`);
  let told = 0;
  for (const path of [...paths(foulLog), ...all, addressed]) {
    const text = await (await get(foul.url, path)).text();
    t.false(text.includes("<img"), path);
    if (text.includes(escapeHtml(hostile)) || text.includes(escapeHtml(JSON.stringify(hostile)))) told++;
  }
  t.true(told >= 5, `${told} pages said it, escaped`);
  for (const path of [
    "/report.html?from=%3Cimg%3E",
    "/entries/%3Cimg%3E",
    "/entries/-1",
    "/receipts/1e3.tlog-proof",
  ]) {
    const response = await get(foul.url, path);
    t.true([400, 404].includes(response.status), path);
    t.false((await response.text()).includes("<img"), path);
  }
});

test("nothing is changed here, and nobody from elsewhere is let in", async (t) => {
  const routes = routesOf(auditorPages(log));
  t.true(routes.length > 20);
  t.deepEqual(routes.filter(mayChange), []);
  for (const path of paths(log)) t.is((await fetch(pages.url + path, { method: "POST" })).status, 404, path);
  await t.throwsAsync(startAuditorPages(log, "0.0.0.0:0"), { message: /can be reached by others/ });
  const named = await new Promise<number>((resolve, reject) => {
    const { port } = new URL(pages.url);
    const request = `GET /timeline HTTP/1.1\r\nHost: rebound.example:${port}\r\nConnection: close\r\n\r\n`;
    import("node:net").then(({ connect }) => {
      const socket = connect(Number(port), "127.0.0.1", () => socket.end(request));
      let answer = "";
      socket.on("data", (chunk) => {
        answer += chunk;
      });
      socket.on("end", () => resolve(Number(answer.split(" ")[1])));
      socket.on("error", reject);
    }, reject);
  });
  t.is(named, 421);
});

test("the timeline's filters show what is about the one that is asked for, and nothing else", async (t) => {
  const indices = async (query: string): Promise<number[]> => {
    const text = await (await get(pages.url, `/timeline?${query}`)).text();
    return [...text.matchAll(/<a href="\/entries\/(\d+)">\1<\/a>/g)]
      .map(([, index]) => Number(index))
      .reverse();
  };
  const wanted = (holds: (entry: Entry) => boolean): number[] =>
    log.entries.filter(({ entry }) => holds(entry!)).map(({ index }) => index);
  t.deepEqual(
    await indices("kind=round.released"),
    wanted(({ type }) => type === "round.released"),
  );
  const [study] = log.report.account.studies.keys();
  t.deepEqual(
    await indices(`kind=round.submitted&study=${study}&enterprise=cold-chain`),
    wanted((entry) => entry.type === "round.submitted" && entry.enterprise === "cold-chain"),
  );
  const rounds = new Map(
    log.entries.flatMap(({ entry }) =>
      entry?.type === "round.opened" ? [[entry.roundId, entry.round]] : [],
    ),
  );
  t.deepEqual(
    await indices("round=2"),
    wanted((entry) => "roundId" in entry && rounds.get(entry.roundId!) === 2),
  );
  t.deepEqual(await indices("enterprise=nobody"), []);
  t.true((await indices("enterprise=lathe-works")).includes(indexOf(log, "case.decided")));
  // A model's entries are its study's.
  t.true((await indices(`study=${study}`)).includes(indexOf(log, "model.published")));
});

test("each entry's receipt verifies, and one beyond what was signed is none", async (t) => {
  for (const { index, bytes } of log.entries) {
    const text = await (await get(pages.url, `/receipts/${index}.tlog-proof`)).text();
    const proven = verifyReceipt(text, policy);
    t.is(proven.index, index);
    t.deepEqual(Buffer.from(proven.entry), Buffer.from(bytes));
  }
  t.is((await get(pages.url, `/receipts/${log.entries.length}.tlog-proof`)).status, 404);
  t.is(await (await get(pages.url, "/log.policy")).text(), policyText);
  const exported = Buffer.from(await (await get(pages.url, "/log.fcexport")).arrayBuffer());
  t.deepEqual(exported, Buffer.from(await sampleLog().export()));
});

test("ε is worked out from each enterprise's own sums, at the δ of the manifest", async (t) => {
  const noise = { sensitivity: 1, sigma: 5, samplingRate: 1 };
  const noisy = await logOf(
    sampleLog({
      manifest: { privacy: { ...manifest.privacy, noise: { epsilon: 4, delta: 1e-5 } } as never },
      entry: (entry) =>
        entry.type === "privacy.spent" ? [{ ...entry, ...noise, mechanism: "gaussian" }] : [entry],
    }),
  );
  const { url, server } = await served(noisy);
  t.teardown(() => void server.close());
  const text = await (await get(url, "/privacy")).text();
  t.is(noisy.costs.size, 4);
  for (const [enterprise, costs] of noisy.costs) {
    const epsilon = epsilonOf(
      costs.map(({ event }) => event),
      1e-5,
    );
    const cell = (Math.ceil(epsilon * 100) / 100).toFixed(2);
    t.regex(
      text,
      new RegExp(
        `<th scope="row">${enterprise}</th><td class="n">${costs.length}</td><td class="n">0</td><td class="n">${cell}</td>`,
      ),
    );
  }
});

test("desensitization, cohorts, aborts and witnesses are those of log and ledger", async (t) => {
  const page = async (path: string): Promise<string> => (await get(pages.url, path)).text();
  const ran = await page("/desensitization");
  for (const figure of ["1,234", "1,200", "0.125", "2.8%"]) t.true(ran.includes(figure), figure);
  const rounds = await page("/rounds");
  t.true(rounds.includes("<code>party_gone</code>"));
  t.true(rounds.includes(`/entries/${placeOf("round.aborted")}"`));
  const verification = await page("/verification");
  t.regex(verification, new RegExp(`${auditor.name}</th><td><time`));
  t.regex(verification, /lathe-works<\/th><td><span class="alarm">not cosigned/);
  t.regex(await (await get(foul.url, "/verification")).text(), /FAILS/);
});

test("checks and findings are said in the reader's language, with links to what they rest on", async (t) => {
  const { checks, findings } = log.report;
  t.true(checks.length > 50 && findings.length > 0);
  const [english, chinese] = await Promise.all(
    ["en", "zh-CN"].map(async (language) => (await get(pages.url, "/verification", language)).text()),
  );
  for (const { check } of checks) {
    t.not(checkInChinese(check), check);
    t.true(english!.includes(escapeHtml(check)) && !chinese!.includes(`>${escapeHtml(check)}<`), check);
    t.true(chinese!.includes(checkInChinese(check)), check);
  }
  for (const { text, zh, entries } of findings) {
    t.true(english!.includes(escapeHtml(text)) && chinese!.includes(escapeHtml(zh)), text);
    t.false(chinese!.includes(escapeHtml(text)), text);
    for (const index of entries.toJSON().slice(0, 1))
      t.true(chinese!.includes(`href="/entries/${index}"`), text);
  }
});

test("a browser's answers are those of Node, once they are there", async (t) => {
  const seed = new Uint8Array(32).fill(7);
  const [key, message] = [ed25519PublicKey(seed), utf8("signed")];
  const signature = ed25519Sign(seed, message);
  const own = (bytes: Uint8Array) => new Uint8Array(bytes);
  t.deepEqual(
    Buffer.from(await answered(() => hash("sha256", own(message), "buffer"))),
    Buffer.from(sha256(message)),
  );
  t.true(await answered(() => verify(null, own(message), own(key), own(signature))));
  t.false(await answered(() => verify(null, own(utf8("other")), own(key), own(signature))));
  await t.throwsAsync(
    answered(() => JSON.parse("{")),
    { instanceOf: SyntaxError },
  );
});

test("what verifies in a browser is the code that verifies here, and asks for no module beside it", (t) => {
  const modules = browserModules();
  t.true(
    modules
      .get("/code/privacy/log/proof.js")!
      .includes("verifyInclusion(index, size, leafHash(entry), proof, root)"),
  );
  for (const [address, text] of modules)
    for (const [, name] of text.matchAll(/\bfrom "([^"]+)"/g))
      t.true(modules.has(name!), `${address}: ${name}`);
});

test("a browser walks from the timeline to a verified receipt and a printed report", async (t) => {
  if (browser === undefined) return t.pass();
  const { tab, complaints } = await watchedTab(browser, pages.url, 1280, "en-GB");
  await tab.goto(pages.url);
  t.deepEqual(await sound(tab), []);
  await tab.getByLabel("Kind").selectOption({ label: "model published" });
  await tab.getByRole("button", { name: "Show" }).click();
  const index = indexOf(log, "model.published");
  await tab.getByRole("link", { name: String(index), exact: true }).click();
  await tab.getByRole("button", { name: "Verify in this browser" }).click();
  await tab.locator("output.good").waitFor();
  t.regex(
    (await tab.locator("output").textContent())!,
    new RegExp(`Verified: entry ${index} .*${bank.name}.*auditor`),
  );
  t.true((await tab.locator("[data-proven]").textContent())!.includes('"type": "model.published"'));
  t.deepEqual(await sound(tab), []);
  const [download] = await Promise.all([
    tab.waitForEvent("download"),
    tab.getByRole("link", { name: "Download the receipt" }).click(),
  ]);
  t.is(download.suggestedFilename(), `entry-${index}.tlog-proof`);

  // The same receipt, given as a file; then one with another entry in it, and a policy of another quorum.
  await tab.getByRole("link", { name: "Receipts" }).click();
  const receipt = await log.receipt(index);
  const give = async (text: string, policyGiven = policyText): Promise<string> => {
    const file = (name: string, of: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from(of) });
    await tab.getByLabel("Receipt (.tlog-proof)").setInputFiles(file("a.tlog-proof", text));
    await tab.getByLabel("Policy file").setInputFiles(file("log.policy", policyGiven));
    await tab.getByRole("button", { name: "Verify in this browser" }).click();
    await tab.locator("output.good, output.alarm").waitFor();
    return (await tab.locator("output").textContent())!;
  };
  t.regex(await give(receipt), /^Verified/);
  const { entry } = parseReceipt(receipt);
  const other = Buffer.from(
    Buffer.from(entry).toString().replace('"smallestCohort":3', '"smallestCohort":4'),
  );
  const forged = receipt.replace(Buffer.from(entry).toString("base64"), other.toString("base64"));
  t.regex(await give(forged), /^Not verified. log_invalid/);
  t.regex(
    await give(receipt, policyText.replace("group witnesses 2", "group witnesses 5")),
    /^Not verified. witness_quorum/,
  );
  t.regex(
    await give(receipt.replace(/— \S+bank \S{8}/, (line) => `${line.slice(0, -2)}AA`)),
    /^Not verified/,
  );
  t.regex(await give(hostile, hostile), /^Not verified. file_malformed/);
  t.deepEqual(await sound(tab), []);

  await tab.getByRole("link", { name: "Report" }).click();
  t.deepEqual(await sound(tab), []);
  await tab.getByRole("button", { name: "Make the report" }).click();
  await tab.getByText("Duties, and where they are shown").waitFor();
  const printed = await tab.pdf({ format: "A4" });
  t.is(printed.subarray(0, 5).toString(), "%PDF-");
  t.true(printed.length > 20_000);
  t.deepEqual(complaints, []);
});

for (const [width, language] of [
  [1280, "en-GB"],
  [390, "zh-CN"],
] as const)
  test(`the pages fit ${width} px, light and dark, in ${language}`, async (t) => {
    if (browser === undefined) return t.pass();
    for (const [of, origin] of [
      [log, pages.url],
      [foulLog, foul.url],
    ] as const) {
      const { tab, complaints } = await watchedTab(browser, origin, width, language);
      for (const path of paths(of)) {
        await tab.emulateMedia({ colorScheme: width === 390 ? "dark" : "light" });
        await tab.goto(origin + path);
        t.deepEqual(await (of === log ? sound(tab) : shown(tab)), [], path);
      }
      t.deepEqual(complaints, []);
    }
  });

test("audit serve shows an export until it is told to end, and nothing that is none", async (t) => {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);
  await writeFile(at("bank.fcexport"), await sampleLog().export());
  await writeFile(at("mill.fcexport"), await sampleLedger("textile-mill", []).export([], "ledger"));
  await writeFile(at("log.policy"), policyText);
  const serve = (file: string, listen: string) =>
    spawn(
      process.execPath,
      [
        ...["--no-warnings", cli, "audit", "serve", at(file), "--policy", at("log.policy")],
        "--listen",
        listen,
        "--json",
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
  const running = serve("bank.fcexport", "127.0.0.1:0");
  t.teardown(() => running.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: running.stdout }), "line")) as [string];
  const { url, verified } = JSON.parse(line) as { url: string; verified: boolean };
  t.true(verified);
  t.is((await get(url, "/timeline")).status, 200);
  running.kill("SIGTERM");
  t.deepEqual(await once(running, "close"), [0, null]);
  for (const [file, listen, reason] of [
    ["bank.fcexport", "0.0.0.0:0", "usage"],
    ["mill.fcexport", "127.0.0.1:0", "file_malformed"],
    ["log.policy", "127.0.0.1:0", "file_malformed"],
  ] as const) {
    const refused = serve(file, listen);
    let said = "";
    refused.stderr.on("data", (chunk) => {
      said += chunk;
    });
    const [code] = (await once(refused, "close")) as [number];
    t.true(code > 0 && said.includes(`(${reason})\nhint: `), `${file} ${listen}: ${code} ${said}`);
  }
});
