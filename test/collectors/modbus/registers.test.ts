import test from "ava";
import fc from "fast-check";
import { mergeReads } from "../../../collectors/modbus/blocks.ts";
import { modbusConfig } from "../../../collectors/modbus/config.ts";
import {
  type ByteOrder,
  decode,
  encode,
  parseAddress,
  reorder,
  type Table,
  width,
} from "../../../collectors/modbus/registers.ts";
import { crc16 } from "../../../collectors/simulators/modbus-server.ts";
import { Refusal } from "../../../core/reasons.ts";

const orders: readonly ByteOrder[] = ["ABCD", "DCBA", "BADC", "CDAB"];

test("byte orders of 0x0A0B0C0D", (t) => {
  const wire = { ABCD: "0a0b0c0d", DCBA: "0d0c0b0a", BADC: "0b0a0d0c", CDAB: "0c0d0a0b" };
  for (const order of orders) {
    const bytes = encode(0x0a0b0c0d, { type: "u32", order });
    t.is(Buffer.from(bytes).toString("hex"), wire[order]);
    t.is(decode(bytes, { type: "u32", order }), 0x0a0b0c0d);
  }
});

test("IEEE 754 vector: 123.456 as f32 is 42F6E979, 1 as f64 is 3FF0…", (t) => {
  t.is(Buffer.from(encode(123.456, { type: "f32", order: "ABCD" })).toString("hex"), "42f6e979");
  t.is(decode(Buffer.from("E97942F6", "hex"), { type: "f32", order: "CDAB" }), Math.fround(123.456));
  t.is(decode(Buffer.from("3ff0000000000000", "hex"), { type: "f64", order: "ABCD" }), 1);
});

test("every type survives every byte order", (t) => {
  const value = {
    u16: fc.integer({ min: 0, max: 0xffff }),
    i16: fc.integer({ min: -0x8000, max: 0x7fff }),
    u32: fc.integer({ min: 0, max: 0xffff_ffff }),
    i32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    f32: fc.float({ noNaN: true }),
    f64: fc.double({ noNaN: true }),
    bit: fc.boolean(),
  };
  for (const [type, arbitrary] of Object.entries(value) as [keyof typeof value, fc.Arbitrary<number>][])
    fc.assert(
      fc.property(arbitrary, fc.constantFrom(...orders), fc.integer({ min: 0, max: 15 }), (v, order, bit) => {
        t.is(decode(encode(v, { type, order, bit }), { type, order, bit }), v);
      }),
      { numRuns: 50 },
    );
});

test("reordering twice changes nothing", (t) => {
  fc.assert(
    fc.property(fc.constantFrom(2, 4, 8), fc.constantFrom(...orders), (length, order) => {
      const bytes = Uint8Array.from({ length }, (_, i) => i);
      t.deepEqual(reorder(reorder(bytes, order), order), bytes);
    }),
  );
});

test("strings end at NUL and lose their padding", (t) => {
  const bytes = encode("PAC2200", { type: "string", order: "ABCD" }, 6);
  t.is(bytes.length, 12);
  t.is(decode(bytes, { type: "string", order: "ABCD" }), "PAC2200");
  t.is(decode(encode("AB", { type: "string", order: "BADC" }, 1), { type: "string", order: "BADC" }), "AB");
});

test("addresses as manuals print them", (t) => {
  t.deepEqual(parseAddress(40001), { table: "holding", address: 0 });
  t.deepEqual(parseAddress("300101"), { table: "input", address: 100 });
  t.deepEqual(parseAddress("00001"), { table: "coil", address: 0 });
  t.deepEqual(parseAddress(1), { table: "coil", address: 0 });
  t.deepEqual(parseAddress(10010), { table: "discrete", address: 9 });
  t.deepEqual(parseAddress(465536), { table: "holding", address: 65_535 });
  for (const wrong of [40000, 23296, 465537, 51234, "4x0001", ""])
    t.is(t.throws<Refusal>(() => parseAddress(wrong), { instanceOf: Refusal })?.reason, "config_invalid");
});

test("merged reads hold every register once, within gap and count", (t) => {
  const item = fc.record({
    table: fc.constantFrom<Table[]>("input", "holding"),
    address: fc.integer({ min: 0, max: 400 }),
    count: fc.constantFrom(1, 2, 4),
  });
  fc.assert(
    fc.property(
      fc.array(item, { minLength: 1, maxLength: 40 }),
      fc.nat(8),
      fc.integer({ min: 4, max: 125 }),
      (items, gap, max) => {
        const blocks = mergeReads(items, gap, max);
        t.is(blocks.flatMap((b) => b.items).length, items.length);
        for (const block of blocks) {
          t.true(block.count <= max);
          const covered = new Set<number>();
          for (const i of block.items) {
            t.is(i.table, block.table);
            t.true(i.address >= block.address && i.address + i.count <= block.address + block.count);
            for (let a = i.address; a < i.address + i.count; a++) covered.add(a);
          }
          let unused = 0;
          for (let a = block.address; a < block.address + block.count; a++) {
            unused = covered.has(a) ? 0 : unused + 1;
            t.true(unused <= gap);
          }
        }
      },
    ),
  );
});

test("widths", (t) => {
  t.deepEqual(
    (["bit", "u16", "i32", "f32", "u64", "f64"] as const).map((type) => width(type)),
    [1, 1, 2, 2, 4, 4],
  );
  t.is(width("string", 9), 9);
});

/** Modbus over Serial Line 1.02, appendix B: unit 2, function 7 has CRC 1241h (low byte 41h first). */
test("CRC of the specification's example", (t) => {
  t.is(crc16(Buffer.from([0x02, 0x07])), 0x1241);
});

test("configuration refuses what cannot be read, and says where", (t) => {
  const register = { address: 40001, type: "u16", metric: "m", unit: "1" } as const;
  const wrong: [unknown, RegExp][] = [
    [{ host: "h", unit: 1 }, /unit and registers, or units/],
    [{ unit: 1, registers: [register] }, /host, or serial/],
    [{ host: "h", serial: "/dev/ttyS0", unit: 1, registers: [register] }, /host, or serial/],
    [{ host: "h", baudRate: 9600, unit: 1, registers: [register] }, /goes with serial/],
    [{ host: "h", unit: 1, registers: [register], colour: "red" }, /colour/],
    [{ host: "h", unit: 1, registers: [{ ...register, address: 12, type: "u16" }] }, /a coil is a bit/],
    [{ host: "h", unit: 1, registers: [{ ...register, type: "bit" }] }, /say which bit/],
    [{ host: "h", unit: 1, registers: [{ ...register, type: "string" }] }, /goes with type string/],
    [{ host: "h", unit: 1, registers: [{ ...register, address: 70000, table: "holding" }] }, /65535/],
    [
      {
        host: "h",
        units: [
          { unit: 1, registers: [register] },
          { unit: 1, registers: [register] },
        ],
      },
      /listed twice/,
    ],
  ];
  for (const [config, message] of wrong) {
    const result = modbusConfig.safeParse(config);
    t.false(result.success);
    t.regex(JSON.stringify(result.error?.issues), message);
  }
  t.true(
    modbusConfig.safeParse({
      host: "h",
      unit: 1,
      registers: [{ ...register, address: "0x5b00", table: "holding" }],
    }).success,
  );
});
