import type { Position, Reading } from "../../collectors/reading.ts";

/**
 * One spooled batch as columns, little-endian, each aligned to its own width:
 *
 * ```
 * u32 count | u32 flags (1 = sequence, 2 = position, 4 = event) | u32 bytes of texts | u32 zero
 * f64[n] time µs | f64[n] received µs | f64[n] value
 * f64[n] sequence                           where flags & 1; -1 = none
 * f64[n] lat | f64[n] lon | f64[n] accuracy where flags & 2; NaN = none
 * u32[n] series | u32[n] text | u32[n] status
 * u32[n] event                              where flags & 4; 0 = none
 * u8[n] kind | u8[n] marks | u8[n] place
 * JSON array of texts (UTF-8): `text`, `status` and `event` index it, and its first is empty
 * ```
 * Columns and not rows, so that a segment is cut by copying arrays into the analytical engine.
 */
export interface BatchColumns {
  readonly count: number;
  readonly time: Float64Array;
  readonly received: Float64Array;
  /** The number; 1 or 0 for a boolean; 0 where `kind` says text or absent. */
  readonly value: Float64Array;
  readonly sequence: Float64Array | undefined;
  readonly lat: Float64Array | undefined;
  readonly lon: Float64Array | undefined;
  readonly accuracy: Float64Array | undefined;
  /** Row id in the spool's series table. */
  readonly series: Uint32Array;
  readonly text: Uint32Array;
  readonly status: Uint32Array;
  readonly event: Uint32Array | undefined;
  readonly kind: Uint8Array;
  /** Bits 0–1 quality, bit 2 historical, bit 3 late, bit 4 first delivery. */
  readonly marks: Uint8Array;
  /** Bit 0 present, bit 1 GCJ-02, bits 2–3 source. */
  readonly place: Uint8Array;
  readonly texts: readonly string[];
}

export const kinds = { absent: 0, number: 1, boolean: 2, text: 3 } as const;
export const positionSources = ["beidou", "gps", "uwb"] as const satisfies readonly Position["source"][];
export const historicalMark = 4;
/** The reading's time was not after all earlier ones of its series: it may be a second delivery. */
export const lateMark = 8;
/** The transport said that the reading is no second delivery. */
export const firstDeliveryMark = 16;

const headerBytes = 16;

/** Maps a reading to its series' row id and says whether its time is not after all earlier ones. */
export interface SeriesIndex {
  idOf(reading: Reading): number;
  isLate(series: number, reading: Reading): boolean;
}

export function encodeBatch(readings: readonly Reading[], index: SeriesIndex): Uint8Array {
  const n = readings.length;
  let flags = 0;
  for (const reading of readings) {
    if (reading.sequence !== undefined) flags |= 1;
    if (reading.position !== undefined) flags |= 2;
    if (reading.event !== undefined) flags |= 4;
  }
  const texts: string[] = [];
  const codes = new Map<string, number>();
  const codeOf = (text: string): number => {
    let code = codes.get(text);
    if (code === undefined) {
      code = texts.length;
      texts.push(text);
      codes.set(text, code);
    }
    return code;
  };

  const bytes = new Uint8Array(headerBytes + columnBytes(n, flags));
  const columns = viewColumns(bytes, n, flags, texts);
  const { time, received, value, sequence, lat, lon, accuracy, series, text, status, event } = columns;
  const { kind, marks, place } = columns;
  let lastStatus = "";
  let lastStatusCode = codeOf("");
  for (let i = 0; i < n; i++) {
    const reading = readings[i]!;
    const id = index.idOf(reading);
    series[i] = id;
    time[i] = reading.time;
    received[i] = reading.received;
    const raw = reading.value;
    if (typeof raw === "number") {
      kind[i] = kinds.number;
      value[i] = raw;
    } else if (typeof raw === "string") {
      kind[i] = kinds.text;
      text[i] = codeOf(raw);
    } else if (typeof raw === "boolean") {
      kind[i] = kinds.boolean;
      value[i] = raw ? 1 : 0;
    }
    if (reading.status !== lastStatus) {
      lastStatus = reading.status;
      lastStatusCode = codeOf(lastStatus);
    }
    status[i] = lastStatusCode;
    let mark = reading.quality === "good" ? 0 : reading.quality === "uncertain" ? 1 : 2;
    if (reading.historical) mark |= historicalMark;
    if (index.isLate(id, reading)) mark |= lateMark;
    if (reading.firstDelivery) mark |= firstDeliveryMark;
    marks[i] = mark;
    if (sequence) sequence[i] = reading.sequence ?? -1;
    if (event && reading.event !== undefined) event[i] = codeOf(reading.event);
    const position = reading.position;
    if (lat && lon && accuracy) {
      lat[i] = position?.lat ?? Number.NaN;
      lon[i] = position?.lon ?? Number.NaN;
      accuracy[i] = position?.accuracyMetres ?? Number.NaN;
      if (position) {
        place[i] =
          1 | (position.datum === "GCJ-02" ? 2 : 0) | (positionSources.indexOf(position.source) << 2);
      }
    }
  }

  const tail = new TextEncoder().encode(JSON.stringify(texts));
  const whole = new Uint8Array(bytes.length + tail.length);
  whole.set(bytes);
  whole.set(tail, bytes.length);
  const header = new DataView(whole.buffer);
  header.setUint32(0, n, true);
  header.setUint32(4, flags, true);
  header.setUint32(8, tail.length, true);
  return whole;
}

