/**
 * Who belongs to the consortium: a note that the bank and the auditor sign.
 *
 *     fedcredit/roster/v1
 *     <consortium>
 *     <version>
 *     <id> <identity verifier key> <base64 HPKE key> <organisation>     one line a member, sorted by id
 *
 * Once something was lost, or a key followed another, it is `fedcredit/roster/v2`: a line for each recovery, then one for
 * each succession of keys, before the members.
 */

import { fromBase64, toBase64 } from "../core/bytes.ts";
import { type Digest, digestOf } from "../core/canonical.ts";
import { idPattern } from "../core/ids.ts";
import { Refusal } from "../core/reasons.ts";
import {
  checkEd25519Key,
  checkX25519Key,
  type PublicIdentity,
  type SignaturePurpose,
  verifyFor,
} from "./identity.ts";
import {
  type NoteVerifier,
  openNote,
  parseNote,
  parseVerifierKey,
  type Signer,
  signNote,
} from "./log/note.ts";
import { parseRecovery, type Recovery, recoveryLine } from "./recovery.ts";
import {
  checkSuccessions,
  keyInForce,
  keysOf,
  parseSuccession,
  type Succession,
  successionLine,
  successionsSince,
} from "./succession.ts";
import type { PartyId } from "./sum/graph.ts";

export interface Member extends PublicIdentity {
  readonly id: PartyId;
  /** The legal person behind it: `minCohort` counts these. Printable text. */
  readonly organisation: string;
}

/** The content of a roster note. */
export interface RosterText {
  readonly consortium: string;
  /** Counts up with every change. */
  readonly version: number;
  /** In their order; absent before the first. */
  readonly recoveries?: readonly Recovery[];
  /** Of keys, in their order; absent before the first. */
  readonly successions?: readonly Succession[];
  /** Sorted by id. */
  readonly members: readonly Member[];
}

/** A roster whose signatures were checked. */
export interface Roster extends RosterText {
  /** SHA-256 of the note's text: what headers and epochs name. */
  readonly digest: Digest;
  /** The keys in force that signed it. */
  readonly bank: NoteVerifier;
  readonly auditor: NoteVerifier;
  /** Members with their Ed25519 public key, by id. */
  readonly byId: ReadonlyMap<PartyId, Member & { readonly identityKey: Uint8Array }>;
}

const kind = "fedcredit/roster/v1";
const changedKind = "fedcredit/roster/v2";
// A note's text holds no control character but the newline; the line's fields are split at single spaces.
export const organisationPattern = /^[^\s\p{C}](?:[^\n\p{C}]*[^\s\p{C}])?$/u;

const malformed = (message: string): Refusal => new Refusal("note_malformed", `roster: ${message}`);

const memberLine = (member: Member): string =>
  [member.id, member.verifierKey, toBase64(member.hpkeKey), member.organisation].join(" ");

/** @returns the one text a roster has. @throws Refusal note_malformed where a field has no such form. */
export function formatRoster({
  consortium,
  version,
  recoveries = [],
  successions = [],
  members,
}: RosterText): string {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const changes = [...recoveries.map(recoveryLine), ...successions.map(successionLine)];
  const head = [changes.length === 0 ? kind : changedKind, consortium, String(version)];
  const text = `${[...head, ...changes, ...sorted.map(memberLine)].join("\n")}\n`;
  parseRoster(text);
  return text;
}

/** @throws Refusal note_malformed unless the text is the canonical form of a roster; key_low_order */
export function parseRoster(text: string): RosterText {
  const [first, consortium = "", versionText = "", ...rest] = text.slice(0, -1).split("\n");
  const version = Number(versionText);
  const firstMember = rest.findIndex((line) => !line.startsWith("+"));
  const lines = firstMember === -1 ? [] : rest.slice(firstMember);
  // No id begins with a plus: a line that does, further on, is no member's.
  const changes = rest.slice(0, rest.length - lines.length);
  if (first !== (changes.length === 0 ? kind : changedKind) || !text.endsWith("\n"))
    throw malformed("not a roster of this version");
  if (!idPattern.test(consortium))
    throw malformed("the consortium's name is lowercase letters, digits, hyphens");
  const firstKey = changes.findIndex(isSuccession);
  const recoveries = changes.slice(0, firstKey === -1 ? changes.length : firstKey).map(parseRecovery);
  const successions = changes.slice(recoveries.length).map((line) => parseSuccession(line, consortium));
  checkSuccessions(successions);
  if (!/^[1-9][0-9]{0,14}$/.test(versionText)) throw malformed("the version counts from 1");
  const members = lines.map(parseMember);
  const keys = new Set<string>();
  for (const [i, member] of members.entries()) {
    if (i > 0 && members[i - 1]!.id >= member.id) throw malformed("members are sorted by id, none twice");
    // Names differ between members in any case: it is the keys behind them that must.
    for (const key of [parseVerifierKey(member.verifierKey).publicKey, member.hpkeKey].map(toBase64)) {
      if (keys.has(key)) throw malformed(`${member.id} has a key that another member has`);
      keys.add(key);
    }
  }
  return {
    consortium,
    version,
    ...(recoveries.length === 0 ? {} : { recoveries }),
    ...(successions.length === 0 ? {} : { successions }),
    members,
  };
}

