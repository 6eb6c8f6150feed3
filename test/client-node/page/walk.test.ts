/** Somebody at an enterprise, in a browser: from a proposal over consent to a score that is said, at a real bank. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { EgressLedger } from "../../../client-node/ledger/egress.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { startNode } from "../../../client-node/node.ts";
import { writePassword } from "../../../client-node/page/access.ts";
import { startPage } from "../../../client-node/page/page.ts";
import { scoreOf } from "../../../client-node/rows/own-score.ts";
import { secureRandom } from "../../../core/random.ts";
import { selectRows } from "../../../models/rows.ts";
import { saidIn } from "../../../privacy/log/score-statement.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, startEnterprise, temporaryDirectory } from "../../../simulate/consortium.ts";
import { findChromium, startChromium } from "../../support/chromium.ts";
import { leftOut } from "../../support/left-out.ts";
import { passwordFileIn, policyIn, previewOf } from "../../support/page.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";
import { shown, sound, watchedTab } from "../../support/walk.ts";

const hostile = `<img src=x onerror="window.stolen=1">"'&`;
const password = "correct horse battery";
const names = ["lathe", "mill", "truck"] as const;
const purpose = hostile;
const manifest = {
  ...studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "summary" },
    { name: "logistic" },
    { name: "evaluate" },
  ]),
  ...{ name: "sme-default-90", purpose, legalBasis: hostile, impactAssessment: hostile },
};

test("a browser walks from a proposal to consent and to a score that the bank has", async (t) => {
  const program = findChromium();
  if (program === undefined) {
    leftOut("chromium: the walk through the enterprise's page");
    return t.pass();
  }
  await using cleanUp = new AsyncDisposableStack();
  const browser = await startChromium(program);
  cleanUp.defer(() => browser.close());
  const bank = await LocalBank.start();
  cleanUp.defer(() => bank.stop());
  const bfv = await openBfv();
  cleanUp.defer(() => bfv.close());
  const folder = await temporaryDirectory();
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const credentials = await bank.enrolAll([...names]);
  const table = borrowers();
  const [first, own, third] = scatter(table.rows, names.length, "walk").map((rows) => {
    const mine = new Set(rows);
    return selectRows(table, (row) => mine.has(row));
  });
  const { policy, policyFile } = policyIn(folder, { ...policyFor(manifest), scores: { send: "ask" } });
  const others = await Promise.all(
    [first!, third!].map((rows, i) =>
      startEnterprise(bank, credentials.get(names[2 * i]!)!, manifest, rows, bfv),
    ),
  );
  const file = join(folder, "ledger.db");
  const mill = await startNode({
    credentials: credentials.get("mill")!,
    coordinator: bank.coordinator.address,
    policy,
    rows: async () => own!,
    ownScore: async (model) => scoreOf(model, own!, 0),
    ledger: file,
    bfv,
    statistics: new DirectStatistics(secureRandom),
    random: secureRandom,
    now: Date.now,
    onEvent() {},
  });
  cleanUp.defer(async () => {
    await Promise.all([mill, ...others].map((node) => node.stop().catch(() => {})));
  });
  const db = openStore(file);
  cleanUp.defer(() => db.close());
  await writePassword(passwordFileIn(folder), password, secureRandom, { N: 1024, r: 8, p: 1 });
  // The page asks the bank once a minute: a minute goes by when the test says so.
  let minutes = 0;
  const page = await startPage({
    ...{ listen: "127.0.0.1:0", passwordFile: passwordFileIn(folder), enterprise: "mill", dir: "mill" },
    ...{ random: secureRandom, log() {}, now: () => Date.now() + 60_000 * minutes },
    member: {
      ...{
        coordinator: "bank.example:8443",
        policy,
        policyFile,
        db,
        now: () => Date.now() + 60_000 * minutes,
      },
      ledger: new EgressLedger(db, credentials.get("mill")!),
      studies: () => mill.studies(),
      model: (study) => mill.model(study),
      rows: async () => own!,
      decisions: {
        consent: (study) => mill.consent(study),
        withdraw: (study) => mill.withdraw(study),
        statements: mill.statements,
        keep() {},
        preview: async () => previewOf(hostile, { before: hostile, after: hostile }),
      },
    },
  });
  cleanUp.defer(() => page.stop());

  const study = await bank.operator.propose(manifest);
  const { tab, complaints } = await watchedTab(browser, page.url, 1280, "en-GB");
  await tab.goto(page.url);
  await tab.getByLabel("Password").fill(password);
  await tab.keyboard.press("Enter");
  await tab.getByText("Nothing: this node takes no part in any study.").waitFor();
  // The first view does not wait for the bank; the page of studies does, and what it heard is kept for a minute.
  await tab.getByRole("link", { name: "Studies" }).click();
  await tab.getByText("What leaves", { exact: true }).waitFor();
  await tab.getByRole("link", { name: "Devices" }).click();
  await tab.getByText("No consent to sme-default-90").waitFor();
  t.deepEqual(await sound(tab), []);
  await tab.getByRole("link", { name: "Studies" }).click();
  await tab.getByText("What leaves", { exact: true }).waitFor();
  t.deepEqual(await sound(tab), []);
  await tab.getByRole("link", { name: "Dry run on own rows" }).click();
  await tab.getByText(/Nothing was sent/).waitFor();
  t.deepEqual(await sound(tab), []);
  await tab.goBack();
  await tab.getByRole("button", { name: "Consent, as a whole" }).click();
  await tab.getByText("Consent in force").waitFor();

  // What the policy would do without one of the study's algorithms: it is shown, and not written.
  await tab.getByRole("link", { name: "Policy" }).click();
  t.deepEqual(await sound(tab), []);
  await tab.getByLabel("logistic", { exact: true }).uncheck();
  await tab.getByRole("button", { name: "Show what it would do" }).first().click();
  await tab.getByText("stops at once").waitFor();
  await tab.getByText("algorithm “logistic”").waitFor();
  t.deepEqual(await sound(tab), []);

  for (const node of others) await node.consent(study);
  await bank.operator.start(study);
  let phase = "";
  for await (const seen of bank.operator.follow(study)) phase = seen.phase;
  t.is(phase, "finished");
  minutes++;
  await tab.getByRole("link", { name: "Studies" }).click();
  await tab.getByRole("button", { name: "Agree that scores are said" }).click();
  await tab.getByRole("link", { name: "Send or keep a statement" }).click();
  await tab.getByText("so far nothing of it left").waitFor();
  t.is((await bank.operator.statements()).length, 0);
  t.deepEqual(await sound(tab), []);
  await tab.getByRole("button", { name: "Send it to the bank" }).click();
  await tab.getByText(/\w+\s20\d\d: sent/).waitFor();
  t.deepEqual(
    (await bank.operator.statements()).map(({ note }) => saidIn(note).enterprise),
    ["mill"],
  );
  t.deepEqual(await sound(tab), []);

  await tab.getByRole("link", { name: "Devices" }).click();
  await tab.getByText(/By sme-default-90, \w+\s20\d\d: grade [A-G], said to the bank/).waitFor();
  // What left, the budget and the model, on a phone in the dark.
  await tab.setViewportSize({ width: 390, height: 844 });
  await tab.emulateMedia({ colorScheme: "dark" });
  for (const path of ["", "studies", "egress", "egress/0", "policy", "budget", "model"]) {
    await tab.goto(page.url + path);
    t.deepEqual(await (path.includes("/") ? shown(tab) : sound(tab)), [], path);
  }
  t.deepEqual(complaints, []);
});
