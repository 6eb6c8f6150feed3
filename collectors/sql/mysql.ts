import mysql from "mysql2";
import { Guard, type SqlConnection, type SqlLogin, type SqlRow } from "./connection.ts";

/** ER_DBACCESS_DENIED_ERROR is left out: a database may yet come. @see MySQL 8.4 Error Message Reference */
const refusals: readonly unknown[] = ["ER_ACCESS_DENIED_ERROR", "ER_ACCOUNT_HAS_BEEN_LOCKED"];

export async function openMysql({ config, password, ca }: SqlLogin): Promise<SqlConnection> {
  const { host, database, user, timeout, batch } = config;
  const guard = new Guard();
  guard.socket.connect(config.port ?? 3306, host);
  const connection = mysql.createConnection({
    stream: guard.socket,
    host,
    database,
    user,
    password,
    charset: "utf8mb4",
    connectTimeout: timeout,
    // A server may otherwise ask its client for a file.
    flags: ["-LOCAL_FILES"],
    ...(config.tls === "none"
      ? {}
      : { ssl: { rejectUnauthorized: true, verifyIdentity: true, ...(ca === undefined ? {} : { ca }) } }),
    // Everything as the server writes it: no digit of a decimal is lost, no time moved.
    typeCast(field) {
      if (field.type === "BIT") {
        const bits = field.buffer();
        return bits === null ? null : String(BigInt(`0x${bits.toString("hex") || "0"}`));
      }
      const text = field.string();
      // The session's clock is UTC, and a TIMESTAMP is told by it.
      return text !== null && field.type === "TIMESTAMP" ? `${text}+00` : text;
    },
  });
  connection.on("error", () => {});
  const closed = new Promise<never>((_, reject) =>
    guard.socket.once("close", () => reject(guard.error ?? new Error("connection closed"))),
  );
  closed.catch(() => {});
  const done = (start: (settle: (error: Error | null) => void) => void): Promise<void> =>
    Promise.race([
      closed,
      new Promise<void>((resolve, reject) => start((error) => (error === null ? resolve() : reject(error)))),
    ]);
  try {
    await done((settle) => connection.connect(settle));
    await done((settle) => connection.query("SET SESSION TRANSACTION READ ONLY", settle));
    await done((settle) => connection.query("SET SESSION time_zone = '+00:00'", settle));
  } catch (error) {
    throw guard.failed(error, refusals);
  }
  return {
    async *rows(statement) {
      const stream = connection.query(statement).stream({ highWaterMark: batch });
      closed.catch((error: Error) => stream.destroy(error));
      let page: SqlRow[] = [];
      try {
        for await (const row of stream as AsyncIterable<SqlRow>) {
          page.push(row);
          if (page.length < batch) continue;
          guard.page();
          yield page;
          page = [];
        }
        guard.page();
        if (page.length > 0) yield page;
      } catch (error) {
        throw guard.failed(error, refusals);
      }
    },
    close: () => done((settle) => connection.end((error) => settle(error ?? null))),
  };
}
