/** How long a certificate lives, and when its holder asks for the next one. */
import { X509Certificate } from "node:crypto";

/** Part of a certificate's life after which its holder asks for the next: of 397 days, 132 are left to try in. */
const renewedAfter = 2 / 3;
/** Part of it before which nobody is given the next: whoever asks all the time gets nothing by it. */
const renewableAfter = 1 / 2;

/** PEM, or DER. */
type Encoded = string | Uint8Array;

/** @returns Unix milliseconds. */
export const endOf = (certificate: Encoded): number => new X509Certificate(certificate).validToDate.getTime();

function isPast(certificate: Encoded, part: number, nowMillis: number): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  const from = validFromDate.getTime();
  return nowMillis >= from + part * (validToDate.getTime() - from);
}

/**
 * @param pinned - the authority's certificate that is trusted, PEM. @param next - another one, PEM.
 * @returns whether the next is the same authority's, for the same key and a later end: then it is trusted as the first.
 */
export function followsAuthority(pinned: string, next: string): boolean {
  const [before, after] = [new X509Certificate(pinned), new X509Certificate(next)];
  return (
    after.ca &&
    after.subject === before.subject &&
    after.publicKey.equals(before.publicKey) &&
    after.verify(before.publicKey) &&
    after.validToDate > before.validToDate
  );
}

/** @param nowMillis - Unix milliseconds. @returns whether its holder should ask for the next one. */
export const isRenewalDue = (certificate: Encoded, nowMillis: number): boolean =>
  isPast(certificate, renewedAfter, nowMillis);

/** @returns whether the authority gives its holder the next one. */
export const isRenewable = (certificate: Encoded, nowMillis: number): boolean =>
  isPast(certificate, renewableAfter, nowMillis);
