import test from "ava";
import type { NodeCredentials } from "../../../client-node/federation/credentials.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { WireClient } from "../../../proto/client.ts";
import { Blobs, Health, Log, protocolVersion, Rounds, refusalOf, Studies } from "../../../proto/wire.ts";
import { LocalBank } from "../../../simulate/consortium.ts";
import { borrowerFeatures, studyOf } from "../../support/rows.ts";

const bank = await LocalBank.start();
const credentials = await bank.enrolAll(["alder", "birch", "cedar"]);
const study = await bank.operator.propose(studyOf(borrowerFeatures, [{ name: "range" }]));
test.after.always(() => bank.stop());

const clientOf = ({ ca, certificate, tlsKey }: NodeCredentials): WireClient =>
  new WireClient(bank.coordinator.address, {
    authorityPem: ca,
    certificatePem: certificate,
    privateKeyPem: tlsKey,
  });

async function reasonOf(work: Promise<unknown>): Promise<Reason | "none"> {
  try {
    await work;
    return "none";
  } catch (error) {
    return refusalOf(error).reason;
  }
}

const digest = Buffer.from(study, "hex");

/** Opens every kind of stream. @returns how each ends. */
async function openStreams(client: WireClient): Promise<Promise<Reason>[]> {
  const participation = client.duplex(Rounds.service.Participate);
  participation.write(
    Rounds.service.Participate.requestSerialize({ hello: { protocolVersion, softwareVersion: "0" } }),
  );
  const follow = client.receive(
    Studies.service.Follow,
    Studies.service.Follow.requestSerialize({ study: digest }),
  );
  await follow.next();
  const ends = async (items: AsyncIterable<unknown>): Promise<Reason> => {
    const reason = await reasonOf(
      (async () => {
        for await (const _ of items);
      })(),
    );
    if (reason === "none") throw new Error("a stream ended without a reason");
    return reason;
  };
  return [ends(participation), ends(follow)];
}

const calls = (client: WireClient) =>
  Promise.all([
    reasonOf(client.call(Studies.service.List, {})),
    reasonOf(client.call(Log.service.GetCheckpoint, {})),
    reasonOf(client.call(Blobs.service.Stat, { digest })),
    reasonOf(client.upload(Blobs.service.Upload, [{ digest, size: 1, data: digest }])),
    reasonOf(
      client
        .download(Blobs.service.Fetch, Blobs.service.Fetch.requestSerialize({ digests: [digest] }))
        .next(),
    ),
  ]);
const all = (reason: string): string[] => Array.from({ length: 5 }, () => reason);

test.serial("an expelled member is cut off at once and for good, restarts included", async (t) => {
  const client = clientOf(credentials.get("alder")!);
  t.teardown(() => client.close());
  const streams = await openStreams(client);
  await bank.operator.remove("alder", "left the programme");
  t.deepEqual(await Promise.all(streams), ["certificate_invalid", "certificate_invalid"]);
  t.deepEqual(await calls(client), all("certificate_invalid"));
  await bank.countersign();
  t.notRegex(await bank.operator.roster(), /\nalder /);

  await bank.coordinator.stop();
  await bank.restart();
  const again = clientOf(credentials.get("alder")!);
  t.teardown(() => again.close());
  t.deepEqual(await calls(again), all("certificate_invalid"));
  t.is(await reasonOf(again.call(Health.service.Check, { protocolVersion })), "certificate_invalid");
});

test.serial("who enrols again after it stays out until it is admitted again: roster_mismatch", async (t) => {
  const client = clientOf(await bank.enrol("alder"));
  t.teardown(() => client.close());
  t.is(await reasonOf(client.call(Health.service.Check, { protocolVersion })), "none");
  t.deepEqual(await calls(client), all("roster_mismatch"));
});

test.serial("streams of a member end with the roster that is without it", async (t) => {
  await bank.operator.remove("birch");
  // Until the auditor signs it is in the newest roster, with the certificate that the bank gave it anew.
  const client = clientOf(await bank.enrol("birch"));
  t.teardown(() => client.close());
  const streams = await openStreams(client);
  await bank.countersign();
  t.deepEqual(await Promise.all(streams), ["roster_mismatch", "roster_mismatch"]);
  t.deepEqual(await calls(client), all("roster_mismatch"));
});

test.serial("a revoked certificate is refused for good, and its holder's next one works", async (t) => {
  const client = clientOf(credentials.get("cedar")!);
  t.teardown(() => client.close());
  const streams = await openStreams(client);
  t.is((await bank.operator.revoke("cedar")).length, 1);
  t.deepEqual(await Promise.all(streams), ["certificate_invalid", "certificate_invalid"]);
  t.deepEqual(await calls(client), all("certificate_invalid"));
  const nothing = await t.throwsAsync(bank.operator.revoke("cedar"), { instanceOf: Refusal });
  t.is(nothing?.reason, "not_found");
  await bank.coordinator.stop();
  await bank.restart();
  const again = clientOf(credentials.get("cedar")!);
  t.teardown(() => again.close());
  t.is(await reasonOf(again.call(Studies.service.List, {})), "certificate_invalid");
});
