import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import type { MqttConfig } from "../mqtt/config.ts";
import { findProgram } from "./programs.ts";

export interface MqttBroker {
  readonly kind: "mosquitto" | "aedes";
  /** The newest it speaks; it refuses a client of a newer one. */
  readonly protocol: MqttConfig["protocol"];
  readonly port: number;
  /** Ends the broker and starts it again on its port; sessions and their messages are kept. */
  restart(): Promise<void>;
  /** Messages acknowledged by a client; only where the broker tells (aedes). */
  acknowledgedBy?(clientId: string): number;
  close(): Promise<void>;
}

export interface BrokerOptions {
  /** Serves TLS with these PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** @returns the path of mosquitto, or undefined where it is not installed. */
export const findMosquitto = (): string | undefined => findProgram("mosquitto");

/** A real mosquitto where it is installed, an embedded broker otherwise; on the loopback interface. */
export async function startBroker(options: BrokerOptions = {}): Promise<MqttBroker> {
  const mosquitto = findMosquitto();
  return mosquitto === undefined ? startAedes(options) : startMosquitto(mosquitto, options);
}

export async function startMosquitto(program: string, { tls }: BrokerOptions = {}): Promise<MqttBroker> {
  const folder = await mkdtemp(join(tmpdir(), "mosquitto-"));
  const port = await freePort();
  const configFile = join(folder, "mosquitto.conf");
  await writeFile(
    configFile,
    [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "persistence true",
      `persistence_location ${folder}/`,
      "max_queued_messages 1000000",
      "max_inflight_messages 0",
      "log_type none",
      // Started as root it would give up its rights to the folder.
      "user root",
      ...(tls === undefined ? [] : [`certfile ${tls.certificate}`, `keyfile ${tls.key}`]),
    ].join("\n"),
  );
  const start = async () => {
    const child = spawn(program, ["-c", configFile], { stdio: "ignore" });
    await listening(port, () => child.exitCode !== null);
    return child;
  };
  let child = await start();
  const killWithUs = () => child.kill();
  process.once("exit", killWithUs);
  const end = async () => {
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    await exit;
  };
  return {
    kind: "mosquitto",
    protocol: "5",
    port,
    async restart() {
      await end();
      child = await start();
    },
    async close() {
      process.off("exit", killWithUs);
      await end();
      await rm(folder, { recursive: true });
    },
  };
}

export async function startAedes({ tls }: BrokerOptions = {}): Promise<MqttBroker> {
  const { Aedes } = await import("aedes");
  const broker = await Aedes.createBroker();
  const acknowledged = new Map<string, number>();
  broker.on("ack", (_, client) => acknowledged.set(client.id, (acknowledged.get(client.id) ?? 0) + 1));
  const sockets = new Set<Socket>();
  const serve = async (port: number) => {
    const accept = (socket: Socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      broker.handle(socket);
    };
    const { readFile } = await import("node:fs/promises");
    const server =
      tls === undefined
        ? createServer(accept)
        : createTlsServer({ cert: await readFile(tls.certificate), key: await readFile(tls.key) }, accept);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  let server = await serve(0);
  const { port } = server.address() as AddressInfo;
  const end = async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    kind: "aedes",
    protocol: "3.1.1",
    port,
    async restart() {
      await end();
      server = await serve(port);
    },
    acknowledgedBy: (clientId) => acknowledged.get(clientId) ?? 0,
    async close() {
      await end();
      await new Promise<void>((resolve) => broker.close(() => resolve()));
    },
  };
}

/** A port of the loopback interface that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function listening(port: number, ended: () => boolean): Promise<void> {
  for (;;) {
    if (ended()) throw new Error("mosquitto ended at its start");
    const socket = connect(port, "127.0.0.1");
    const open = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await sleep(20);
  }
}
