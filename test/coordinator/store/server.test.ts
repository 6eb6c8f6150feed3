import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import pg from "pg";
import { openDatabase } from "../../../coordinator/store/database.ts";
import { startEmbedded } from "../../../coordinator/store/embedded.ts";
import { storeRefusal } from "../../../coordinator/store/sql.ts";
import { Refusal } from "../../../core/reasons.ts";
import { silent, temporaryDirectory } from "../../../simulate/consortium.ts";

async function folder(t: ExecutionContext): Promise<string> {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test("a server that does not do is refused with what to change, and the data folder does not belong to it", async (t) => {
  const [dir, dataDir] = [await folder(t), await folder(t)];
  const server = await startEmbedded(join(dir, "cluster"), silent);
  t.teardown(() => server.stop());
  const { socketDirectory: host, user } = server;
  const client = new pg.Client({ host, user, database: "postgres" });
  await client.connect();
  await client.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
  await client.query("CREATE ROLE reader LOGIN");
  await client.end();
  const refused = async (who: string, name: string) => {
    const database = `postgres://${who}@localhost/${name}?host=${encodeURIComponent(host)}`;
    const refusal = await t.throwsAsync(
      openDatabase({ database, dataDir, log: silent, pause: async () => {} }),
      { instanceOf: Refusal },
    );
    t.false(existsSync(join(dataDir, "database.json")), name);
    return [refusal!.reason, refusal!.hint];
  };
  t.deepEqual(await refused(user, "latin"), [
    "database_unavailable",
    "make another one: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
  ]);
  t.deepEqual(await refused("reader", "postgres"), [
    "database_unavailable",
    "make the user of `database` the database's owner: ALTER DATABASE … OWNER TO …",
  ]);
});

test("another server's address is none", async (t) => {
  for (const database of ["mysql://bank@127.0.0.1/bank", "somewhere"]) {
    const refusal = await t.throwsAsync(
      openDatabase({ database, dataDir: await folder(t), log: silent, pause: async () => {} }),
      { instanceOf: Refusal },
    );
    t.is(refusal?.reason, "config_invalid", database);
  }
});

test("where TLS is missing, or its authority unknown, the hint says what to write", (t) => {
  const hintOf = (message: string, code: string): string =>
    (storeRefusal(Object.assign(new Error(message), { code })) as Refusal).hint;
  t.regex(hintOf("self-signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT"), /sslrootcert=FILE/);
  t.regex(hintOf("unable to verify", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"), /sslrootcert=FILE/);
  t.regex(hintOf("pg_hba.conf rejects connection …, no encryption", "28000"), /sslmode=verify-full/);
  t.regex(hintOf("connect ECONNREFUSED", "ECONNREFUSED"), /start PostgreSQL/);
});
