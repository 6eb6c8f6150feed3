import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import test from "ava";
import type { Collector } from "../../collectors/collector.ts";
import { type ModbusInput, modbusConfig } from "../../collectors/modbus/config.ts";
import { encode } from "../../collectors/modbus/registers.ts";
import { modbusCollector } from "../../collectors/modbus.ts";
import type { Reading } from "../../collectors/reading.ts";
import { startFaultProxy } from "../../collectors/simulators/fault-proxy.ts";
import {
  crc16,
  type SimulatedUnit,
  startModbusServer,
  type UnitAnswer,
} from "../../collectors/simulators/modbus-server.ts";

const u16 = (value: number) => encode(value, { type: "u16", order: "ABCD" });

function collect(config: ModbusInput): Collector {
  return modbusCollector(
    modbusConfig.parse({ timeout: "150ms", ...config }),
    { now: Date.now, random: Math.random, log() {} },
    { backoff: { baseMillis: 10, capMillis: 100 } },
  );
}

/** Reads until `enough` says so, and stops the collector. */
async function readUntil(
  collector: Collector,
  enough: (readings: readonly Reading[]) => boolean,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  await collector.start();
  for await (const batch of collector) {
    readings.push(...batch.readings);
    batch.stored();
    if (enough(readings)) break;
  }
  await collector.stop();
  return readings;
}

const three = ["a", "b", "c"] as const;
const threeRegisters = three.map((metric, i) => ({
  address: 40001 + 10 * i,
  type: "u16" as const,
  metric,
  unit: "1",
  every: "1ms",
}));
const truth: Record<string, number> = { a: 100, b: 110, c: 120 };

/**
 * The client library numbers requests 0 to 255 and forgets none: the answer to request n, coming late, is taken
 * for that of request n + 256, which asks for another address here because 256 is no multiple of three.
 */
test("an answer that comes 256 requests late is never taken for another address's", async (t) => {
  let requests = 0;
  let release: ((answer: UnitAnswer) => void) | undefined;
  const unit: SimulatedUnit = (_, address) => {
    requests++;
    if (requests === 5) return new Promise((resolve) => (release = () => resolve(u16(100 + address))));
    if (requests === 5 + 256) {
      release?.("silent");
      return "silent";
    }
    return u16(100 + address);
  };
  const server = await startModbusServer(new Map([[1, unit]]));
  const readings = await readUntil(
    collect({ host: "127.0.0.1", port: server.port, unit: 1, registers: threeRegisters }),
    () => requests > 300,
  );
  await server.close();
  const good = readings.filter((r) => r.quality === "good");
  t.true(good.length > 280);
  t.deepEqual(
    good.filter((r) => r.value !== truth[r.metric]),
    [],
  );
  t.true(readings.some((r) => r.status === "timeout" && r.value === null && r.quality === "bad"));
});

test("over RTU framing, which numbers nothing, a late answer is never taken for the next one", async (t) => {
  let requests = 0;
  let release: (() => void) | undefined;
  const unit: SimulatedUnit = (_, address) => {
    requests++;
    if (requests % 20 === 5) return new Promise((resolve) => (release = () => resolve(u16(100 + address))));
    if (requests % 20 === 6) {
      release?.();
      return "silent";
    }
    return u16(100 + address);
  };
  const server = await startModbusServer(new Map([[1, unit]]), { framing: "rtu" });
  const readings = await readUntil(
    collect({ host: "127.0.0.1", port: server.port, framing: "rtu", unit: 1, registers: threeRegisters }),
    () => requests > 60,
  );
  await server.close();
  const good = readings.filter((r) => r.quality === "good");
  t.true(good.length > 40);
  t.deepEqual(
    good.filter((r) => r.value !== truth[r.metric]),
    [],
  );
});

test("a dead unit behind a gateway is left alone for longer and longer, its neighbour is read on", async (t) => {
  const asked = new Map([
    [1, 0],
    [2, 0],
  ]);
  const unit =
    (id: number, answer: UnitAnswer): SimulatedUnit =>
    () => {
      asked.set(id, asked.get(id)! + 1);
      return answer;
    };
  const server = await startModbusServer(
    new Map([
      [1, unit(1, u16(7))],
      [2, unit(2, "silent")],
    ]),
  );
  const registers = [{ address: 40001, type: "u16" as const, metric: "m", unit: "1", every: "1ms" }];
  const readings = await readUntil(
    collect({
      host: "127.0.0.1",
      port: server.port,
      units: [
        { unit: 1, device: "live", registers },
        { unit: 2, device: "dead", registers },
      ],
    }),
    () => asked.get(1)! >= 200,
  );
  await server.close();
  t.true(
    asked.get(2)! * 5 < asked.get(1)!,
    `${asked.get(2)} of ${asked.get(1)} requests went to the dead unit`,
  );
  t.true(asked.get(2)! >= 1);
  const dead = readings.filter((r) => r.device === "dead");
  t.true(dead.every((r) => r.value === null && r.quality === "bad"));
});

test("a gateway that knows its unit to be dead keeps the connection", async (t) => {
  const server = await startModbusServer(new Map([[1, () => u16(7)]]));
  const line = await startFaultProxy(server.port, randomBytes);
  const registers = [{ address: 40001, type: "u16" as const, metric: "m", unit: "1", every: "1ms" }];
  const readings = await readUntil(
    collect({
      host: "127.0.0.1",
      port: line.port,
      units: [
        { unit: 1, device: "live", registers },
        { unit: 9, device: "dead", registers },
      ],
    }),
    (all) => all.filter((r) => r.device === "live").length >= 50,
  );
  t.is(line.accepted, 1);
  t.true(readings.some((r) => r.device === "dead" && r.status === "exception 11"));
  await line.close();
  await server.close();
});

