import { createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { Breaches } from "../../auditor/alarms/breaches.ts";
import { alarmsSchema } from "../../auditor/alarms/config.ts";
import { type Alarm, Delivery, type Progress } from "../../auditor/alarms/delivery.ts";
import { digestOf } from "../../core/canonical.ts";
import type { Entry } from "../../privacy/log/entry.ts";
import { sampleLog } from "../support/log.ts";
import { alarmsIn, mailReceiver, type Posted, webhookReceiver } from "../support/receivers.ts";

const alarm = (text: string): Alarm => ({ time: 1_000, kind: "breach", text, entry: 7 });

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "fedcredit-alarms-"));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const texts = (got: readonly Posted[]): string[] => alarmsIn(got).map(({ text }) => text);

test("an alarm is posted once, in its order, signed with the secret", async (t) => {
  const dir = await folder(t);
  const { url, got } = await webhookReceiver(t);
  const secret = join(dir, "secret");
  await writeFile(secret, "hush\n");
  const delivery = await Delivery.open(dir, alarmsSchema.parse({ webhook: { url, secret } }), "riverbank");
  await delivery.raise([alarm("one"), alarm("two")], { examined: 8 });
  t.deepEqual(await delivery.deliver(), []);
  t.deepEqual(await delivery.deliver(), []);
  t.deepEqual(texts(got), ["one", "two"]);
  for (const { body, signature } of got) {
    t.is(signature, createHmac("sha256", "hush").update(body).digest("hex"));
    t.like(JSON.parse(body), { log: "riverbank", kind: "breach", entry: 7 });
  }
});

test("what a receiver does not take waits on disk, over a restart, and comes in order", async (t) => {
  const dir = await folder(t);
  const { url, got, is } = await webhookReceiver(t);
  const alarms = alarmsSchema.parse({ webhook: { url } });
  is.broken = true;
  const before = await Delivery.open(dir, alarms, "riverbank");
  await before.raise([alarm("one")], { examined: 3 });
  const [failure] = await before.deliver();
  t.regex(failure ?? "", /answers 503/);
  await before.raise([alarm("two")], { examined: 5 });
  is.broken = false;
  const after = await Delivery.open(dir, alarms, "riverbank");
  t.is(after.progress.examined, 5);
  t.deepEqual(await after.deliver(), []);
  t.deepEqual(texts(got), ["one", "two"]);
});

test("a memory that is damaged is refused, not begun anew", async (t) => {
  const dir = await folder(t);
  await writeFile(join(dir, "alarms.json"), '{"examined":-1}');
  await t.throwsAsync(Delivery.open(dir, alarmsSchema.parse({}), "riverbank"), { message: /damaged/ });
});

test("an alarm goes by mail, and one receiver's failure keeps it from no other", async (t) => {
  const dir = await folder(t);
  const { mail, got: mails } = await mailReceiver(t);
  const { url, got, is } = await webhookReceiver(t);
  is.broken = true;
  const delivery = await Delivery.open(dir, alarmsSchema.parse({ mail, webhook: { url } }), "riverbank");
  await delivery.raise([alarm("a cohort of two\r\nBcc: someone@else.example")], { examined: 8 });
  t.is((await delivery.deliver()).length, 1);
  t.is(mails.length, 1);
  t.regex(mails[0]!, /Subject: FedCredit log riverbank: breach/);
  t.notRegex(mails[0]!.split("\r\n\r\n")[0]!, /Bcc/);
  is.broken = false;
  t.deepEqual(await delivery.deliver(), []);
  t.is(mails.length, 1);
  t.is(got.length, 1);
});

