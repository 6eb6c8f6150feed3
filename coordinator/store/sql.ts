/** SQL as the coordinator writes it: a template whose values travel as parameters, on a connection or a pool. */
import { createHash } from "node:crypto";
import pg from "pg";
import { Refusal } from "../../core/reasons.ts";

/** Rows of an answer, and how many rows the statement read or changed. */
export type Rows<Row extends object> = Row[] & { readonly count: number };

/** Runs one statement. @throws Refusal database_unavailable, disk_full */
export type Sql = <Row extends object = pg.QueryResultRow>(
  text: TemplateStringsArray,
  ...values: readonly unknown[]
) => Promise<Rows<Row>>;

/** A transaction: whatever takes one leaves nothing behind when it is rolled back. */
export interface Transaction extends Sql {
  /** Runs statements without parameters. */
  script(text: string): Promise<void>;
}

/** Several values in the place of one. */
class Fragment {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];

  constructor(rows: readonly object[]) {
    this.columns = Object.keys(rows[0]!);
    this.rows = rows.map((row) => this.columns.map((column) => (row as pg.QueryResultRow)[column]));
  }
}

/** In the place of `(columns) VALUES (…), …`. @param rows - at least one, all with the same keys. */
export const valuesOf = (rows: readonly [object, ...object[]] | readonly object[]): unknown =>
  new Fragment(rows);

// PostgreSQL keeps the plan of a statement that has a name: one for each template, not for each fragment's length.
const names = new WeakMap<TemplateStringsArray, string>();

function nameOf(template: TemplateStringsArray): string {
  const known = names.get(template);
  if (known !== undefined) return known;
  const name = createHash("sha256").update(template.join("$")).digest("hex").slice(0, 32);
  names.set(template, name);
  return name;
}

function queryOf(template: TemplateStringsArray, given: readonly unknown[]): pg.QueryConfig {
  const values: unknown[] = [];
  const parameter = (value: unknown): string => {
    // The driver would store NULL.
    if (value === undefined) throw new RangeError("a value of a statement is undefined");
    values.push(value);
    return `$${values.length}`;
  };
  const placed = (value: unknown): string => {
    if (!(value instanceof Fragment)) return parameter(value);
    const rows = value.rows.map((row) => `(${row.map(parameter).join(", ")})`);
    return `(${value.columns.map((column) => pg.escapeIdentifier(column)).join(", ")}) VALUES ${rows.join(", ")}`;
  };
  const text = template.reduce((before, part, i) => before + placed(given[i - 1]) + part);
  return given.some((value) => value instanceof Fragment)
    ? { text, values }
    : { name: nameOf(template), text, values };
}

type Run = (query: pg.QueryConfig) => Promise<pg.QueryResult>;

const sqlOn =
  (run: Run): Sql =>
  async <Row extends object>(template: TemplateStringsArray, ...given: readonly unknown[]) => {
    const { rows, rowCount } = await run(queryOf(template, given)).catch(refuse);
    return Object.assign(rows as Row[], { count: rowCount ?? 0 });
  };

/** Each statement on a connection of its own. */
export const sqlOf = (pool: pg.Pool): Sql => sqlOn((query) => pool.query(query));

/** A connection with a transaction that has begun. */
interface Open {
  readonly sql: Transaction;
  /** @throws Error where a statement had failed and nobody minded */
  commit(): Promise<void>;
  rollback(): Promise<void>;
  release(): void;
}

/** @throws Refusal database_unavailable */
async function begin(pool: pg.Pool, how: string): Promise<Open> {
  const client = await pool.connect().catch(refuse);
  // One statement at a time, in the order they were said; what comes after a failed one is refused by the server.
  let last: Promise<unknown> = Promise.resolve();
  const run: Run = (query) => {
    const answer = last.then(() => client.query(query));
    last = answer.catch(() => {});
    return answer;
  };
  const script = async (text: string): Promise<string> => (await run({ text }).catch(refuse)).command;
  let broken: Error | undefined;
  try {
    await script(how);
  } catch (error) {
    client.release(error as Error);
    throw error;
  }
  return {
    sql: Object.assign(sqlOn(run), { script: async (text: string) => void (await script(text)) }),
    // The server says ROLLBACK, and no error, where a statement had failed and nobody minded.
    async commit() {
      if ((await script("COMMIT")) !== "COMMIT") throw new Error("the transaction was rolled back");
    },
    async rollback() {
      await script("ROLLBACK").catch((failure: Error) => {
        broken = failure;
      });
    },
    release: () => client.release(broken),
  };
}

