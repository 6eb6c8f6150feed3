import { connect } from "node:net";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import type { z } from "zod";
import { eventually } from "../../bench/cases/within.ts";
import { hj212Collector } from "../../collectors/hj212/collector.ts";
import { hj212Config } from "../../collectors/hj212/config.ts";
import { crcOf, decodeFrame, encodeFrame, Hj212Splitter } from "../../collectors/hj212.ts";
import { Refusal } from "../../core/reasons.ts";
import { Collected, freePort, systemContext } from "../support/collecting.ts";
import { readVectors } from "../support/vectors.ts";

const vectors = readVectors("hj212.json") as Readonly<Record<string, string>>;
const published = vectors.interval!;

test("the published frame reads, and is written again to the byte", (t) => {
  const message = decodeFrame(Buffer.from(published));
  t.like(message, { qn: "20160801085857223", st: "32", cn: "1062", pw: "100000", flag: 5 });
  t.is(message.groups[0]!.get("RtdInterval"), "30");
  const segment = published.slice(6, -6);
  t.is(crcOf(Buffer.from(segment)), "1C80");
  t.is(encodeFrame(segment).toString(), published);
});

test("a stream reads the same however it is cut, and one damaged frame costs one frame", (t) => {
  const stream = Buffer.from(`noise${published}${published.replace("1C80", "1C81")}##99x1${published}`);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 6 }), (cuts) => {
        const splitter = new Hj212Splitter();
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const found = places.slice(1).flatMap((to, i) => splitter.push(stream.subarray(places[i], to)));
        return found.filter((one) => !(one instanceof Refusal)).length === 2;
      }),
    ),
  );
});

test("what no station sends is refused", (t) => {
  for (const bad of ["", "##", "##0003abc", published.slice(0, -2), published.replace("##0101", "##0100")])
    t.throws(() => decodeFrame(Buffer.from(bad)), { instanceOf: Refusal }, bad);
  const splitter = new Hj212Splitter();
  let kept = 0;
  for (let i = 0; i < 2000; i++) kept += splitter.push(Buffer.from("##9999".padEnd(1000, "x"))).length;
  t.true(kept >= 100, "what has no end is given up");
});

process.env.HJ212_TEST_PASSWORD = "123456";
process.env.HJ212_TEST_OTHER = "654321";

async function listen(t: ExecutionContext) {
  const port = await freePort();
  const input: z.input<typeof hj212Config> = {
    listen: `127.0.0.1:${port}`,
    stations: [
      { mn: "A1", password: { env: "HJ212_TEST_PASSWORD" }, device: "stack" },
      { mn: "B2", password: { env: "HJ212_TEST_OTHER" }, device: "outfall" },
    ],
    readings: [
      { factor: "a21026", metric: "so2", unit: "mg/m3" },
      { factor: "a21026", field: "Avg", of: "hour", metric: "so2_hour", unit: "mg/m3" },
    ],
  };
  const collector = hj212Collector(hj212Config.parse(input), systemContext());
  const collected = await Collected.start(t, collector);
  const dial = async () => {
    for (;;) {
      const socket = connect(port, "127.0.0.1");
      let said = "";
      let closed = false;
      socket
        .on("error", () => {})
        .on("data", (chunk) => {
          said += chunk;
        });
      const up = await new Promise((resolve) => {
        socket.once("connect", () => resolve(true)).once("close", () => resolve(false));
      });
      socket.once("close", () => {
        closed = true;
      });
      t.teardown(() => void socket.destroy());
      if (up) return { socket, said: () => said, closed: () => closed };
    }
  };
  return { collector, collected, dial };
}

const at = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace(/\D/g, "");
const data = (mn: string, pw: string, cp: string, cn = "2011") =>
  encodeFrame(`QN=${at}000;ST=31;CN=${cn};PW=${pw};MN=${mn};Flag=5;CP=&&DataTime=${at};${cp}&&`);

test("flags are qualities, hours are history, an answer is given when it is stored", async (t) => {
  const { collected, dial } = await listen(t);
  const station = await dial();
  collected.hold();
  station.socket.write(data("A1", "123456", "a21026-Rtd=12.5,a21026-Flag=N"));
  await eventually(() => collected.readings.length === 1);
  t.like(collected.readings[0], { device: "stack", metric: "so2", value: 12.5, quality: "good" });
  t.is(
    collected.readings[0]!.time,
    Date.parse(
      `${at.slice(0, 4)}-${at.slice(4, 6)}-${at.slice(6, 8)}T${at.slice(8, 10)}:${at.slice(10, 12)}:${at.slice(12)}+08:00`,
    ) * 1000,
  );
  t.is(station.said(), "", "not stored, not answered");
  collected.release();
  await eventually(() => station.said().includes("CN=9014"));
  station.socket.write(data("A1", "123456", "a21026-Rtd=12.5,a21026-Flag=N"));
  station.socket.write(data("A1", "123456", "a21026-Avg=11,a21026-Flag=C", "2061"));
  await eventually(() => collected.readings.length === 2);
  t.like(collected.readings[1], {
    metric: "so2_hour",
    quality: "bad",
    status: "calibration",
    historical: true,
  });
});

test("no station speaks for another, and who guesses is closed", async (t) => {
  const { collector, collected, dial } = await listen(t);
  const station = await dial();
  station.socket.write(data("B2", "123456", "a21026-Rtd=1"));
  station.socket.write(data("constructor", "123456", "a21026-Rtd=1"));
  station.socket.write(data("A1", "000000", "a21026-Rtd=1"));
  await eventually(station.closed);
  t.is(collected.readings.length, 0);
  const honest = await dial();
  honest.socket.write(data("B2", "654321", "a21026-Rtd=2"));
  await eventually(() => collected.readings.length === 1);
  t.is(collected.readings[0]!.device, "outfall");
  t.true(collector.health().errors >= 3);
});
