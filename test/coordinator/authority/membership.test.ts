import anyTest, { type TestFn } from "ava";
import { createSecrets, enrol } from "../../../client-node/federation/enrol.ts";
import { Authority, createAuthority, type KeyPair } from "../../../coordinator/authority/ca.ts";
import { openAuthority } from "../../../coordinator/authority/keys.ts";
import { sha256 } from "../../../core/canonical.ts";
import { secureRandom } from "../../../core/random.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { certificateRequest, generateTlsKey } from "../../../privacy/certificate-request.ts";
import { signConsent } from "../../../privacy/log/consent.ts";
import {
  newSignerKey,
  noteSigner,
  parseSignerKey,
  signNote,
  verifierKey,
} from "../../../privacy/log/note.ts";
import { WireClient } from "../../../proto/client.ts";
import {
  Blobs,
  Enrolment,
  Health,
  Log,
  Membership,
  protocolVersion,
  Rounds,
  refusalOf,
  Studies,
} from "../../../proto/wire.ts";
import { consortiumName, LocalBank } from "../../../simulate/consortium.ts";
import { borrowerFeatures, studyOf } from "../../support/rows.ts";

const test = anyTest as TestFn<{ bank: LocalBank }>;

/** Coordinator's time, set by the tests. */
let offsetMillis = 0;
const clock = {
  now: () => Date.now() + offsetMillis,
  after: (seconds: number, fire: () => void) => {
    const timer = setTimeout(fire, seconds * 1000);
    return () => clearTimeout(timer);
  },
};

test.before(async (t) => {
  t.context.bank = await LocalBank.start({}, { clock });
});
test.after.always((t) => t.context.bank.stop());
test.afterEach(() => {
  offsetMillis = 0;
});

async function reasonOf(work: Promise<unknown>): Promise<Reason | "none" | string> {
  try {
    await work;
    return "none";
  } catch (error) {
    return error instanceof Refusal ? error.reason : String(error);
  }
}

async function enrolWith(bank: LocalBank, token: string, enterprise: string) {
  const secrets = await createSecrets(consortiumName, enterprise, secureRandom);
  const address = bank.coordinator.enrolmentAddress;
  return enrol({
    consortium: consortiumName,
    enterprise,
    address,
    token,
    secrets,
    now: Date.now(),
    beforeSend() {},
  });
}

test.serial("a token works once, for its enterprise, until it expires", async (t) => {
  const { bank } = t.context;
  const token = await bank.operator.createToken("mill", "Mill Ltd", 3600);
  t.is(await reasonOf(enrolWith(bank, token, "truck")), "token_invalid");
  t.is(await reasonOf(enrolWith(bank, token, "mill")), "none", "a failed try does not burn it");
  t.is(await reasonOf(enrolWith(bank, token, "mill")), "token_invalid", "used");
  const late = await bank.operator.createToken("mill", "Mill Ltd", 3600);
  offsetMillis = 3_601_000;
  t.is(await reasonOf(enrolWith(bank, late, "mill")), "token_invalid", "expired");
  for (const [id, organisation, seconds] of [
    ["Mill", "Mill Ltd", 60],
    ["bank", "Bank", 60],
    ["mill", " ", 60],
    ["mill", "Mill Ltd", 0],
  ] as const)
    t.is(await reasonOf(bank.operator.createToken(id, organisation, seconds)), "parameters_invalid");
});

test.serial("enrolment refuses an older node and a request that is none", async (t) => {
  const { bank } = t.context;
  const { certificatePem } = await openAuthority(bank.config, secureRandom);
  const client = new WireClient(bank.coordinator.enrolmentAddress, { authorityPem: certificatePem });
  t.teardown(() => client.close());
  const [token = ""] = (await bank.operator.createToken("mill", "Mill Ltd")).split(".");
  const { send: identityKey } = newSignerKey(`${consortiumName}/mill`, secureRandom);
  const request = { token, csrPem: "no", identityKey, hpkeKey: Buffer.alloc(32, 9), protocolVersion };
  const ask = (changes: object): Promise<string> =>
    reasonOf(client.call(Enrolment.service.Enrol, { ...request, ...changes }));
  t.is(await ask({ protocolVersion: 0 }), "protocol_version");
  t.is(await ask({}), "message_malformed");
  t.is(await ask({ hpkeKey: Buffer.alloc(31) }), "message_malformed");
  t.is(await ask({ hpkeKey: Buffer.alloc(32) }), "key_low_order");
  const neutral = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
  t.is(await ask({ identityKey: verifierKey(`${consortiumName}/mill`, neutral) }), "key_low_order");
  t.is(await ask({ identityKey: "mill" }), "note_malformed");
  const requestPem = await certificateRequest(await generateTlsKey(), "whoever");
  t.is(await ask({ csrPem: requestPem }), "none", "none of these burned the token");
});

