/** What a spreadsheet takes for the beginning of a formula. */
const formula = /^[=+\-@\t\r]/;
const signed = /^[+-]/;

/**
 * @returns a cell of a CSV file that is written here. A text that a spreadsheet would run as a formula gets an apostrophe
 * before it; numbers stay as they are.
 */
export function csvCell(value: string | number): string {
  const text = String(value);
  const isNumber = signed.test(text) && Number.isFinite(Number(text));
  const harmless = formula.test(text) && !isNumber ? `'${text}` : text;
  return /[",\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
