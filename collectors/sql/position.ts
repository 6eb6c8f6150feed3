import { readIso, zoneOffset } from "../file/time.ts";
import type { SqlConfig } from "./config.ts";

/** Where a row stands in the order of the cursor column: whole numbers, or microseconds as the column writes them. */
export interface Positions {
  /** @returns undefined where the cell holds none. */
  of(cell: unknown): bigint | undefined;
  /** As the database reads it, a literal of digits alone. */
  literal(position: bigint): string;
  readonly overlap: bigint;
  /** What no row can have reached yet: a row with a clock ahead must not hide those behind it. */
  limit(nowMicros: number): bigint | undefined;
}

const int64 = 1n << 63n;

export function positionsOf({ cursor, time }: Pick<SqlConfig, "cursor" | "time">): Positions {
  if (cursor.as === "number")
    return {
      of(cell) {
        const text = String(cell ?? "").replace(/\.0+$/, "");
        if (!/^-?\d{1,19}$/.test(text)) return undefined;
        const number = BigInt(text);
        return number < int64 && number >= -int64 ? number : undefined;
      },
      literal: String,
      overlap: BigInt(cursor.overlap),
      limit: () => undefined,
    };
  const offset = zoneOffset(time.zone ?? "UTC")!;
  return {
    // Compared as it is written: a column without a zone keeps its own clock.
    of(cell) {
      const iso = readIso(String(cell ?? "").trim());
      return iso === undefined ? undefined : BigInt(iso.millis) * 1000n + BigInt(iso.micros);
    },
    literal(position) {
      const micros = ((position % 1000n) + 1000n) % 1000n;
      const iso = new Date(Number((position - micros) / 1000n)).toISOString();
      return `'${iso.slice(0, -1).replace("T", " ")}${String(micros).padStart(3, "0")}'`;
    },
    overlap: BigInt(Math.round(cursor.overlap * 1000)),
    limit: (nowMicros) => BigInt(nowMicros + 1000 * Math.max(0, offset(nowMicros / 1000))),
  };
}
