import test from "ava";
import { Contribution } from "../../../client-node/federation/contribution.ts";
import { lookUp } from "../../../client-node/federation/local-facts.ts";
import { openManifest, type StudyDesk } from "../../../client-node/federation/studies.ts";
import { EgressLedger } from "../../../client-node/ledger/egress.ts";
import { storeConsent } from "../../../client-node/ledger/records.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { ownRecords } from "../../../client-node/rows/own-records.ts";
import { desensitizedRows, remembered } from "../../../client-node/rows/row-source.ts";
import { canonicalBytes, canonicalJson, digestOf } from "../../../core/canonical.ts";
import { seededRandom } from "../../../core/random.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { type StudyState, startStudy, studyLayout } from "../../../models/study-loop.ts";
import { signCheckpoint } from "../../../privacy/log/checkpoint.ts";
import { emptyRoot } from "../../../privacy/log/merkle.ts";
import { noteSigner } from "../../../privacy/log/note.ts";
import type { RoundHeader } from "../../../privacy/sum/header.ts";
import { policyFor } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";
import { testConsortium } from "../../support/wire-server.ts";

const manifest = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }]);
const study = digestOf(canonicalBytes(manifest));

const reasonOf = async (work: () => unknown): Promise<Reason | undefined> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return undefined;
};

test("a manifest is what its digest says, in its one form, or refused", async (t) => {
  const bytes = canonicalBytes(manifest);
  t.deepEqual(openManifest(study, bytes).manifest, manifest);
  const open = (text: string, digest = digestOf(text)) =>
    reasonOf(() => openManifest(digest, Buffer.from(text)));
  t.is(await open(canonicalJson({ ...manifest, purpose: "marketing" }), study), "manifest_changed");
  t.is(await open(JSON.stringify(manifest, undefined, 1)), "message_malformed");
  t.is(await open("{"), "message_malformed");
  t.is(await open(canonicalJson({ ...manifest, extra: 1 })), "parameters_invalid");
});

/** A desk with a consent, and a transport that downloads what is put there. */
async function deskWith(blobs: readonly Uint8Array[], change: Partial<StudyDesk> = {}) {
  const { bankSeed, credentials } = await testConsortium();
  const db = openStore(":memory:");
  storeConsent(db, { study, manifest: canonicalJson(manifest), expiresMillis: 1000, withdrawn: false });
  const held = new Map(blobs.map((blob) => [digestOf(blob), blob]));
  const downloads: string[] = [];
  const transport = {
    async download(digests: readonly string[]) {
      downloads.push(...digests);
      return digests.map((digest) => {
        const blob = held.get(digest);
        if (blob === undefined) throw new Refusal("digest_mismatch", "another content");
        return blob;
      });
    },
  } as unknown as StudyDesk["transport"];
  const desk = {
    db,
    transport,
    credentials,
    downloads,
    bankSeed,
    random: seededRandom("desk"),
    ledger: new EgressLedger(db, credentials.identity),
    policy: policyFor(manifest),
    rows: async () => borrowers(),
    now: () => 999,
    ...change,
  };
  return desk;
}

const state = startStudy(manifest);
const headerOf = (value: StudyState, change: Partial<RoundHeader> = {}): RoundHeader =>
  ({
    study,
    state: digestOf(canonicalBytes(value)),
    algorithm: { index: value.index, name: value.algorithm, step: value.step },
    round: 1,
    attempt: 1,
    ...change,
  }) as RoundHeader;

test("a contribution is the algorithm's, on the state of the header; the state is fetched once", async (t) => {
  const desk = await deskWith([canonicalBytes(state)]);
  const contribution = new Contribution(desk);
  const { values, layout } = await contribution.compute(headerOf(state));
  t.deepEqual(layout, studyLayout(manifest, state));
  t.true(values.length > 0 && values.some((value) => value > 0));
  t.deepEqual((await contribution.compute(headerOf(state, { attempt: 2 }))).values, values);
  t.is(desk.downloads.length, 1);
});

test("another state, another step, or no consent any more: no contribution", async (t) => {
  const garbage = Buffer.from("not JSON");
  const desk = await deskWith([canonicalBytes(state), garbage]);
  const compute = (header: RoundHeader, on = desk) => reasonOf(() => new Contribution(on).compute(header));
  t.is(await compute(headerOf(state, { state: "00".repeat(32) })), "state_mismatch");
  t.is(await compute(headerOf(state, { state: digestOf(garbage) })), "state_mismatch");
  const wrongStep = { index: 0, name: "range", step: 1 };
  t.is(await compute(headerOf(state, { algorithm: wrongStep })), "header_mismatch");
  t.is(await compute(headerOf(state), await deskWith([], { now: () => 1000 })), "consent_expired");
});

test("step 0 looks at today's policy, not at the one of the consent", async (t) => {
  const desk = await deskWith([]);
  const { name, seed } = { ...parseSignerKeyName(desk.credentials.bankKey), seed: desk.bankSeed };
  const checkpoint = signCheckpoint({ origin: name, size: 0, root: emptyRoot }, noteSigner(name, seed));
  const header = headerOf(state, { checkpoint });
  const epoch = { epoch: 1, commitment: "ab".repeat(32) };
  const { local } = await lookUp(desk, header, epoch);
  t.like(local, {
    nowMillis: 999,
    consent: { expiresMillis: 1000, manifest },
    keyEpoch: { ...epoch, rounds: 0 },
    last: undefined,
    checkpointConsistent: true,
  });
  const fields = desk.policy.fields.filter((field) => field.name !== "age");
  const narrowed = await deskWith([], { policy: { ...desk.policy, fields } });
  t.is(await reasonOf(() => lookUp(narrowed, header, epoch)), "policy_refuses");
  storeConsent(desk.db, { study, manifest: canonicalJson(manifest), expiresMillis: 1000, withdrawn: true });
  t.is((await lookUp(desk, header, epoch)).local.consent, undefined);
});

const parseSignerKeyName = (verifierKey: string): { name: string } => ({ name: verifierKey.split("+")[0]! });

test("rows are read once for a study, again after a failure, and never more than the study allows", async (t) => {
  let reads = 0;
  let fails = true;
  const rows = remembered(async (_: StudyManifest) => {
    reads++;
    if (fails) throw new Refusal("file_missing", "not there yet");
    return borrowers();
  });
  t.is(await reasonOf(() => rows(manifest)), "file_missing");
  fails = false;
  await rows(manifest);
  t.is(await rows(manifest), await rows(manifest));
  t.is(reads, 2);
  const none = desensitizedRows({
    read: ownRecords({ sites: [], dataDir: "" }),
    policy: policyFor(manifest),
    key: new Uint8Array(32),
    now: () => 0,
  });
  t.is(await reasonOf(() => none(manifest, () => {})), "rows_missing");
});
