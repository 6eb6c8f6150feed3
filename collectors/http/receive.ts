import { hash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { Refusal } from "../../core/reasons.ts";
import { readPayload } from "../mqtt/payload.ts";
import type { Reading } from "../reading.ts";
import { eventId } from "../runtime/event.ts";
import { readConfigured, readSecret } from "../runtime/secrets.ts";
import type { Link } from "../runtime/supervise.ts";
import type { ListenConfig } from "./config.ts";

interface Sender {
  readonly digest: Buffer;
  readonly device: string | undefined;
  readonly devices: ReadonlySet<string> | undefined;
}

/** Posts last stored that are recognised when they are sent again. */
const remembered = 10_000;

const digestOf = (text: string): Buffer => hash("sha256", text, "buffer");

/** Reads tokens and certificate. @returns what listens until the link is stopped. */
export async function openDoorway(config: ListenConfig): Promise<(link: Link) => Promise<void>> {
  const senders = await Promise.all(
    config.senders.map(
      async ({ token, device, devices }): Promise<Sender> => ({
        digest: digestOf(await readSecret(token)),
        device,
        devices: devices && new Set(devices),
      }),
    ),
  );
  const tls =
    config.tls === "none"
      ? undefined
      : { cert: await readConfigured(config.tls.certificate), key: await readConfigured(config.tls.key) };
  const stored = new Set<string>();
  const waiting = new Map<string, Promise<void>>();
  return (link) => listenUntilStopped(link, config, new Doorway(config, senders, stored, waiting), tls);
}

/** What is wrong with a request: a status and a line for its sender. */
class Rejected extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

class Doorway {
  readonly #config: ListenConfig;
  readonly #senders: readonly Sender[];
  readonly #stored: Set<string>;
  readonly #waiting: Map<string, Promise<void>>;

  constructor(
    config: ListenConfig,
    senders: readonly Sender[],
    stored: Set<string>,
    waiting: Map<string, Promise<void>>,
  ) {
    this.#config = config;
    this.#senders = senders;
    this.#stored = stored;
    this.#waiting = waiting;
  }

  /** Resolves when the readings are stored. @throws {Rejected} */
  async take(link: Link, request: http.IncomingMessage): Promise<void> {
    const { path, mostBytes, timeout } = this.#config;
    // Nothing of a stranger's is read.
    const sender = this.#senderOf(request.headers.authorization);
    if (sender === undefined) throw new Rejected(401, "who is asking is not known");
    if (request.url?.split("?", 1)[0] !== path) throw new Rejected(404, `post to ${path}`);
    if (request.method !== "POST") throw new Rejected(405, "post");
    if (Number(request.headers["content-length"] ?? 0) > mostBytes)
      throw new Rejected(413, `more than ${mostBytes} bytes`);
    if ((request.headers["content-encoding"] ?? "identity") !== "identity")
      throw new Rejected(415, "send it as it is");
    link.connected();
    const body = await bodyOf(request, mostBytes);
    const said = request.headers["idempotency-key"];
    const key = typeof said === "string" && said !== "" ? said : undefined;
    const id = hash("sha256", Buffer.concat([sender.digest, Buffer.from(`${key ?? ""}\n`), body]), "base64");
    // The same key with another body is another post; without a key a repetition is told by its records alone.
    if (key !== undefined && this.#stored.has(id)) return;
    const pending = this.#waiting.get(id) ?? this.#store(link, id, this.#readingsOf(link, sender, key, body));
    // Not the link's own signal: what is under way when it stops is stored, and answered so.
    const answered = new AbortController();
    const late = link.timer.wait(timeout, answered.signal).then(() => {
      throw new Rejected(503, "not stored yet: send it again");
    });
    late.catch(() => {});
    await Promise.race([pending, late]).finally(() => answered.abort());
  }

  async #store(link: Link, id: string, readings: readonly Reading[]): Promise<void> {
    // What waits for the store is bounded by what was not answered.
    if (this.#waiting.size >= this.#config.mostConnections) throw new Rejected(503, "busy: send it again");
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(id, promise);
    await link.emit(readings, () => {
      this.#waiting.delete(id);
      this.#stored.add(id);
      if (this.#stored.size > remembered) this.#stored.delete(this.#stored.values().next().value!);
      resolve();
    });
    return promise;
  }

  #readingsOf(link: Link, sender: Sender, key: string | undefined, body: Buffer): Reading[] {
    const config = this.#config;
    const origin = {
      device: sender.device ?? "",
      metric: undefined,
      received: link.now(),
      delivery: 0,
      first: false,
    };
    let readings: Reading[];
    try {
      readings = readPayload(config, body, origin);
    } catch (error) {
      link.failed(error);
      if (error instanceof Refusal) throw new Rejected(400, error.message);
      throw error;
    }
    const other = readings.find(({ device }) => sender.devices !== undefined && !sender.devices.has(device));
    if (other !== undefined) {
      link.failed(new Error("a sender spoke for a device that is not its own"));
      throw new Rejected(403, "a device that this sender does not speak for");
    }
    return readings.map((reading) => {
      const { event, firstDelivery: _, ...rest } = reading;
      if (event?.startsWith("#")) return reading;
      return key === undefined ? rest : { ...rest, event: eventId("post", key, event ?? "") };
    });
  }

  #senderOf(authorization: string | undefined): Sender | undefined {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return undefined;
    const digest = digestOf(token);
    let found: Sender | undefined;
    for (const sender of this.#senders) if (timingSafeEqual(sender.digest, digest)) found = sender;
    return found;
  }
}

async function bodyOf(request: http.IncomingMessage, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Rejected(413, `more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function listenUntilStopped(
  link: Link,
  config: ListenConfig,
  doorway: Doorway,
  tls: { readonly cert: Buffer; readonly key: Buffer } | undefined,
): Promise<void> {
  if (link.signal.aborted) return;
  const limits = {
    requestTimeout: config.timeout,
    headersTimeout: Math.min(config.timeout, 10_000),
    connectionsCheckingInterval: 1_000,
  };
  const open = new Set<Promise<void>>();
  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const answered = answer(link, doorway, request, response).finally(() => open.delete(answered));
    open.add(answered);
  };
  const server =
    tls === undefined
      ? http.createServer(limits, onRequest)
      : https.createServer({ ...limits, ...tls }, onRequest);
  server.maxConnections = config.mostConnections;
  let connections = 0;
  let silent: NodeJS.Timeout | undefined;
  server.on("connection", (socket) => {
    connections++;
    clearTimeout(silent);
    socket.once("close", () => {
      connections--;
      // Once it stops, nobody is told of silence, and no timer keeps the process.
      if (connections === 0 && !link.signal.aborted)
        silent = setTimeout(() => link.disconnected(), config.silence);
    });
  });
  const stopped = once(link.signal, "abort");
  server.listen(config.listen);
  try {
    await once(server, "listening");
    await Promise.race([stopped, once(server, "error").then(([error]) => Promise.reject(error as Error))]);
    // What is under way is stored and answered; what comes now is not taken.
    server.close();
    await Promise.race([Promise.all(open), link.timer.wait(5_000, new AbortController().signal)]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Refusal("port_taken", `${config.listen.host}:${config.listen.port} is in use`, {
      cause: error,
    });
  } finally {
    clearTimeout(silent);
    server.close();
    server.closeAllConnections();
  }
}

async function answer(
  link: Link,
  doorway: Doorway,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  let status = 204;
  let text = "";
  try {
    await doorway.take(link, request);
  } catch (error) {
    status = error instanceof Rejected ? error.status : 400;
    text = error instanceof Rejected ? error.message : "not understood";
    if (!(error instanceof Rejected) && !link.signal.aborted) link.failed(error);
    if (status === 401) link.failed(new Error("a post of somebody who is not known was refused"));
  }
  // What is left of a body that was refused is not read.
  if (!request.complete) response.setHeader("connection", "close");
  response.writeHead(status).end(text);
  if (!request.complete) response.once("finish", () => request.destroy());
}
