import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { deserialize } from "node:v8";
import { zstdDecompressSync } from "node:zlib";
import test from "ava";
import pg from "pg";
import type { NodeCredentials, Pins } from "../../client-node/federation/credentials.ts";
import { DirectStatistics } from "../../client-node/federation/statistics.ts";
import { EgressLedger } from "../../client-node/ledger/egress.ts";
import { openStore } from "../../client-node/ledger/store.ts";
import { startNode } from "../../client-node/node.ts";
import { openAuthority } from "../../coordinator/authority/keys.ts";
import { systemClock } from "../../coordinator/bank.ts";
import { readConfig } from "../../coordinator/config.ts";
import { startCoordinator } from "../../coordinator/coordinator.ts";
import { Operator } from "../../coordinator/operator.ts";
import { type EmbeddedDatabase, startEmbedded } from "../../coordinator/store/embedded.ts";
import { secureRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { selectRows } from "../../models/rows.ts";
import { certificateRequest } from "../../privacy/certificate-request.ts";
import { importIdentity } from "../../privacy/identity.ts";
import { cosignatureVerifier } from "../../privacy/log/cosignature.ts";
import { knownSigner, parseSignerKey, parseVerifierKey } from "../../privacy/log/note.ts";
import { formatPolicy, parsePolicy } from "../../privacy/log/policy.ts";
import { reconcile } from "../../privacy/log/reconcile.ts";
import { type Check, verifyExport } from "../../privacy/log/verify.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { policyFor, silent, temporaryDirectory } from "../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../support/rows.ts";

const names = ["lathe", "mill", "truck"];
const table = borrowers();
const parts = scatter(table.rows, names.length, "upgrade").map((rows) => {
  const mine = new Set(rows);
  return selectRows(table, (row) => mine.has(row));
});
const manifest = {
  ...studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }, { name: "logistic", penalty: 1 }]),
  name: "new",
};
const onThisMachine = { log: silent, clock: systemClock, random: secureRandom };
const failed = (checks: readonly Check[]) => checks.filter(({ ok }) => !ok);

/** What a fixture says of itself (test/fixtures/upgrade/make.sh). */
interface Made {
  readonly done: string;
  readonly running: string;
  readonly model: string;
  /** The auditor's secret. */
  readonly auditor: string;
  readonly bankKey: string;
}

