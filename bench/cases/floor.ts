import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { passRates } from "../../client-node/operations/quality/quality.ts";
import type { Collector } from "../../collectors/collector.ts";
import { type CollectorInput, collectorEntries } from "../../collectors/config.ts";
import { createCollector } from "../../collectors/create.ts";
import { encode } from "../../collectors/modbus/registers.ts";
import { startModbusServer } from "../../collectors/simulators/modbus-server.ts";
import { startBroker } from "../../collectors/simulators/mqtt-broker.ts";
import { startOpcuaServer } from "../../collectors/simulators/opcua-server.ts";
import { type Case, check, near } from "./case.ts";
import { plantedStream } from "./planted.ts";
import { within } from "./within.ts";
import { at, day, device, every, hour, inWorld, minute, reading, site } from "./world.ts";

/** C10: the same check before and after. */
const c10: Case = {
  id: "C10",
  title: "quality pass rate 65 % → 92 % through the three steps",
  target:
    "on planted faults with known truth; values that pass are right, filled ones near the truth; a clean stream passes whole",
  async run({ scale }) {
    const run = (faulty: boolean) => {
      const stream = plantedStream("C10", Math.max(4, Math.round(40 * scale)), faulty);
      return inWorld(
        {
          sites: [site("plant", "machining")],
          devices: stream.devices.map((id) => device(id, "plant")),
          calibrations: stream.calibrations,
        },
        async (world) => {
          await world.play(stream.readings);
          const seen = await world.refresh(stream);
          const cells = await world.query(
            stream,
            `SELECT device, cell_us, status, method, mean FROM filled
             WHERE status IN ('observed', 'imputed') ORDER BY device, cell_us`,
          );
          const errors = cells.map((cell) => ({
            imputed: cell.status === "imputed",
            error: Number(cell.mean) - stream.truth(String(cell.device), Number(cell.cell_us) + 1e6),
          }));
          return { rates: passRates(seen.quality.counts), errors };
        },
      );
    };
    const faulty = await run(true);
    const clean = await run(false);
    const rms = (values: readonly number[]): number =>
      Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
    const observed = faulty.errors.filter((one) => !one.imputed).map((one) => one.error);
    const imputed = faulty.errors.filter((one) => one.imputed).map((one) => one.error);
    const wrong = observed.filter((error) => Math.abs(error) > 1).length / observed.length;
    return [
      near("pass rate as delivered", faulty.rates.delivered, 0.65, 0.01),
      check("pass rate, cleaned", faulty.rates.cleaned > faulty.rates.delivered, faulty.rates.cleaned),
      check("pass rate, verified", faulty.rates.verified <= faulty.rates.cleaned, faulty.rates.verified),
      near("pass rate, completed", faulty.rates.completed, 0.92, 0.01),
      check("error of filled values, °C rms (range 20 °C)", rms(imputed) < 0.6, rms(imputed)),
      check("error of passing values, °C rms", rms(observed) < 0.2, rms(observed)),
      check("passing values off by more than 1 °C, share", wrong < 0.001, wrong),
      check("clean stream, as delivered", clean.rates.delivered > 0.999, clean.rates.delivered),
      check(
        "clean stream, nothing filled",
        clean.errors.every((one) => !one.imputed),
        "none",
      ),
    ];
  },
};

