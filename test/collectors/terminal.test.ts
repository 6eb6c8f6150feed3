import { mkdtempSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { z } from "zod";
import { encodeBatch, encodeLocation, type Location } from "../../collectors/jt808/location.ts";
import {
  decodeMessage,
  encodeMessage,
  FrameSplitter,
  type Message,
  messageId,
} from "../../collectors/jt808.ts";
import { acceleratedClock, replay } from "../../collectors/simulators/clock.ts";
import { encodeSentence } from "../../collectors/simulators/nmea-sender.ts";
import { encodeRegistration, startTerminal } from "../../collectors/simulators/terminal-client.ts";
import { terminalConfig } from "../../collectors/terminal/config.ts";
import { terminalCollector } from "../../collectors/terminal.ts";
import { Refusal } from "../../core/reasons.ts";
import { Collected, freePort, systemContext } from "../support/collecting.ts";
import { readVectors } from "../support/vectors.ts";
import { eventually } from "./compliance/reader.ts";

type TerminalInput = z.input<typeof terminalConfig>;

const vectors = readVectors("jt808.json") as Record<string, string>;
const limits = { backoff: { baseMillis: 10, capMillis: 50 } };
const phone = "123456789012";
const base = { protocol: "jt808", datum: "GCJ-02", authentication: "none" } as const;
const secondMicros = 1_000_000;

type Jt808Extra = Partial<Omit<Extract<TerminalInput, { protocol: "jt808" }>, "protocol" | "listen">>;

async function jt808(t: ExecutionContext, extra: Jt808Extra = {}, now?: () => number) {
  const port = await freePort();
  const terminals = [{ phone, device: "truck-1" }];
  const config = terminalConfig.parse({ ...base, terminals, ...extra, listen: `127.0.0.1:${port}` });
  const collector = terminalCollector(config, systemContext(now), limits);
  return { port, collector, collected: await Collected.start(t, collector) };
}

/** A peer that says exactly what it is told, and keeps what it hears. */
class Peer {
  readonly heard: Message[] = [];
  closed = false;
  readonly #socket: Socket;
  #serial = 0;

  constructor(t: ExecutionContext, port: number) {
    this.#socket = connect(port, "127.0.0.1");
    const splitter = new FrameSplitter();
    this.#socket.on("data", (chunk) => {
      for (const found of splitter.push(chunk)) if (!(found instanceof Refusal)) this.heard.push(found);
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.closed = true;
    });
    t.teardown(() => this.#socket.destroy());
  }

  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  say(id: number, body: Uint8Array = Buffer.alloc(0), extra: Partial<Message> = {}): number {
    const serial = this.#serial++;
    this.write(encodeMessage({ id, version: "2013", phone, serial, body: Buffer.from(body), ...extra }));
    return serial;
  }

  /** Results the platform gave to messages of this id. */
  results(id: number): number[] {
    return this.heard
      .filter((m) => m.id === messageId.platformReply && m.body.readUInt16BE(2) === id)
      .map((m) => m.body[4]!);
  }

  cut(): void {
    this.#socket.resetAndDestroy();
  }
}

const now = () => Math.floor(Date.now() / 1000) * secondMicros;
const place = (time: number, extra: Partial<Location> = {}): Location => ({
  alarm: 0,
  status: 2 | (1 << 19),
  lat: 31.2,
  lon: 121.5,
  altitudeMetres: 4,
  speedKmh: 60,
  directionDegrees: 90,
  items: new Map(),
  ...extra,
  time,
});

test("the published location becomes readings with position, speed and odometer", async (t) => {
  const { port, collected } = await jt808(t, { oldest: "999999h" });
  const peer = new Peer(t, port);
  peer.write(Buffer.from(vectors.location2013!, "hex"));
  await eventually(() => collected.readings.length === 3);
  const shared = {
    device: "truck-1",
    time: Date.parse("2018-10-15T10:10:10+08:00") * 1000,
    sequence: 126,
    quality: "good",
    status: "emergency",
    historical: false,
    position: { lat: 12.222222, lon: 132.444444, datum: "GCJ-02", source: "gps", accuracyMetres: 15 },
  };
  t.deepEqual(
    collected.readings.map(({ received, ...reading }) => reading),
    [
      { ...shared, metric: "position", value: 1, unit: "1" },
      { ...shared, metric: "speed", value: 6, unit: "km/h" },
      { ...shared, metric: "odometer", value: 10, unit: "km" },
    ] as never,
  );
  await eventually(() => peer.heard.length === 1);
  t.is(peer.heard[0]!.body.toString("hex"), "007e020000");
});

