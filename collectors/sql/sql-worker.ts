/** The thread of `openThread`. */
import { parentPort, workerData } from "node:worker_threads";
import { Denied, type SqlConnection, type SqlLogin, type SqlRow } from "./connection.ts";
import type { Answer, Ask } from "./thread.ts";

const login = workerData as SqlLogin;
let pages: AsyncIterator<readonly SqlRow[]> | undefined;

const opening =
  login.config.server === "postgresql"
    ? (await import("./postgresql.ts")).openPostgresql
    : (await import("./mysql.ts")).openMysql;
let connection: SqlConnection;

async function answerTo(ask: Ask): Promise<Answer> {
  if (ask === "open") {
    connection = await opening(login);
    return "opened";
  }
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

parentPort!.on("message", (ask: Ask) => void answerTo(ask).then(say, fail));
say("loaded");
