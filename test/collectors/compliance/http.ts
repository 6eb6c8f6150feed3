import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { httpConfig } from "../../../collectors/http/config.ts";
import { httpCollector } from "../../../collectors/http.ts";
import { startFaultProxy } from "../../../collectors/simulators/fault-proxy.ts";
import { startHttpServer } from "../../../collectors/simulators/http-server.ts";
import { freePort } from "../../support/collecting.ts";
import { listenAgain } from "../../support/listen-again.ts";
import type { Adapter } from "./adapter.ts";

const devices = ["cold-1", "cold-2"] as const;

/** A gateway whose answer has the next number of each of its devices. */
export const httpPoll: Adapter = {
  name: "http poll",
  source: "samples",
  async open() {
    const next = new Map<string, number>(devices.map((device) => [device, 0]));
    const dead = new Set<string>();
    const answer: Parameters<typeof startHttpServer>[0] = (_, response) => {
      const rows = devices.flatMap((id) => {
        if (dead.has(id)) return [];
        const n = next.get(id)!;
        next.set(id, n + 1);
        return [{ id, n }];
      });
      response.end(JSON.stringify({ rows }));
    };
    let server = await startHttpServer(answer);
    const line = await startFaultProxy(server.port, randomBytes);
    return {
      devices,
      line,
      collector: (context, limits) =>
        httpCollector(
          httpConfig.parse({
            poll: `http://127.0.0.1:${line.port}/state`,
            identity: "anonymous",
            format: "json",
            records: "rows",
            deviceAt: "id",
            fields: [{ path: "n", metric: "n", unit: "1" }],
            every: "3ms",
            timeout: "800ms",
          }),
          context,
          limits,
        ),
      produce: async () => {},
      kill: (device) => void dead.add(device),
      revive: (device) => void dead.delete(device),
      async restart() {
        const { port } = server;
        await server.close();
        server = await listenAgain(() => startHttpServer(answer, port));
      },
      handedOut: () => [...next.values()].reduce((sum, n) => sum + n, 0),
      async close() {
        await line.close();
        await server.close();
      },
    };
  },
};

/** Two senders that post one value at a time, and again until they are told that it is stored. */
export const httpPost: Adapter = {
  name: "http post",
  source: "keeps",
  async open() {
    const port = await freePort();
    const line = await startFaultProxy(port, randomBytes, "server");
    const waiting = new Map<string, number[]>(devices.map((device) => [device, []]));
    const next = new Map<string, number>(devices.map((device) => [device, 0]));
    const dead = new Set<string>();
    let acknowledged = 0;
    let open = true;
    const agent = new Agent({ keepAlive: true });
    const post = (device: string, n: number | undefined): Promise<boolean> =>
      new Promise((resolve) => {
        const sent = request(
          {
            agent,
            port: line.port,
            host: "127.0.0.1",
            method: "POST",
            path: "/values",
            timeout: 800,
            headers: {
              authorization: `Bearer of-${device}`,
              ...(n === undefined ? {} : { "idempotency-key": `${device} ${n}` }),
            },
          },
          (response) => {
            response.resume();
            resolve(response.statusCode === 204);
          },
        );
        sent.on("error", () => resolve(false)).on("timeout", () => sent.destroy());
        sent.end(JSON.stringify({ n }));
      });
    const send = async (device: string): Promise<void> => {
      while (open) {
        const n = waiting.get(device)![0];
        // With nothing to say it says that it is there.
        const heard = !dead.has(device) && (await post(device, n));
        if (heard && n !== undefined) {
          waiting.get(device)!.shift();
          acknowledged++;
        } else await delay(10);
      }
    };
    const sending = devices.map(send);
    for (const device of devices) process.env[`HTTP_TEST_${device.at(-1)}`] = `of-${device}`;
    return {
      devices,
      line,
      listens: true,
      collector: (context, limits) =>
        httpCollector(
          httpConfig.parse({
            listen: `127.0.0.1:${port}`,
            path: "/values",
            tls: "none",
            senders: devices.map((device) => ({ token: { env: `HTTP_TEST_${device.at(-1)}` }, device })),
            format: "json",
            fields: [{ path: "n", metric: "n", unit: "1" }],
            timeout: "700ms",
            silence: "1ms",
          }),
          context,
          limits,
        ),
      async produce(device, count) {
        for (let i = 0; i < count; i++) {
          const n = next.get(device)!;
          next.set(device, n + 1);
          waiting.get(device)!.push(n);
        }
      },
      kill: (device) => void dead.add(device),
      revive: (device) => void dead.delete(device),
      acknowledged: () => acknowledged,
      async close() {
        open = false;
        await Promise.all(sending);
        agent.destroy();
        await line.close();
      },
    };
  },
};