test.serial(
  "missing, foreign and expired certificates: certificate_invalid; the wrong role: role_denied",
  async (t) => {
    const { bank } = t.context;
    const authority = await openAuthority(bank.config, secureRandom);
    const foreign = await Authority.open(
      consortiumName,
      await createAuthority(consortiumName, Date.now(), secureRandom),
      secureRandom,
    );
    const year = 366 * 86_400_000 * 2;
    const mill = { role: "enterprise", id: "mill" } as const;
    const other = await Authority.open(
      "elsewhere",
      {
        certificatePem: authority.certificatePem,
        privateKeyPem: await caKey(bank),
      },
      secureRandom,
    );
    const cases: readonly [string, KeyPair | undefined, string][] = [
      ["none", undefined, "certificate_invalid"],
      ["foreign", await foreign.issueClient(mill, Date.now()), "certificate_invalid"],
      ["expired", await authority.issueClient(mill, Date.now() - year), "certificate_invalid"],
      ["of another consortium", await other.issueClient(mill, Date.now()), "certificate_invalid"],
      ["enterprise", await authority.issueClient(mill, Date.now()), "role_denied"],
    ];
    for (const [what, pair, expected] of cases) {
      const keys = { authorityPem: authority.certificatePem, ...pair };
      const client = new WireClient(bank.coordinator.address, keys);
      t.is(await reasonOf(client.call(Membership.service.Admit, { enterprises: [] })), expected, what);
      const answer = await reasonOf(client.call(Health.service.Check, { protocolVersion: 1 }));
      t.is(answer, expected === "role_denied" ? "none" : expected, what);
      client.close();
    }
  },
);

async function caKey(bank: LocalBank): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const { join } = await import("node:path");
  return readFile(join(bank.config.keys, "ca.key"), "utf8");
}

test.serial("a roster counts when the auditor signed exactly what the bank proposed", async (t) => {
  const { bank } = t.context;
  t.is(await reasonOf(bank.operator.admit(["nobody"])), "not_found");
  t.is(await reasonOf(bank.operator.roster()), "not_found");
  await bank.enrol("mill");
  const note = await bank.operator.admit(["mill"]);
  const auditor = bank.auditor();
  t.teardown(() => auditor.close());
  t.is((await auditor.pendingRoster()).note, note);
  const stranger = parseSignerKey(newSignerKey("auditor", secureRandom).keep);
  const forged = signNote(note.slice(0, note.lastIndexOf("\n\n") + 1), [
    noteSigner("auditor", stranger.seed),
  ]);
  t.is(await reasonOf(auditor.countersign(forged)), "signature_invalid");
  await bank.enrol("truck");
  await bank.operator.admit();
  t.is(await reasonOf(auditor.countersign(note)), "roster_mismatch", "another roster is pending by now");
  await bank.countersign();
  t.regex(await bank.operator.roster(), /\nmill .*\ntruck /s);
  t.is(await reasonOf(bank.operator.admit(["mill"])), "already_exists");
});

test.serial(
  "studies: what cannot run is refused when it is proposed, consent when it is not the member's",
  async (t) => {
    const { bank } = t.context;
    const manifest = studyOf(borrowerFeatures, [{ name: "range" }]);
    const refused: readonly [object, string][] = [
      [{ consortium: "elsewhere" }, "parameters_invalid"],
      [{ algorithms: [{ name: "alchemy" }] }, "algorithm_unknown"],
      [{ algorithms: [{ name: "logistic" }] }, "parameters_invalid"],
      [{ unprotected: [] }, "unprotected"],
      [{ privacy: { minCohort: 1, maxColluding: 0, unit: "record" } }, "parameters_invalid"],
      [{ extra: true }, "parameters_invalid"],
    ];
    for (const [changes, reason] of refused)
      t.is(
        await reasonOf(bank.operator.propose({ ...manifest, ...changes })),
        reason,
        JSON.stringify(changes),
      );
    const study = await bank.operator.propose(manifest);
    t.is(await bank.operator.propose(manifest), study, "proposing it again changes nothing");
    t.is(await reasonOf(bank.operator.propose({ ...manifest, purpose: "another" })), "already_exists");

    const credentials = await bank.enrol("mill");
    await reasonOf(bank.operator.admit());
    await reasonOf(bank.countersign());
    const client = new WireClient(bank.coordinator.address, {
      authorityPem: credentials.ca,
      certificatePem: credentials.certificate,
      privateKeyPem: credentials.tlsKey,
    });
    t.teardown(() => client.close());
    const expires = Date.now() + 60_000;
    const consent = (changes: object, expiresMillis = expires): Promise<string> => {
      const text = { consortium: consortiumName, enterprise: "mill", study, expires, ...changes };
      const { name, signingSeed } = credentials.identity;
      const note = signConsent(text, noteSigner(name, signingSeed));
      return reasonOf(
        client.call(Studies.service.Consent, { study: Buffer.from(study, "hex"), expiresMillis, note }),
      );
    };
    t.is(await consent({ study: "0".repeat(64) }), "manifest_changed");
    t.is(await consent({ enterprise: "truck" }), "signature_invalid");
    t.is(await consent({}, expires + 1), "message_malformed");
    t.is(await consent({ expires: 1 }, 1), "consent_expired");
    t.is(await consent({}), "none");
    t.deepEqual((await bank.operator.study(study)).consented, ["mill"]);
    await client.call(Studies.service.Withdraw, { study: Buffer.from(study, "hex") });
    t.deepEqual((await bank.operator.study(study)).consented, []);
  },
);

