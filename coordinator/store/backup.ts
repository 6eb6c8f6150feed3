/**
 * A backup of the coordinator: every table as one moment saw it, and the blobs that unfinished attempts go on from.
 * Lines of text, each with its kind in front:
 *
 *     H {header}            what it is a backup of
 *     B <store> <digest> <base64>
 *     T <table> [rows]      rows as JSON, tables in an order in which references come after what they refer to
 *     E <digest>            SHA-256 of all bytes before this line: without it the backup is not whole
 *
 * Keys and coordinator.yaml are not in it: they do not change, and a backup should be no secret key.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { utf8 } from "../../core/bytes.ts";
import { type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { openCheckpoint } from "../../privacy/log/checkpoint.ts";
import { appendLeaf, emptyRange, leafHash, rangeRoot } from "../../privacy/log/merkle.ts";
import type { NoteVerifier } from "../../privacy/log/note.ts";
import { sameTree } from "../../privacy/recovery.ts";
import type { BlobStore } from "./blobs.ts";
import type { Sql, Transaction } from "./sql.ts";

const format = "fedcredit/backup/v1";

const headerSchema = z.strictObject({
  format: z.literal(format),
  consortium: z.string(),
  bankKey: z.string().describe("verifier key that signs the log"),
  size: z.int().min(0).describe("entries of the log"),
  time: z.int().min(0).describe("when it was begun, Unix milliseconds"),
  migrations: z.array(z.string()).describe("of the database's schema, in order"),
});
export type BackupHeader = z.infer<typeof headerSchema>;

/** Tables of the machine, not of the consortium. */
const leftOut: ReadonlySet<string> = new Set(["migration", "restored", "backup"]);
const rowsAtOnce = 100;
const lineCharacters = 1 << 20;

/** Where blobs of a backup come from, or go to. */
type BlobsByStore = Readonly<Record<"uploads" | "published", Pick<BlobStore, "get" | "hold">>>;

/**
 * @param sql - of a transaction that sees one moment.
 * @param blobs - digests that unfinished attempts need, by store.
 */
export async function* writeBackup(
  sql: Transaction,
  of: Pick<BackupHeader, "consortium" | "bankKey" | "time">,
  stores: BlobsByStore,
  blobs: (sql: Sql) => Promise<Readonly<Record<keyof BlobsByStore, readonly Digest[]>>>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  const line = (text: string): Uint8Array => {
    const bytes = utf8(`${text}\n`);
    hash.update(bytes);
    return bytes;
  };
  // Before the first look: rounds that end meanwhile remove what they are done with.
  const releases = Object.values(stores).map((store) => store.hold());
  try {
    const [log] = await sql`SELECT coalesce(max(size), 0) AS size FROM log_checkpoint`;
    const migrations = (await sql`SELECT name FROM migration ORDER BY name`).map(
      ({ name }) => name as string,
    );
    const header: BackupHeader = { format, ...of, size: log!.size as number, migrations };
    yield line(`H ${JSON.stringify(header)}`);
    for (const [store, digests] of Object.entries(await blobs(sql)))
      for (const digest of new Set(digests)) {
        const bytes = await stores[store as keyof BlobsByStore].get(digest);
        yield line(`B ${store} ${digest} ${Buffer.from(bytes).toString("base64")}`);
      }
  } finally {
    for (const release of releases) await release();
  }
  for (const { table, key } of await tablesOf(sql))
    for await (const rows of rowsOf(sql, table, key)) yield line(`T ${table} [${rows.join(",")}]`);
  yield utf8(`E ${hash.digest("hex")}\n`);
}

/** Tables with the columns of their keys; what a table refers to comes before it. */
async function tablesOf(sql: Sql): Promise<{ table: string; key: string }[]> {
  const rows = await sql<{ table: string; key: string | null; needs: string[] }>`
    SELECT c.relname AS table,
      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) FROM pg_index i,
        unnest(i.indkey::int[]) WITH ORDINALITY AS k(number, place), pg_attribute a
        WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.number) AS key,
      ARRAY(SELECT DISTINCT r.relname::text FROM pg_constraint f JOIN pg_class r ON r.oid = f.confrelid
        WHERE f.conrelid = c.oid AND f.contype = 'f' AND r.oid <> c.oid) AS needs
    FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
    ORDER BY c.relname`;
  const left = rows.filter(({ table }) => !leftOut.has(table));
  const sorted: { table: string; key: string }[] = [];
  while (left.length > 0) {
    const at = left.findIndex(({ needs }) =>
      needs.every((need) => sorted.some(({ table }) => table === need)),
    );
    if (at === -1) throw new RangeError("tables refer to each other in a circle");
    const [{ table, key }] = left.splice(at, 1) as [(typeof left)[number]];
    sorted.push({ table, key: key ?? "1" });
  }
  return sorted;
}