/** C18: one plant, three protocols, four ways to write a number. */
const c18: Case = {
  id: "C18",
  title: "mixed devices on one plant's standard map",
  target: "one config, all readings in the unified record; error rate and time to connect reported",
  async run() {
    const folder = mkdtempSync(join(tmpdir(), "fedcredit-plant-"));
    const registers = new Map([
      [0, encode(412.5, { type: "f32", order: "CDAB" })],
      [2, encode(123_456, { type: "u32", order: "ABCD" })],
      [4, encode(215, { type: "i16", order: "ABCD" })],
    ]);
    const unit = (_: unknown, address: number, count: number): Uint8Array => {
      const memory = new Uint8Array(256);
      for (const [start, bytes] of registers) memory.set(bytes, start * 2);
      return memory.subarray(address * 2, (address + count) * 2);
    };
    const modbus = await startModbusServer(new Map([[1, unit]]));
    const broker = await startBroker();
    const opcua = await startOpcuaServer({
      now: Date.now,
      pki: join(folder, "pki"),
      variables: ["Spindle.Load"],
    });
    opcua.set("Spindle.Load", 0.55);
    const config: CollectorInput[] = [
      {
        modbus: {
          host: "127.0.0.1",
          port: modbus.port,
          unit: 1,
          device: "meter-1",
          registers: [
            {
              address: 0,
              table: "holding",
              type: "f32",
              order: "CDAB",
              metric: "active_power",
              unit: "W",
              every: "50ms",
            },
            {
              address: 2,
              table: "holding",
              type: "u32",
              metric: "active_energy",
              unit: "W.h",
              every: "50ms",
            },
            {
              address: 4,
              table: "holding",
              type: "i16",
              scale: 0.1,
              metric: "machine_temperature",
              unit: "Cel",
              every: "50ms",
            },
          ],
        },
      },
      {
        opcua: {
          endpoint: opcua.endpoint,
          security: "none",
          identity: "anonymous",
          publishing: "50ms",
          keepAlive: "1s",
          groups: [
            { device: "mill-1", nodes: [{ node: "ns=1;s=Spindle.Load", metric: "spindle_load", unit: "1" }] },
          ],
        },
      },
      {
        mqtt: {
          url: `mqtt://127.0.0.1:${broker.port}`,
          protocol: broker.protocol,
          clientId: "node",
          identity: "anonymous",
          topics: [
            {
              topic: "plant/{device}/air",
              format: "json",
              fields: [
                { path: "t", metric: "ambient_temperature", unit: "[degF]" },
                { path: "rh", metric: "humidity", unit: "%" },
              ],
            },
          ],
        },
      },
    ];
    const collectors: Collector[] = [];
    const context = { now: Date.now, random: Math.random, log: () => {} };
    const devices = ["meter-1", "mill-1", "air-1"];
    try {
      return await inWorld(
        { sites: [site("plant", "machining")], devices: devices.map((id) => device(id, "plant")) },
        async (world) => {
          const started = Date.now() * 1000;
          for (const entry of collectorEntries.parse(config)) {
            collectors.push(await createCollector(entry, context));
          }
          const seenOf = new Set<string>();
          let readings = 0;
          const complete = new Promise<void>((resolve) => {
            world.onJudged = (judged) => {
              readings += judged.length;
              for (const one of judged) if (one.quality === "good") seenOf.add(`${one.device}/${one.metric}`);
              if (seenOf.size === 6 && readings >= 60) resolve();
            };
          });
          const taken = collectors.map((collector) => world.pipeline.take(collector));
          await Promise.all(collectors.map((collector) => collector.start()));
          const publisher = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
          const publish = setInterval(() => {
            publisher.publish("plant/air-1/air", JSON.stringify({ t: 68, rh: 40 }), { qos: 1 });
            opcua.set("Spindle.Load", 0.5 + (Date.now() % 100) / 1000);
          }, 50);
          try {
            await within(
              () =>
                `6 metrics and 60 readings (${[...seenOf].sort().join(", ")}; ${readings}; ${collectors
                  .map((collector) => `${collector.name}: ${collector.health().lastError ?? "no error"}`)
                  .join("; ")})`,
              complete,
            );
          } finally {
            clearInterval(publish);
            await publisher.endAsync();
          }
          const health = collectors.map((collector) => collector.health());
          await Promise.all(collectors.map((collector) => collector.stop()));
          await Promise.all(taken);
          const period = { from: started - minute, until: started + hour };
          const rows = await world.query(
            period,
            `SELECT c.metric, sum(c.arrived) AS arrived, sum(c.used) AS used, avg(c.mean) AS mean FROM
             (SELECT h.metric, cell.* FROM cell JOIN channel h ON h.channel = cell.channel) c GROUP BY c.metric`,
          );
          const mean = (metric: string): number | undefined =>
            rows.find((row) => row.metric === metric)?.mean as number | undefined;
          const arrived = rows.reduce((sum, row) => sum + Number(row.arrived), 0);
          const used = rows.reduce((sum, row) => sum + Number(row.used), 0);
          const errors = health.reduce((sum, one) => sum + one.errors, 0);
          const total = health.reduce((sum, one) => sum + one.readings, 0);
          return [
            check(
              "metrics in the unified record",
              rows.length === 6,
              rows.map((row) => row.metric).join(", "),
            ),
            near("power in kW, sent in W", mean("active_power"), 0.4125, 1e-6),
            near("energy in kWh, sent in Wh", mean("active_energy"), 123.456, 1e-6),
            near("machine temperature, scaled by 0.1", mean("machine_temperature"), 21.5, 1e-6),
            near("load in %, sent as a share", mean("spindle_load"), 55, 6),
            near("air in °C, sent in °F", mean("ambient_temperature"), 20, 1e-6),
            check("error rate", errors / total < 0.01, errors / total),
            check("readings usable", used === arrived, `${used} of ${arrived}`),
            check(
              "ms to connect: modbus, opcua, mqtt",
              health.every((one) => one.connectMillis !== undefined),
              health.map((one) => String(one.connectMillis)).join(", "),
            ),
          ];
        },
      );
    } finally {
      await Promise.all(collectors.map((collector) => collector.stop()));
      await Promise.all([modbus.close(), broker.close(), opcua.close()]);
      rmSync(folder, { recursive: true });
    }
  },
};

