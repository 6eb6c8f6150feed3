import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { request, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import test, { type ExecutionContext } from "ava";
import type { z } from "zod";
import { eventually } from "../../bench/cases/within.ts";
import { httpConfig } from "../../collectors/http/config.ts";
import { httpCollector } from "../../collectors/http.ts";
import { startHttpServer } from "../../collectors/simulators/http-server.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";
import { Collected, freePort, systemContext } from "../support/collecting.ts";
import { writeServerCertificate } from "../support/tls.ts";

const backoff = { baseMillis: 20, capMillis: 100 };
const collect = async (t: ExecutionContext, input: z.input<typeof httpConfig>) => {
  const collector = httpCollector(httpConfig.parse(input), systemContext(), { backoff });
  return { collector, collected: await Collected.start(t, collector) };
};
const pollOf = (port: number, changes: object = {}): z.input<typeof httpConfig> => ({
  poll: `http://127.0.0.1:${port}/receipts?shop=1`,
  device: "till",
  identity: "anonymous",
  format: "json",
  records: "rows",
  time: { path: "at", as: "iso" },
  sequence: "number",
  fields: [{ path: "amount", metric: "sales_amount", unit: "{CNY}" }],
  every: "10ms",
  timeout: "2s",
  ...changes,
});
const row = (number: number, amount = 1.5) => ({ number, at: "2026-03-03T12:00:00Z", amount });
const serve = async (t: ExecutionContext, answer: Parameters<typeof startHttpServer>[0]) => {
  const server = await startHttpServer(answer);
  t.teardown(() => server.close());
  return server.port;
};

test("pages are followed on the same host alone, and what is repeated says nothing new", async (t) => {
  const asked: string[] = [];
  let elsewhere = false;
  const port = await serve(t, (one, response) => {
    const url = new URL(one.url!, "http://x");
    asked.push(url.pathname + url.search);
    const page = Number(url.searchParams.get("page") ?? 1);
    const next = elsewhere
      ? "http://127.0.0.2:1/x"
      : page < 3
        ? `?page=${page + 1}`
        : page === 3
          ? "?page=2"
          : null;
    response.end(JSON.stringify({ rows: [row(2 * page), row(2 * page + 1)], next }));
  });
  const { collector, collected } = await collect(t, pollOf(port, { next: { path: "next" } }));
  await eventually(() => asked.length > 6);
  t.deepEqual(
    collected.readings.map(({ event }) => event),
    ["#2", "#3", "#4", "#5", "#6", "#7"],
  );
  t.regex(collector.health().lastError!, /was asked for before/);
  elsewhere = true;
  await eventually(() => /same host/.test(collector.health().lastError!));
});

test("an answer that did not change is not sent, and only what is new is asked for", async (t) => {
  let unchanged = 0;
  let since: string | null = null;
  const port = await serve(t, (one, response) => {
    since = new URL(one.url!, "http://x").searchParams.get("from");
    if (one.headers["if-none-match"] === '"7"') {
      unchanged++;
      response.writeHead(304).end();
    } else response.setHeader("etag", '"7"').end(JSON.stringify({ rows: [row(1), row(1)] }));
  });
  const { collected } = await collect(t, pollOf(port, { since: { parameter: "from", overlap: "1m" } }));
  await eventually(() => unchanged > 2);
  t.is(collected.readings.length, 1, "a number at a time is one event");
  t.is(since as unknown, "2026-03-03T11:59:00.000Z");
});

test("a secret is sent and a refusal is not tried again soon; nobody is followed elsewhere", async (t) => {
  process.env.HTTP_TEST_TOKEN = "tower";
  let status = 200;
  const seen: (string | undefined)[] = [];
  const port = await serve(t, (one, response) => {
    seen.push(one.headers.authorization);
    response.writeHead(status, { location: "http://127.0.0.1:9/" }).end('{"rows":[]}');
  });
  const identity = { bearer: { env: "HTTP_TEST_TOKEN" } };
  t.throws(() => httpConfig.parse(pollOf(port, { identity })), { message: /in the clear/ });
  const given = pollOf(port, { identity, plainPassword: "accepted" });
  const { collector } = await collect(t, given);
  await eventually(() => seen.length > 0);
  t.is(seen[0], "Bearer tower");
  status = 302;
  await eventually(() => /sends elsewhere/.test(collector.health().lastError ?? ""));
  status = 401;
  await eventually(() => collector.health().state === "refused");
});

test("over TLS the server's certificate is checked", async (t) => {
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true }));
  const files = await writeServerCertificate(folder, "localhost");
  const server = createTlsServer(
    { cert: await readFile(files.certificate), key: await readFile(files.key) },
    (_, response) => response.end(JSON.stringify({ rows: [row(1)] })),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => void server.close());
  const poll = `https://localhost:${(server.address() as AddressInfo).port}/`;
  const stranger = await collect(t, pollOf(0, { poll }));
  await eventually(() => stranger.collector.health().errors > 0);
  const trusted = await collect(t, pollOf(0, { poll, ca: files.ca }));
  await eventually(() => trusted.collected.readings.length === 1);
  t.is(stranger.collected.readings.length, 0);
});

