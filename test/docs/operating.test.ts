import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import pg from "pg";
import { configSchema } from "../../coordinator/config.ts";
import { openDatabase } from "../../coordinator/store/database.ts";
import { parseYaml } from "../../core/yaml.ts";
import { silent } from "../../simulate/consortium.ts";
import { namedBlocks } from "../support/guides.ts";
import { startInstalled } from "../support/installed-postgres.ts";
import { leftOut } from "../support/left-out.ts";

const root = "/usr/lib/postgresql";
const bin = (existsSync(root) ? readdirSync(root) : [])
  .map((version) => join(root, version, "bin"))
  .find((folder) => ["postgres", "pg_dump", "psql"].every((program) => existsSync(join(folder, program))));

test("sign-in at the bank's own provider is configured as the docs say", async (t) => {
  const text = await readFile(join(import.meta.dirname, "../../docs/operating.md"), "utf8");
  const [, block] = /^```yaml\n([^`]*oidc:[^`]*)^```$/m.exec(text)!;
  const { console } = parseYaml(block!, "operating.md", configSchema.pick({ console: true }));
  t.deepEqual(console?.oidc?.roles.officer, ["credit-officers"]);
});

test("moving to another PostgreSQL takes everything along", async (t) => {
  if (bin === undefined) {
    leftOut("postgresql server: moving a coordinator's database");
    return t.pass();
  }
  const blocks = namedBlocks(await readFile(join(import.meta.dirname, "../../docs/operating.md"), "utf8"));
  const { dir, server } = await startInstalled(bin);
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const { socketDirectory, stop, user } = server;
  t.teardown(stop);
  const address = (name: string): string =>
    `postgres://${user}@localhost/${name}?host=${encodeURIComponent(socketDirectory)}`;
  const admin = new pg.Client({ host: socketDirectory, user, database: "postgres" });
  await admin.connect();
  await admin.query("CREATE DATABASE old");
  await admin.query("CREATE DATABASE new");
  await admin.end();

  const open = (name: string) =>
    openDatabase({ database: address(name), dataDir: join(dir, "data"), log: silent });
  const before = await open("old");
  await before.sql`
    INSERT INTO study (digest, name, manifest, phase, proposed_at)
    VALUES (${"0".repeat(64)}, 'study', '{}', 'proposed', ${new Date(0)})`;
  await before.close();
  const path = [bin, process.env.PATH].join(delimiter);
  await promisify(execFile)("sh", ["-ec", blocks.get("move database")!], {
    env: { ...process.env, PATH: path, OLD_DATABASE_URL: address("old"), DATABASE_URL: address("new") },
  });
  const after = await open("new");
  t.teardown(() => after.close());
  t.deepEqual(
    (await after.sql`SELECT name, phase FROM study`).map((row) => ({ ...row })),
    [{ name: "study", phase: "proposed" }],
  );
});