/** C22: a tag is moved, and its device with it. */
const c22: Case = {
  id: "C22",
  title: "NFC tag moved to a terminal binds device to site",
  target:
    "registry entry, logged; readings count where the device then is; an unknown tag and one read again bind nothing",
  async run() {
    const from = at("2026-03-02");
    const moved = from + 12 * hour;
    const until = from + day;
    return inWorld(
      {
        sites: [site("old-hall", "machining"), site("new-hall", "machining")],
        devices: [
          device("press-1", "old-hall"),
          device("terminal-old", "old-hall"),
          device("terminal-new", "new-hall"),
        ],
        tags: new Map([["04:A2:19", "press-1"]]),
      },
      async (world) => {
        const tag = (terminal: string, id: string, time: number) =>
          reading(terminal, "nfc_tag", id, "1", time);
        await world.play([
          ...[...every(from, until, 5 * minute)].map((time) =>
            reading("press-1", "run_state", time < moved ? 1 : 0, "1", time),
          ),
          tag("terminal-old", "04:A2:19", from + hour),
          tag("terminal-new", "FF:FF:FF", from + 2 * hour),
          tag("terminal-new", "04:A2:19", moved),
          tag("terminal-new", "04:A2:19", moved + hour),
        ]);
        const seen = await world.refresh({ from, until });
        const rate = (name: string) => seen.feature(name, "day", from, "operating_rate");
        return [
          check(
            "one entry, logged",
            world.bindings.length === 1 && world.bindings[0] === "press-1 → new-hall by terminal-new",
            world.bindings.join("; "),
          ),
          check(
            "before",
            world.registry.siteOf("press-1", moved - 1) === "old-hall",
            world.registry.siteOf("press-1", moved - 1),
          ),
          check(
            "after",
            world.registry.siteOf("press-1", moved) === "new-hall",
            world.registry.siteOf("press-1", moved),
          ),
          near("operating rate of the old hall", rate("old-hall"), 1, 1e-9),
          near("of the new hall", rate("new-hall"), 0, 1e-9),
        ];
      },
    );
  },
};

export const floorCases: readonly Case[] = [c10, c18, c22];