const isSuccession = (line: string): boolean => line.startsWith("+key ");

/** @returns the successions of keys in a roster's text, whoever signed that. @throws Refusal note_malformed, signature_invalid */
function successionsIn(text: string): Succession[] {
  const [, consortium = "", , ...rest] = text.split("\n");
  const successions = rest.filter(isSuccession).map((line) => parseSuccession(line, consortium));
  checkSuccessions(successions);
  return successions;
}

function parseMember(line: string): Member {
  const match = /^(\S+) (\S+) (\S+) (.+)$/u.exec(line);
  const [, id = "", verifier = "", hpke = "", organisation = ""] = match ?? [];
  const hpkeKey = fromBase64(hpke);
  if (!idPattern.test(id) || hpkeKey?.length !== 32 || !organisationPattern.test(organisation))
    throw malformed(`malformed member line ${JSON.stringify(line)}`);
  const identity = parseVerifierKey(verifier);
  if (identity.key !== verifier) throw malformed(`verifier key of ${id}`);
  checkEd25519Key(identity.publicKey);
  checkX25519Key(hpkeKey, id);
  return { id, verifierKey: verifier, hpkeKey, organisation };
}

/** @returns the note, signed by whoever is given: the bank first, the auditor after it. */
export const signRoster = (roster: RosterText, signers: readonly Signer[]): string =>
  signNote(formatRoster(roster), signers);

/** @returns SHA-256 of the note's text, which signatures do not change. @throws Refusal note_malformed */
export const rosterDigest = (note: string): Digest => digestOf(parseNote(note).text);

/**
 * Opens a roster that bank and auditor signed: the bank alone cannot invent enterprises, nor keys of its own.
 * @param pinnedBank, pinnedAuditor - keys that they had at some time: the roster's successions lead from them to those
 *   in force.
 * @throws Refusal roster_unsigned when the signature by either key in force is missing
 * @throws Refusal signature_invalid when one is wrong, or no succession leads from a pinned key to the one in force
 * @throws Refusal note_malformed when the note or its text is not canonical
 * @throws Refusal key_low_order when a member's key gives no secret or no signature of its own
 */
export function openRoster(note: string, pinnedBank: NoteVerifier, pinnedAuditor: NoteVerifier): Roster {
  const parsed = parseNote(note);
  const successions = successionsIn(parsed.text);
  const bank = keyInForce(successions, "bank", pinnedBank);
  const auditor = keyInForce(successions, "auditor", pinnedAuditor);
  const signers = new Set(parsed.signatures.map(({ name, keyId }) => `${name}+${keyId}`));
  for (const { name, keyId } of [bank, auditor])
    if (!signers.has(`${name}+${keyId}`))
      throw new Refusal("roster_unsigned", `${name} has not signed the roster`);
  const { text } = openNote(note, [bank, auditor]);
  const roster = parseRoster(text);
  return {
    ...roster,
    digest: digestOf(text),
    bank,
    auditor,
    byId: new Map(
      roster.members.map((member) => [
        member.id,
        { ...member, identityKey: parseVerifierKey(member.verifierKey).publicKey },
      ]),
    ),
  };
}

/**
 * Opens a roster that was in force before another, under the keys of then.
 * @param later - any keys of bank and auditor, and the successions that hold them.
 * @throws Refusal roster_mismatch, where the later one does not come after it, and those of `openRoster`
 */
export function openPastRoster(
  note: string,
  later: Pick<Roster, "successions" | "bank" | "auditor">,
): Roster {
  const { successions = [] } = later;
  const [bank] = keysOf(successions, "bank", later.bank);
  const [auditor] = keysOf(successions, "auditor", later.auditor);
  const roster = openRoster(note, bank!, auditor!);
  successionsSince(roster.successions ?? [], successions);
  return roster;
}

/** @returns how many organisations stand behind some members. Ids outside the roster count for nothing. */
export const countOrganisations = (roster: Roster, ids: Iterable<PartyId>): number =>
  new Set([...ids].flatMap((id) => roster.byId.get(id)?.organisation ?? [])).size;

/** @returns whether the signature is by the roster's key of this party. */
export function isSignedBy(
  roster: Roster,
  party: PartyId,
  purpose: SignaturePurpose,
  payload: Uint8Array,
  signature: Uint8Array,
): boolean {
  const member = roster.byId.get(party);
  return member !== undefined && verifyFor(purpose, member.identityKey, payload, signature);
}
