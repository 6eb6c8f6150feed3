const names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const yearFirst = /^(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2})(?:[T ].*)?)?)?$/;
const packed = /^((?:19|20)\d{2})(\d{2})(\d{2})$/;
const named = /^(?:(\d{1,2})[- ])?([a-z]{3})[a-z]*[- ](\d{4}|\d{2})$/i;
const chinese = /^(\d{4})年(\d{1,2})月(?:(\d{1,2})日)?$/;

/**
 * @param text - a date whose order of day and month nobody can mistake: `2015-07-31`, `2015/7`, `20150731`, `31-Jul-2015`,
 *   `Jul-15` (1970 to 2069), `2015年7月`; of a year alone, its January.
 * @returns months since the year 0; undefined where it is none.
 */
export function monthOf(text: string): number | undefined {
  const [, year, month, day] = yearFirst.exec(text) ?? packed.exec(text) ?? chinese.exec(text) ?? [];
  if (year !== undefined) return monthsAt(Number(year), Number(month ?? 1), Number(day ?? 1));
  const [, dayOf, name, short] = named.exec(text) ?? [];
  if (name === undefined || short === undefined) return undefined;
  const century = short.length === 4 ? 0 : Number(short) < 70 ? 2000 : 1900;
  return monthsAt(century + Number(short), names.indexOf(name.toLowerCase()) + 1, Number(dayOf ?? 1));
}

const monthsAt = (year: number, month: number, day: number): number | undefined =>
  month >= 1 && month <= 12 && day >= 1 && day <= 31 ? 12 * year + month - 1 : undefined;
