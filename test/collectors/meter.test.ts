import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import type { z } from "zod";
import { encodeDigits, encodeFrame } from "../../collectors/dlt645.ts";
import { meterConfig } from "../../collectors/meter/config.ts";
import { meterCollector } from "../../collectors/meter.ts";
import {
  type MeterServerOptions,
  type SimulatedMeter,
  startMeterServer,
} from "../../collectors/simulators/meter-server.ts";
import { Collected, systemContext } from "../support/collecting.ts";
import { leftOut } from "../support/left-out.ts";
import { eventually } from "./compliance/reader.ts";

type MeterInput = z.input<typeof meterConfig>;

const run = promisify(execFile);
const limits = { backoff: { baseMillis: 10, capMillis: 50 } };
const energy = { identifier: "00 01 00 00", metric: "active_energy", unit: "kW.h", every: "5ms" } as const;
const digits = { bytes: 4, decimals: 2, signed: false };

async function collecting(
  t: ExecutionContext,
  meters: Record<string, SimulatedMeter>,
  input: Partial<MeterInput>,
  options: MeterServerOptions = {},
) {
  const server = await startMeterServer(new Map(Object.entries(meters)), options);
  t.teardown(() => server.close());
  const config = meterConfig.parse({
    host: "127.0.0.1",
    port: server.port,
    timeout: "80ms",
    meters: [],
    ...input,
  });
  const collector = meterCollector(config, systemContext(), limits);
  return { server, collector, collected: await Collected.start(t, collector) };
}

test("electricity, water and gas by configuration: identifiers, decimals, sign, scale", async (t) => {
  const values: Record<string, Buffer> = {
    "00010000": encodeDigits(26.26, digits),
    "02030000": encodeDigits(-1.5, { bytes: 3, decimals: 4, signed: true }),
    "02010100": encodeDigits(220.5, { bytes: 2, decimals: 1, signed: false }),
  };
  const { collected } = await collecting(
    t,
    {
      "000000000161": (identifier) => values[identifier] ?? { refused: 2 },
      "000000000162": () => encodeDigits(1234.567, { bytes: 4, decimals: 3, signed: false }),
    },
    {
      meters: [
        {
          address: "161",
          device: "mill",
          registers: [
            { ...energy, scale: 40 },
            {
              ...energy,
              identifier: "02030000",
              bytes: 3,
              decimals: 4,
              signed: true,
              metric: "active_power",
              unit: "kW",
            },
            { ...energy, identifier: "02 01 01 00", bytes: 2, decimals: 1, metric: "voltage", unit: "V" },
          ],
        },
        { address: "162", registers: [{ ...energy, decimals: 3, metric: "water_volume", unit: "m3" }] },
      ],
    },
    { preambles: 4 },
  );
  await eventually(() => collected.readings.length >= 4);
  t.deepEqual(
    collected.readings
      .slice(0, 4)
      .map(({ device, metric, value, unit, quality }) => [device, metric, value, unit, quality]),
    [
      ["mill", "active_energy", 26.26 * 40, "kW.h", "good"],
      ["mill", "active_power", -1.5, "kW", "good"],
      ["mill", "voltage", 220.5, "V", "good"],
      ["000000000162", "water_volume", 1234.567, "m3", "good"],
    ],
  );
});

test("a refusal, digits that are none and a damaged answer are bad readings without a value", async (t) => {
  let distort = (bytes: Buffer) => bytes;
  const answers: (Buffer | { refused: number })[] = [
    { refused: 2 },
    Buffer.alloc(4, 0xff),
    Buffer.alloc(2, 0),
    encodeDigits(1, digits),
  ];
  const { collected, collector, server } = await collecting(
    t,
    { "000000000001": () => answers.shift() ?? encodeDigits(2, digits) },
    { meters: [{ address: "1", registers: [energy] }] },
    { distort: (bytes) => distort(bytes) },
  );
  await eventually(() => collected.readings.length >= 5);
  t.deepEqual(
    collected.readings.slice(0, 5).map(({ value, quality, status }) => [value, quality, status]),
    [
      [null, "bad", "refused: no such data"],
      [null, "bad", "no value"],
      [null, "bad", "2 bytes where 4 are configured"],
      [1, "good", "ok"],
      [2, "good", "ok"],
    ],
  );
  distort = (bytes) => {
    const changed = Buffer.from(bytes);
    changed[15]! ^= 1;
    return changed;
  };
  await eventually(() => collected.readings.some(({ status }) => status === "answer damaged"));
  distort = (bytes) => bytes;
  const { requests } = server;
  await eventually(() => server.requests > requests + 3);
  t.deepEqual(new Set(collected.readings.map(({ value }) => value)), new Set([null, 1, 2]));
  t.true(collector.health().errors >= 4);
});

