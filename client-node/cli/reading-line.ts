import type { Reading } from "../../collectors/reading.ts";
import { printable } from "../../core/terminal.ts";

/** One reading on a line, for people or for programs. */
export const readingLine = (reading: Reading, json = false): string =>
  json
    ? JSON.stringify(reading)
    : printable(
        `${moment(reading.time)}  ${reading.device}  ${reading.metric}  ${reading.value ?? "absent"} ${reading.unit}  ${reading.quality} (${reading.status})`,
      );

const moment = (micros: number): string => {
  const date = new Date(micros / 1000);
  return Number.isNaN(date.getTime()) ? "no such time" : date.toISOString();
};
