import { createSocket } from "node:dgram";
import { once } from "node:events";
import test from "ava";
import { eventually } from "../../bench/cases/within.ts";
import { bacnetConfig } from "../../collectors/bacnet/config.ts";
import { decodeAnswer, readRequest } from "../../collectors/bacnet/protocol.ts";
import { bacnetCollector } from "../../collectors/bacnet.ts";
import { Refusal } from "../../core/reasons.ts";
import { Collected, systemContext } from "../support/collecting.ts";

const ack = (apdu: string): Buffer => {
  const bytes = Buffer.from(`810a00000100${apdu}`, "hex");
  bytes.writeUInt16BE(bytes.length, 2);
  return bytes;
};

test("requests and answers, to the byte", (t) => {
  t.is(
    readRequest(1, { type: 0, instance: 5 }, 85).toString("hex"),
    "810a0011010400" + "05010c0c000000051955",
  );
  const value = (tagged: string) => decodeAnswer(ack(`30070c0c008000011955${`3e${tagged}3f`}`));
  t.deepEqual(value("4441ac0000"), {
    invoke: 7,
    object: { type: 2, instance: 1 },
    property: 85,
    value: 21.5,
  });
  t.like(value("2203e8"), { value: 1000 });
  t.like(value("31ff"), { value: -1 });
  t.like(value("11"), { value: true });
  t.like(value("820460"), { value: [false, true, true, false] });
  t.like(value("55084035800000000000"), { value: 21.5 });
  t.like(value("00"), { value: null });
  t.deepEqual(decodeAnswer(ack("50070c9101911f")), { invoke: 7, failed: "error 1:31" });
  t.deepEqual(decodeAnswer(ack("600709")), { invoke: 7, failed: "rejected 9" });
  const good = ack("30070c0c0080000119553e4441ac00003f");
  for (let length = 0; length < good.length; length++)
    t.throws(() => decodeAnswer(good.subarray(0, length)), { instanceOf: Refusal });
  for (const lie of [
    "30070c0c0080000119553e75ff0000",
    "30070c0c0080000119553e4541ac00003f",
    "30070c0c00800001195e",
  ])
    t.throws(() => decodeAnswer(ack(lie)), { instanceOf: Refusal }, lie);
});

test("an answer of another number, object or property is not believed, nor is noise", async (t) => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.teardown(() => void socket.close());
  let honest = false;
  socket.on("message", (request, { port, address }) => {
    const invoke = request[8]!.toString(16).padStart(2, "0");
    const other = ((request[8]! + 1) % 256).toString(16).padStart(2, "0");
    const id = request.subarray(11, 15).toString("hex");
    const property = request[16]!.toString(16);
    const say = (text: string) => socket.send(ack(text), port, address);
    say(`30${other}0c0c${id}19${property}3e44434800003f`);
    say(`30${invoke}0c0c0000006319${property}3e44434800003f`);
    say(`30${invoke}0c0c${id}19103e44434800003f`);
    for (let i = 0; i < 20; i++) socket.send(Buffer.alloc(1400, i), port, address);
    if (honest) say(`30${invoke}0c0c${id}19${property}3e4441ac00003f`);
  });
  const config = bacnetConfig.parse({
    timeout: "300ms",
    devices: [
      {
        host: "127.0.0.1",
        port: socket.address().port,
        device: "chiller",
        objects: [{ object: "analog-input,1", metric: "n", unit: "Cel", every: "10ms" }],
      },
    ],
  });
  const collected = await Collected.start(t, bacnetCollector(config, systemContext()));
  await eventually(() => collected.readings.length > 0);
  t.like(collected.readings[0], { value: null, quality: "bad", status: "timeout" });
  honest = true;
  await eventually(() => collected.readings.some(({ quality }) => quality === "good"));
  t.true(collected.readings.every(({ value }) => value === null || value === 21.5));
});