/** A bank's folder and three nodes' ledgers as an earlier version left them, and the dump of its database loaded. */
async function unpacked(name: string, form: "embedded" | "plain") {
  const dir = await temporaryDirectory();
  const packed = await readFile(join(import.meta.dirname, `../fixtures/upgrade/${name}.zst`));
  const files = deserialize(zstdDecompressSync(packed)) as Map<string, Uint8Array>;
  for (const [path, content] of files) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
  const dataDir = join(dir, "data");
  await mkdir(dataDir, { mode: 0o700 });
  const server: EmbeddedDatabase = await startEmbedded(
    form === "embedded" ? join(dataDir, "postgres") : join(dir, "cluster"),
    silent,
  );
  const { socketDirectory: host, user } = server;
  const client = new pg.Client({ host, user, database: "postgres" });
  await client.connect();
  await client.query(await readFile(join(dir, "dump.sql"), "utf8"));
  await client.end();
  if (form === "embedded") await server.stop();
  const database =
    form === "embedded"
      ? "embedded"
      : `postgres://${user}@localhost/postgres?host=${encodeURIComponent(host)}`;
  return {
    dir,
    config: {
      ...readConfig(join(dir, "coordinator.yaml")),
      database,
      dataDir,
      blobs: join(dir, "blobs"),
      keys: join(dir, "keys"),
    },
    made: JSON.parse(await readFile(join(dir, "made.json"), "utf8")) as Made,
    end: async () => {
      if (form === "plain") await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

for (const form of ["embedded", "plain"] as const)
  test.serial(
    `sums of now, ${form} database: what was there is there, what ran goes on, a new study runs`,
    async (t) => {
      t.timeout(300_000);
      const { config, dir, end, made } = await unpacked("sums-2", form);
      t.teardown(end);
      const coordinator = await startCoordinator({ ...onThisMachine, config });
      t.teardown(() => coordinator.stop());
      const operator = await Operator.connect(config, coordinator.address);
      t.teardown(() => operator.close());
      const auditor = parseSignerKey(made.auditor);
      const witness = knownSigner(auditor.name, auditor.seed).verifier;
      const policy = parsePolicy(
        formatPolicy(
          parseVerifierKey(made.bankKey),
          [cosignatureVerifier(witness.name, witness.publicKey)],
          0,
        ),
      );
      t.deepEqual(failed(await verifyExport(operator.exportLog(), policy)), []);
      t.is((await operator.study(made.done)).phase, "finished");
      t.is((await operator.model(made.done)).digest, made.model);

      // Certificates of then end while the fixture stays: the authority signs them anew.
      const authority = await openAuthority(config, secureRandom);
      const bfv = await openBfv();
      t.teardown(() => bfv.close());
      const credentials: NodeCredentials[] = [];
      for (const name of names) {
        const { identity, ...kept } = JSON.parse(
          await readFile(join(dir, `${name}.json`), "utf8"),
        ) as Pins & {
          tlsKey: string;
          identity: string;
        };
        const request = await certificateRequest(kept.tlsKey, name);
        const certificate = await authority.signRequest(
          request,
          { role: "enterprise", id: name },
          Date.now(),
        );
        credentials.push({ ...kept, certificate, identity: importIdentity(identity) });
      }
      const nodes = await Promise.all(
        names.map((name, i) =>
          startNode({
            credentials: credentials[i]!,
            coordinator: coordinator.address,
            policy: () => policyFor(manifest),
            rows: async () => parts[i]!,
            ledger: join(dir, `${name}.ledger`),
            bfv,
            statistics: new DirectStatistics(secureRandom),
            random: secureRandom,
            now: Date.now,
          }),
        ),
      );
      t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
      const ended = async (study: string): Promise<string> => {
        let last = "";
        for await (const { phase, reason } of operator.follow(study)) last = `${phase} ${reason}`.trim();
        return last;
      };
      // It was killed between agreement and release: the sum is finished or lost, and who reads is told which.
      t.regex(await ended(made.running), /^(finished|failed (round_lost|party_refused))$/);
      const study = await operator.propose(manifest);
      for (const node of nodes) await node.consent(study);
      await operator.start(study);
      t.is(await ended(study), "finished");
      await Promise.all(nodes.map((node) => node.stop()));
      t.deepEqual(failed(await verifyExport(operator.exportLog(), policy)), []);
      for (const [i, name] of names.entries()) {
        const db = openStore(join(dir, `${name}.ledger`));
        const ledger = new EgressLedger(db, credentials[i]!);
        const checks = await reconcile(
          () => operator.exportLog(),
          () => ledger.export(),
          policy,
        );
        t.deepEqual(failed(checks), [], name);
        db.close();
      }
    },
  );

test.serial(
  "sums of the first version are refused with what to do, and nothing of them is lost",
  async (t) => {
    const { config, end, made } = await unpacked("sums-1", "plain");
    t.teardown(end);
    const client = new pg.Client(config.database);
    await client.connect();
    t.teardown(() => client.end());
    const all = async () => (await client.query("SELECT index, entry FROM log_entry ORDER BY index")).rows;
    const sums = async () => (await client.query("SELECT * FROM attempt ORDER BY 1")).rows;
    const [log, attempts] = [await all(), await sums()];
    t.true(log.length > 10 && attempts.length > 0);
    const refusal = await t.throwsAsync(startCoordinator({ ...onThisMachine, config }), {
      instanceOf: Refusal,
    });
    t.is(refusal.reason, "database_version");
    t.regex(refusal.hint, /fedcredit coordinator export .*fedcredit coordinator init.*fedcredit node init/);
    t.deepEqual(await all(), log);
    t.deepEqual(await sums(), attempts, "what the next version's tables have no place for");
    const { rows } = await client.query("SELECT digest FROM study ORDER BY digest");
    t.deepEqual(
      rows.map(({ digest }) => digest),
      [made.done, made.running].sort(),
    );
  },
);