const hostile: Readonly<Record<string, (response: ServerResponse) => void>> = {
  "never ends": (response) => {
    const pour = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, 32)));
    };
    response.on("drain", pour);
    pour();
  },
  "says a length it does not keep": (response) => {
    response.writeHead(200, { "content-length": 1000 }).write("{");
    response.socket!.end();
  },
  "sends one byte at a time": (response) => void response.write("{"),
  "is no JSON": (response) => void response.end("[".repeat(100_000)),
};
test("a hostile server costs bounded memory, and nothing of it is believed", async (t) => {
  for (const [what, act] of Object.entries(hostile)) {
    const port = await serve(t, (_, response) => act(response.on("error", () => {})));
    const { collector, collected } = await collect(
      t,
      pollOf(port, { timeout: "500ms", mostBytes: 1_000_000 }),
    );
    await eventually(() => collector.health().errors > 0);
    await collector.stop();
    t.true(
      collected.readings.every(
        ({ value, status }) => typeof value !== "number" && status.startsWith("unreadable"),
      ),
      what,
    );
  }
});

test("a post is known by its sender, bounded, and answered when it is stored", async (t) => {
  process.env.HTTP_TEST_A = "alpha";
  process.env.HTTP_TEST_B = "beta";
  const port = await freePort();
  const { collector, collected } = await collect(t, {
    listen: `127.0.0.1:${port}`,
    path: "/receipts",
    tls: "none",
    senders: [
      { token: { env: "HTTP_TEST_A" }, devices: ["till-1"] },
      { token: { env: "HTTP_TEST_B" }, devices: ["till-2"] },
    ],
    format: "json",
    deviceAt: "till",
    fields: [{ path: "amount", metric: "sales_amount", unit: "{CNY}" }],
    mostBytes: 1000,
    timeout: "1s",
  });
  const post = (token: string, body: string, headers: object = {}, path = "/receipts"): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          port,
          host: "127.0.0.1",
          method: "POST",
          path,
          headers: { authorization: `Bearer ${token}`, ...headers },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode!);
        },
      );
      sent.on("error", reject).end(body);
    });
  const sale = (till: string, amount: number) => JSON.stringify({ till, amount });
  while ((await post("nobody", sale("till-1", 1)).catch(() => 0)) !== 401);
  t.is(await post("alpha", sale("till-2", 1)), 403, "none speaks for another's device");
  t.is(await post("alpha", sale("till-1", 1), {}, "/other"), 404);
  t.is(await post("alpha", "{"), 400);
  t.is(await post("alpha", " ".repeat(2000)), 413);
  t.is(collected.readings.length, 0);
  const key = { "idempotency-key": "r-1" };
  t.is(await post("alpha", sale("till-1", 2.5), key), 204);
  t.is(await post("alpha", sale("till-1", 2.5), key), 204);
  t.is(await post("beta", sale("till-2", 2.5), key), 204);
  t.deepEqual(
    collected.readings.map(({ device, value }) => [device, value]),
    [
      ["till-1", 2.5],
      ["till-2", 2.5],
    ],
  );
  collected.hold();
  t.is(
    await post("alpha", sale("till-1", 3), { "idempotency-key": "r-2" }),
    503,
    "not stored, not said to be",
  );
  const again = post("alpha", sale("till-1", 3), { "idempotency-key": "r-2" });
  await eventually(() => collected.readings.length === 3);
  collected.release();
  t.is(await again, 204);
  t.is(collected.readings.length, 3, "what was under way is not taken twice");
  t.is(collector.health().state, "running");
});

test("a port that is taken is named", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  t.teardown(() => void taken.close());
  process.env.HTTP_TEST_A = "alpha";
  const { collector } = await collect(t, {
    listen: `127.0.0.1:${(taken.address() as AddressInfo).port}`,
    tls: "none",
    senders: [{ token: { env: "HTTP_TEST_A" }, device: "x" }],
    format: "csv",
    columns: [{ metric: "n", unit: "1" }],
  });
  await eventually(() => collector.health().errors > 0);
  t.regex(collector.health().lastError!, /is in use/);
});