/** @throws RangeError where the bytes are not a batch: the spool wrote them, so the disk lies. */
export function decodeBatch(bytes: Uint8Array): BatchColumns {
  // Copied, because a database driver gives no alignment.
  const aligned = new Uint8Array(bytes);
  const header = new DataView(aligned.buffer);
  if (aligned.length < headerBytes) throw new RangeError("batch is shorter than its header");
  const n = header.getUint32(0, true);
  const flags = header.getUint32(4, true);
  const textBytes = header.getUint32(8, true);
  const end = headerBytes + columnBytes(n, flags);
  if (aligned.length !== end + textBytes) throw new RangeError("batch does not have its stated length");
  const texts = JSON.parse(new TextDecoder().decode(aligned.subarray(end))) as string[];
  return viewColumns(aligned, n, flags, texts);
}

const columnBytes = (n: number, flags: number): number =>
  n * (3 * 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 24 : 0) + 3 * 4 + (flags & 4 ? 4 : 0) + 3);

function viewColumns(bytes: Uint8Array, n: number, flags: number, texts: readonly string[]): BatchColumns {
  let offset = headerBytes;
  const f64 = (): Float64Array => {
    const view = new Float64Array(bytes.buffer, offset, n);
    offset += n * 8;
    return view;
  };
  const u32 = (): Uint32Array => {
    const view = new Uint32Array(bytes.buffer, offset, n);
    offset += n * 4;
    return view;
  };
  const u8 = (): Uint8Array => {
    const view = new Uint8Array(bytes.buffer, offset, n);
    offset += n;
    return view;
  };
  return {
    count: n,
    time: f64(),
    received: f64(),
    value: f64(),
    sequence: flags & 1 ? f64() : undefined,
    lat: flags & 2 ? f64() : undefined,
    lon: flags & 2 ? f64() : undefined,
    accuracy: flags & 2 ? f64() : undefined,
    series: u32(),
    text: u32(),
    status: u32(),
    event: flags & 4 ? u32() : undefined,
    kind: u8(),
    marks: u8(),
    place: u8(),
    texts,
  };
}

/** @returns readings as they were encoded. @param series - by id. */
export function* readingsOf(
  columns: BatchColumns,
  series: (id: number) => { readonly device: string; readonly metric: string; readonly unit: string },
): Generator<Reading> {
  const qualities = ["good", "uncertain", "bad", "bad"] as const;
  for (let i = 0; i < columns.count; i++) {
    const { device, metric, unit } = series(columns.series[i]!);
    const marks = columns.marks[i]!;
    const place = columns.place[i]!;
    const sequence = columns.sequence?.[i] ?? -1;
    const number = columns.value[i]!;
    yield {
      device,
      metric,
      unit,
      value: [null, number, number === 1, columns.texts[columns.text[i]!]!][columns.kind[i]!] ?? null,
      time: columns.time[i]!,
      received: columns.received[i]!,
      quality: qualities[marks & 3]!,
      status: columns.texts[columns.status[i]!] ?? "",
      historical: (marks & historicalMark) !== 0,
      ...(sequence === -1 ? {} : { sequence }),
      ...(columns.event?.[i] ? { event: columns.texts[columns.event[i]!]! } : {}),
      ...(marks & firstDeliveryMark ? { firstDelivery: true } : {}),
      ...(place & 1
        ? {
            position: {
              lat: columns.lat![i]!,
              lon: columns.lon![i]!,
              accuracyMetres: columns.accuracy![i]!,
              datum: place & 2 ? "GCJ-02" : "WGS-84",
              source: positionSources[place >> 2] ?? "gps",
            },
          }
        : {}),
    };
  }
}
