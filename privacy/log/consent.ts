import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { type NoteVerifier, openNote, type Signer, signNote } from "./note.ts";

/** An enterprise agrees to a study's manifest, as a whole, until a time. */
export interface Consent {
  readonly consortium: string;
  readonly enterprise: string;
  /** Digest of the manifest. */
  readonly study: Digest;
  /** Unix milliseconds. */
  readonly expires: number;
}

const kind = "fedcredit/consent/v1";

/** @returns the text an enterprise signs: kind, consortium, enterprise, study, expiry, one a line. */
const formatConsent = ({ consortium, enterprise, study, expires }: Consent): string =>
  `${[kind, consortium, enterprise, study, String(expires)].join("\n")}\n`;

/** @returns the consent as a note signed by the enterprise's identity key. */
export const signConsent = (consent: Consent, identity: Signer): string =>
  signNote(formatConsent(consent), [identity]);

/** @throws Refusal note_malformed, signature_invalid */
export function openConsent(note: string, identity: NoteVerifier): Consent {
  const { text } = openNote(note, [identity]);
  const [, consortium = "", enterprise = "", study = "", expires = ""] = text.split("\n");
  const consent = { consortium, enterprise, study, expires: Number(expires) };
  if (
    formatConsent(consent) !== text ||
    !/^[0-9a-f]{64}$/.test(study) ||
    !Number.isSafeInteger(consent.expires)
  )
    throw new Refusal("note_malformed", "not a consent: kind, consortium, enterprise, study, expiry");
  return consent;
}