test("a location is acknowledged when stored, and one sent again is not collected twice", async (t) => {
  const { port, collected } = await jt808(t);
  collected.hold();
  const first = new Peer(t, port);
  const body = encodeLocation(place(now()));
  first.say(messageId.location, body);
  first.say(messageId.location, body);
  first.say(messageId.heartbeat);
  await eventually(() => collected.readings.length === 2 && first.heard.length === 1);
  t.is(first.heard[0]!.body.readUInt16BE(2), messageId.heartbeat);
  first.cut();
  const second = new Peer(t, port);
  second.say(messageId.location, body);
  second.say(messageId.heartbeat);
  await eventually(() => second.heard.length === 1);
  t.deepEqual(second.results(messageId.location), []);
  collected.release();
  await eventually(() => second.results(messageId.location).length === 1);
  // The acknowledgement was lost on its way: it is given again, and nothing is collected again.
  second.say(messageId.location, body);
  await eventually(() => second.results(messageId.location).length === 2);
  t.deepEqual(second.results(messageId.location), [0, 0]);
  t.is(collected.readings.length, 2);
});

test("stop waits for the store, acknowledges, and takes nothing more", async (t) => {
  const { port, collected, collector } = await jt808(t);
  collected.hold();
  const peer = new Peer(t, port);
  peer.say(messageId.location, encodeLocation(place(now())));
  await eventually(() => collected.readings.length === 2);
  const stopped = collector.stop();
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.false(peer.closed);
  collected.release();
  await stopped;
  await eventually(() => peer.closed);
  t.deepEqual(peer.results(messageId.location), [0]);
});

test("a batch is back-fill: historical, in any order, one acknowledgement", async (t) => {
  const { port, collected } = await jt808(t, { oldest: "24h" });
  const peer = new Peer(t, port);
  const old = now() - 40 * 86_400 * secondMicros;
  peer.say(messageId.locationBatch, encodeBatch([place(old), place(old - 3600 * secondMicros)], 1));
  await eventually(() => peer.results(messageId.locationBatch).length === 1);
  t.is(collected.readings.length, 4);
  t.true(collected.readings.every(({ historical, quality }) => historical && quality === "good"));
  t.deepEqual([...new Set(collected.readings.map(({ time }) => time))], [old, old - 3600 * secondMicros]);
});

test("a message in parts is put together, whatever their order", async (t) => {
  const { port, collected } = await jt808(t);
  const peer = new Peer(t, port);
  const body = encodeBatch([place(now()), place(now() - secondMicros)], 0);
  const parts = [body.subarray(0, 20), body.subarray(20, 50), body.subarray(50)];
  for (const index of [2, 1, 3]) {
    const part = { total: 3, index };
    peer.say(messageId.locationBatch, parts[index - 1], { part, serial: 100 + index });
  }
  await eventually(() => peer.results(messageId.locationBatch).length === 3);
  t.is(collected.readings.length, 4);
  t.deepEqual(peer.results(messageId.locationBatch), [0, 0, 0]);
});

test("without a fix there is no position and no speed, but a gap", async (t) => {
  const { port, collected } = await jt808(t);
  const odometer = Buffer.alloc(4, 1);
  const peer = new Peer(t, port);
  peer.say(
    messageId.location,
    encodeLocation(place(now(), { status: 1, speedKmh: 0, items: new Map([[1, odometer]]) })),
  );
  peer.say(messageId.location, encodeLocation(place(now(), { status: 2 | (1 << 5) })));
  await eventually(() => collected.readings.length === 5);
  t.deepEqual(
    collected.readings.map(({ metric, value, quality, status }) => [metric, value, quality, status]),
    [
      ["position", null, "bad", "no fix"],
      ["speed", null, "bad", "no fix"],
      ["odometer", 1684300.9, "good", "ok"],
      ["position", null, "bad", "no fix"],
      ["speed", null, "bad", "no fix"],
    ],
  );
  t.true(collected.readings.every(({ position }) => position === undefined));
});

