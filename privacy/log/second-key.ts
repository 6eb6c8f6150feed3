/** A witness's second key, of another algorithm: its first key says that it is its own. */
import { Refusal } from "../../core/reasons.ts";
import { type CosignatureVerifier, parseCosignatureKey } from "./cosignature.ts";
import { type NoteVerifier, openNote, type Signer, signNote } from "./note.ts";

const kind = "fedcredit/second-key/v1";

/** @param key - in verifier-key form. @returns a note by the first key. */
export const signSecondKey = (key: string, first: Signer): string => signNote(`${kind}\n${key}\n`, [first]);

/** @returns the second key, of the name of the first. @throws Refusal note_malformed, signature_invalid */
export function openSecondKey(note: string, first: NoteVerifier): CosignatureVerifier {
  const { text } = openNote(note, [first]);
  const [said, key = "", ...rest] = text.split("\n");
  if (said !== kind || rest.join("") !== "")
    throw new Refusal("note_malformed", "not a witness's second key");
  const verifier = parseCosignatureKey(key);
  if (verifier.name !== first.name || verifier.algorithm !== "ML-DSA-44")
    throw new Refusal("note_malformed", `the second key is not an ML-DSA-44 key of ${first.name}`);
  return verifier;
}
