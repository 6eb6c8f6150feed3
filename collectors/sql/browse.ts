import type { Found } from "../runtime/found.ts";
import type { SqlLogin } from "./connection.ts";
import { openThread } from "./thread.ts";

const mostColumns = 20_000;
/** What belongs to the server. */
const ownSchemas = ["information_schema", "pg_catalog", "pg_toast", "mysql", "performance_schema", "sys"];

/**
 * Lists tables and columns that the user may read.
 *
 * @throws {Error} where the database is not reached, or refuses the user.
 */
export async function browseSql(login: SqlLogin, signal: AbortSignal): Promise<Found[]> {
  const connection = await openThread(login, signal);
  try {
    const found: Found[] = [];
    const statement = `SELECT c.table_schema AS s, c.table_name AS t, c.column_name AS n, c.data_type AS k
      FROM information_schema.columns c
      WHERE c.table_schema NOT IN (${ownSchemas.map((name) => `'${name}'`).join(", ")})
      ORDER BY c.table_schema, c.table_name, c.ordinal_position`;
    for await (const rows of connection.rows(statement)) {
      for (const { s, t, n, k } of rows)
        if (found.length < mostColumns) found.push({ table: `${s}.${t}`, column: n ?? "", type: k ?? "" });
      if (found.length >= mostColumns) return found;
    }
    return found;
  } finally {
    await connection.close();
  }
}
