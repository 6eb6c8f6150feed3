import { Refusal } from "../core/reasons.ts";

/**
 * What the bank hands an enterprise over another channel: `<secret>.<fingerprint>`.
 * The secret alone travels in EnrolRequest.token, and only over TLS to a server whose chain (which it sends
 * with the root) ends in the authority of that fingerprint.
 */
export interface EnrolmentToken {
  /** One-time, base64url. */
  readonly secret: string;
  /** SHA-256 of the consortium authority's certificate (DER), 64 lowercase hexadecimal digits. */
  readonly caFingerprint: string;
}

export const formatToken = ({ secret, caFingerprint }: EnrolmentToken): string =>
  `${secret}.${caFingerprint}`;

/** @throws Refusal token_invalid */
export function parseToken(text: string): EnrolmentToken {
  const [, secret, caFingerprint] = /^([A-Za-z0-9_-]+)\.([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  if (secret === undefined || caFingerprint === undefined)
    throw new Refusal("token_invalid", "not an enrolment token (secret.fingerprint)");
  return { secret, caFingerprint };
}
