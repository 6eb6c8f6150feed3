/**
 * Powers of two from the bits of a float64: ECMAScript leaves the last digit of `**` and `Math.log2` to the
 * implementation, and what both sides of a study compute must not differ by it.
 * @see IEEE 754-2019, 3.4: 1 sign bit, 11 bits exponent + 1023, 52 bits fraction
 */
const float = new Float64Array(1);
/** Of `float`, low and high, little-endian. */
const words = new Uint32Array(float.buffer);

/** @returns the smallest integer e with x <= 2^e; `x` is positive and finite; of a subnormal, −1022 or −1023. */
export function exponentAbove(x: number): number {
  float[0] = x;
  const exponent = (words[1]! >>> 20) - 1023;
  const isPower = (words[1]! & 0xfffff) === 0 && words[0] === 0;
  return isPower ? exponent : exponent + 1;
}

/** @param exponent - an integer in −1022…1023. */
export function powerOfTwo(exponent: number): number {
  if (!(Number.isInteger(exponent) && exponent >= -1022 && exponent <= 1023))
    throw new RangeError("the exponent must be an integer in −1022…1023");
  words[0] = 0;
  words[1] = (exponent + 1023) << 20;
  return float[0]!;
}
