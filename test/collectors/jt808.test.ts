import test from "ava";
import fc from "fast-check";
import {
  decodeBatch,
  decodeLocation,
  describe,
  encodeBatch,
  encodeLocation,
  type Location,
} from "../../collectors/jt808/location.ts";
import {
  authenticationCode,
  decodeMessage,
  encodeMessage,
  FrameSplitter,
  type Message,
  platformReply,
} from "../../collectors/jt808.ts";
import { Refusal } from "../../core/reasons.ts";
import { readVectors } from "../support/vectors.ts";

const vectors = readVectors("jt808.json") as Record<string, string>;
const frameOf = (name: string): Buffer => Buffer.from(vectors[name]!, "hex");
const messageOf = (name: string): Message => decodeMessage(frameOf(name).subarray(1, -1));
const micros = (iso: string): number => Date.parse(iso) * 1000;
const malformed = { instanceOf: Refusal, name: "Refusal" };

const message = fc.record({
  id: fc.nat(0xffff),
  version: fc.constantFrom("2013", "2019"),
  serial: fc.nat(0xffff),
  // Every other byte one that has to be escaped.
  body: fc
    .array(fc.oneof(fc.nat(255), fc.constantFrom(0x7d, 0x7e)), { maxLength: 300 })
    .map((b) => Buffer.from(b)),
  digits: fc.bigInt(0n, 999_999_999_999n),
});
const toMessage = ({
  digits,
  ...rest
}: typeof message extends fc.Arbitrary<infer T> ? T : never): Message => ({
  ...rest,
  phone: `${digits}`.padStart(rest.version === "2013" ? 12 : 20, "0"),
});

test("the published 2013 location decodes exactly", (t) => {
  const read = messageOf("location2013");
  t.like(read, { id: 0x0200, version: "2013", phone: "123456789012", serial: 126 });
  const { items, ...location } = decodeLocation(read.body);
  t.deepEqual(location, {
    alarm: 1,
    status: 2,
    lat: 12.222222,
    lon: 132.444444,
    altitudeMetres: 40,
    speedKmh: 6,
    directionDegrees: 0,
    time: micros("2018-10-15T10:10:10+08:00"),
  });
  t.deepEqual([...items.keys()], [1, 2]);
  t.is(items.get(1)!.readUInt32BE(), 100);
  t.is(items.get(2)!.readUInt16BE(), 125);
  t.deepEqual(
    encodeMessage({ ...read, body: encodeLocation({ ...location, items }) }),
    frameOf("location2013"),
  );
});

test("the published 2019 location decodes exactly", (t) => {
  const read = messageOf("location2019");
  t.like(read, { id: 0x0200, version: "2019", phone: "00000000013912344329", serial: 0 });
  const { items, ...location } = decodeLocation(read.body);
  t.deepEqual(location, {
    alarm: 111,
    status: 22,
    lat: -31.234567,
    lon: 121.987654,
    altitudeMetres: 123,
    speedKmh: 6.6,
    directionDegrees: 3,
    time: micros("2025-01-29T22:33:44+08:00"),
  });
  t.is(items.get(2)!.readUInt16BE(), 100);
  t.deepEqual(
    encodeMessage({ ...read, body: encodeLocation({ ...location, items }) }),
    frameOf("location2019"),
  );
});

test("published batches decode to their positions", (t) => {
  const batch2019 = decodeBatch(messageOf("batch2019").body) as Location[];
  t.deepEqual(
    batch2019.map(({ lat, lon, speedKmh, directionDegrees }) => [lat, lon, speedKmh, directionDegrees]),
    [
      [31.000562, 121.451372, 3.3, 89],
      [31.000563, 121.451373, 6.7, 90],
    ],
  );
  const batch2013 = decodeBatch(messageOf("batch2013").body) as Location[];
  t.deepEqual(
    batch2013.map(({ time }) => time),
    ["2021-12-04T08:29:41+08:00", "2021-11-30T17:13:52+08:00", "2021-11-30T17:13:57+08:00"].map(micros),
  );
  t.true(batch2013.every(({ items }) => items.get(1)!.readUInt32BE() === 0xd728ad));
  t.deepEqual(encodeBatch(batch2013, 1), messageOf("batch2013").body);
});

test("messages survive the way there and back, however they are cut", (t) => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 40 }),
      (drawn, cut) => {
        const sent = drawn.map(toMessage);
        const bytes = Buffer.concat(sent.map(encodeMessage));
        const splitter = new FrameSplitter();
        const got = [];
        for (let at = 0; at < bytes.length; at += cut)
          got.push(...splitter.push(bytes.subarray(at, at + cut)));
        t.deepEqual(got, sent);
      },
    ),
  );
});

test("a changed byte is never believed", (t) => {
  const frame = frameOf("location2013");
  for (let at = 1; at < frame.length - 1; at++) {
    for (const flip of [0x01, 0x40, 0x80]) {
      const damaged = Buffer.from(frame.subarray(1, -1));
      damaged[at - 1]! ^= flip;
      t.throws(() => decodeMessage(damaged), malformed, `byte ${at}`);
    }
  }
  t.throws(() => decodeMessage(frame.subarray(1, -2)), malformed);
  t.throws(() => decodeMessage(Buffer.from("0200", "hex")), { message: "frame of 2 bytes" });
});