test("status, source and faults of the receiver show", async (t) => {
  const { port, collected } = await jt808(t, {
    readings: [
      { from: "position", metric: "position" },
      { from: "ignition", metric: "ignition" },
      { item: 6, type: "sign16", metric: "cargo_temperature", unit: "Cel" },
      { item: 0x2b, type: "u16", offset: 2, scale: 0.01, metric: "voltage", unit: "V" },
    ],
  });
  const peer = new Peer(t, port);
  const items = new Map([
    [6, Buffer.of(0x80, 18)],
    [0x2b, Buffer.of(0, 0, 4, 0xb0)],
  ]);
  peer.say(messageId.location, encodeLocation(place(now(), { alarm: 1 << 5, status: 3 | (1 << 19), items })));
  peer.say(messageId.location, encodeLocation(place(now(), { items: new Map([[6, Buffer.of(1)]]) })));
  await eventually(() => collected.readings.length === 7);
  t.deepEqual(
    collected.readings.map(({ metric, value, quality, status }) => [metric, value, quality, status]),
    [
      ["position", 1, "uncertain", "receiver fault; antenna open"],
      ["ignition", 1, "good", "antenna open"],
      ["cargo_temperature", -18, "good", "antenna open"],
      ["voltage", 12, "good", "antenna open"],
      ["position", 1, "good", "ok"],
      ["ignition", 0, "good", "ok"],
      ["cargo_temperature", null, "bad", "item too short"],
    ],
  );
  t.is(collected.readings[0]!.position!.source, "beidou");
});

test("a clock that is ahead, steps back or starts years ago is doubted; ours may step", async (t) => {
  let step = 0;
  const { port, collected } = await jt808(
    t,
    { readings: [{ from: "position", metric: "position" }] },
    () => Date.now() + step,
  );
  const peer = new Peer(t, port);
  const start = now();
  const day = 86_400 * secondMicros;
  const send = async (time: number) => {
    const before = collected.readings.length;
    peer.say(messageId.location, encodeLocation(place(time)));
    await eventually(() => collected.readings.length > before);
    const { quality, status } = collected.readings.at(-1)!;
    return [quality, status.replace(/\d+/, "N")];
  };
  t.deepEqual(await send(start), ["good", "ok"]);
  t.deepEqual(await send(start + day), ["uncertain", "clock N s ahead"]);
  t.deepEqual(await send(start + secondMicros), ["good", "ok"]);
  t.deepEqual(await send(start - 3600 * secondMicros), ["uncertain", "clock went back N s"]);
  t.deepEqual(await send(Date.parse("2000-01-01T00:00:00Z") * 1000), ["uncertain", "clock N s behind"]);
  step = -86_400_000;
  t.deepEqual(await send(start + 2 * secondMicros), ["good", "ok"]);
  step = 86_400_000 * 60;
  t.deepEqual(await send(start + 3 * secondMicros), ["good", "ok"]);
});

test("registration and authentication: the code outlives us, wrong codes and strangers get nothing", async (t) => {
  const extra = coded();
  const one = await jt808(t, extra);
  const peer = new Peer(t, one.port);
  const body = encodeLocation(place(now()));
  peer.say(messageId.location, body);
  peer.say(messageId.authenticate, Buffer.from("guess"));
  peer.say(messageId.register, encodeRegistration("2013", "A1B2C3D"));
  await eventually(() => peer.heard.length === 3);
  t.deepEqual(peer.results(messageId.location), [1]);
  t.deepEqual(peer.results(messageId.authenticate), [1]);
  const reply = peer.heard.at(-1)!;
  t.is(reply.id, messageId.registerReply);
  const code = reply.body.subarray(3);
  t.is(reply.body[2], 0);

  const two = await jt808(t, extra);
  const again = new Peer(t, two.port);
  again.say(messageId.authenticate, code);
  again.say(messageId.location, body);
  await eventually(() => again.results(messageId.location).length === 1);
  t.deepEqual(again.results(messageId.location), [0]);

  const stranger = new Peer(t, two.port);
  stranger.say(messageId.register, Buffer.alloc(40), { phone: "000000000009" });
  await eventually(() => stranger.closed);
  t.is(stranger.heard[0]!.body[2], 4);
  t.is(two.collected.readings.length, 2);
});

/** Terminals that need a code; the state is shared by the collectors of one test. */
function coded(issue = 1, registered = join(mkdtempSync(join(tmpdir(), "terminals-")), "registered")) {
  process.env.TERMINAL_TEST_CODE_KEY = "yard";
  return {
    authentication: { key: { env: "TERMINAL_TEST_CODE_KEY" }, registered },
    terminals: [{ phone, device: "truck-1", terminal: "A1B2C3D", issue }],
  };
}

