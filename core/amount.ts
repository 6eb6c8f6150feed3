/** Amounts of money as people write them: `123.00 €`, `$1,234.50`, `-1.234,50 EUR`. */

const digits = "[+-]?\\d[\\d.,'’\\u00a0\\u202f]*";
const sign = "[A-Z]{0,2}\\p{Sc}|[元円圆원]";
// A code needs a space: "ALL123" is a customer's number rather than Albanian money.
const code = Intl.supportedValuesOf("currency").join("|");
const plain = new RegExp(`^${digits}$`);
const before = new RegExp(`^([+-]?)(?:(${sign})\\s?|(${code})\\s)(${digits})$`, "u");
const after = new RegExp(`^(${digits})(?:\\s?(${sign})|\\s(${code}))$`, "u");

interface Amount {
  /** With its signs of thousands and decimals. */
  readonly number: string;
  /** Its sign or ISO 4217 code, as it stands there. */
  readonly currency: string;
}

/** Whether nothing but digits, and signs of thousands and decimals, stands there. */
export const isPlainNumber = (text: string): boolean => plain.test(text);

/** @returns undefined where it is no number beside a currency. */
export function amountOf(text: string): Amount | undefined {
  const leading = before.exec(text);
  if (leading !== null)
    return { number: `${leading[1]}${leading[4]}`, currency: (leading[2] ?? leading[3])! };
  const trailing = after.exec(text);
  return trailing === null ? undefined : { number: trailing[1]!, currency: (trailing[2] ?? trailing[3])! };
}

/** @returns the cell's number, where it is an amount of that currency; otherwise the cell. */
export function withoutCurrency(cell: string, currency: string | undefined): string {
  if (currency === undefined) return cell;
  const amount = amountOf(cell.trim());
  return amount?.currency === currency ? amount.number : cell;
}
