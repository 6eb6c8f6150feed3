/** Documents that log entries name by their digest. */
import { type Digest, digestOf } from "../../core/canonical.ts";
import type { Sql, Transaction } from "./sql.ts";

/** @param document - canonical JSON. */
export async function attach(sql: Transaction, document: string): Promise<Digest> {
  const digest = digestOf(document);
  await sql`INSERT INTO attachment VALUES (${digest}, ${document}) ON CONFLICT DO NOTHING`;
  return digest;
}

/** @throws {RangeError} if it was never stored: its entry and it are of one transaction. */
export async function attached(sql: Sql, digest: Digest): Promise<string> {
  const [row] = await sql`SELECT document FROM attachment WHERE digest = ${digest}`;
  if (row === undefined) throw new RangeError(`attachment ${digest} is not stored`);
  return row.document as string;
}