test("who only knows a phone number gets no code and does not drop the terminal's connection", async (t) => {
  const extra = coded();
  const { port, collected, collector } = await jt808(t, extra);
  const registration = encodeRegistration("2013", "A1B2C3D");
  const codeFor = async (peer: Peer, body: Buffer): Promise<[result: number, code: string]> => {
    const before = peer.heard.length;
    peer.say(messageId.register, body);
    await eventually(() => peer.heard.length > before);
    const reply = peer.heard.at(-1)!.body;
    return [reply[2]!, reply.toString("utf8", 3)];
  };
  const early = new Peer(t, port);
  t.deepEqual(await codeFor(early, encodeRegistration("2013", "")), [4, ""]);

  const real = new Peer(t, port);
  // The reply may be lost: until the code was used, it is given again.
  const [result, code] = await codeFor(real, registration);
  t.is(result, 0);
  t.deepEqual(await codeFor(real, registration), [0, code]);
  real.say(messageId.authenticate, Buffer.from(code));
  await eventually(() => real.results(messageId.authenticate).length === 1);

  const thief = new Peer(t, port);
  t.deepEqual(await codeFor(thief, registration), [3, ""]);
  thief.say(messageId.heartbeat);
  thief.say(messageId.location, encodeLocation(place(now())));
  for (let guess = 0; guess < 3; guess++) thief.say(messageId.authenticate, Buffer.from(`guess ${guess}`));
  await eventually(() => thief.closed);
  t.deepEqual(thief.results(messageId.heartbeat), [1]);
  t.deepEqual(thief.results(messageId.location), [1]);
  t.is(collected.readings.length, 0);
  t.is(collector.health().errors, 3);

  real.say(messageId.location, encodeLocation(place(now())));
  await eventually(() => real.results(messageId.location).length === 1);
  t.false(real.closed);
  t.deepEqual(real.results(messageId.location), [0]);

  // After a restart no code is given either; another issue is another code, and the old one is worth nothing.
  const again = await jt808(t, extra);
  t.deepEqual(await codeFor(new Peer(t, again.port), registration), [3, ""]);
  const renewed = await jt808(t, coded(2, extra.authentication.registered));
  const old = new Peer(t, renewed.port);
  old.say(messageId.authenticate, Buffer.from(code));
  await eventually(() => old.results(messageId.authenticate).length === 1);
  t.deepEqual(old.results(messageId.authenticate), [1]);
  const [anew, other] = await codeFor(new Peer(t, renewed.port), registration);
  t.is(anew, 0);
  t.not(other, code);
});

test("a peer that never authenticates is let go, whatever it says", async (t) => {
  const { port } = await jt808(t, { ...coded(), silence: "150ms" });
  const peer = new Peer(t, port);
  const talk = setInterval(() => peer.say(messageId.register, encodeRegistration("2013", "A1B2C3D")), 20);
  t.teardown(() => clearInterval(talk));
  await eventually(() => peer.closed);
  t.pass();
});

test("what we do not understand is said to be so, and what is malformed", async (t) => {
  const { port, collector } = await jt808(t);
  const peer = new Peer(t, port);
  peer.say(0x0f01);
  peer.say(messageId.location, Buffer.alloc(5));
  peer.say(messageId.logout);
  await eventually(() => peer.heard.length === 3);
  t.deepEqual(
    peer.heard.map(({ body }) => body[4]),
    [3, 2, 0],
  );
  t.is(collector.health().errors, 1);
});

test("garbage costs itself only, and a peer that sends nothing else is let go", async (t) => {
  const { port, collected, collector } = await jt808(t, { silence: "150ms" });
  const peer = new Peer(t, port);
  const frame = Buffer.from(vectors.location2019!, "hex");
  peer.write(Buffer.concat([Buffer.from("\x01\x02noise"), frame.subarray(0, 30)]));
  peer.say(messageId.location, encodeLocation(place(now())));
  await eventually(() => peer.results(messageId.location).length === 1);
  t.is(collected.readings.length, 2);
  t.is(collector.health().errors, 2);
  const noisy = new Peer(t, port);
  const noise = setInterval(() => noisy.write("~~noise~"), 20);
  t.teardown(() => clearInterval(noise));
  await eventually(() => noisy.closed);
  t.pass();
});

test("a half-open connection is noticed", async (t) => {
  const { port, collector, collected } = await jt808(t, { silence: "100ms" });
  const silent = new Peer(t, port);
  silent.say(messageId.heartbeat);
  await eventually(() => silent.closed);
  t.regex(collector.health().lastError!, /silent/);
  t.is(collector.health().state, "waiting");
  t.is(collected.readings.length, 0);
});

