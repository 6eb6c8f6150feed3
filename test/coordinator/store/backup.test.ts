/** Backups between the embedded database and the servers that this machine has. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import pg from "pg";
import { backUp, restore } from "../../../coordinator/restore.ts";
import { Refusal } from "../../../core/reasons.ts";
import { verifyExport } from "../../../privacy/log/verify.ts";
import type { SeenTree } from "../../../privacy/log/witness.ts";
import { LocalBank, silent } from "../../../simulate/consortium.ts";
import { installed } from "../../support/databases.ts";
import { startInstalled } from "../../support/installed-postgres.ts";

for (const { version, bin } of installed)
  test(`PostgreSQL ${version}: a backup of the embedded database goes on there, one of that in another database, and one of that in an embedded one again`, async (t) => {
    t.timeout(120_000);
    const bank = await LocalBank.start({ witnesses: { quorum: 1 } });
    t.teardown(() => bank.stop());
    const { dir, server } = await startInstalled(bin);
    t.teardown(async () => {
      await bank.coordinator.stop().catch(() => {});
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    });
    const address = (name: string): string =>
      name === "embedded"
        ? name
        : `postgres://${server.user}@localhost/${name}?host=${encodeURIComponent(server.socketDirectory)}`;
    const look = (seen?: SeenTree): Promise<SeenTree> => {
      const auditor = bank.auditor();
      return auditor.witness(seen, Date.now(), []).finally(() => auditor.close());
    };
    await bank.enrolAll(["mill", "truck"]);
    let seen = await look();
    const client = new pg.Client({ connectionString: address("postgres") });
    await client.connect();
    for (const name of ["first", "second", "embedded"]) {
      if (name !== "embedded") await client.query(`CREATE DATABASE ${name}`);
      const file = join(bank.dir, `${name}.fcbackup`);
      const { size } = await backUp(bank.operator, file);
      t.is(size, seen.size);
      await bank.coordinator.stop();
      // The old embedded database is put aside.
      if (name === "embedded") await rm(join(bank.config.dataDir, "postgres"), { recursive: true });
      Object.assign(bank.config, { database: address(name) });
      await restore(bank.config, file, silent);
      await t.throwsAsync(restore(bank.config, file, silent), {
        instanceOf: Refusal,
        message: /holds a coordinator's tables/,
      });
      await bank.restart();
      const next = await look(seen);
      t.deepEqual([next.size, next.root], [seen.size, seen.root], "the same log");
      // It goes on: what the database numbers goes on after what was restored.
      await bank.operator.createToken("again", "Again Ltd");
      await bank.enrol("dairy");
      seen = await look(next);
      t.true(seen.size > next.size);
      const checks = await verifyExport(bank.operator.exportLog(), bank.logPolicy(1));
      t.deepEqual(
        checks.filter(({ ok }) => !ok),
        [],
      );
    }
    await client.end();
  });

if (installed.length === 0) test("no PostgreSQL server is installed here", (t) => t.pass());
