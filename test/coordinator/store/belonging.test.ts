import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import pg from "pg";
import { shownAddress } from "../../../coordinator/store/belonging.ts";
import { openDatabase } from "../../../coordinator/store/database.ts";
import { startEmbedded } from "../../../coordinator/store/embedded.ts";
import { Refusal } from "../../../core/reasons.ts";
import { silent, temporaryDirectory } from "../../../simulate/consortium.ts";

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test("a data folder works with the database it began with, wherever that is, and with no other", async (t) => {
  const [dir, dataDir] = [await folder(t), await folder(t)];
  const server = await startEmbedded(join(dir, "cluster"), silent);
  t.teardown(() => server.stop());
  const at = (name: string): string =>
    `postgres://${server.user}:secret@localhost/${name}?host=${encodeURIComponent(server.socketDirectory)}`;
  const open = (database: string, data = dataDir) =>
    openDatabase({ database, dataDir: data, log: silent, pause: async () => {} });
  const first = await open(at("postgres"));
  await first.sql`CREATE DATABASE another`;
  await first.sql`CREATE DATABASE empty`;
  await first.close();
  const record = await readFile(join(dataDir, "database.json"), "utf8");
  t.false(record.includes("secret"));

  // DATABASE_URL forgotten: nothing is founded beside it.
  const forgotten = await t.throwsAsync(open("embedded"), { instanceOf: Refusal });
  t.is(forgotten?.reason, "database_mismatch");
  t.true(
    forgotten?.hint.includes(
      `set DATABASE_URL, or \`database\`, to the one at ${shownAddress(at("postgres"))}`,
    ),
  );
  t.false(existsSync(join(dataDir, "postgres")));

  // Another consortium's, and one that holds nothing yet: which then still holds nothing.
  await (await open(at("another"), await folder(t))).close();
  for (const name of ["another", "empty"]) {
    const refusal = await t.throwsAsync(open(at(name)), { instanceOf: Refusal });
    t.is(refusal?.reason, "database_mismatch", name);
  }
  const empty = new pg.Client(at("empty"));
  await empty.connect();
  t.is(
    (await empty.query("SELECT FROM information_schema.tables WHERE table_schema = 'public'")).rowCount,
    0,
  );
  await empty.end();
  await (await open(at("postgres"))).close();
  t.is(await readFile(join(dataDir, "database.json"), "utf8"), record);

  await writeFile(join(dataDir, "database.json"), "{}");
  const damaged = await t.throwsAsync(open(at("postgres")), { instanceOf: Refusal });
  t.is(damaged?.reason, "config_invalid");
});

test("an embedded database's folder refuses a server, and goes on as it was", async (t) => {
  const [dir, dataDir] = [await folder(t), await folder(t)];
  const open = (database: string) => openDatabase({ database, dataDir, log: silent, pause: async () => {} });
  await (await open("embedded")).close();
  const server = await startEmbedded(join(dir, "cluster"), silent);
  t.teardown(() => server.stop());
  const refusal = await t.throwsAsync(
    open(`postgres://${server.user}@localhost/postgres?host=${encodeURIComponent(server.socketDirectory)}`),
    { instanceOf: Refusal },
  );
  t.is(refusal?.reason, "database_mismatch");
  t.regex(refusal?.hint ?? "", /without DATABASE_URL/);
  await (await open("embedded")).close();
});
