/** The operational log of a process: one time-stamped line an event, on stderr. It is not the privacy log. */
import { Option } from "commander";
import { type Logger, pino } from "pino";

export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ["text", "json"] as const;
export type LogFormat = (typeof logFormats)[number];

export type Log = Logger;

export interface LogFlags {
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** What every command that runs on takes. */
export const logOptions = (): Option[] => [
  new Option("--log-level <level>", "what the log on stderr holds; debug has every step of every round")
    .choices(logLevels)
    .default("info"),
  new Option("--log-format <format>", "text, or one JSON object a line").choices(logFormats).default("text"),
];

// What repeats, a database that is away or a peer that is refused, must not fill the disk that it is written to.
const saidAtMost = 10;
const windowMillis = 600_000;
const warnLevel = pino.levels.values.warn!;

/**
 * Opens a process's log.
 * What a fault or a peer causes is said ten times in ten minutes with the same message, reason and party; the first
 * line after them says how many were left `unsaid`. At `debug` nothing is left out.
 * @param now - Unix milliseconds.
 */
export function openLog(
  { logLevel: level, logFormat: format }: LogFlags,
  now: () => number,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Logger {
  const limit = level === "debug" || level === "trace" ? undefined : new Repeats(now);
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        logMethod(args, method, number) {
          const [first, second] = args as unknown as [unknown, string?];
          const fields = typeof first === "object" && first !== null ? first : {};
          const message = typeof first === "string" ? first : (second ?? "");
          const { reason, party } = fields as { readonly reason?: unknown; readonly party?: unknown };
          const isCaused = number >= warnLevel || reason !== undefined || party !== undefined;
          const unsaid = isCaused ? limit?.look(`${message} ${reason} ${party}`) : undefined;
          if (unsaid === "left out") return;
          const said = { ...fields, ...(unsaid === undefined ? {} : { unsaid }) };
          (method as (fields: object, message: string) => void).call(this, said, message);
        },
      },
    },
    { write: (line: string) => write(format === "json" ? line : textLine(line)) },
  );
}

class Repeats {
  readonly #now: () => number;
  readonly #seen = new Map<string, { since: number; said: number; unsaid: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns whether a line is left out, or how many before it were. */
  look(line: string): "left out" | number | undefined {
    const now = this.#now();
    const seen = this.#seen.get(line);
    if (seen === undefined || now - seen.since >= windowMillis || now < seen.since) {
      if (this.#seen.size > 1000) this.#seen.clear();
      this.#seen.set(line, { since: now, said: 1, unsaid: 0 });
      return seen?.unsaid || undefined;
    }
    if (++seen.said <= saidAtMost) return undefined;
    seen.unsaid++;
    return "left out";
  }
}

/** @returns `TIME LEVEL message name=value …` of one of the logger's own lines. */
function textLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const named = Object.entries(fields).map(([name, value]) => ` ${name}=${plain(value)}`);
  return `${time} ${String(level).toUpperCase().padEnd(5)} ${oneLine(String(msg))}${named.join("")}\n`;
}

const plain = (value: unknown): string =>
  typeof value === "string" && /^[\w.:/+-]+$/.test(value) ? value : oneLine(JSON.stringify(value));

/** A peer's text must neither begin a line nor move the terminal's cursor. */
const oneLine = (text: string): string =>
  text.replaceAll(
    /\p{Cc}|[\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** 1, 2, 5, 10, 20, 50, 100 …: rounds that are worth a line when there are ten thousand. */
export function isMilestone(round: number): boolean {
  let digits = round;
  while (digits >= 10 && digits % 10 === 0) digits /= 10;
  return digits === 1 || digits === 2 || digits === 5;
}
