/**
 * Rényi differential privacy: an upper bound that shares nothing with the loss distributions, and that they must
 * not exceed.
 * @see Mironov, Talwar, Zhang 2019, arXiv:1908.10530, section 3.3; Canonne, Kamath, Steinke 2020, arXiv:2004.00010,
 *   proposition 12
 */
import type { Step } from "./loss-distribution.ts";

const orders = [...Array.from({ length: 63 }, (_, i) => i + 2), 80, 96, 128, 192, 256, 384, 512, 768, 1024];

/** @returns an ε >= 0 with δ(ε) <= delta. */
export function renyiEpsilon(steps: readonly Step[], delta: number): number {
  const bounds = orders.map((order) => {
    const divergence = steps.reduce((sum, step) => sum + step.count * renyiDivergence(step, order), 0);
    return divergence + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
  });
  return Math.max(0, Math.min(...bounds));
}

/** Of an integer order α >= 2: log Σₖ C(α, k) (1 − q)^(α − k) q^k e^(k(k − 1)/2σ²) / (α − 1). */
function renyiDivergence({ noiseMultiplier: s, samplingRate: q }: Step, order: number): number {
  if (q === 1) return order / (2 * s * s);
  const terms: number[] = [];
  let logChoose = 0;
  for (let k = 0; k <= order; k++) {
    terms.push(logChoose + (order - k) * Math.log1p(-q) + k * Math.log(q) + (k * (k - 1)) / (2 * s * s));
    logChoose += Math.log((order - k) / (k + 1));
  }
  const largest = Math.max(...terms);
  return (largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0))) / (order - 1);
}