/** @param table - of the catalogue. @param key - columns, quoted. @yields rows as JSON, some at a time */
async function* rowsOf(sql: Transaction, table: string, key: string): AsyncGenerator<string[]> {
  await sql.script(
    `DECLARE backup_rows NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS row FROM "${table}" t ORDER BY ${key}`,
  );
  let rows: string[] = [];
  let characters = 0;
  for (;;) {
    const page = await sql<{ row: string }>`FETCH FORWARD 100 FROM backup_rows`;
    if (page.length === 0) break;
    for (const { row } of page) {
      rows.push(row);
      characters += row.length;
      if (characters < lineCharacters) continue;
      yield rows;
      rows = [];
      characters = 0;
    }
  }
  if (rows.length > 0) yield rows;
  await sql.script("CLOSE backup_rows");
}

/** One record of a backup. */
export type BackupRecord =
  | { readonly kind: "header"; readonly header: BackupHeader }
  | { readonly kind: "rows"; readonly table: string; readonly rows: string }
  | { readonly kind: "blob"; readonly store: keyof BlobsByStore; readonly bytes: Uint8Array };

const malformed = (why: string): Refusal =>
  new Refusal("file_malformed", `the backup ${why}`, { hint: "take another one: nothing was restored" });

/**
 * @param lines - without their ends.
 * @returns its records; whoever reads them keeps nothing before the end, where it is known to be whole.
 * @throws Refusal file_malformed
 */
export async function* readBackup(lines: AsyncIterable<string>): AsyncGenerator<BackupRecord> {
  const hash = createHash("sha256");
  let ended = false;
  let first = true;
  for await (const line of lines) {
    if (ended) throw malformed("goes on after its end");
    const text = line.slice(2);
    if (first !== line.startsWith("H ")) throw malformed("does not begin with what it is a backup of");
    first = false;
    if (line.startsWith("E ")) {
      if (hash.digest("hex") !== text) throw malformed("was changed, or is damaged");
      ended = true;
      continue;
    }
    hash.update(`${line}\n`);
    yield recordOf(line[0]!, text);
  }
  if (!ended) throw malformed("is cut off");
}

function recordOf(kind: string, text: string): BackupRecord {
  const space = text.indexOf(" ");
  switch (kind) {
    case "H": {
      const header = headerSchema.safeParse(parsed(text)).data;
      if (header === undefined) throw malformed("is of another kind or version");
      return { kind: "header", header };
    }
    case "T":
      return { kind: "rows", table: text.slice(0, space), rows: text.slice(space + 1) };
    case "B": {
      const [store, digest, base64 = ""] = text.split(" ");
      const bytes = Buffer.from(base64, "base64");
      if ((store !== "uploads" && store !== "published") || digestOf(bytes) !== digest)
        throw malformed("holds a blob that is damaged");
      return { kind: "blob", store, bytes };
    }
    default:
      throw malformed("has a line of no known kind");
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Puts rows into tables that are as the backup's migrations make them, and empty. */
export class Filling {
  readonly #sql: Transaction;
  readonly #tables: ReadonlySet<string>;

  private constructor(sql: Transaction, tables: ReadonlySet<string>) {
    this.#sql = sql;
    this.#tables = tables;
  }

  static async begin(sql: Transaction): Promise<Filling> {
    await sql.script(`
      DELETE FROM owner;
      CREATE FUNCTION pg_temp.fill(name text, given json) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        EXECUTE format('INSERT INTO %I OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::%I, $1)',
          name, name) USING given;
      END $$`);
    return new Filling(sql, new Set((await tablesOf(sql)).map(({ table }) => table)));
  }

  /** @throws Refusal file_malformed */
  async add(table: string, rows: string): Promise<void> {
    if (!this.#tables.has(table)) throw malformed(`has rows of ${table}, which its schema does not have`);
    await this.#sql`SELECT pg_temp.fill(${table}, ${rows}::json)`;
  }

  /** Numbers that the database gives out go on after the highest. */
  async end(): Promise<void> {
    await this.#sql.script(`
      DO $$ DECLARE c record; top bigint; BEGIN
        FOR c IN SELECT table_name, column_name FROM information_schema.columns
          WHERE table_schema = current_schema() AND is_identity = 'YES' LOOP
          EXECUTE format('SELECT max(%I) FROM %I', c.column_name, c.table_name) INTO top;
          PERFORM setval(pg_get_serial_sequence(quote_ident(c.table_name), c.column_name), coalesce(top, 0) + 1, false);
        END LOOP;
      END $$`);
  }
}

/** Recomputes the log from its entries. @throws Refusal log_forked, signature_invalid, note_malformed */
export async function checkRestoredLog(sql: Sql, log: NoteVerifier): Promise<void> {
  const [last] = await sql`SELECT note FROM log_checkpoint ORDER BY size DESC LIMIT 1`;
  if (last === undefined) throw malformed("holds no log");
  const { checkpoint } = openCheckpoint(last.note as string, log);
  let range = emptyRange;
  for (let from = 0; ; from += rowsAtOnce) {
    const rows = await sql`
      SELECT entry FROM log_entry WHERE index >= ${from} AND index < ${from + rowsAtOnce} ORDER BY index`;
    if (rows.length === 0) break;
    for (const { entry } of rows) range = appendLeaf(range, leafHash(entry as Uint8Array)).range;
  }
  if (!sameTree(checkpoint, { size: range.size, root: rangeRoot(range) }))
    throw new Refusal("log_forked", "the backup's log does not have the root that was signed");
}
