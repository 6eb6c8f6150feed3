/** A complex vector, its length a power of two. */
export interface Spectrum {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/**
 * Discrete Fourier transform in place, X[k] = Σ x[n] e^(∓2πikn/N); the inverse is not divided by N.
 * @see Cooley, Tukey 1965
 */
export function transform({ re, im }: Spectrum, inverse = false): void {
  const n = re.length;
  if (n < 1 || (n & (n - 1)) !== 0 || im.length !== n) throw new RangeError("the length is a power of two");
  reverseBits(re, im);
  const angle = ((inverse ? 2 : -2) * Math.PI) / n;
  const cosines = Float64Array.from({ length: n / 2 }, (_, k) => Math.cos(angle * k));
  const sines = Float64Array.from({ length: n / 2 }, (_, k) => Math.sin(angle * k));
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    const stride = n / size;
    for (let first = 0; first < n; first += size)
      for (let k = 0; k < half; k++) {
        const [c, s] = [cosines[k * stride]!, sines[k * stride]!];
        const a = first + k;
        const b = a + half;
        const x = re[b]! * c - im[b]! * s;
        const y = re[b]! * s + im[b]! * c;
        re[b] = re[a]! - x;
        im[b] = im[a]! - y;
        re[a]! += x;
        im[a]! += y;
      }
  }
}

function reverseBits(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
}
