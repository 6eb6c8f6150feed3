import { Socket } from "node:net";
import type { SqlConfig } from "./config.ts";

/** A row's cells as the database writes them. */
export type SqlRow = Readonly<Record<string, string | null>>;

/** What is needed of a database server. The session reads only, and its clock is UTC. */
export interface SqlConnection {
  /** Rows in pages of `batch` at most; not reading on slows the server. Leaving early closes the connection. */
  rows(statement: string): AsyncIterable<readonly SqlRow[]>;
  close(): Promise<void>;
}

export interface SqlLogin {
  readonly config: Pick<
    SqlConfig,
    "server" | "host" | "port" | "database" | "user" | "tls" | "timeout" | "batch"
  >;
  readonly password: string;
  /** PEM. */
  readonly ca: string | undefined;
}

/** The server knows who is asking and says no. */
export class Denied extends Error {}

/** What a server may send for one page of rows, bytes. */
const pageBytes = 64 * 2 ** 20;
const lookMillis = 20;

/** A socket that is destroyed where the server sends too much for one page: its client believes stated lengths. */
export class Guard {
  readonly socket = new Socket();
  #bytes = 0;
  /** Why it was destroyed. */
  error: Error | undefined;

  constructor() {
    const timer = setInterval(() => {
      if (this.socket.bytesRead - this.#bytes <= pageBytes) return;
      this.error = new Error(`the server sent more than ${pageBytes / 2 ** 20} MiB for one page of rows`);
      this.socket.destroy(this.error);
    }, lookMillis);
    this.socket.once("close", () => clearInterval(timer));
  }

  /**
   * Ends the connection.
   * @param refusals - codes by which the server says that it does not let this user in.
   * @returns what a failure really was.
   */
  failed(error: unknown, refusals: readonly unknown[]): Error {
    this.socket.destroy();
    if (this.error !== undefined) return this.error;
    const { code, message } = error as { code?: unknown; message: string };
    if (refusals.includes(code))
      return new Denied(`the database refuses this user (${message})`, { cause: error });
    return error as Error;
  }

  /** A page is whole. */
  page(): void {
    this.#bytes = this.socket.bytesRead;
  }
}
