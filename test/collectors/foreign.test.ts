/** Collectors against other people's programs; left out by name where these are not installed. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { eventually } from "../../bench/cases/within.ts";
import { bacnetConfig } from "../../collectors/bacnet/config.ts";
import { bacnetCollector } from "../../collectors/bacnet.ts";
import { iec104Config } from "../../collectors/iec104/config.ts";
import { iec104Collector } from "../../collectors/iec104.ts";
import { s7Config } from "../../collectors/s7/config.ts";
import { s7Collector } from "../../collectors/s7.ts";
import { findProgram } from "../../collectors/simulators/programs.ts";
import { Collected, freePort, systemContext } from "../support/collecting.ts";
import { leftOut } from "../support/left-out.ts";

const python = findProgram("python3");

function installed(module: string): boolean {
  if (python === undefined) return false;
  try {
    execFileSync(python, ["-c", `import ${module}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Starts `test/support/SCRIPT PORT`, which says "ready" when it listens. */
async function startPython(t: ExecutionContext, script: string, port: number): Promise<ChildProcess> {
  const child = spawn(python!, [join(import.meta.dirname, "../support", script), String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.teardown(() => void child.kill("SIGKILL"));
  let said = "";
  child.stdout!.on("data", (chunk) => {
    said += chunk;
  });
  await eventually(() => said.includes("ready") || child.exitCode !== null);
  t.is(child.exitCode, null, `${script} runs`);
  return child;
}

const foreign = (module: string, what: string, body: (t: ExecutionContext) => Promise<void>): void => {
  test.serial(`${what} (${module})`, async (t) => {
    if (installed(module)) return body(t);
    leftOut(`${module} (Python): ${what}`);
    t.pass();
  });
};

foreign("snap7", "a controller is read, and an area that is not there is a gap", async (t) => {
  const port = await freePort();
  await startPython(t, "snap7_server.py", port);
  const config = s7Config.parse({
    host: "127.0.0.1",
    port,
    device: "press",
    tags: [
      { address: "DB1.DBD0", metric: "real", unit: "1", every: "50ms" },
      { address: "DB1.DBW4", metric: "int", unit: "1", every: "50ms" },
      { address: "DB1.DBX6.3", metric: "bit", unit: "1", every: "50ms" },
      { address: "DB1.DBD8", type: "i32", scale: 0.5, metric: "dint", unit: "1", every: "50ms" },
      { address: "MW10", type: "u16", metric: "flag", unit: "1", every: "50ms" },
      { address: "DB99.DBW0", metric: "gone", unit: "1", every: "50ms" },
    ],
  });
  const collected = await Collected.start(t, s7Collector(config, systemContext()));
  const last = (metric: string) => collected.readings.findLast((one) => one.metric === metric);
  await eventually(() => last("gone") !== undefined && last("flag") !== undefined);
  t.is(last("real")?.value, 61.5);
  t.is(last("int")?.value, -412);
  t.is(last("bit")?.value, true);
  t.is(last("dint")?.value, 50_000);
  t.is(last("flag")?.value, 4660);
  t.like(last("gone"), { value: null, quality: "bad" });
});

foreign("c104", "a station is interrogated, and tells by itself", async (t) => {
  const port = await freePort();
  const station = await startPython(t, "c104_server.py", port);
  const config = iec104Config.parse({
    host: "127.0.0.1",
    port,
    station: 47,
    zone: "UTC",
    device: "feeder",
    points: [
      { address: 11, metric: "float", unit: "1" },
      { address: 12, metric: "single", unit: "1" },
      { address: 13, metric: "scaled", unit: "1" },
      { address: 14, metric: "told", unit: "1" },
    ],
  });
  const collected = await Collected.start(t, iec104Collector(config, systemContext()));
  const values = (metric: string) =>
    collected.readings.filter((one) => one.metric === metric).map(({ value }) => value);
  await eventually(() => ["float", "single", "scaled"].every((one) => values(one).length > 0));
  t.is(values("float")[0], 12.5);
  t.is(values("single")[0], true);
  t.is(values("scaled")[0], -7);
  station.stdin!.write("13.25\n");
  await eventually(() => values("told").includes(13.25));
  const told = collected.readings.find(({ value }) => value === 13.25)!;
  t.is(told.quality, "good");
  t.true(Math.abs(told.time / 1000 - Date.now()) < 60_000, "its own time");
});

foreign(
  "bacpypes3",
  "present value and status flags are read, and an object that is not there is a gap",
  async (t) => {
    const port = await freePort();
    await startPython(t, "bacpypes_server.py", port);
    const config = bacnetConfig.parse({
      devices: [
        {
          host: "127.0.0.1",
          port,
          device: "chiller",
          objects: [
            { object: "analog-value,1", metric: "temperature", unit: "Cel", every: "50ms" },
            { object: "binary-value,1", metric: "running", unit: "1", every: "50ms" },
            { object: "analog-value,9", metric: "gone", unit: "1", every: "50ms" },
          ],
        },
      ],
    });
    const collected = await Collected.start(t, bacnetCollector(config, systemContext()));
    const last = (metric: string) => collected.readings.findLast((one) => one.metric === metric);
    await eventually(() => ["temperature", "running", "gone"].every((one) => last(one) !== undefined));
    t.like(last("temperature"), { value: 21.5, quality: "good" });
    t.is(last("running")?.value, 1);
    t.like(last("gone"), { value: null, quality: "bad" });
  },
);
