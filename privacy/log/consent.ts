import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { type NoteVerifier, openNote, type Signer, signNote } from "./note.ts";

/** What an enterprise agrees to: that its rows go into a study's sums, or that its scores by the study's model are said. */
export type ConsentTo = "study" | "scores";

/** An enterprise agrees to a study's manifest, as a whole, until a time. */
export interface Consent {
  readonly consortium: string;
  readonly enterprise: string;
  /** Digest of the manifest. */
  readonly study: Digest;
  /** Unix milliseconds. */
  readonly expires: number;
}

const kinds: Readonly<Record<ConsentTo, string>> = {
  study: "fedcredit/consent/v1",
  scores: "fedcredit/score-consent/v1",
};

/** @returns the text an enterprise signs: kind, consortium, enterprise, study, expiry, one a line. */
const formatConsent = ({ consortium, enterprise, study, expires }: Consent, to: ConsentTo): string =>
  `${[kinds[to], consortium, enterprise, study, String(expires)].join("\n")}\n`;

/** @returns the consent as a note signed by the enterprise's identity key. */
export const signConsent = (consent: Consent, identity: Signer, to: ConsentTo = "study"): string =>
  signNote(formatConsent(consent, to), [identity]);

/** @throws Refusal note_malformed, signature_invalid */
export function openConsent(note: string, identity: NoteVerifier, to: ConsentTo = "study"): Consent {
  const { text } = openNote(note, [identity]);
  const [, consortium = "", enterprise = "", study = "", expires = ""] = text.split("\n");
  const consent = { consortium, enterprise, study, expires: Number(expires) };
  if (
    formatConsent(consent, to) !== text ||
    !/^[0-9a-f]{64}$/.test(study) ||
    !Number.isSafeInteger(consent.expires)
  )
    throw new Refusal(
      "note_malformed",
      `not a consent to ${to}: kind, consortium, enterprise, study, expiry`,
    );
  return consent;
}
