import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as grpc from "@grpc/grpc-js";
import test from "ava";
import { readCredentials, readSecrets, writePins } from "../../../client-node/federation/credentials.ts";
import { createSecrets, type EnrolOptions, enrol } from "../../../client-node/federation/enrol.ts";
import { configFile, initNode } from "../../../client-node/init.ts";
import type { Departure } from "../../../client-node/ledger/egress.ts";
import { seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import type { EnrolRequest__Output } from "../../../proto/generated/fedcredit/v1/EnrolRequest.ts";
import { formatToken } from "../../../proto/token.ts";
import { Enrolment, statusOf } from "../../../proto/wire.ts";
import { serve, testConsortium } from "../../support/wire-server.ts";

const now = Date.now();
const consortium = await testConsortium(now);
const other = await testConsortium(now);
const random = seededRandom("enrol");
const secrets = await createSecrets("riverbank", "mill", random);
const { bankKey, auditorKey } = consortium.credentials;

/** A bank that answers every token; what it was sent is kept. */
async function bank(
  change: { enterprise?: string; consortium?: string; caPem?: string; ca?: typeof consortium } = {},
) {
  const { ca = consortium, ...reply } = change;
  const requests: EnrolRequest__Output[] = [];
  const Enrol = async (
    { request }: { request: EnrolRequest__Output },
    callback: grpc.sendUnaryData<object>,
  ) => {
    requests.push(request);
    try {
      const identity = { role: "enterprise", id: "mill" } as const;
      callback(null, {
        certificatePem: await ca.authority.signRequest(request.csrPem, identity, now),
        caPem: ca.authority.certificatePem,
        consortium: "riverbank",
        enterprise: "mill",
        bankKey,
        auditorKey,
        ...reply,
      });
    } catch (error) {
      callback(statusOf(error));
    }
  };
  const server = await serve(ca.authority, [[Enrolment.service, { Enrol }]], { clientCertificates: false });
  return { ...server, requests };
}

const token = formatToken({ secret: "one-time", caFingerprint: consortium.authority.fingerprint });
const enrolAt = (address: string, at = now, beforeSend: EnrolOptions["beforeSend"] = () => {}) =>
  enrol({ consortium: "riverbank", enterprise: "mill", address, token, secrets, now: at, beforeSend });

test("a node enrols; its keys stay, the bank gets the token's secret, a request and public keys", async (t) => {
  const server = await bank();
  const pins = await enrolAt(server.address);
  t.like(pins, { enterprise: "mill", consortium: "riverbank", bankKey, auditorKey });
  t.is(new X509Certificate(pins.certificate).subjectAltName, "URI:fedcredit://riverbank/enterprise/mill");
  const [request] = server.requests;
  t.is(request?.token, "one-time");
  const sent = JSON.stringify(request);
  for (const secret of [secrets.identity.signingSeed, secrets.identity.hpke.secretKey])
    for (const encoding of ["hex", "base64"] as const)
      t.false(sent.includes(Buffer.from(secret).toString(encoding)));
  t.false(sent.includes("PRIVATE"));
  server.stop();
});

test("the token leaves only once the ledger has it", async (t) => {
  const server = await bank();
  const departures: Departure[] = [];
  await enrolAt(server.address, now, (list) => {
    t.is(server.requests.length, 0);
    departures.push(...list);
  });
  t.is(departures.length, 1);
  t.like(departures[0], { destination: server.address, kind: "Enrolment.Enrol" });
  t.true(departures[0]!.bytes > 100);
  const full = enrolAt(server.address, now, () => {
    throw new Refusal("disk_full", "no room");
  });
  t.is((await t.throwsAsync(full, { instanceOf: Refusal }))?.reason, "disk_full");
  t.is(server.requests.length, 1);
  server.stop();
});

test("the token is not told to a server under another authority", async (t) => {
  const server = await bank({ ca: other });
  const error = await t.throwsAsync(enrolAt(server.address), { instanceOf: Refusal });
  t.is(error?.reason, "certificate_invalid");
  t.is(server.requests.length, 0);
  server.stop();
});

const answers: [string, Parameters<typeof bank>[0], string][] = [
  ["for another enterprise", { enterprise: "forge" }, "token_invalid"],
  ["for another consortium", { consortium: "seaside" }, "token_invalid"],
  ["with another authority", { caPem: other.authority.certificatePem }, "certificate_invalid"],
];
for (const [name, change, reason] of answers) {
  test(`an answer ${name} is not pinned: ${reason}`, async (t) => {
    const server = await bank(change);
    const error = await t.throwsAsync(enrolAt(server.address), { instanceOf: Refusal });
    t.is(error?.reason, reason as never);
    server.stop();
  });
}

test("nobody there: unavailable; not a token: token_invalid", async (t) => {
  const server = await bank();
  server.stop();
  t.is((await t.throwsAsync(enrolAt(server.address), { instanceOf: Refusal }))?.reason, "unavailable");
  const bad = enrol({
    consortium: "riverbank",
    enterprise: "mill",
    address: "127.0.0.1:1",
    token: "x",
    secrets,
    now,
    beforeSend() {},
  });
  t.is((await t.throwsAsync(bad, { instanceOf: Refusal }))?.reason, "token_invalid");
});

test("a node's folder: keys for this user only, made once, credentials whole or refused", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-node-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const dir = join(folder, "mill");
  const settings = { enterprise: "mill", consortium: "riverbank", coordinator: "a:1", enrolment: "a:2" };
  const { dataDir } = await initNode(dir, settings, random);
  for (const file of await readdir(dataDir))
    t.is((await stat(join(dataDir, file))).mode & 0o777, 0o600, file);
  t.is((await stat(dataDir)).mode & 0o777, 0o700);
  const again = await t.throwsAsync(initNode(dir, settings, random), { instanceOf: Refusal });
  t.is(again?.reason, "already_exists");
  await rm(configFile(dir));
  const keys = await t.throwsAsync(initNode(dir, settings, random), { instanceOf: Refusal });
  t.is(keys?.reason, "already_exists");

  const reasonAt = (at: number) =>
    t.throws(() => readCredentials(dataDir, at), { instanceOf: Refusal })?.reason;
  t.is(reasonAt(now), "file_missing");
  const server = await bank();
  const own = readSecrets(dataDir);
  const pins = await enrol({
    consortium: "riverbank",
    enterprise: "mill",
    address: server.address,
    token,
    secrets: own,
    now,
    beforeSend() {},
  });
  server.stop();
  writePins(dataDir, pins);
  t.like(readCredentials(dataDir, now), { ...pins });
  t.is(reasonAt(now + 400 * 86_400_000), "certificate_invalid");
  t.is(reasonAt(now - 86_400_000), "clock_skew");
  writePins(dataDir, { ...pins, certificate: consortium.credentials.certificate });
  t.is(reasonAt(now), "certificate_invalid");
  writePins(dataDir, { ...pins, ca: other.credentials.ca });
  t.is(reasonAt(now), "certificate_invalid");
  await writeFile(join(dataDir, "pins.json"), "{");
  t.is(reasonAt(now), "file_malformed");
});
