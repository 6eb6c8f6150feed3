import pg from "pg";
import Cursor from "pg-cursor";
import { Guard, type SqlConnection, type SqlLogin, type SqlRow } from "./connection.ts";

/** invalid_password, invalid_authorization_specification. @see PostgreSQL documentation, appendix A */
const refusals: readonly unknown[] = ["28P01", "28000"];

const booleanOid = 16;
/** Everything as the server writes it: no digit of a numeric is lost, no time moved. */
const types = {
  getTypeParser: (oid: number) =>
    oid === booleanOid ? (text: string) => (text === "t" ? "true" : "false") : (text: string) => text,
} as unknown as pg.CustomTypesConfig;

export async function openPostgresql({ config, password, ca }: SqlLogin): Promise<SqlConnection> {
  const { host, database, user, timeout, batch } = config;
  const guard = new Guard();
  const client = new pg.Client({
    host,
    port: config.port ?? 5432,
    database,
    user,
    password,
    ssl: config.tls === "none" ? false : { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
    stream: () => guard.socket,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query(`SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET TIME ZONE 'UTC';
      SET datestyle = 'ISO, YMD'; SET extra_float_digits = 1; SET bytea_output = 'hex';
      SET statement_timeout = ${Math.ceil(timeout)}`);
  } catch (error) {
    throw guard.failed(error, refusals);
  }
  return {
    async *rows(statement) {
      const cursor = client.query(new Cursor<SqlRow>(statement, [], { types }));
      try {
        for (;;) {
          const rows = await cursor.read(batch);
          guard.page();
          if (rows.length > 0) yield rows;
          if (rows.length < batch) return await cursor.close();
        }
      } catch (error) {
        throw guard.failed(error, refusals);
      }
    },
    close: () => client.end(),
  };
}
