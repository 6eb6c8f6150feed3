import { connect } from "node:net";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import type { z } from "zod";
import { eventually } from "../../bench/cases/within.ts";
import { gb32960Collector } from "../../collectors/gb32960/collector.ts";
import { gb32960Config } from "../../collectors/gb32960/config.ts";
import {
  command,
  decodeMessage,
  decodeReport,
  encodeMessage,
  encodeTime,
  Gb32960Splitter,
  response,
} from "../../collectors/gb32960.ts";
import { Refusal } from "../../core/reasons.ts";
import { Collected, freePort, systemContext } from "../support/collecting.ts";
import { readVectors } from "../support/vectors.ts";

const vectors = readVectors("gb32960.json") as Readonly<Record<string, string>>;
const frame = (name: string) => Buffer.from(vectors[name]!, "hex");

test("published frames read, and are written again to the byte", (t) => {
  for (const name of ["login", "login2", "logout", "report"])
    t.deepEqual(encodeMessage(decodeMessage(frame(name))), frame(name), name);
  t.is(decodeMessage(frame("login")).vin, "LS6HA1041JG782724");
  const report = decodeReport(decodeMessage(frame("report")).data);
  t.is(report.time, Date.parse("2019-07-26T14:02:00+08:00") * 1000);
  t.deepEqual(report.position, { lat: 28.679375, lon: 115.886894 });
  t.like(Object.fromEntries(report.fields), {
    vehicleState: 1,
    chargeState: 3,
    speed: 0,
    mileage: 58_950,
    voltage: 556.8,
    current: 9.9,
    soc: 90,
    insulation: 1699,
    motorSpeed: -14,
    motorTemperature: 70,
    cellVoltageMax: 3.32,
    temperatureMax: 45,
    temperatureMin: 44,
    alarmLevel: 0,
  });
});

test("a stream reads the same however it is cut, and one damaged frame costs one frame", (t) => {
  const damaged = Buffer.from(frame("report"));
  damaged[40] = damaged[40]! ^ 1;
  const stream = Buffer.concat([Buffer.from("noise"), frame("login"), damaged, frame("report")]);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 6 }), (cuts) => {
        const splitter = new Gb32960Splitter();
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const found = places.slice(1).flatMap((to, i) => splitter.push(stream.subarray(places[i], to)));
        return found.filter((one) => !(one instanceof Refusal)).length === 2;
      }),
    ),
  );
});