test("a length the header does not say is refused although the checksum holds", (t) => {
  const plain = Buffer.from("000200000138000000000001", "hex");
  const withSum = (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(bytes.reduce((sum, b) => sum ^ b, 0))]);
  t.is(decodeMessage(withSum(plain)).id, 2);
  t.throws(() => decodeMessage(withSum(Buffer.concat([plain, Buffer.of(7, 7)]))), {
    message: "frame whose length is not the one its header says",
  });
  plain.writeUInt16BE(0x0400, 2);
  t.throws(() => decodeMessage(withSum(plain)), { message: "frame with an encrypted body" });
});

test("after garbage the next whole frame is read", (t) => {
  const frame = frameOf("location2013");
  const heartbeat = encodeMessage({
    id: 2,
    version: "2013",
    phone: "000000000001",
    serial: 9,
    body: Buffer.alloc(0),
  });
  const ids = (bytes: Uint8Array[]) => {
    const splitter = new FrameSplitter();
    return bytes
      .flatMap((b) => splitter.push(b))
      .map((found) => (found instanceof Refusal ? "fault" : found.id));
  };
  t.deepEqual(ids([Buffer.from("noise"), frame, heartbeat]), ["fault", 0x0200, 2]);
  // The frame's end was lost: the start of the next must not be taken for it.
  t.deepEqual(ids([frame.subarray(0, -5), heartbeat, frame]), ["fault", 2, 0x0200]);
  // One flag between two frames, as some terminals send.
  t.deepEqual(ids([heartbeat, frame.subarray(0, -1), heartbeat, frame]), [2, 0x0200, "fault", 0x0200]);
  t.deepEqual(ids([Buffer.alloc(10_000, 1), heartbeat]), ["fault", 2]);
  // A frame that never ends is given up before it ends.
  t.deepEqual(ids([Buffer.of(0x7e), Buffer.alloc(10_000, 1)]), ["fault"]);
});

test("garbage neither throws nor passes for a message, and costs no memory", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
      const splitter = new FrameSplitter();
      for (let i = 0; i < 20; i++) splitter.push(noise);
      const found = splitter.push(Buffer.concat([Buffer.of(0x7e), frameOf("location2013")]));
      t.true(found.some((one) => !(one instanceof Refusal) && one.id === 0x0200));
    }),
  );
});

test("a location with anything cut short is refused; one bad location does not spoil a batch", (t) => {
  const body = messageOf("location2013").body;
  for (const length of [0, 27, 29, 33, body.length - 1])
    t.throws(() => decodeLocation(body.subarray(0, length)), malformed);
  const far = Buffer.from(body);
  far.writeUInt32BE(91_000_000, 8);
  t.throws(() => decodeLocation(far), { message: "location beyond the poles or the date line" });
  const batch = encodeBatch([decodeLocation(body), decodeLocation(body)], 0);
  batch.writeUInt32BE(91_000_000, 3 + 2 + 8);
  const found = decodeBatch(batch);
  t.true(found[0] instanceof Refusal);
  t.is((found[1] as Location).lat, 12.222222);
  t.throws(() => decodeBatch(batch.subarray(0, -1)), malformed);
  batch.writeUInt16BE(3);
  t.throws(() => decodeBatch(batch), { message: "batch of 2 where 3 are announced" });
});

test("digits that are no time give none", (t) => {
  const body = Buffer.from(messageOf("location2013").body);
  for (const digits of ["000000000000", "181315101010", "180230101010", "18101510606a", "181015246060"]) {
    Buffer.from(digits, "hex").copy(body, 22);
    t.is(decodeLocation(body).time, undefined, digits);
  }
  Buffer.from("240229235959", "hex").copy(body, 22);
  t.is(decodeLocation(body).time, micros("2024-02-29T15:59:59Z"));
});

test("alarm and status bits become text", (t) => {
  t.is(describe({ alarm: 0, status: 3 }), "ok");
  t.is(describe({ alarm: (1 << 1) | (1 << 8), status: 1 << 10 }), "overspeed; supply lost; fuel cut");
  t.is(describe({ alarm: 0x80000000, status: 0 }), "unlawful door");
});

test("replies name the message they answer", (t) => {
  const reply = platformReply(messageOf("location2013"), 5, "done");
  const read = decodeMessage(encodeMessage(reply).subarray(1, -1));
  t.like(read, { id: 0x8001, version: "2013", phone: "123456789012", serial: 5 });
  t.is(read.body.toString("hex"), "007e020000");
});

test("the authentication code is found in both versions", (t) => {
  const shared = { id: 0x0102, phone: "1", serial: 0 };
  t.is(authenticationCode({ ...shared, version: "2013", body: Buffer.from("abc") }), "abc");
  const body = Buffer.concat([Buffer.of(3), Buffer.from("abc"), Buffer.alloc(35)]);
  t.is(authenticationCode({ ...shared, version: "2019", body }), "abc");
  t.throws(() => authenticationCode({ ...shared, version: "2019", body: Buffer.of(9, 1) }), malformed);
});
