/** A cell as its source has it: text in CSV, typed in Parquet. */
export type Cell = string | number | null | undefined;

const missing = new Set([
  ...["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "Null"],
  // What MySQL, UCI's data sets and people write.
  ...["\\N", "?", "-", "--", "."],
]);

export const isMissing = (text: string): boolean => missing.has(text);

export const textOf = (value: Cell): string =>
  typeof value === "string" ? value.trim() : value === null || value === undefined ? "" : String(value);

/** Thousands in groups of three (by commas, apostrophes, or spaces that do not break), or a percent sign. */
const written = /^([+-]?(?:\d{1,3}(?:[,'’\u00a0\u202f]\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+)\s?(%?)$/;

/**
 * @returns NaN where the value is missing; undefined where it holds no finite decimal number. `1,234.5` is 1234.5, and
 *   `12.5%` is 0.125.
 */
export function numberOf(value: Cell): number | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const text = textOf(value);
  if (missing.has(text)) return Number.NaN;
  // Number() also takes 0x, 0o and 0b, which no ledger means.
  if (text.charCodeAt(0) === 48 && text.charCodeAt(1) > 57) {
    if (/^0[xob]/i.test(text)) return undefined;
  }
  const number = Number(text);
  if (Number.isFinite(number)) return number;
  const [, digits, percent] = written.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits.replaceAll(/[,'’\u00a0\u202f]/g, "")) / (percent === "%" ? 100 : 1);
}