test.serial(
  "an outsider, or who is expelled or revoked, reads nothing and stores nothing, at once",
  async (t) => {
    const bank = await LocalBank.start();
    t.teardown(() => bank.stop());
    const clientOf = async (enterprise: string, enrolled = bank.enrol(enterprise)): Promise<WireClient> => {
      const { ca, certificate, tlsKey } = await enrolled;
      const keys = { authorityPem: ca, certificatePem: certificate, privateKeyPem: tlsKey };
      const client = new WireClient(bank.coordinator.address, keys);
      t.teardown(() => client.close());
      return client;
    };
    const [mill, truck] = [await clientOf("mill"), await clientOf("truck")];
    await bank.operator.admit();
    await bank.countersign();
    const kiln = await clientOf("kiln");
    const data = Buffer.from("ciphertext");
    const digest = Buffer.from(sha256(data));
    const calls: readonly [string, (client: WireClient) => Promise<unknown>][] = [
      ["roster", (client) => client.call(Membership.service.GetRoster, {})],
      ["studies", (client) => client.call(Studies.service.List, {})],
      ["log", (client) => client.call(Log.service.GetCheckpoint, {})],
      [
        "upload",
        (client) =>
          client.upload(Blobs.service.Upload, [
            { roundId: Buffer.alloc(32), digest, size: data.length, offset: 0, data },
          ]),
      ],
    ];
    const answers = async (client: WireClient): Promise<string[]> => {
      const reasons: string[] = [];
      for (const [, call] of calls) reasons.push(await reasonOf(call(client)));
      return reasons;
    };
    const all = (reason: string): string[] => calls.map(() => reason);
    /** A member reads; it stores where an attempt is open, and none is. */
    const asMember = ["none", "none", "none", "message_unexpected"];
    t.deepEqual(await answers(mill), asMember);
    t.deepEqual(await answers(kiln), all("roster_mismatch"), "enrolled, not admitted");

    const [of, ofTruck] = [participate(mill), participate(truck)];
    const note = await bank.operator.remove("mill", "left the programme");
    t.is(await reasonOf(of), "certificate_invalid", "its stream has ended");
    t.deepEqual(await answers(mill), all("certificate_invalid"), "before the auditor has signed anything");
    t.notRegex(note, /\nmill /);
    t.is(await reasonOf(bank.operator.remove("mill")), "not_found");
    t.is(await reasonOf(bank.operator.remove("truck")), "parameters_invalid", "the last member");
    await bank.countersign();
    t.notRegex(await bank.operator.roster(), /\nmill /);

    t.is((await bank.operator.revoke("truck")).length, 1);
    t.is(await reasonOf(ofTruck), "certificate_invalid");
    t.deepEqual(await answers(truck), all("certificate_invalid"));
    t.is(await reasonOf(bank.operator.revoke("truck")), "not_found", "it has none any more");
    const standings = async (): Promise<string[]> =>
      (await bank.operator.enterprises()).map(
        ({ enterprise, standing, certificates }) => `${enterprise} ${standing} ${certificates.length}`,
      );
    t.deepEqual(await standings(), ["kiln enrolled 1", "mill removed 0", "truck member 0"]);
    await bank.coordinator.stop();
    await bank.restart();
    t.deepEqual(await answers(mill), all("certificate_invalid"), "for good");
    t.deepEqual(
      await answers(await clientOf("truck")),
      asMember,
      "enrolled again, its keys as they were admitted",
    );
    await bank.operator.admit();
    t.regex(await bank.operator.roster(), /truck/);
    await bank.countersign();
    t.deepEqual(
      await standings(),
      ["kiln member 1", "mill removed 0", "truck member 1"],
      "mill is not admitted by itself",
    );
  },
);

/** Holds a participation stream open until it ends. */
async function participate(client: WireClient): Promise<void> {
  const method = Rounds.service.Participate;
  const stream = client.duplex(method);
  stream.write(
    method.requestSerialize({ message: "hello", hello: { protocolVersion, softwareVersion: "test" } }),
  );
  try {
    for await (const _ of stream);
  } catch (error) {
    throw refusalOf(error);
  }
}
