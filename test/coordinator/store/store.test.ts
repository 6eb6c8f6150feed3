import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import test from "ava";
import { within } from "../../../bench/cases/within.ts";
import type { Database } from "../../../coordinator/store/database.ts";
import { cosigningOf, LogStore } from "../../../coordinator/store/log.ts";
import { seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { openCheckpoint } from "../../../privacy/log/checkpoint.ts";
import { cosign, cosignatureVerifier, cosigner } from "../../../privacy/log/cosignature.ts";
import { ed25519PublicKey } from "../../../privacy/log/ed25519.ts";
import { leafHash, verifyConsistency, verifyInclusion } from "../../../privacy/log/merkle.ts";
import { knownSigner, parseNote } from "../../../privacy/log/note.ts";
import { servers, type TestDatabase } from "../../support/databases.ts";

const seed = seededRandom("store").bytes(32);
const signer = knownSigner("riverbank/bank", seed);
const bankKey = signer.verifier;
const changed = (version: number) =>
  ({ type: "policy.changed", enterprise: "mill", policy: "ab".repeat(32), version }) as const;

/** Ends every session, and what it holds. */
const endSessions = ({ sql }: Database): Promise<unknown> => sql`
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()`;

/** @returns the session that holds the lock; one that was ended holds it for a moment more. */
async function holder({ sql }: Database, before?: number): Promise<number> {
  for (;;) {
    const [row] = await sql`SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted`;
    const pid = row?.pid as number | undefined;
    if (pid !== undefined && pid !== before) return pid;
    await delay(5);
  }
}

for (const server of servers) {
  const withDatabase = test.macro(
    async (t, run: (t: import("ava").ExecutionContext, on: TestDatabase) => Promise<void>) => {
      const on = await server.start();
      try {
        await run(t, on);
      } finally {
        await on.database.close().catch(() => {});
        await on.remove();
      }
    },
  );

  test(
    `${server.name}: entries and state commit together or not at all`,
    withDatabase,
    async (t, { database }) => {
      const log = new LogStore(database, [signer], () => 1000);
      await database.transaction((sql) => log.append(sql, [changed(1), changed(2), changed(3)]));
      const before = await log.checkpoint();
      t.is(before.size, 3);
      await t.throwsAsync(
        database.transaction(async (sql) => {
          await sql`INSERT INTO enterprise VALUES ('mill', 'Mill Ltd', 'key', ${Buffer.alloc(32)}, now())`;
          await log.append(sql, [changed(4)]);
          throw new Error("after the entry");
        }),
        { message: "after the entry" },
      );
      t.deepEqual(await log.checkpoint(), before);
      const [{ count }] = (await database.sql`SELECT count(*)::int AS count FROM enterprise`) as unknown as [
        { count: number },
      ];
      t.is(count, 0);
      // What was rolled back must not be remembered either: the next entry of that index is another one.
      await database.transaction((sql) => log.append(sql, [changed(5)]));
      await log.verify();
      const after = await log.checkpoint();
      const { checkpoint } = openCheckpoint(after.note, bankKey);
      const { hashes, entry } = await log.inclusion(3, 4);
      t.true(verifyInclusion(3, 4, leafHash(entry), hashes, checkpoint.root));
      t.deepEqual(JSON.parse(Buffer.from(entry).toString()), { ...changed(5), time: 1000 });
      const old = openCheckpoint(before.note, bankKey).checkpoint;
      t.true(verifyConsistency(3, 4, await log.consistency(3, 4), old.root, checkpoint.root));
    },
  );

  test(
    `${server.name}: many writers, one sequence; the log only grows`,
    withDatabase,
    async (t, { database }) => {
      const log = new LogStore(database, [signer], () => 1000);
      const other = new LogStore(database, [signer], () => 500);
      const writers = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? log : other));
      await Promise.all(
        writers.map((writer, i) => database.transaction((sql) => writer.append(sql, [changed(i + 1)]))),
      );
      t.is((await log.checkpoint()).size, 20);
      await log.verify();
      const times: number[] = [];
      for await (const { entry } of log.entries(0, 20))
        times.push(JSON.parse(Buffer.from(entry).toString()).time);
      t.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
        "a slow clock does not turn time back",
      );
      const { note } = await log.checkpoint();
      const shrink = [
        database.sql`INSERT INTO log_checkpoint VALUES (19, ${note})`,
        database.sql`DELETE FROM log_checkpoint WHERE size = 20`,
        database.sql`UPDATE log_checkpoint SET size = 5 WHERE size = 20`,
        database.sql`DELETE FROM log_entry WHERE index = 19`,
        database.sql`UPDATE log_hash SET hash = ${Buffer.alloc(32)} WHERE level = 0 AND index = 3`,
      ];
      for (const statement of shrink)
        await t.throwsAsync(statement, { message: /only grows|append-only|duplicate/ });
    },
  );

  test(`${server.name}: a damaged store is not signed on`, withDatabase, async (t, { database }) => {
    const log = new LogStore(database, [signer], () => 1000);
    await database.transaction((sql) => log.append(sql, [changed(1), changed(2)]));
    await database.sql`ALTER TABLE log_hash DISABLE TRIGGER USER`;
    await database.sql`UPDATE log_hash SET hash = ${Buffer.alloc(32)} WHERE level = 1 AND index = 0`;
    const refusal = await t.throwsAsync(log.verify(), { instanceOf: Refusal });
    t.is(refusal?.reason, "log_forked");
  });

  test(
    `${server.name}: cosignatures are kept once, wrong ones refused`,
    withDatabase,
    async (t, { database }) => {
      const log = new LogStore(database, [signer], () => 1000);
      await database.transaction((sql) => log.append(sql, [changed(1)]));
      const { note } = await log.checkpoint();
      const witnesses = ["mill", "truck"].map((name) => {
        const witnessSeed = seededRandom(name).bytes(32);
        const line = cosign(parseNote(note).text, cosigner(name, witnessSeed, 7));
        return { line, witness: cosignatureVerifier(name, ed25519PublicKey(witnessSeed)) };
      });
      const [mill, truck] = witnesses as [(typeof witnesses)[0], (typeof witnesses)[0]];
      type Witness = (typeof witnesses)[0];
      const say = async (size: number, line: Witness["line"], witness: Witness["witness"]) =>
        log.cosign([cosigningOf(size, line, witness, 99)]);
      await Promise.all([...witnesses, mill].map(({ line, witness }) => say(1, line, witness)));
      t.is(parseNote((await log.checkpoint()).note).signatures.length, 3);
      const reasons = await Promise.all(
        [say(2, mill.line, mill.witness), say(1, truck.line, mill.witness)].map((call) =>
          call.catch((error: Refusal) => error.reason),
        ),
      );
      t.deepEqual(reasons, ["not_found", "signature_invalid"]);
    },
  );

  test(`${server.name}: closed and opened again, everything is there`, withDatabase, async (t, on) => {
    const log = new LogStore(on.database, [signer], () => 1000);
    await on.database.transaction((sql) => log.append(sql, [changed(1)]));
    const before = await log.checkpoint();
    await on.database.close();
    const again = await on.reopen();
    t.deepEqual(await new LogStore(again, [signer], () => 1000).checkpoint(), before);
    await again.close();
  });

  test(`${server.name}: one coordinator at a time`, withDatabase, async (t, on) => {
    const refusal = await t.throwsAsync(on.reopen(), { instanceOf: Refusal });
    t.is(refusal?.reason, "database_unavailable");
    t.is((await on.database.sql`SELECT 1 AS one`)[0]?.one, 1, "the first one goes on");
  });

  test(
    `${server.name}: a restart of the server frees the lock, and its owner has it again`,
    withDatabase,
    async (t, on) => {
      const before = await holder(on.database);
      await endSessions(on.database);
      await within(() => "the lock is held again", holder(on.database, before));
      const refusal = await t.throwsAsync(on.reopen(), { instanceOf: Refusal });
      t.is(refusal?.reason, "database_unavailable");
      await on.database.transaction((sql) =>
        new LogStore(on.database, [signer], () => 1000).append(sql, [changed(1)]),
      );
    },
  );

  test(`${server.name}: who has lost the lock to another coordinator writes no more, and hears of it`, async (t) => {
    let goOn: Promise<void> | undefined;
    const on = await server.start(() => goOn ?? delay(5));
    t.teardown(() => on.remove());
    t.teardown(() => on.database.close());
    const write = (database: Database, number: number) =>
      database.transaction((sql) =>
        new LogStore(database, [signer], () => 1000).append(sql, [changed(number)]),
      );
    await write(on.database, 1);
    // The server restarts while this process stands still, and another coordinator starts.
    const standing = Promise.withResolvers<void>();
    goOn = standing.promise;
    await endSessions(on.database);
    const second = await on.reopen();
    t.teardown(() => second.close());
    await write(second, 2);
    const refusal = await t.throwsAsync(write(on.database, 3), { instanceOf: Refusal });
    t.is(refusal?.reason, "database_taken");
    t.is(await on.database.taken.catch((error: Refusal) => error.reason), "database_taken");
    await write(second, 4);
    t.is((await new LogStore(second, [signer], () => 1000).checkpoint()).size, 3);
    standing.resolve();
  });

  test(`${server.name}: who has nothing to write hears of another owner, too`, async (t) => {
    let goOn: Promise<void> | undefined;
    const on = await server.start(() => goOn ?? delay(5));
    t.teardown(() => on.remove());
    t.teardown(() => on.database.close());
    const standing = Promise.withResolvers<void>();
    goOn = standing.promise;
    await endSessions(on.database);
    const second = await on.reopen();
    t.teardown(() => second.close());
    goOn = undefined;
    standing.resolve();
    const heard = on.database.taken.catch((error: Refusal) => error.reason);
    t.is(await within(() => "the first hears of the second", heard), "database_taken");
  });

  test(
    `${server.name}: a statement that failed unnoticed does not pass for a commit`,
    withDatabase,
    async (t, { database }) => {
      await t.throwsAsync(
        database.transaction(async (sql) => {
          await sql`SELECT 1 / ${0}::int`.catch(() => {});
        }),
        { message: /rolled back/ },
      );
      t.is((await database.sql`SELECT 1 AS one`)[0]?.one, 1);
    },
  );

  test(`${server.name}: a database of a later version is refused`, withDatabase, async (t, on) => {
    await on.database.sql`INSERT INTO migration VALUES ('9999-later.sql', now())`;
    await on.database.close();
    const refusal = await t.throwsAsync(on.reopen(), { instanceOf: Refusal });
    t.is(refusal?.reason, "database_version");
  });
}

test("nobody listens there: database_unavailable", async (t) => {
  const { openDatabase } = await import("../../../coordinator/store/database.ts");
  const { silent, temporaryDirectory } = await import("../../../simulate/consortium.ts");
  const database = "postgres://nobody@127.0.0.1:1/none";
  const dataDir = await temporaryDirectory();
  t.teardown(() => rm(dataDir, { recursive: true }));
  const refusal = await t.throwsAsync(openDatabase({ database, dataDir, log: silent }), {
    instanceOf: Refusal,
  });
  t.is(refusal?.reason, "database_unavailable");
});
