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

/** @param nowMillis - Unix milliseconds. @returns whether its holder should ask for the next one. */
export const isRenewalDue = (certificate: Encoded, nowMillis: number): boolean =>
  isPast(certificate, renewedAfter, nowMillis);

/** @returns whether the authority gives its holder the next one. */
export const isRenewable = (certificate: Encoded, nowMillis: number): boolean =>
  isPast(certificate, renewableAfter, nowMillis);
