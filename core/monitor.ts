/** `/health` and `/metrics` of a process, for the monitoring of its own side. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { z } from "zod";
import { addressSchema, isLoopback, splitAddress } from "./address.ts";
import { readRefusal } from "./files.ts";
import { filePath } from "./paths.ts";
import { Refusal } from "./reasons.ts";

export const monitorSchema = z
  .strictObject({
    listen: addressSchema.describe("host:port of /health and /metrics, plain HTTP; port 0 takes a free one"),
    tokenFile: filePath("file with a secret of 16 characters or more, sent as Authorization: Bearer …")
      .optional()
      .describe("who may read; needed wherever listen is not this machine itself"),
  })
  .refine(({ listen, tokenFile }) => tokenFile !== undefined || isLoopback(splitAddress(listen).host), {
    path: ["tokenFile"],
    message: "is needed: others than this machine could read",
  });

export type MonitorConfig = z.infer<typeof monitorSchema>;

export interface Monitor {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/health` (200, or 503 with what is wrong) and `/metrics` (Prometheus' text format).
 * @param troubles - what keeps the process from its work now; none where all is well.
 * @throws Refusal port_taken, file_missing, config_invalid where the token is too short
 */
export async function startMonitor(
  { listen, tokenFile }: MonitorConfig,
  registry: Registry,
  troubles: () => readonly string[] | Promise<readonly string[]>,
): Promise<Monitor> {
  const { host, port } = splitAddress(listen);
  const token = tokenFile === undefined ? undefined : readToken(tokenFile);
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string): void =>
      void response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
    const serve = async (): Promise<void> => {
      if (!mayRead(request, token)) return answer(401, "text/plain", "not allowed\n");
      if (request.method !== "GET") return answer(405, "text/plain", "GET only\n");
      if (request.url === "/metrics") return answer(200, registry.contentType, await registry.metrics());
      if (request.url !== "/health") return answer(404, "text/plain", "/health or /metrics\n");
      const found = await troubles();
      const status = found.length === 0 ? "ok" : "trouble";
      answer(
        found.length === 0 ? 200 : 503,
        "application/json",
        `${JSON.stringify({ status, troubles: found })}\n`,
      );
    };
    serve().catch((error: Error) => answer(500, "text/plain", `${error.message}\n`));
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new Refusal("port_taken", `${listen} cannot be listened on`, { cause })),
    );
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function readToken(file: string): string {
  let token: string;
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw readRefusal(file, error);
  }
  if (token.length < 16)
    throw new Refusal("config_invalid", `${file}: the secret has fewer than 16 characters`);
  return token;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Without a token, only what asks for this machine by its own name: a page in a browser asks by another. */
function mayRead({ headers }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined)
    return isLoopback(splitAddress(`${headers.host ?? ""}:`.replace(/:\d*:$/, ":")).host);
  return timingSafeEqual(digest(headers.authorization ?? ""), digest(`Bearer ${token}`));
}

/** @returns free bytes of the file system that a folder is on, for this process. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