test("a connection that we do not read from, because the store is behind, is not silent", async (t) => {
  const port = await freePort();
  const terminals = [{ phone, device: "truck-1" }];
  const config = terminalConfig.parse({ ...base, terminals, silence: "50ms", listen: `127.0.0.1:${port}` });
  const collector = terminalCollector(config, systemContext(), { ...limits, queueReadings: 1 });
  await collector.start();
  t.teardown(() => collector.stop());
  const waiting = new Peer(t, port);
  for (const ago of [3, 2, 1])
    waiting.say(messageId.location, encodeLocation(place(now() - ago * secondMicros)));
  await eventually(() => collector.health().state === "running");
  for (let i = 0; i < 3; i++) {
    const silent = new Peer(t, port);
    await eventually(() => silent.closed);
  }
  t.false(waiting.closed);
  t.is(collector.health().errors, 3);
});

test("a terminal that dials again takes over from the connection it lost", async (t) => {
  const { port, collector } = await jt808(t);
  const lost = new Peer(t, port);
  lost.say(messageId.heartbeat);
  await eventually(() => lost.heard.length === 1);
  const next = new Peer(t, port);
  next.say(messageId.heartbeat);
  await eventually(() => next.heard.length === 1 && lost.closed);
  t.is(collector.health().state, "running");
});

test("a port in use is refused by name, and taken when it is free", async (t) => {
  const one = await jt808(t);
  const config = terminalConfig.parse({
    ...base,
    terminals: [{ phone, device: "x" }],
    listen: `127.0.0.1:${one.port}`,
  });
  const collector = terminalCollector(config, systemContext(), limits);
  await Collected.start(t, collector);
  await eventually(() => collector.health().errors > 0);
  t.regex(collector.health().lastError!, /in use/);
  await one.collected.stop();
  const peer = await (async () => {
    for (;;) {
      const dialled = new Peer(t, one.port);
      dialled.say(messageId.heartbeat);
      await eventually(() => dialled.closed || dialled.heard.length > 0);
      if (dialled.heard.length > 0) return dialled;
    }
  })();
  t.is(peer.results(messageId.heartbeat)[0], 0);
});

test("a simulated day runs in a moment, and no clock is doubted", async (t) => {
  const start = Date.parse("2026-03-02T00:00:00Z");
  const clock = acceleratedClock(start, 200_000);
  const port = await freePort();
  const config = terminalConfig.parse({
    ...base,
    terminals: [{ phone, device: "truck-1" }],
    listen: `127.0.0.1:${port}`,
    silence: "24h",
  });
  const context = { ...systemContext(clock.now), timer: clock.timer };
  const collected = await Collected.start(t, terminalCollector(config, context, limits));
  const terminal = startTerminal({ port, phone, version: "2019" });
  t.teardown(() => terminal.close());
  const day = Array.from({ length: 24 }, (_, hour) => ({ time: (start + hour * 3_600_000) * 1000 }));
  await replay(clock, day, ({ time }) => terminal.report(place(time)), new AbortController().signal);
  await eventually(() => terminal.acknowledged === 24);
  const positions = collected.readings.filter(({ metric }) => metric === "position");
  t.deepEqual(
    positions.map(({ time }) => time),
    day.map(({ time }) => time),
  );
});

async function nmea(t: ExecutionContext, extra: object = {}) {
  const port = await freePort();
  const config = terminalConfig.parse({
    protocol: "nmea",
    datum: "WGS-84",
    device: "truck-1",
    ...extra,
    listen: `127.0.0.1:${port}`,
  });
  const collector = terminalCollector(config, systemContext(), limits);
  return { port, collector, collected: await Collected.start(t, collector) };
}

/** RMC and GGA fields of an instant. */
const stamps = (millis: number) => {
  const iso = new Date(millis).toISOString();
  return {
    clock: iso.slice(11, 23).replaceAll(":", ""),
    date: `${iso.slice(8, 10)}${iso.slice(5, 7)}${iso.slice(2, 4)}`,
  };
};