test("what waits for the mail server comes in one mail; the webhook takes each alarm", async (t) => {
  const dir = await folder(t);
  const { mail, got: mails, is } = await mailReceiver(t);
  const { url, got } = await webhookReceiver(t);
  const delivery = await Delivery.open(dir, alarmsSchema.parse({ mail, webhook: { url } }), "riverbank");
  is.broken = true;
  await delivery.raise([alarm("one"), { ...alarm("two"), kind: "stall" }], { examined: 8 });
  t.is((await delivery.deliver()).length, 1);
  await delivery.raise([alarm("three")], { examined: 9 });
  is.broken = false;
  t.deepEqual(await delivery.deliver(), []);
  t.deepEqual(texts(got), ["one", "two", "three"]);
  t.is(mails.length, 1);
  t.regex(mails[0]!, /Subject: FedCredit log riverbank: breach, stall/);
  t.regex(mails[0]!, /one[\s\S]*entry 7[\s\S]*two[\s\S]*three/);
  t.false(delivery.isWaiting);
});

const entries = sampleLog().leaves.map((leaf) => JSON.parse(Buffer.from(leaf).toString()) as Entry);

const breachesOf = (thresholds: object, list: readonly Entry[]): string[] => {
  const breaches = new Breaches(alarmsSchema.parse({ thresholds }).thresholds);
  return list.flatMap((entry) => breaches.take(entry) ?? []);
};

test("a small cohort and a study without noise are breaches where the auditor set a threshold", (t) => {
  const small = entries.filter((entry) => entry.type === "round.survivors" && entry.survivors.length < 4);
  t.true(small.length > 0);
  t.is(breachesOf({ cohort: 4 }, entries).length, 1);
  t.is(breachesOf({ cohort: 3 }, entries).length, 0);
  t.deepEqual(breachesOf({}, entries), []);
  t.regex(breachesOf({ noise: "required" }, entries)[0] ?? "", /without noise/);
});

test("a study's small sums are told once, over restarts, and again where one is smaller still", (t) => {
  const { thresholds } = alarmsSchema.parse({ thresholds: { cohort: 5 } });
  const study = digestOf("s");
  const other = digestOf("t");
  const proposal = entries.find((entry) => entry.type === "study.proposed")!;
  const opening = entries.find((entry) => entry.type === "round.opened")!;
  const agreed = entries.find((entry) => entry.type === "round.survivors")!;
  const proposed = (of: string, name: string): Entry => ({ ...proposal, study: of, name }) as Entry;
  const sum = (of: string, name: string, enterprises: number): Entry[] => [
    { ...opening, study: of, roundId: digestOf(name) } as Entry,
    {
      ...agreed,
      roundId: digestOf(name),
      survivors: Array.from({ length: enterprises }, (_, i) => `e${i}`),
    } as Entry,
    { type: "round.aborted", time: 0, roundId: digestOf(name), reason: "party_gone" },
  ];
  let known: Pick<Progress, "attempts" | "cohorts"> = {};
  // Each entry is looked at by a watch that was just started again.
  const told = [
    ...[proposed(study, "sme"), proposed(other, "retail")],
    ...[...sum(study, "1", 5), ...sum(study, "2", 4), ...sum(study, "3", 4), ...sum(other, "4", 4)],
    ...[...sum(study, "5", 3), ...sum(study, "6", 4), ...sum(study, "7", 3)],
  ].flatMap((entry) => {
    const breaches = new Breaches(thresholds, JSON.parse(JSON.stringify(known)));
    const text = breaches.take(entry);
    known = breaches.known;
    return text ?? [];
  });
  t.deepEqual(
    told.map((text) => text.replace(/;.*/, "")),
    [
      "study sme sums 4 enterprises, fewer than 5",
      "study retail sums 4 enterprises, fewer than 5",
      "study sme sums 3 enterprises, fewer than 5",
    ],
  );
  t.deepEqual(known.cohorts?.open, {}, "no attempt is kept that has ended");
});

test("many attempts without a sum are told once, and again after it was better", (t) => {
  const aborted: Entry = {
    type: "round.aborted",
    time: 0,
    roundId: digestOf("r"),
    reason: "too_few_survivors",
  };
  const released = entries.find(({ type }) => type === "round.released")!;
  const run = [
    ...Array<Entry>(11).fill(aborted),
    ...Array<Entry>(20).fill(released),
    ...Array<Entry>(11).fill(aborted),
  ];
  t.is(breachesOf({ endedShare: 0.5 }, run).length, 2);
  t.is(breachesOf({ endedShare: 0.5 }, run.slice(1, 31)).length, 0);
});
