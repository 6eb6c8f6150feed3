import test from "ava";
import fc from "fast-check";
import {
  answerTo,
  decodeDigits,
  encodeDigits,
  encodeFrame,
  readRequest,
  takeFrame,
} from "../../collectors/dlt645.ts";
import { Refusal } from "../../core/reasons.ts";
import { readVectors } from "../support/vectors.ts";

const { exchanges } = readVectors("dlt645.json") as {
  exchanges: {
    address: string;
    identifier: string;
    request: string;
    reply: string;
    bytes: number;
    decimals: number;
    value: number;
  }[];
};
const malformed = { instanceOf: Refusal, name: "Refusal" };
const hex = (text: string) => Buffer.from(text, "hex");
const energy = { address: "000000000161", identifier: "00010000" } as const;

test("recorded exchanges: the request byte by byte, the reply to its value", (t) => {
  for (const { address, identifier, request, reply, bytes, decimals, value } of exchanges) {
    t.is(readRequest(address, identifier, 4).toString("hex"), request.toLowerCase());
    const { frame, rest, damaged } = takeFrame(hex(reply));
    t.false(damaged);
    t.is(rest.length, 0);
    const answer = answerTo(frame!, address, identifier);
    t.true(answer !== undefined && "value" in answer);
    t.is(decodeDigits((answer as { value: Buffer }).value, { bytes, decimals, signed: false }), value);
  }
});

test("a frame is found behind a preamble, after noise, and piece by piece", (t) => {
  const reply = hex(exchanges[0]!.reply);
  for (const before of ["fefefefe", "00ff", "68", "6868", "681668"]) {
    const bytes = Buffer.concat([hex(before), reply, hex("fe")]);
    t.is(takeFrame(bytes).frame?.address, energy.address, before);
  }
  for (let length = 0; length < reply.length; length++) {
    const first = takeFrame(reply.subarray(0, length));
    t.is(first.frame, undefined);
    t.is(takeFrame(Buffer.concat([first.rest, reply.subarray(length)])).frame?.address, energy.address);
  }
});

test("a changed byte is never believed", (t) => {
  const reply = hex(exchanges[0]!.reply);
  for (let at = 0; at < reply.length; at++)
    for (let flip = 1; flip < 256; flip <<= 1) {
      const changed = Buffer.from(reply);
      changed[at]! ^= flip;
      t.is(takeFrame(changed).frame, undefined, `byte ${at} ^ ${flip}`);
    }
});

test("only the answer to this request is taken", (t) => {
  const { frame } = takeFrame(hex(exchanges[0]!.reply));
  t.is(answerTo(frame!, "000000000162", energy.identifier), undefined);
  t.is(answerTo(frame!, energy.address, "00020000"), undefined);
  // Our own request, echoed by a two-wire converter.
  const echo = takeFrame(readRequest(energy.address, energy.identifier)).frame!;
  t.is(answerTo(echo, energy.address, energy.identifier), undefined);
});

test("a refusal says why", (t) => {
  const refusal = (error: number) =>
    answerTo(
      takeFrame(encodeFrame({ address: energy.address, control: 0xd1, data: Buffer.of(error) })).frame!,
      energy.address,
      energy.identifier,
    );
  t.deepEqual(refusal(0x02), { refused: "refused: no such data" });
  t.deepEqual(refusal(0x05), { refused: "refused: other error, not authorised" });
  t.deepEqual(refusal(0), { refused: "refused: no reason given" });
  const data = Buffer.concat([hex("00000100"), hex("26000000")]);
  const more = takeFrame(encodeFrame({ address: energy.address, control: 0xb1, data })).frame!;
  t.deepEqual(answerTo(more, energy.address, energy.identifier), {
    refused: "answer continues in further frames",
  });
});

test("numbers survive exactly, with sign and decimals", (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 0, max: 4 }),
      fc.boolean(),
      fc.nat(),
      (bytes, decimals, signed, n) => {
        const whole = n % (signed ? 8 * 10 ** (2 * bytes - 1) : 10 ** (2 * bytes));
        const value = Number(`${whole}e-${decimals}`);
        const digits = { bytes, decimals, signed };
        t.is(decodeDigits(encodeDigits(value, digits), digits), value);
        if (signed && value > 0) t.is(decodeDigits(encodeDigits(-value, digits), digits), -value);
      },
    ),
  );
  t.throws(() => encodeDigits(100, { bytes: 1, decimals: 0, signed: false }), { instanceOf: RangeError });
});

test("digits that are none, and lengths that are not configured, are refused", (t) => {
  const two = { bytes: 2, decimals: 1, signed: false };
  t.throws(() => decodeDigits(hex("ffff"), two), { message: "no value" });
  t.throws(() => decodeDigits(hex("ffff"), { ...two, signed: true }), { message: "no value" });
  t.throws(() => decodeDigits(hex("0a10"), two), { message: "value is not BCD" });
  t.throws(() => decodeDigits(hex("0110"), { ...two, bytes: 4 }), malformed);
  t.throws(() => readRequest("12", "00010000"), { instanceOf: RangeError });
});