test("abnormal and invalid are no numbers; lengths that lie and encrypted data are refused", (t) => {
  const data = Buffer.from(decodeMessage(frame("report")).data);
  data.writeUInt16BE(0xfffe, 10);
  data.writeUInt32BE(0xffffffff, 12);
  const { fields } = decodeReport(data);
  t.is(fields.get("speed"), "abnormal");
  t.is(fields.get("mileage"), "invalid");
  t.throws(() => decodeReport(data.subarray(0, 20)), { instanceOf: Refusal });
  const time = encodeTime(0);
  for (const lie of [
    [0x80, 0xff, 0xff],
    [0x02, 200],
    [0x03, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
    [0x09, 1, 1, 0xff, 0xff],
  ])
    t.throws(() => decodeReport(Buffer.concat([time, Buffer.from(lie)])), { instanceOf: Refusal });
  const encrypted = encodeMessage({ command: 2, response: 0xfe, vin: "A", data: time });
  encrypted[21] = 3;
  encrypted[encrypted.length - 1] = encrypted.at(-1)! ^ 1 ^ 3;
  t.throws(() => decodeMessage(encrypted), { message: /encrypted/ });
});

const vins = ["LA9DHKMT5HBJXK236", "LA9DHKMT5HBJXK237"] as const;
process.env.GB32960_TEST_PASSWORD = "platform password 20";

async function listen(t: ExecutionContext, authentication: z.input<typeof gb32960Config>["authentication"]) {
  const port = await freePort();
  const config = gb32960Config.parse({
    listen: `127.0.0.1:${port}`,
    authentication,
    vehicles: vins.map((vin, i) => ({ vin, iccid: `8986061603005447863${i}`, device: `bus-${i}` })),
    datum: "WGS-84",
    readings: [
      { from: "mileage", metric: "odometer" },
      { from: "position", metric: "position" },
    ],
  });
  const collector = gb32960Collector(config, systemContext());
  const collected = await Collected.start(t, collector);
  const dial = async () => {
    for (;;) {
      const socket = connect(port, "127.0.0.1");
      const answers: [number, number][] = [];
      const splitter = new Gb32960Splitter();
      socket
        .on("error", () => {})
        .on("data", (chunk) => {
          for (const one of splitter.push(chunk))
            if (!(one instanceof Refusal)) answers.push([one.command, one.response]);
        });
      const up = await new Promise((resolve) => {
        socket.once("connect", () => resolve(true)).once("close", () => resolve(false));
      });
      t.teardown(() => void socket.destroy());
      if (up) return { socket, answers };
    }
  };
  return { collector, collected, dial };
}

const of = (vin: string, kind: number, data: Buffer) =>
  encodeMessage({ command: kind, response: response.command, vin, data });
const login = (i: number, card = i) =>
  of(
    vins[i]!,
    command.login,
    Buffer.concat([
      encodeTime(Date.now() * 1000),
      Buffer.of(0, 1),
      Buffer.from(`8986061603005447863${card}`),
      Buffer.of(0, 0),
    ]),
  );
const report = (i: number, kind: number = command.report) => {
  const old = decodeMessage(frame("report")).data;
  return of(vins[i]!, kind, Buffer.concat([encodeTime(Date.now() * 1000), old.subarray(6)]));
};

test("a vehicle is known by its card, and speaks for no other", async (t) => {
  const { collected, dial } = await listen(t, "iccid");
  const first = await dial();
  first.socket.write(report(0));
  await eventually(() => first.answers.length === 1);
  t.deepEqual(first.answers, [[command.report, response.failed]], "not before it logged in");
  first.socket.write(login(0));
  first.socket.write(report(0));
  await eventually(() => first.answers.length === 3);
  t.deepEqual(
    collected.readings.map(({ device, value }) => [device, value]),
    [
      ["bus-0", 58_950],
      ["bus-0", 1],
    ],
  );
  first.socket.write(report(1));
  await eventually(() => first.answers.length === 4);
  t.deepEqual(first.answers[3], [command.report, response.failed]);
  const thief = await dial();
  thief.socket.write(login(1, 0));
  await eventually(() => thief.answers.length === 1);
  t.deepEqual(thief.answers, [[command.login, response.failed]]);
  t.is(collected.readings.length, 2);
});

test("whoever names a VIN is believed only where that is written: the control", async (t) => {
  const { collected, dial } = await listen(t, "none");
  const anybody = await dial();
  anybody.socket.write(report(1));
  await eventually(() => collected.readings.length === 2);
  t.is(collected.readings[0]!.device, "bus-1");
});

test("a platform logs in once and speaks for all; what is sent again is answered and not taken", async (t) => {
  const { collected, dial } = await listen(t, { user: "fleet", password: { env: "GB32960_TEST_PASSWORD" } });
  const platformLogin = (password: string) =>
    of(
      "PLATFORM",
      command.platformLogin,
      Buffer.concat([
        encodeTime(Date.now() * 1000),
        Buffer.of(0, 1),
        Buffer.from("fleet".padEnd(12, "\0")),
        Buffer.from(password.padEnd(20, "\0")),
        Buffer.of(1),
      ]),
    );
  const stranger = await dial();
  stranger.socket.write(platformLogin("guess"));
  stranger.socket.write(report(0));
  await eventually(() => stranger.answers.length === 2);
  t.true(stranger.answers.every(([, result]) => result === response.failed));
  const platform = await dial();
  platform.socket.write(platformLogin("platform password 20"));
  const again = report(0, command.reissue);
  platform.socket.write(again);
  platform.socket.write(report(1));
  platform.socket.write(again);
  await eventually(() => platform.answers.length === 4);
  t.true(platform.answers.every(([, result]) => result === response.done));
  t.is(collected.readings.length, 4);
  t.true(collected.readings[0]!.historical);
});