test("an answer by another meter, or to another question, is not taken for ours", async (t) => {
  let foreign = 0;
  const { collected } = await collecting(
    t,
    { "000000000001": () => encodeDigits(7, digits) },
    { meters: [{ address: "1", registers: [energy] }] },
    {
      distort: (bytes) => {
        foreign++;
        const data = Buffer.concat([Buffer.from("00000100", "hex"), encodeDigits(9, digits)]);
        const other = encodeFrame({ address: "000000000002", control: 0x91, data });
        const late = Buffer.concat([Buffer.from("00000200", "hex"), encodeDigits(8, digits)]);
        return Buffer.concat([
          other,
          encodeFrame({ address: "000000000001", control: 0x91, data: late }),
          bytes,
        ]);
      },
    },
  );
  await eventually(() => collected.readings.length >= 5);
  t.true(foreign >= 5);
  t.true(collected.readings.every(({ value }) => value === 7));
});

test("one request at a time on a line", async (t) => {
  let open = 0;
  let most = 0;
  const slow: SimulatedMeter = async () => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
    return encodeDigits(1, digits);
  };
  const { collected } = await collecting(
    t,
    { "000000000001": slow, "000000000002": slow },
    { meters: ["1", "2"].map((address) => ({ address, registers: [energy] })) },
  );
  await eventually(() => collected.readings.length >= 20);
  t.is(most, 1);
});

test("a dead meter yields bad readings, fewer and fewer, and its neighbour all of its own", async (t) => {
  let asked = 0;
  const { collected } = await collecting(
    t,
    {
      "000000000001": () => {
        asked++;
        return "silent";
      },
      "000000000002": () => encodeDigits(1, digits),
    },
    { timeout: "30ms", meters: ["1", "2"].map((address) => ({ address, registers: [energy] })) },
  );
  const of = (device: string) => collected.readings.filter((reading) => reading.device === device);
  await eventually(() => of("000000000002").length >= 40);
  t.true(asked >= 1);
  t.true(
    of("000000000001").every(
      ({ value, quality, status }) => value === null && quality === "bad" && status === "timeout",
    ),
  );
  t.true(of("000000000001").length < of("000000000002").length);
});

// A pair of pseudo-terminals stands for the bus: what is written to one is read from the other.
const bus = `
import os, pty, sys, tty
master, slave = pty.openpty()
tty.setraw(master); tty.setraw(slave)
print(os.ttyname(slave), flush=True)
buffer = b""
while True:
    buffer += os.read(master, 4096)
    at = buffer.find(b"\\x68")
    if at < 0 or len(buffer) < at + 16: continue
    request, buffer = buffer[at:at + 16], b""
    if request[1] == 2: continue
    body = b"\\x68" + request[1:7] + b"\\x68\\x91\\x08" + request[10:14] + b"\\x59\\x33\\x33\\x33"
    os.write(master, b"\\xfe\\xfe" + body + bytes([sum(body) & 255, 0x16]))
`;
const python = spawnSync("python3", ["-c", "import pty"]).status === 0;
if (!python) leftOut("python3: meters on a serial port");

test("meters on a serial port, one of them dead", async (t) => {
  if (!python) return t.pass();
  const line = spawn("python3", ["-c", bus], { stdio: ["ignore", "pipe", "ignore"] });
  t.teardown(() => line.kill("SIGKILL"));
  const [path] = (await once(line.stdout, "data")) as [Buffer];
  const reader = fileURLToPath(new URL("../support/serial-child.ts", import.meta.url));
  const { stdout } = await run(process.execPath, ["--no-warnings", reader, `${path}`.trim()], {
    timeout: 20_000,
  });
  const { found, reconnects } = JSON.parse(stdout) as {
    found: [string, unknown, string][];
    reconnects: number;
  };
  for (const [device, value, status] of found)
    t.deepEqual([value, status], device.endsWith("1") ? [0.26, "ok"] : [null, "timeout"]);
  t.is(reconnects, 0);
});

test("configuration that cannot work is refused", (t) => {
  const good = { host: "10.0.0.7", port: 8899, meters: [{ address: "161", registers: [energy] }] };
  t.is(meterConfig.parse(good).meters[0]!.address, "000000000161");
  for (const bad of [
    { ...good, host: undefined },
    { ...good, port: undefined },
    { ...good, serial: "/dev/ttyS0" },
    { ...good, baudRate: 2400 },
    { ...good, meters: [] },
    { ...good, meters: [...good.meters, ...good.meters] },
    { ...good, meters: [{ address: "AAAAAAAAAAAA", registers: [energy] }] },
    { ...good, meters: [{ address: "1", registers: [{ ...energy, identifier: "0001" }] }] },
  ])
    t.false(meterConfig.safeParse(bad).success, JSON.stringify(bad));
});
