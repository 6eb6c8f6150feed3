import test from "ava";
import fc from "fast-check";
import { s7Config } from "../../collectors/s7/config.ts";
import { frameLength, readAnswer, S7Error, setupAnswer } from "../../collectors/s7/protocol.ts";
import { merge, s7Collector } from "../../collectors/s7.ts";
import { Refusal } from "../../core/reasons.ts";
import { systemContext } from "../support/collecting.ts";
import { survivesHostileServers } from "../support/hostile.ts";

const config = (addresses: readonly string[], port = 102) =>
  s7Config.parse({
    host: "127.0.0.1",
    port,
    device: "press",
    timeout: "500ms",
    tags: addresses.map((address) => ({ address, metric: "n", unit: "1" })),
  });

test("addresses are read as a program writes them, and no others", (t) => {
  const [block, bit, merker, input] = config(["DB1.DBD4", "db2.dbx0.3", "MW20", "E1.7"]).tags;
  t.like(block, { area: "DB", db: 1, start: 4, bytes: 4, type: "f32" });
  t.like(bit, { area: "DB", db: 2, start: 0, bit: 3, type: "bool" });
  t.like(merker, { area: "M", start: 20, bytes: 2, type: "i16" });
  t.like(input, { area: "I", start: 1, bit: 7 });
  for (const bad of ["DB1", "DB1.DBX4", "DB1.DBD4.1", "DB70000.DBW0", "X1.0", "M1.8", ""])
    t.throws(() => config([bad]), undefined, bad);
  const wide = { address: "DB1.DBW0", type: "f32" as const, metric: "n", unit: "1" };
  t.throws(() => s7Config.parse({ host: "h", device: "d", tags: [wide] }), { message: /2 bytes/ });
});

test("blocks hold each tag once, and none is longer than an answer", (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2000 })), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.integer({ min: 0, max: 400 }),
        (places, gap) => {
          const { tags } = config(places.map(([db, start]) => `DB${db}.DBD${start}`));
          const blocks = merge(tags, gap, 222);
          return (
            blocks.flatMap((one) => one.tags).length === tags.length &&
            blocks.every(
              ({ db, start, bytes, tags }) =>
                bytes <= 222 &&
                tags.every((one) => one.db === db && one.start >= start && one.start + 4 <= start + bytes),
            )
          );
        },
      ),
    ),
  );
});

test("an answer is believed where number, function and length are those asked for", (t) => {
  const good = Buffer.from("0300001d02f0803203000000010002000800000401ff04002042480000", "hex");
  const place = { area: "DB", db: 1, start: 0, bytes: 4 } as const;
  t.is(readAnswer(good, 1, place).readFloatBE(), 50);
  t.throws(() => readAnswer(good, 2, place), { instanceOf: Refusal, message: /another request/ });
  t.throws(() => readAnswer(good, 1, { ...place, bytes: 2 }), { instanceOf: Refusal });
  t.throws(() => setupAnswer(good, 1), { instanceOf: Refusal, message: /another function/ });
  const gone = Buffer.from(good);
  gone[21] = 10;
  t.throws(() => readAnswer(gone, 1, place), { instanceOf: S7Error, message: "no such block" });
  for (let length = 7; length < good.length; length++)
    t.throws(() => readAnswer(good.subarray(0, length), 1, place), { instanceOf: Refusal });
  t.throws(() => frameLength(Buffer.from("0300ffff", "hex")), { instanceOf: Refusal });
});

test("hostile controllers", (t) =>
  survivesHostileServers(t, Buffer.from("03000500", "hex"), (port) =>
    s7Collector(config(["MW0"], port), systemContext()),
  ));
