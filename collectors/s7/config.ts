import { z } from "zod";
import { deviceId, duration, metricId, ucum } from "../runtime/fields.ts";
import type { Area } from "./protocol.ts";

const widths = {
  bool: 1,
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  u64: 8,
  i64: 8,
  f64: 8,
} as const;
type S7Type = keyof typeof widths;

/** What the letter of an address says of its width, and what type it has where none is named. */
const letters: Readonly<Record<string, { readonly bytes: number; readonly type: S7Type }>> = {
  X: { bytes: 1, type: "bool" },
  B: { bytes: 1, type: "u8" },
  W: { bytes: 2, type: "i16" },
  D: { bytes: 4, type: "f32" },
  L: { bytes: 8, type: "f64" },
};

interface Address {
  readonly area: Area;
  readonly db: number;
  readonly start: number;
  readonly bit: number;
  readonly letter: string;
}

/** `DB1.DBD4`, `DB1.DBX0.3`, `MW20`, `M10.3`, `IB0`, `Q0.1`; E and A, as in German, too. */
function addressOf(text: string): Address | undefined {
  const block = /^DB(\d{1,5})\.DB([XBWDL])(\d{1,5})(?:\.([0-7]))?$/i.exec(text);
  const other = /^([MIQEA])([BWDL]?)(\d{1,5})(?:\.([0-7]))?$/i.exec(text);
  const [db, letter, start, bit] =
    block !== null
      ? [Number(block[1]), block[2]!.toUpperCase(), block[3]!, block[4]]
      : other !== null
        ? [0, other[2]!.toUpperCase() || "X", other[3]!, other[4]]
        : [-1, "", "", undefined];
  if (db < 0 || db > 65_535 || Number(start) > 65_535 || (letter === "X") !== (bit !== undefined))
    return undefined;
  const german = { E: "I", A: "Q" } as Readonly<Record<string, Area>>;
  const name = block === null ? other![1]!.toUpperCase() : "DB";
  return { area: german[name] ?? (name as Area), db, start: Number(start), bit: Number(bit ?? 0), letter };
}

const tag = z
  .strictObject({
    address: z
      .string()
      .refine(
        (text) => addressOf(text) !== undefined,
        "write DB1.DBD4, DB1.DBX0.3, MW20, M10.3, I0.0 or Q0.1",
      )
      .describe(
        "as in the program: DB1.DBD4, DB1.DBX0.3, MW20; DBL and ML have eight bytes. Blocks must not be optimized",
      ),
    type: z
      .enum(Object.keys(widths) as [S7Type, ...S7Type[]])
      .optional()
      .describe("X bool, B u8, W i16 (INT), D f32 (REAL), L f64 (LREAL) when absent"),
    scale: z.number().default(1).describe("value = raw · scale + offset"),
    offset: z.number().default(0).describe("value = raw · scale + offset"),
    device: deviceId.optional().describe("where it is another than the controller's"),
    metric: metricId,
    unit: ucum,
    every: duration.default(1_000).describe("polling interval"),
  })
  .superRefine(({ address, type }, context) => {
    const letter = letters[addressOf(address)?.letter ?? ""];
    if (letter === undefined || type === undefined) return;
    if (widths[type] !== letter.bytes || (type === "bool") !== (letter.type === "bool"))
      context.addIssue({ code: "custom", path: ["type"], message: `${address} has ${letter.bytes} bytes` });
  })
  .transform(({ address, type, ...rest }) => {
    const { letter, ...place } = addressOf(address)!;
    return { ...rest, ...place, type: type ?? letters[letter]!.type, bytes: letters[letter]!.bytes };
  });

/** A Siemens S7 controller, read over ISO on TCP: S7-300, 400, 1200, 1500, LOGO!. */
export const s7Config = z.strictObject({
  name: z.string().optional().describe("shown on the page; the address when absent"),
  host: z.string().min(1).describe("name or address of the controller"),
  port: z.int().min(1).max(65_535).default(102).describe("TCP port"),
  rack: z.int().min(0).max(7).default(0).describe("of the controller"),
  slot: z
    .int()
    .min(0)
    .max(31)
    .default(1)
    .describe("1 of S7-1200 and 1500, which must allow PUT/GET access; 2 of S7-300"),
  device: deviceId,
  timeout: duration.default(2_000).describe("longest wait for a connection and for an answer"),
  maxGap: z.int().min(0).max(400).default(32).describe("unused bytes that a request may read over"),
  tags: z.array(tag).min(1).describe("what is read"),
});

export type S7Config = z.output<typeof s7Config>;
export type Tag = S7Config["tags"][number];

/** @returns the tag's value of the bytes read from `first` on, before scale and offset. */
export function decodeTag(tag: Tag, bytes: Buffer, first: number): number | boolean {
  const at = tag.start - first;
  switch (tag.type) {
    case "bool":
      return (bytes[at]! & (1 << tag.bit)) !== 0;
    case "u8":
      return bytes.readUInt8(at);
    case "i8":
      return bytes.readInt8(at);
    case "u16":
      return bytes.readUInt16BE(at);
    case "i16":
      return bytes.readInt16BE(at);
    case "u32":
      return bytes.readUInt32BE(at);
    case "i32":
      return bytes.readInt32BE(at);
    case "f32":
      return bytes.readFloatBE(at);
    case "f64":
      return bytes.readDoubleBE(at);
    case "u64":
      return Number(bytes.readBigUInt64BE(at));
    case "i64":
      return Number(bytes.readBigInt64BE(at));
  }
}
