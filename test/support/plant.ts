/** A plant with machines behind a Modbus gateway and three weeks of exported history, for operations and their page. */

import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "../../bench/cases/within.ts";
import {
  type Operations,
  type OperationsOptions,
  startOperations,
} from "../../client-node/operations/operations.ts";
import { type SitesConfig, sitesSchema } from "../../client-node/operations/sites.ts";
import type { Timer } from "../../collectors/collector.ts";
import { collectorEntries } from "../../collectors/config.ts";
import { encode } from "../../collectors/modbus/registers.ts";
import { systemTimer } from "../../collectors/runtime/timer.ts";
import { type ModbusServer, startModbusServer } from "../../collectors/simulators/modbus-server.ts";
import { secureRandom } from "../../core/random.ts";
import { day, hour, minute, monday } from "./readings.ts";

/** A name that would run a script, were it not escaped. */
export const hostileDevice = '<img src=x onerror="window.stolen=1">press';

/** Three weeks after the history's first Monday, at noon. */
export const noon = monday + 21 * day + 12 * hour;

const f32 = { type: "f32", order: "ABCD" } as const;

export interface Plant {
  readonly folder: string;
  readonly gateway: ModbusServer;
  /** What the press measures now: [g] and kW. */
  readonly press: { vibration: number; power: number };
  readonly sites: SitesConfig;
  /** Milliseconds: noon, and what has passed since. */
  readonly now: () => number;
  start(options?: Partial<OperationsOptions>): Promise<Operations>;
  /** Puts a finished export where the file collector looks. */
  export(name: string, lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** Elapsed time as it is; what waits longer than a second waits until `turn` is called. */
export class TurnedTimer implements Timer {
  readonly #waiting = new Set<() => void>();
  elapsed = (): number => systemTimer.elapsed();
  wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (milliseconds <= 1000) return systemTimer.wait(milliseconds, signal);
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        resolve();
      };
      if (signal.aborted) return resolve();
      signal.addEventListener("abort", done, { once: true });
      this.#waiting.add(done);
    });
  }
  turn(): void {
    for (const done of [...this.#waiting]) done();
  }
}

export async function openPlant(): Promise<Plant> {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-plant-"));
  const inbox = join(folder, "inbox");
  await mkdir(inbox);
  const press = { vibration: 1, power: 12.5 };
  const gateway = await startModbusServer(
    new Map([
      [
        1,
        (_, address, count) =>
          Buffer.concat([encode(press.vibration, f32), encode(press.power, f32)]).subarray(
            2 * address,
            2 * (address + count),
          ),
      ],
    ]),
  );
  const began = Date.now();
  const now = (): number => noon / 1000 + (Date.now() - began);
  const collectors = collectorEntries.parse([
    {
      modbus: {
        name: "hall",
        host: "127.0.0.1",
        port: gateway.port,
        unit: 1,
        device: hostileDevice,
        registers: [
          { address: 40001, type: "f32", metric: "vibration_peak", unit: "[g]", every: "20ms" },
          { address: 40003, type: "f32", metric: "active_power", unit: "kW", every: "20ms" },
        ],
      },
    },
    {
      file: {
        name: "history",
        folder: inbox,
        files: "*.csv",
        state: join(folder, "seen.db"),
        format: "csv",
        device: { column: "device" },
        time: { column: "time", as: "us" },
        rows: {
          metric: "metric",
          value: "value",
          metrics: {
            run_state: { metric: "run_state", unit: "1" },
            active_energy: { metric: "active_energy", unit: "kW.h" },
            reported_output: { metric: "reported_output", unit: "1" },
          },
        },
        every: "5ms",
        settle: "10ms",
      },
    },
  ]);
  const sites = sitesSchema.parse({
    sites: [{ id: "hall-1", industry: "machining", utcOffsetHours: 8, norms: { active_energy: 960 } }],
    devices: [
      { id: hostileDevice, site: "hall-1", class: "press", source: "hall" },
      { id: "lathe-1", site: "hall-1", class: "lathe", source: "history" },
      { id: "lathe-2", site: "hall-1", class: "lathe", source: "history" },
      { id: "meter-1", site: "hall-1", class: "meter", source: "history" },
      { id: "erp", site: "hall-1", class: "system", source: "history" },
    ],
  });
  return {
    folder,
    gateway,
    press,
    sites,
    now,
    start: (options = {}) =>
      startOperations({
        dataDir: folder,
        collectors,
        sites,
        now,
        spoolBytes: 1e9,
        keepDays: 400,
        refreshMillis: 3_600_000,
        refreshDays: 30,
        random: secureRandom,
        timer: new TurnedTimer(),
        log() {},
        ...options,
      }),
    async export(name, lines) {
      await writeFile(join(inbox, `${name}.part`), `device,time,metric,value\n${lines.join("\n")}\n`);
      await rename(join(inbox, `${name}.part`), join(inbox, `${name}.csv`));
    },
    async close() {
      await gateway.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** A plant that also has another site, and many devices with long names that nobody hears. */
export const crowded = (sites: SitesConfig): SitesConfig => ({
  ...sites,
  sites: [...sites.sites, { ...sites.sites[0]!, id: "hall-2-with-a-rather-long-name-of-its-own" }],
  devices: [
    ...sites.devices,
    ...Array.from({ length: 50 }, (_, i) => ({
      ...sites.devices[1]!,
      id: `workshop-7-line-${i}-automated-loading-and-unloading-machine-of-the-east-wing`,
    })),
  ],
});

/** Two lathes, a meter and what the enterprise reports, from the first Monday until noon; the last day is weak. */
export function* history(): Generator<string> {
  let energy = 1000;
  for (let time = monday - 8 * hour; time < noon; time += 5 * minute) {
    const weak = time >= noon - 20 * hour;
    const slot = Math.floor(time / (5 * minute));
    for (const [i, lathe] of ["lathe-1", "lathe-2"].entries())
      yield `${lathe},${time},run_state,${(slot * 37 + i * 61) % 100 < (weak ? 35 : 75) ? 1 : 0}`;
    if (time % (15 * minute) === 0) {
      // An hour without power on each third day, and a spike that is not physical.
      if (time % (3 * day) > hour)
        yield `meter-1,${time},active_energy,${time % (5 * day) === 0 ? 5e13 : energy}`;
      energy += weak ? 5 : 10;
    }
    if (time % hour === 0) yield `erp,${time},reported_output,40`;
  }
}

/** @returns once `holds` does, which is looked at whenever something comes in. */
export async function until(operations: Operations, holds: () => boolean): Promise<void> {
  if (holds()) return;
  const held = new Promise<void>((resolve) => {
    const end = operations.subscribe(() => {
      if (!holds()) return;
      end();
      resolve();
    });
  });
  await within(() => `${holds}`, held);
}
