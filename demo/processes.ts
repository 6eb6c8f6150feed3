import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { isReason, Refusal } from "../core/reasons.ts";
import type { Addresses, PlantOptions } from "./plants/plant.ts";

const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
const plantScript = fileURLToPath(new URL("plants/run.ts", import.meta.url));

const refusalLines = /^fedcredit: error: (.*) \((\w+)\)\nhint: (.*)$/m;

/**
 * Runs one command to its end.
 * @returns what it printed on stdout.
 * @throws Refusal what it refused; Error with what it printed on stderr.
 */
export const run = (...args: readonly string[]): Promise<string> => runWith("", ...args);

/** @param input - for its stdin. */
export async function runWith(input: string, ...args: readonly string[]): Promise<string> {
  const child = start(cli, args, "pipe");
  child.stdin!.end(input);
  const [stdout, stderr, code] = await Promise.all([
    textOf(child.stdout!),
    textOf(child.stderr!),
    exitOf(child),
  ]);
  const [, message, reason, hint] = refusalLines.exec(stderr) ?? [];
  if (code !== 0 && hint !== undefined && isReason(reason!))
    throw new Refusal(reason, `fedcredit ${args.slice(0, 2).join(" ")}: ${message}`, { hint });
  if (code !== 0) throw new Error(`fedcredit ${args.join(" ")} exited with ${code}\n${stderr}`);
  return stdout;
}

/** Lines of stderr that are told of a process that ended by itself. */
const mostLines = 10;

/** A process that runs until it is stopped. */
export class Service {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #last: string[] = [];

  /** @param onLine - gets every line of stdout. @param script - the command line where absent. */
  constructor(name: string, args: readonly string[], onLine: (line: string) => void, script = cli) {
    this.name = name;
    this.#child = start(script, args);
    this.#exited = exitOf(this.#child);
    createInterface({ input: this.#child.stdout! }).on("line", onLine);
    createInterface({ input: this.#child.stderr! }).on("line", (line) => {
      this.#last.push(line);
      if (this.#last.length > mostLines) this.#last.shift();
    });
  }

  /** Rejects if the process ends by itself. */
  async failed(): Promise<never> {
    const code = await this.#exited;
    throw new Error(`${this.name} ended with ${code}:\n${this.#last.join("\n")}`);
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#child.kill(signal);
    await this.#exited;
  }
}

/** Starts an enterprise's simulated devices. */
export async function startPlant(
  id: string,
  options: PlantOptions,
): Promise<{ readonly service: Service; readonly addresses: Addresses }> {
  const ready = Promise.withResolvers<Addresses>();
  const service = new Service(
    `devices of ${id}`,
    [id, JSON.stringify(options)],
    (line) => ready.resolve(JSON.parse(line)),
    plantScript,
  );
  return { service, addresses: await Promise.race([ready.promise, service.failed()]) };
}

/** @returns ports of the loopback interface that nobody listens on now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** Two at a time: as many as the smallest machine has cores. */
export async function pairwise<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = [...items.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await work(next[1], next[0]);
  };
  await Promise.all([worker(), worker()]);
}

const running = new Set<ChildProcess>();
let isOver = false;

/** @throws Refusal interrupted */
function start(script: string, args: readonly string[], stdin: "ignore" | "pipe" = "ignore"): ChildProcess {
  if (isOver) throw new Refusal("interrupted", "everything is being ended");
  const child = spawn(process.execPath, ["--no-warnings", script, ...args], {
    stdio: [stdin, "pipe", "pipe"],
  });
  running.add(child.on("close", () => running.delete(child)));
  return child;
}

/** From now on no process is begun: what plays on while everything is ended does not know of it. */
export function beginNoMore(): void {
  isOver = true;
}

/** Ends every process that nobody else ends. */
export async function endTheRest(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await closed;
    }),
  );
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
