/** A cell as its source has it: text in CSV, typed in Parquet. */
export type Value = string | number | null | undefined;

const missing = new Set(["", "NA", "N/A", "NaN", "nan", "null", "NULL"]);

export const isMissing = (text: string): boolean => missing.has(text);

export const textOf = (value: Value): string =>
  typeof value === "string" ? value.trim() : value === null || value === undefined ? "" : String(value);

/** @returns NaN where the value is missing; undefined where it holds no finite decimal number. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const text = textOf(value);
  if (missing.has(text)) return Number.NaN;
  // Number() also takes 0x, 0o and 0b, which no ledger means.
  if (text.charCodeAt(0) === 48 && text.charCodeAt(1) > 57) {
    if (/^0[xob]/i.test(text)) return undefined;
  }
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}
