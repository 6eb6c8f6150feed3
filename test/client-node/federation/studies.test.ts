import test from "ava";
import type { Certificates } from "../../../client-node/federation/certificates.ts";
import { lookUp } from "../../../client-node/federation/local-facts.ts";
import { StateChain } from "../../../client-node/federation/state-chain.ts";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { openManifest, type StudyDesk } from "../../../client-node/federation/studies.ts";
import { headOf } from "../../../client-node/ledger/chain.ts";
import { EgressLedger } from "../../../client-node/ledger/egress.ts";
import { rememberManifest, seenManifests, storeConsent } from "../../../client-node/ledger/records.ts";
import { everyTable } from "../../../client-node/ledger/recoveries.ts";
import { lockStep } from "../../../client-node/ledger/steps.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { policyOf } from "../../../client-node/policy.ts";
import { ownRecords } from "../../../client-node/rows/own-records.ts";
import { desensitizedRows, remembered } from "../../../client-node/rows/row-source.ts";
import { canonicalBytes, canonicalJson, digestOf } from "../../../core/canonical.ts";
import { seededRandom } from "../../../core/random.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import type { SealedSum } from "../../../models/algorithm.ts";
import { tableOf } from "../../../models/study.ts";
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
  const levels = ["x".repeat(4 * 2 ** 20)];
  const features = [{ name: "sector", kind: "categorical", levels }];
  t.is(await open(canonicalJson({ ...manifest, features })), "message_malformed");
  const wrong = canonicalJson({ ...manifest, features: Array(100_000).fill(1) });
  const refusal = t.throws(() => openManifest(digestOf(wrong), Buffer.from(wrong)), { instanceOf: Refusal });
  t.regex(refusal!.message, /features\.19: .*; and 99980 more$/);
});

test("of manifests that it was shown, a node keeps the newest, and all that it consented to", (t) => {
  const db = openStore(":memory:");
  t.teardown(() => db.close());
  const shown = Array.from({ length: 12 }, (_, i) => digestOf(`study ${i}`));
  const megabytes = "x".repeat(4 * 2 ** 20);
  storeConsent(db, { study: shown[0]!, manifest: megabytes, expiresMillis: 1000, withdrawn: true });
  for (const one of shown) rememberManifest(db, one, megabytes);
  t.deepEqual(
    seenManifests(db).map((one) => one.study),
    [shown[0], ...shown.slice(-8)],
  );
});

/** A desk with a consent. */
async function deskWith(change: Partial<StudyDesk> = {}) {
  const { bankSeed, credentials } = await testConsortium();
  const db = openStore(":memory:");
  storeConsent(db, { study, manifest: canonicalJson(manifest), expiresMillis: 1000, withdrawn: false });
  return {
    db,
    transport: {} as StudyDesk["transport"],
    credentials,
    bankSeed,
    ledger: new EgressLedger(db, credentials),
    policy: () => policyFor(manifest),
    rows: async () => borrowers(),
    now: () => 999,
    ...change,
  };
}

const statistics = new DirectStatistics(seededRandom("statistics"));

interface Step {
  /** What was summed on. */
  readonly state: StudyState;
  readonly sum: SealedSum;
}

/** The study as it ran over three enterprises. */
async function ranStudy(): Promise<{ steps: readonly Step[]; last: StudyState }> {
  const steps: Step[] = [];
  let state = startStudy(manifest);
  while (state.algorithm !== null) {
    const each = await statistics.contribute(study, manifest, state, borrowers());
    const sum = { values: each.map((value) => 3 * value), parties: 3 };
    steps.push({ state, sum });
    state = await statistics.advance(manifest, state, sum);
  }
  return { steps, last: state };
}

