import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { isReason, Refusal } from "../../proto/reasons.ts";

const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
const nodeArguments = ["--no-warnings", cli];

const refusalLines = /^fedcredit: error: (.*) \((\w+)\)\nhint: (.*)$/m;

/**
 * Runs one command to its end.
 * @returns what it printed on stdout.
 * @throws Refusal what it refused; Error with what it printed on stderr.
 */
export async function run(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [...nodeArguments, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    exitOf(child),
  ]);
  const [, message, reason, hint] = refusalLines.exec(stderr) ?? [];
  if (code !== 0 && hint !== undefined && isReason(reason!))
    throw new Refusal(reason, `fedcredit ${args.slice(0, 2).join(" ")}: ${message}`, { hint });
  if (code !== 0) throw new Error(`fedcredit ${args.join(" ")} exited with ${code}\n${stderr}`);
  return stdout;
}

/** A process that runs until it is stopped. */
export class Service {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #last = "";

  /** @param onLine - gets every line of stdout. */
  constructor(name: string, args: readonly string[], onLine: (line: string) => void) {
    this.name = name;
    this.#child = spawn(process.execPath, [...nodeArguments, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    this.#exited = exitOf(this.#child);
    createInterface({ input: this.#child.stdout! }).on("line", onLine);
    createInterface({ input: this.#child.stderr! }).on("line", (line) => {
      this.#last = line;
    });
  }

  /** Rejects if the process ends by itself. */
  async failed(): Promise<never> {
    const code = await this.#exited;
    throw new Error(`${this.name} ended with ${code}: ${this.#last}`);
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#child.kill(signal);
    await this.#exited;
  }
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
