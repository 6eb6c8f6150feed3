import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A server that answers by a function; on the loopback interface. */
export async function startHttpServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  port = 0,
): Promise<HttpServer> {
  const server = createServer(answer).listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
