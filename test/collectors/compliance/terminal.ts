import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { startFaultProxy } from "../../../collectors/simulators/fault-proxy.ts";
import { encodeSentence, startNmeaSender } from "../../../collectors/simulators/nmea-sender.ts";
import { startTerminal } from "../../../collectors/simulators/terminal-client.ts";
import { terminalConfig } from "../../../collectors/terminal/config.ts";
import { terminalCollector } from "../../../collectors/terminal.ts";
import { freePort } from "../../support/collecting.ts";
import type { Adapter } from "./adapter.ts";

type TerminalInput = z.input<typeof terminalConfig>;

const devices = ["truck-1", "truck-2"] as const;

/** Two terminals, one of each header version, that keep what is not acknowledged and dial until they are heard. */
export const jt808: Adapter = {
  name: "terminal jt808",
  source: "keeps",
  async open() {
    const port = await freePort();
    const line = await startFaultProxy(port, randomBytes, "server");
    const terminals = devices.map((_, i) =>
      startTerminal({
        port: line.port,
        phone: `1380000000${i}`,
        version: i === 0 ? "2013" : "2019",
        terminal: `T${i}`,
      }),
    );
    const folder = await mkdtemp(join(tmpdir(), "terminals-"));
    const next = [0, 0];
    const at = (device: string) => devices.indexOf(device as (typeof devices)[number]);
    process.env.TERMINAL_TEST_KEY = "yard";
    const input: TerminalInput = {
      protocol: "jt808",
      listen: `127.0.0.1:${port}`,
      datum: "WGS-84",
      // Terminals and collector share this process: where it is held up for so long, nobody has said anything.
      silence: "2s",
      authentication: { key: { env: "TERMINAL_TEST_KEY" }, registered: join(folder, "registered") },
      terminals: devices.map((device, i) => ({ phone: `1380000000${i}`, device, terminal: `T${i}` })),
      readings: [{ item: 0xe1, type: "u32", metric: "n", unit: "1" }],
    };
    return {
      devices,
      line,
      listens: true,
      collector: (context, limits) => terminalCollector(terminalConfig.parse(input), context, limits),
      async produce(device, count) {
        for (let i = 0; i < count; i++) {
          const n = Buffer.alloc(4);
          n.writeUInt32BE(next[at(device)]!++);
          terminals[at(device)]!.report({
            alarm: 0,
            status: 2,
            lat: 31.2,
            lon: 121.5,
            altitudeMetres: 4,
            speedKmh: 60,
            directionDegrees: 90,
            time: Date.now() * 1000,
            items: new Map([[0xe1, n]]),
          });
        }
      },
      kill: (device) => terminals[at(device)]!.switchOff(),
      revive: (device) => terminals[at(device)]!.switchOn(),
      async restart() {
        for (const terminal of terminals) terminal.switchOff();
        for (const terminal of terminals) terminal.switchOn();
      },
      acknowledged: () => terminals.reduce((sum, terminal) => sum + terminal.acknowledged, 0),
      async close() {
        for (const terminal of terminals) terminal.close();
        await line.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};

/** Two receivers behind modems; each says where it is every few milliseconds, and the altitude counts. */
export const nmea: Adapter = {
  name: "terminal nmea",
  source: "samples",
  async open() {
    const port = await freePort();
    const line = await startFaultProxy(port, randomBytes, "server");
    const next = [0, 0];
    const dead = new Set<string>();
    const start = Date.now();
    const sentence = (i: number): string => {
      const n = next[i]!++;
      const time = new Date(start + n).toISOString().slice(11, 23).replaceAll(":", "");
      return encodeSentence(`GNGGA,${time},3112.0,N,12130.0,E,1,12,0.8,${n},M,8.1,M,,`);
    };
    const senders = devices.map((device, i) =>
      startNmeaSender({
        port: line.port,
        registration: `IMEI:86000000000000${i}`,
        everyMillis: 4,
        sentences: () => (dead.has(device) ? [] : [sentence(i)]),
      }),
    );
    const input: TerminalInput = {
      protocol: "nmea",
      listen: `127.0.0.1:${port}`,
      datum: "WGS-84",
      silence: "2s",
      registration: {
        prefix: "IMEI:",
        devices: { "860000000000000": "truck-1", "860000000000001": "truck-2" },
      },
      readings: [{ from: "altitude", metric: "n" }],
    };
    return {
      devices,
      line,
      listens: true,
      collector: (context, limits) => terminalCollector(terminalConfig.parse(input), context, limits),
      produce: async () => {},
      kill: (device) => void dead.add(device),
      revive: (device) => void dead.delete(device),
      async close() {
        for (const sender of senders) sender.close();
        await line.close();
      },
    };
  },
};
