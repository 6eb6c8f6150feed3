import { hash } from "node:crypto";
import * as http from "node:http";
import * as https from "node:https";
import { at, readPayload } from "../mqtt/payload.ts";
import type { Reading } from "../reading.ts";
import { unreadable } from "../runtime/event.ts";
import { readConfigured, readSecret } from "../runtime/secrets.ts";
import { type Link, Refused } from "../runtime/supervise.ts";
import type { PollConfig } from "./config.ts";

interface Identity {
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: Buffer | undefined;
}

export async function readIdentity({ identity, ca, headers }: PollConfig): Promise<Identity> {
  const secret =
    identity === "anonymous"
      ? {}
      : "bearer" in identity
        ? { authorization: `Bearer ${await readSecret(identity.bearer)}` }
        : "header" in identity
          ? { [identity.header]: await readSecret(identity.value) }
          : {
              authorization: `Basic ${Buffer.from(`${identity.user}:${await readSecret(identity.password)}`).toString("base64")}`,
            };
  return {
    headers: { ...headers, ...secret },
    ca: ca === undefined ? undefined : await readConfigured(ca),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Records that are remembered, so that an answer that repeats them says nothing new. */
const remembered = 100_000;

/** Asks again and again. @throws {Error} where the server does not answer as it should; {Refused} at 401 and 403. */
export async function pollUntilLost(link: Link, config: PollConfig, identity: Identity): Promise<void> {
  const agent = config.poll.startsWith("https:")
    ? new https.Agent({ keepAlive: true, ca: identity.ca, rejectUnauthorized: true })
    : new http.Agent({ keepAlive: true });
  const known = new Known();
  let tag: string | undefined;
  let newest: number | undefined;
  try {
    while (!link.signal.aborted) {
      let url: URL | undefined = new URL(config.poll);
      if (config.since !== undefined)
        url.searchParams.set(config.since.parameter, sinceOf(link, config, newest));
      const visited = new Set<string>();
      while (url !== undefined && !link.signal.aborted) {
        visited.add(url.href);
        const first: boolean = visited.size === 1;
        const answer = await ask(link, config, identity, agent, url, first ? tag : undefined);
        link.connected();
        if (answer.status === 304) break;
        if (first) tag = config.next === undefined ? answer.headers.etag : undefined;
        const readings = known.fresh(readingsOf(link, config, answer.body));
        for (const { time } of readings)
          if (time <= link.now() && (newest === undefined || time > newest)) newest = time;
        if (readings.length > 0) await link.emit(readings);
        url = nextOf(link, config, answer, url, visited);
      }
      await link.timer.wait(config.every, link.signal);
    }
  } finally {
    agent.destroy();
  }
}

/** Which readings a server has told before; those without a time of their own are each a reading of their own. */
class Known {
  readonly #digests = new Set<string>();

  fresh(readings: readonly Reading[]): Reading[] {
    return readings.filter((reading) => {
      if (reading.time === reading.received || Number.isNaN(reading.time)) return true;
      const { device, metric, time, value, event } = reading;
      const digest = hash("sha256", JSON.stringify([device, metric, time, value, event]), "base64");
      if (this.#digests.has(digest)) return false;
      this.#digests.add(digest);
      if (this.#digests.size > remembered) this.#digests.delete(this.#digests.values().next().value!);
      return true;
    });
  }
}

/** What an answer repeats cannot be told from what happened again, unless it has a number or a time. */
function readingsOf(link: Link, config: PollConfig, body: Buffer): Reading[] {
  const received = link.now();
  const numbered = config.format === "json" ? config.sequence !== undefined : config.columns.some(isSequence);
  const origin = { device: config.device ?? "", metric: undefined, received, delivery: 0, first: false };
  try {
    return readPayload(config, body, origin).map((reading) => {
      if (numbered) return reading;
      const { event: _, firstDelivery: __, ...rest } = reading;
      return rest;
    });
  } catch (error) {
    link.failed(error);
    return [
      unreadable(
        config.device ?? "",
        "answer",
        body.toString("utf8", 0, 2_000),
        (error as Error).message,
        received,
      ),
    ];
  }
}

const isSequence = (column: unknown): boolean =>
  typeof column === "object" && column !== null && "sequence" in column;

function sinceOf(link: Link, { since }: PollConfig, newest: number | undefined): string {
  const { as, overlap, lookback } = since!;
  const millis = newest === undefined ? link.now() / 1000 - lookback : newest / 1000 - overlap;
  if (as === "iso") return new Date(millis).toISOString();
  return String(Math.floor(as === "s" ? millis / 1000 : millis));
}

function nextOf(
  link: Link,
  { next, mostPages }: PollConfig,
  { headers, body }: Answer,
  here: URL,
  visited: ReadonlySet<string>,
): URL | undefined {
  if (next === undefined) return undefined;
  let text: unknown;
  if (next === "link")
    text = /<([^>]{1,2000})>[^,]*;\s*rel="?next"?/.exec(String(headers.link ?? "").slice(0, 8000))?.[1];
  else
    try {
      text = at(JSON.parse(body.toString()), next.path);
    } catch {
      return undefined;
    }
  if (typeof text !== "string" || text === "") return undefined;
  const url = URL.parse(text, here.href);
  const why =
    url === null || url.origin !== here.origin
      ? "is not of the same host"
      : visited.has(url.href)
        ? "was asked for before"
        : visited.size >= mostPages
          ? `would be more than ${mostPages}`
          : undefined;
  if (why === undefined) return url!;
  link.failed(new Error(`the next page ${why}`));
  return undefined;
}

/** Longest that a server may ask us to wait. */
const mostRetryMillis = 15 * 60_000;

async function ask(
  link: Link,
  config: PollConfig,
  { headers }: Identity,
  agent: http.Agent,
  url: URL,
  tag: string | undefined,
): Promise<Answer> {
  const limit = AbortSignal.any([link.signal, AbortSignal.timeout(config.timeout)]);
  const answer = await new Promise<Answer>((resolve, reject) => {
    const fail = (error: Error) =>
      reject(
        limit.aborted && !link.signal.aborted
          ? new Error(`no answer within ${config.timeout / 1000} s`)
          : error,
      );
    const request = (url.protocol === "https:" ? https : http).get(
      url,
      {
        agent,
        signal: limit,
        headers: {
          accept: config.format === "json" ? "application/json" : "text/csv",
          ...headers,
          ...(tag === undefined ? {} : { "if-none-match": tag }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes > config.mostBytes)
            request.destroy(new Error(`an answer of more than ${config.mostBytes} bytes`));
        });
        response.on("end", () =>
          response.complete
            ? resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                body: Buffer.concat(chunks),
              })
            : fail(new Error("an answer that ends early")),
        );
        response.on("error", fail);
      },
    );
    request.on("error", fail);
  });
  const { status } = answer;
  if (status === 200 || (status === 304 && tag !== undefined)) return answer;
  if (status === 401 || status === 403)
    throw new Refused(`the server refuses this user (${status})`, undefined);
  const error = new Error(
    status >= 300 && status < 400
      ? `the server sends elsewhere (${status}, ${String(answer.headers.location).slice(0, 200)}): write that address`
      : `the server answers ${status}`,
  );
  if (status === 429 || status === 503) {
    const seconds = Number(answer.headers["retry-after"]);
    if (seconds > 0) await link.timer.wait(Math.min(seconds * 1000, mostRetryMillis), link.signal);
  }
  throw error;
}
