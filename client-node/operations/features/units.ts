import ucum from "@lhncbc/ucum-lhc";

/** value in the target unit = factor × value + shift. */
export interface Conversion {
  readonly factor: number;
  readonly shift: number;
}

const cache = new Map<string, Conversion | undefined>();

/** @returns how a value in UCUM unit `from` becomes one in `to`; undefined where it cannot. */
export function conversion(from: string, to: string): Conversion | undefined {
  if (from === to) return { factor: 1, shift: 0 };
  // No UCUM code holds a blank, and the library would complain of one on standard output.
  if (/\s/.test(from)) return undefined;
  const key = `${from}\u0000${to}`;
  if (!cache.has(key)) cache.set(key, convert(from, to));
  return cache.get(key);
}

/** Whether a text is a UCUM code, and of the same kind as `like` where that is given. */
export const isUcum = (unit: string, like = `10*3.(${unit})`): boolean =>
  unit === like || conversion(unit, like) !== undefined;

/** Every conversion UCUM allows between non-logarithmic units is affine: two points give it. */
function convert(from: string, to: string): Conversion | undefined {
  const utils = ucum.UcumLhcUtils.getInstance();
  const shift = utils.convertUnitTo(from, 0, to).toVal;
  const atThousand = utils.convertUnitTo(from, 1000, to).toVal;
  if (shift === null || atThousand === null) return undefined;
  return { factor: (atThousand - shift) / 1000, shift };
}
