/** The thread of `openThread`. */
import { parentPort, workerData } from "node:worker_threads";
import { Denied, type SqlConnection, type SqlLogin, type SqlRow } from "./connection.ts";
import type { Answer, Ask } from "./thread.ts";

const login = workerData as SqlLogin;
let pages: AsyncIterator<readonly SqlRow[]> | undefined;

async function open(): Promise<SqlConnection> {
  return login.config.server === "postgresql"
    ? (await import("./postgresql.ts")).openPostgresql(login)
    : (await import("./mysql.ts")).openMysql(login);
}

async function answerTo(ask: Ask, connection: SqlConnection): Promise<Answer> {
  if (ask === "close") {
    await connection.close();
    return "closed";
  }
  if (typeof ask === "object") pages = connection.rows(ask.start)[Symbol.asyncIterator]();
  const page = await pages!.next();
  return page.done === true ? "end" : { rows: page.value };
}

const say = (answer: Answer): void => parentPort!.postMessage(answer);
const fail = (error: unknown): void => {
  // Of a name with several addresses, why each of them failed is inside.
  const all = error instanceof AggregateError ? error.errors : [error];
  say({
    failed: all
      .map((one: unknown) => (one instanceof Error ? one.message : String(one)))
      .join("; ")
      .slice(0, 1000),
    refused: error instanceof Denied,
  });
};

try {
  const connection = await open();
  parentPort!.on("message", (ask: Ask) => void answerTo(ask, connection).then(say, fail));
  say("opened");
} catch (error) {
  fail(error);
}
