import test from "ava";
import fc from "fast-check";
import { iec104Config } from "../../collectors/iec104/config.ts";
import { control, decodeAsdu, encodeApdu, takeApdu } from "../../collectors/iec104/protocol.ts";
import { iec104Collector } from "../../collectors/iec104.ts";
import { Refusal } from "../../core/reasons.ts";
import { systemContext } from "../support/collecting.ts";
import { survivesHostileServers } from "../support/hostile.ts";

test("frames are read as they are written, and a stream the same however it is cut", (t) => {
  const byte = fc.uint8Array({ minLength: 0, maxLength: 249 });
  const number = fc.integer({ min: 0, max: 0x7fff });
  t.notThrows(() =>
    fc.assert(
      fc.property(byte, number, number, (asdu, sent, received) => {
        const apdu = { kind: "I", sent, received, asdu: Buffer.from(asdu) } as const;
        const bytes = encodeApdu(apdu);
        const taken = takeApdu(Buffer.concat([bytes, Buffer.of(0x68)]));
        const back = taken?.apdu;
        return (
          back?.kind === "I" &&
          back.sent === sent &&
          back.received === received &&
          back.asdu.equals(apdu.asdu) &&
          taken!.rest.length === 1 &&
          takeApdu(bytes.subarray(0, -1)) === undefined
        );
      }),
    ),
  );
  t.deepEqual(encodeApdu({ kind: "U", control: control.startAct }), Buffer.from("680407000000", "hex"));
  t.deepEqual(encodeApdu({ kind: "S", received: 1 }), Buffer.from("680401000200", "hex"));
  for (const bad of ["00", "6803", "68ff", "6805010000000000"])
    t.throws(() => takeApdu(Buffer.from(bad, "hex")), { instanceOf: Refusal }, bad);
});

test("values, quality and time of each kind of point", (t) => {
  const of = (hex: string) => decodeAsdu(Buffer.from(hex, "hex"));
  // A float with its time: 25.0 at 2026-03-05 15:12:10.000.
  t.like(of("240103000100" + "0a0000" + "0000c841" + "00" + "10270c0f05031a")[0], {
    station: 1,
    address: 10,
    value: 25,
    quality: "good",
    clock: Date.UTC(2026, 2, 5, 15, 12, 10),
    cause: 3,
  });
  t.like(of("010103000100" + "0a0000" + "81")[0], { value: true, quality: "bad", status: "invalid" });
  t.like(of("030103000100" + "0a0000" + "00")[0], { value: 0, quality: "uncertain" });
  t.like(of("050103000100" + "0a0000" + "7f00")[0], { value: -1, quality: "good" });
  t.like(of("090103000100" + "0a0000" + "004000")[0], { value: 0.5 });
  t.like(of("0b0103000100" + "0a0000" + "f9ff40")[0], {
    value: -7,
    quality: "uncertain",
    status: "not topical",
  });
  t.like(of("0f0103000100" + "0a0000" + "0100000020")[0], { value: 1, quality: "good" });
  t.like(of("0d0103000100" + "0a0000" + "0000c07f00")[0], { quality: "bad", status: "NaN" });
  const sequence = of("0b8203000100" + "0a0000" + "010000" + "020000");
  t.deepEqual(
    sequence.map(({ address, value }) => [address, value]),
    [
      [10, 1],
      [11, 2],
    ],
  );
  t.deepEqual(of("640107000100" + "000000" + "14"), [], "no monitoring");
  t.deepEqual(of("0b0183000100" + "0a0000" + "010000"), [], "a test is no process");
  for (const lie of ["0b7f03000100" + "0a0000" + "010000", "0b01", "240103000100" + "0a0000"])
    t.throws(() => of(lie), { instanceOf: Refusal }, lie);
});

test("hostile stations", (t) =>
  survivesHostileServers(t, Buffer.from("680e00000000", "hex"), (port) =>
    iec104Collector(
      iec104Config.parse({
        host: "127.0.0.1",
        port,
        zone: "UTC",
        device: "d",
        timeout: "500ms",
        points: [{ address: 1, metric: "n", unit: "1" }],
      }),
      systemContext(),
    ),
  ));
