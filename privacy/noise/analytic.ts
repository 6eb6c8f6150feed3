/**
 * Sums with Gaussian noise over all rows compose exactly: as one such sum with μ² = Σ (Δᵢ / σᵢ)².
 * @see Balle, Wang 2018, arXiv:1805.06530, theorem 8; Dong, Roth, Su 2019, arXiv:1905.02383, corollary 2.1
 */
import { logNormalTail, normalTail } from "../../core/normal.ts";
import { leastRoot } from "./least-root.ts";

/** @param mu - μ >= 0. @returns δ(ε) = Φ(μ/2 − ε/μ) − e^ε Φ(−μ/2 − ε/μ). */
export function gaussianDelta(mu: number, epsilon: number): number {
  if (mu === 0) return 0;
  const first = mu / 2 - epsilon / mu;
  const inFirst = first >= 0 ? 1 - normalTail(first) : normalTail(-first);
  return Math.max(0, inFirst - Math.exp(epsilon + logNormalTail(mu / 2 + epsilon / mu)));
}

/** @returns the least ε >= 0 with δ(ε) <= delta, rounded up. */
export const gaussianEpsilon = (mu: number, delta: number): number =>
  leastRoot((epsilon) => gaussianDelta(mu, epsilon) <= delta);

/** @returns the largest μ for which `epsilon` holds with `delta`, rounded down. */
export function gaussianMu(epsilon: number, delta: number): number {
  // 1 / μ falls as μ grows
  const inverse = leastRoot((one) => one > 0 && gaussianDelta(1 / one, epsilon) <= delta);
  return 1 / inverse;
}