/** Runs `work` in one transaction. @throws Refusal database_unavailable, disk_full; what `work` throws */
export async function inTransaction<T>(pool: pg.Pool, work: (sql: Transaction) => Promise<T>): Promise<T> {
  const open = await begin(pool, "BEGIN");
  try {
    const result = await work(open.sql);
    await open.commit();
    return result;
  } catch (error) {
    await open.rollback();
    throw error;
  } finally {
    open.release();
  }
}

/** Reads as of one moment, however long whoever takes it needs. @throws those of {@link inTransaction} */
export async function* inSnapshot<T>(
  pool: pg.Pool,
  read: (sql: Transaction) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const open = await begin(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  try {
    yield* read(open.sql);
  } finally {
    await open.rollback();
    open.release();
  }
}

/** Rows of a long answer, one page in memory. @param read - the page after a row, or the first; an empty one is the last. */
export async function* paged<Row extends object>(
  read: (after: Row | undefined) => Promise<readonly Row[]>,
): AsyncGenerator<Row> {
  let last: Row | undefined;
  for (;;) {
    const page = await read(last);
    if (page.length === 0) return;
    yield* page;
    last = page.at(-1);
  }
}

function refuse(error: unknown): never {
  throw storeRefusal(error);
}

/** @returns what an error of the driver stands for: a defect stays what it is. */
export function storeRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RangeError || error instanceof TypeError) return error;
  const { code, message } = error as Error & { readonly code?: string };
  // SQLSTATE classes: 08 connection, 25006 read-only, 28 authorization, 3D no such database, 53 resources,
  // 57 operator intervention.
  if (code === "53100" || code === "ENOSPC")
    return new Refusal("disk_full", `the database's disk is full: ${message}`, { cause: error });
  if (code === "42501")
    return new Refusal("database_unavailable", `the database does not let its user work: ${message}`, {
      hint: "make the user of `database` the database's owner: ALTER DATABASE … OWNER TO …",
      cause: error,
    });
  if (error instanceof pg.DatabaseError && !/^(08|25006|28|3D|53|57)/.test(code ?? "")) return error;
  // Whatever else the driver says is of its connection, mostly without a code.
  const hint = encryptionHint(message, code);
  return new Refusal("database_unavailable", `the database is not available: ${message || code}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

/** @returns whether an error says that a server which had answered is gone, or one that answers is just coming up. */
export function isServerLost(error: unknown): boolean {
  if (!isUnavailable(error)) return false;
  const { code = "", message } = causeOf(error);
  // SQLSTATE 57P01 to 57P03: it ends, another process of it crashed, it is not ready.
  return (
    /^(57P0[123]|08|ECONNRESET|EPIPE)/.test(code) || /^Connection terminated( unexpectedly)?$/.test(message)
  );
}

/** @returns whether an error says that nothing listens at the server's address. */
export function isServerAway(error: unknown): boolean {
  if (!isUnavailable(error)) return false;
  const { code = "", syscall } = causeOf(error);
  return syscall === "connect" && (code === "ECONNREFUSED" || code === "ENOENT");
}

const isUnavailable = (error: unknown): error is Refusal & { readonly cause: Error } =>
  error instanceof Refusal && error.reason === "database_unavailable" && error.cause instanceof Error;

const causeOf = ({ cause }: { readonly cause: Error }) =>
  cause as Error & { readonly code?: string; readonly syscall?: string };

/** @returns what to write where a server asks for TLS, or its certificate is of an authority that nobody here knows. */
function encryptionHint(message: string, code = ""): string | undefined {
  if (/CERT|UNABLE_TO_|ERR_TLS/.test(code))
    return "name the authority of the server's certificate: postgres://…?sslmode=verify-full&sslrootcert=FILE";
  return code === "28000" && /no encryption/.test(message)
    ? "ask for TLS: postgres://…?sslmode=verify-full"
    : undefined;
}