/** A chain whose bank shows the certificates of these steps. */
function chainOver(db: StudyDesk["db"], steps: readonly Step[]) {
  const asked: number[] = [];
  const certificates = {
    async *after(_: string, sums: number) {
      asked.push(sums);
      for (const [i, { state, sum }] of steps.entries())
        if (i >= sums) yield { header: { study, round: i + 1 }, state: headOf(i, state).digest, ...sum };
    },
  } as unknown as Certificates;
  return {
    asked,
    chain: new StateChain({ db, ledger: {} as never, now: Date.now, certificates, statistics }),
  };
}

test("the first state is the manifest's, the next ones follow from sums, over restarts too", async (t) => {
  const { db } = await deskWith();
  const { steps, last } = await ranStudy();
  const { asked, chain } = chainOver(db, steps);
  const first = startStudy(manifest);
  t.deepEqual(chain.head(study, manifest), headOf(0, first));
  t.deepEqual(chain.next(study, manifest), {
    round: 1,
    algorithm: { index: first.index, name: "range", step: first.step },
    state: headOf(0, first).digest,
    layout: studyLayout(manifest, first),
    noise: undefined,
    among: undefined,
  });
  await chain.advance(study, manifest, 1, steps[0]!.sum);
  t.deepEqual(chain.head(study, manifest), headOf(1, steps[1]!.state));
  await chain.advance(study, manifest, 1, steps[0]!.sum);
  t.is(chain.head(study, manifest).sums, 1, "a sum counts once");
  const again = chainOver(db, steps);
  t.deepEqual(again.chain.head(study, manifest), headOf(1, steps[1]!.state));
  await again.chain.catchUp(study, manifest, 2);
  t.deepEqual([asked, again.asked], [[], []], "who was there needs no certificate");
  await again.chain.catchUp(study, manifest, 3);
  t.deepEqual(again.asked, [1]);
  t.deepEqual(again.chain.head(study, manifest), headOf(2, last));
  t.is(again.chain.next(study, manifest), undefined);
});

test("who was away walks the chain by certificates, and refuses one of another state", async (t) => {
  const { steps } = await ranStudy();
  const caughtUp = async (shown: readonly Step[]) => {
    const { chain } = chainOver((await deskWith()).db, shown);
    const reason = await reasonOf(() => chain.catchUp(study, manifest, 3));
    return [reason, chain.head(study, manifest).sums];
  };
  t.deepEqual(await caughtUp(steps), [undefined, 2]);
  const [one, two] = steps as [Step, Step];
  t.deepEqual(await caughtUp([one, { ...two, state: one.state }]), ["state_mismatch", 1]);
  t.deepEqual(await caughtUp([{ ...one, state: two.state }, two]), ["state_mismatch", 0]);
  // a bank that keeps a certificate back
  t.deepEqual(await caughtUp([one]), ["state_mismatch", 1]);
});

test("step 0 looks at today's policy, not at the one of the consent", async (t) => {
  const desk = await deskWith();
  const { chain } = chainOver(desk.db, []);
  const { name, seed } = { ...parseSignerKeyName(desk.credentials.bankKey), seed: desk.bankSeed };
  const checkpoint = signCheckpoint({ origin: name, size: 0, root: emptyRoot }, noteSigner(name, seed));
  const header = { study, round: 1, cohort: ["mill"], checkpoint } as unknown as RoundHeader;
  const roundId = "ab".repeat(32);
  const facts = (on: StudyDesk, asked = header) => lookUp(on, chain, { roundId }, asked, undefined);
  const { local } = await facts(desk);
  t.like(local, {
    nowMillis: 999,
    seen: false,
    consent: { expiresMillis: 1000, manifest },
    exactSums: { left: 100_000 },
    step: { locked: undefined, spent: undefined },
    checkpointConsistent: true,
  });
  t.is(local.next?.state, headOf(0, startStudy(manifest)).digest, "its own state, not the header's");
  t.is(await reasonOf(() => facts(desk, { ...header, round: 2 })), "state_mismatch");
  const allowed = policyFor(manifest);
  const fields = allowed.fields.filter((field) => field.name !== "age");
  const narrowed = await deskWith({ policy: () => ({ ...allowed, fields }) });
  t.is(await reasonOf(() => facts(narrowed)), "policy_refuses");
  const helper = await facts(desk, { ...header, cohort: ["truck"] });
  t.is(helper.local.consent, undefined, "who only helps to unmask needs none");
  storeConsent(desk.db, { study, manifest: canonicalJson(manifest), expiresMillis: 1000, withdrawn: true });
  t.is((await facts(desk)).local.consent, undefined);
});

