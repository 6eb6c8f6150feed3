import { DataType, type DataValue, type StatusCode, VariantArrayType } from "node-opcua";
import type { Reading } from "../reading.ts";

/** Microseconds since the epoch; the library keeps what is below a millisecond apart. */
const microseconds = (time: Date, picoseconds: number): number =>
  time.getTime() * 1000 + Math.floor(picoseconds / 1_000_000);

/** @returns the source's time, the server's where the source gave none, or undefined. */
export function sourceTime(value: DataValue): number | undefined {
  if (value.sourceTimestamp) return microseconds(value.sourceTimestamp, value.sourcePicoseconds);
  if (value.serverTimestamp) return microseconds(value.serverTimestamp, value.serverPicoseconds);
  return undefined;
}

/** Severity bits of a StatusCode. @see OPC 10000-4, 7.39, table 178 */
export function qualityOf(status: StatusCode): Reading["quality"] {
  const severity = status.value >>> 30;
  return severity === 0 ? "good" : severity === 1 ? "uncertain" : "bad";
}

/** What a reading can hold of a Variant: scalars; 64-bit integers as numbers; times as ISO text. */
function scalar(value: DataValue): Reading["value"] | undefined {
  const { dataType, arrayType, value: raw } = value.value;
  if (dataType === DataType.Null || raw === null || raw === undefined) return null;
  if (arrayType !== VariantArrayType.Scalar) return undefined;
  switch (dataType) {
    case DataType.Int64:
      return Number(BigInt.asIntN(64, (BigInt(raw[0]) << 32n) | BigInt(raw[1])));
    case DataType.UInt64:
      return Number((BigInt(raw[0]) << 32n) | BigInt(raw[1]));
    case DataType.DateTime:
      return Number.isNaN((raw as Date).getTime()) ? undefined : (raw as Date).toISOString();
    case DataType.LocalizedText:
      return raw.text ?? null;
  }
  return ["number", "string", "boolean"].includes(typeof raw) ? raw : undefined;
}

/** One value of a node, as a reading. A value that a reading cannot hold is kept as bad, with the reason. */
export function toReading(
  node: { device: string; metric: string; unit: string },
  value: DataValue,
  received: number,
  historical: boolean,
): Reading {
  const held = scalar(value);
  const finite = typeof held !== "number" || Number.isFinite(held);
  const quality = held === undefined || !finite ? "bad" : qualityOf(value.statusCode);
  return {
    device: node.device,
    metric: node.metric,
    value: held === undefined || !finite ? null : held,
    unit: node.unit,
    time: sourceTime(value) ?? received,
    received,
    quality: held === null && quality === "good" ? "bad" : quality,
    status:
      held === undefined
        ? `type ${DataType[value.value.dataType]}`
        : finite
          ? value.statusCode.name
          : `${held}`,
    historical,
  };
}
