import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import test from "ava";
import { within } from "../../../bench/cases/within.ts";
import { openDatabase } from "../../../coordinator/store/database.ts";
import { startEmbedded } from "../../../coordinator/store/embedded.ts";
import { LogStore } from "../../../coordinator/store/log.ts";
import { seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { knownSigner } from "../../../privacy/log/note.ts";
import { silent, temporaryDirectory } from "../../../simulate/consortium.ts";

const seed = seededRandom("restart").bytes(32);
const signer = knownSigner("riverbank/bank", seed);
// More than a socket takes at once: a restart then finds writes half done.
const large = "ab".repeat(200_000);

/** PostgreSQL's own names for how it ends (pg_ctl). */
const ways = { fast: "SIGINT", immediate: "SIGQUIT", killed: "SIGKILL" } as const;

test("a server that restarts under load, each way: what was refused is not there, what was not is, and it goes on", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const cluster = join(dir, "cluster");
  const server = await startEmbedded(cluster, silent);
  t.teardown(() => server.stop());
  const database = await openDatabase({
    database: `postgres://${server.user}@localhost/postgres?host=${encodeURIComponent(server.socketDirectory)}`,
    dataDir: join(dir, "data"),
    log: silent,
  });
  t.teardown(() => database.close());
  const log = new LogStore(database, [signer], () => 1000);
  const [stored, unsure] = [new Set<string>(), new Set<string>()];
  const other: unknown[] = [];
  let over = false;
  const writer = async (writer: number): Promise<void> => {
    for (let i = 0; !over; i++) {
      const digest = `${writer}-${i}`;
      try {
        await database.transaction(async (sql) => {
          await sql`INSERT INTO attachment VALUES (${digest}, ${large})`;
          await log.append(sql, [
            { type: "policy.changed", enterprise: "mill", policy: "ab".repeat(32), version: i + 1 },
          ]);
        });
        stored.add(digest);
      } catch (error) {
        unsure.add(digest);
        if (!(error instanceof Refusal && error.reason === "database_unavailable")) other.push(error);
        await delay(5);
      }
    }
  };
  const writers = [0, 1, 2, 3].map(writer);
  const more = async (): Promise<void> => {
    for (const before = stored.size; stored.size < before + 8; ) await delay(5);
  };
  for (const [way, signal] of Object.entries(ways)) {
    await within(() => `writes before it is ${way}`, more());
    process.kill(Number.parseInt(await readFile(join(cluster, "postmaster.pid"), "utf8"), 10), signal);
    const before = unsure.size;
    const refused = async (): Promise<void> => {
      while (unsure.size === before) await delay(5);
    };
    await within(() => `the first refusal (${way})`, refused());
  }
  await within(() => "writes after the last restart", more());
  over = true;
  await Promise.all(writers);
  t.deepEqual(other, []);
  const rows = await database.sql<{ digest: string }>`SELECT digest FROM attachment`;
  const held = new Set(rows.map(({ digest }) => digest));
  t.deepEqual(
    [...stored].filter((digest) => !held.has(digest)),
    [],
  );
  // A commit whose answer was lost may be there, and nothing else.
  t.deepEqual(
    [...held].filter((digest) => !stored.has(digest) && !unsure.has(digest)),
    [],
  );
  t.is((await log.checkpoint()).size, held.size, "each change with its entry");
  await log.verify();
});