test("what one table has spent is not spent of another", async (t) => {
  const whole = policyFor(manifest);
  const { minRows, maxEpsilon, fields } = whole;
  const exactSums = { perTable: 2, cohortChange: "accept" } as const;
  const tables = { leases: { minRows, maxEpsilon, fields, exactSums } };
  const desk = await deskWith({
    policy: (of) => policyOf({ ...whole, exactSums: { ...exactSums, perTable: 3 }, tables }, tableOf(of)),
  });
  const { name, seed } = { ...parseSignerKeyName(desk.credentials.bankKey), seed: desk.bankSeed };
  const checkpoint = signCheckpoint({ origin: name, size: 0, root: emptyRoot }, noteSigner(name, seed));
  const leftOf = async (table?: string): Promise<number> => {
    const asked = { ...manifest, ...(table === undefined ? {} : { table }) };
    const of = digestOf(canonicalBytes(asked));
    storeConsent(desk.db, {
      study: of,
      manifest: canonicalJson(asked),
      expiresMillis: 1000,
      withdrawn: false,
    });
    const header = { study: of, round: 1, cohort: ["mill"], checkpoint } as unknown as RoundHeader;
    const { chain } = chainOver(desk.db, []);
    const facts = await lookUp(desk, chain, { roundId: "ab".repeat(32) }, header, undefined);
    return facts.local.exactSums.left;
  };
  t.deepEqual([await leftOf(), await leftOf("leases")], [3, 2]);
  const summed = (roundId: string, table: string) =>
    lockStep(
      desk.db,
      {
        roundId,
        study: roundId,
        round: 1,
        state: roundId,
        table,
        survivors: ["mill"],
        organisations: ["Mill"],
        exact: true,
        follows: undefined,
        among: ["mill"],
        threshold: 1,
      },
      exactSums,
    );
  summed("1".repeat(64), "leases");
  t.deepEqual([await leftOf(), await leftOf("leases")], [3, 1]);
  summed("2".repeat(64), everyTable);
  t.deepEqual([await leftOf(), await leftOf("leases")], [2, 0], "of which table nobody knows: of each");
  t.throws(() => summed("3".repeat(64), "leases"), { message: /allows no more/ });
  t.is(await reasonOf(() => leftOf("cards")), "policy_refuses", "a table that the policy says nothing of");
});

const parseSignerKeyName = (verifierKey: string): { name: string } => ({ name: verifierKey.split("+")[0]! });

test("rows are read once for a study and policy, again after a failure, and never more than the study allows", async (t) => {
  let reads = 0;
  let fails = true;
  const rows = remembered(async () => {
    reads++;
    if (fails) throw new Refusal("file_missing", "not there yet");
    return borrowers();
  });
  const policy = policyFor(manifest);
  t.is(await reasonOf(() => rows(manifest, policy)), "file_missing");
  fails = false;
  await rows(manifest, policy);
  t.is(await rows(manifest, policy), await rows(manifest, policy));
  t.is(reads, 2);
  await rows(manifest, { ...policy, fields: [] });
  t.is(reads, 3, "another policy makes other rows of them");
  const none = desensitizedRows({
    read: ownRecords({ sites: [], dataDir: "", tables: {} }),
    key: new Uint8Array(32),
    now: () => 0,
  });
  const salt = new Uint8Array(32);
  t.is(await reasonOf(() => none(manifest, { policy, salt, onRun() {} })), "rows_missing");
});