test("NMEA: source from the talker, accuracy from HDOP, quality from the fix", async (t) => {
  const { port, collected } = await nmea(t, {
    readings: ["position", "speed", "altitude"].map((from) => ({ from, metric: from })),
  });
  const peer = new Peer(t, port);
  const first = Math.floor(Date.now() / 1000) * 1000;
  const lines = [];
  for (const [i, [talker, quality]] of (
    [
      ["BD", 1],
      ["GN", 4],
      ["GP", 6],
    ] as const
  ).entries()) {
    const { clock, date } = stamps(first + i * 1000);
    lines.push(
      encodeSentence(`${talker}GGA,${clock},3112.0000,N,12130.0000,E,${quality},12,2.0,4.5,M,8,M,,`),
      encodeSentence(`${talker}RMC,${clock},A,3112.0000,N,12130.0000,E,10.0,90.0,${date},,`),
      encodeSentence(`${talker}RMC,${clock},A,3112.0000,N,12130.0000,E,10.0,90.0,${date},,`),
    );
  }
  const { clock, date } = stamps(first + 3000);
  lines.push(encodeSentence(`GNRMC,${clock},V,,,,,,,${date},,`));
  peer.write(`half a sen$${lines.join("\r\n")}\r\n`);
  await eventually(() => collected.readings.length >= 11);
  t.deepEqual(
    collected.readings.map(({ metric, quality, position }) => [metric, quality, position?.source]),
    [
      ["altitude", "good", "beidou"],
      ["position", "good", "beidou"],
      ["speed", "good", "beidou"],
      ["altitude", "good", "gps"],
      ["position", "good", "gps"],
      ["speed", "good", "gps"],
      ["altitude", "uncertain", "gps"],
      ["position", "uncertain", "gps"],
      ["speed", "uncertain", "gps"],
      ["position", "bad", undefined],
      ["speed", "bad", undefined],
    ],
  );
  t.is(collected.readings[0]!.position!.accuracyMetres, 10);
  t.is(collected.readings[0]!.time, first * 1000);
  t.is(collected.readings[2]!.value, 18.52);
});

test("NMEA: a receiver whose clock is weeks off is doubted", async (t) => {
  const { port, collected } = await nmea(t);
  const peer = new Peer(t, port);
  // 1,024 weeks: the week counter of an old receiver has wrapped.
  for (const millis of [Date.now(), Date.now() - 1024 * 7 * 86_400_000, Date.now() + 86_400_000]) {
    const { clock, date } = stamps(millis);
    peer.write(`${encodeSentence(`GNRMC,${clock},A,3112.0,N,12130.0,E,1,90,${date},,`)}\r\n`);
  }
  await eventually(() => collected.readings.length === 6);
  t.deepEqual(
    collected.readings.map(({ quality }) => quality),
    ["good", "good", "uncertain", "uncertain", "uncertain", "uncertain"],
  );
});

test("NMEA: modems that are not configured are refused; endless lines are dropped", async (t) => {
  const registration = { prefix: "IMEI:", devices: { "1": "truck-1" } };
  const { port, collector, collected } = await nmea(t, { device: undefined, registration });
  for (const line of ["IMEI:2", "constructor", "IMEI:constructor"]) {
    const peer = new Peer(t, port);
    peer.write(`${line}\r\n`);
    await eventually(() => peer.closed);
  }
  t.is(collector.health().errors, 3);
  const known = new Peer(t, port);
  known.write(`IMEI:1\r\n${"x".repeat(5_000)}`);
  await eventually(() => collector.health().errors === 4);
  const { clock, date } = stamps(Date.now());
  known.write(`\r\n${encodeSentence(`GPRMC,${clock},A,3112.0,N,12130.0,E,1,90,${date},,`)}\r\n`);
  await eventually(() => collected.readings.length === 2);
  t.is(collected.readings[0]!.device, "truck-1");
});

test("configuration that cannot work is refused", (t) => {
  const good = { ...base, listen: "0.0.0.0:7611", terminals: [{ phone, device: "a" }] };
  t.true(terminalConfig.safeParse(good).success);
  for (const bad of [
    { ...good, listen: "7611" },
    { ...good, listen: "0.0.0.0:0" },
    { ...good, datum: undefined },
    { ...good, authentication: undefined },
    { ...good, terminals: [] },
    { ...good, authentication: { key: { env: "X" }, registered: "r" } },
    {
      ...good,
      terminals: [
        { phone: "01", device: "a" },
        { phone: "1", device: "b" },
      ],
    },
    { protocol: "nmea", listen: "0.0.0.0:1", datum: "WGS-84" },
    {
      protocol: "nmea",
      listen: "0.0.0.0:1",
      datum: "WGS-84",
      device: "a",
      registration: { prefix: "", devices: {} },
    },
  ])
    t.false(terminalConfig.safeParse(bad).success, JSON.stringify(bad));
  t.is(decodeMessage(Buffer.from(vectors.location2013!, "hex").subarray(1, -1)).phone, phone);
});