test("a device that refuses a merged read is asked for each register", async (t) => {
  const asked: string[] = [];
  const unit: SimulatedUnit = (_, address, count) => {
    asked.push(`${address}+${count}`);
    return address + count > 2 && address < 2 ? { exception: 2 } : u16(address);
  };
  const server = await startModbusServer(new Map([[1, unit]]));
  const registers = [0, 1, 4].map((address) => ({
    table: "holding" as const,
    address,
    type: "u16" as const,
    metric: `m${address}`,
    unit: "1",
    every: "1ms",
  }));
  const readings = await readUntil(
    collect({ host: "127.0.0.1", port: server.port, unit: 1, maxGap: 4, registers }),
    (all) => all.filter((r) => r.quality === "good").length >= 6,
  );
  await server.close();
  t.deepEqual(asked.slice(0, 4), ["0+5", "0+1", "1+1", "4+1"]);
  t.deepEqual(
    readings.slice(0, 3).map((r) => [r.value, r.status]),
    [
      [null, "exception 2"],
      [null, "exception 2"],
      [null, "exception 2"],
    ],
  );
});

test("scale, offset, bits, absent values, NaN and counters beyond 2^53", async (t) => {
  const bank = Buffer.concat([
    encode(-215, { type: "i16", order: "ABCD" }),
    u16(0b1000),
    u16(0x8000),
    encode(Number.NaN, { type: "f32", order: "ABCD" }),
    encode(2n ** 60n, { type: "u64", order: "ABCD" }),
  ]);
  const server = await startModbusServer(
    new Map<number, SimulatedUnit>([
      [
        1,
        (table, address, count) =>
          table === "coil" ? Uint8Array.of(0b10) : bank.subarray(2 * address, 2 * (address + count)),
      ],
    ]),
  );
  const at = (address: number, rest: object) => ({ table: "input" as const, address, unit: "1", ...rest });
  const readings = await readUntil(
    collect({
      host: "127.0.0.1",
      port: server.port,
      unit: 1,
      device: "meter",
      registers: [
        at(0, { type: "i16", scale: 0.1, offset: 1, metric: "t", unit: "Cel" }),
        at(1, { type: "bit", bit: 3, metric: "on" }),
        at(2, { type: "u16", absent: [0x8000], metric: "absent" }),
        at(3, { type: "f32", metric: "nan" }),
        at(5, { type: "u64", metric: "big" }),
        { address: "00002", type: "bit", metric: "coil", unit: "1" },
        { address: "00001", type: "bit", metric: "coil0", unit: "1" },
      ] as ModbusInput["registers"],
    }),
    (all) => all.length >= 7,
  );
  await server.close();
  const by = new Map(readings.map((r) => [r.metric, r]));
  t.is(by.get("t")?.value, -215 * 0.1 + 1);
  t.is(by.get("t")?.unit, "Cel");
  t.is(by.get("on")?.value, true);
  t.like(by.get("absent"), { value: null, quality: "bad", status: "absent" });
  t.like(by.get("nan"), { value: null, quality: "bad", status: "NaN" });
  t.like(by.get("big"), { value: 2 ** 60, quality: "uncertain" });
  t.is(by.get("coil")?.value, true);
  t.is(by.get("coil0")?.value, false);
  t.is(by.get("coil")?.device, "meter");
});

test("an answer that comes twice is not taken for the next address's", async (t) => {
  let requests = 0;
  const unit: SimulatedUnit = (_, address) => {
    requests++;
    return u16(100 + address);
  };
  const server = await startModbusServer(new Map([[1, unit]]), {
    framing: "rtu",
    repeat: () => requests % 10 === 3,
  });
  const readings = await readUntil(
    collect({ host: "127.0.0.1", port: server.port, framing: "rtu", unit: 1, registers: threeRegisters }),
    () => requests > 60,
  );
  await server.close();
  const good = readings.filter((r) => r.quality === "good");
  t.true(good.length > 30);
  t.deepEqual(
    good.filter((r) => r.value !== truth[r.metric]),
    [],
  );
});

test("bytes that nobody asked for end the connection, and are no one's answer", async (t) => {
  let requests = 0;
  const answer = (value: number) => {
    const body = Buffer.from([1, 3, 2, ...u16(value)]);
    const crc = crc16(body);
    return Buffer.concat([body, Buffer.of(crc & 0xff, crc >> 8)]);
  };
  const server = createServer((socket) => {
    socket.setNoDelay();
    socket.on("error", () => {});
    socket.on("data", (request) => {
      const frame = answer(100 + request.readUInt16BE(2));
      socket.write(frame);
      if (++requests % 5 === 1) setTimeout(() => socket.destroyed || socket.write(frame), 5);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const readings = await readUntil(
    collect({ host: "127.0.0.1", port, framing: "rtu", pause: "100ms", unit: 1, registers: threeRegisters }),
    () => requests >= 8,
  );
  server.close();
  t.deepEqual(
    readings.filter((r) => r.quality === "good" && r.value !== truth[r.metric]),
    [],
  );
  t.true(readings.length >= 5);
});
