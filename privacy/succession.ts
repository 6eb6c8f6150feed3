/**
 * Keys that follow others. A roster carries every succession since the consortium began, so that whoever pinned an old
 * key comes to the one in force, and to no other:
 *
 *     +key <holder> <old verifier key> <new verifier key> <base64 HPKE key, or -> <old's signature> <new's signature>
 *
 * The holder is `bank`, `auditor` or an enterprise, which changes its HPKE key with the other. Both keys sign
 *
 *     fedcredit/succession/v1
 *     <consortium>
 *     <holder>
 *     <old verifier key>
 *     <new verifier key>
 *     <base64 HPKE key, or ->
 *
 * and bank and auditor the roster that it stands in: nobody replaces a key alone, and none has two successors.
 */
import { fromBase64, toBase64 } from "../core/bytes.ts";
import { idPattern } from "../core/ids.ts";
import { Refusal } from "../core/reasons.ts";
import { checkEd25519Key, checkX25519Key } from "./identity.ts";
import { type CosignatureVerifier, cosignatureVerifier } from "./log/cosignature.ts";
import { fingerprint, type NoteVerifier, parseVerifierKey, type Signer } from "./log/note.ts";
import { type LogPolicy, policyWith } from "./log/policy.ts";

export interface Succession {
  /** `bank`, `auditor`, or an enterprise's id. */
  readonly holder: string;
  /** Verifier keys of one name. */
  readonly from: string;
  readonly to: string;
  /** X25519, 32 bytes: an enterprise's that comes with its new key. */
  readonly hpkeKey?: Uint8Array;
  /** By the old key and by the new one. */
  readonly signatures: readonly [Uint8Array, Uint8Array];
}

type Unsigned = Omit<Succession, "signatures">;

const hpkeText = ({ hpkeKey }: Unsigned): string => (hpkeKey === undefined ? "-" : toBase64(hpkeKey));

const statement = (consortium: string, succession: Unsigned): string =>
  `${["fedcredit/succession/v1", consortium, succession.holder, succession.from, succession.to, hpkeText(succession)].join("\n")}\n`;

/** @param old, next - the signers of both keys. */
export const signSuccession = (
  consortium: string,
  succession: Unsigned,
  old: Signer,
  next: Signer,
): Succession => {
  const text = statement(consortium, succession);
  return { ...succession, signatures: [old.sign(text), next.sign(text)] };
};

/** @returns the one line a succession has, without its end. */
export const successionLine = (succession: Succession): string =>
  [
    "+key",
    succession.holder,
    succession.from,
    succession.to,
    hpkeText(succession),
    ...succession.signatures.map(toBase64),
  ].join(" ");

const malformed = (message: string): Refusal => new Refusal("note_malformed", message);

/** @throws Refusal note_malformed, key_low_order; signature_invalid, unless both keys signed it */
export function parseSuccession(line: string, consortium: string): Succession {
  const [word, holder = "", from = "", to = "", hpke = "", old = "", next = "", ...rest] = line.split(" ");
  const [oldSignature, nextSignature] = [fromBase64(old), fromBase64(next)];
  if (
    word !== "+key" ||
    !idPattern.test(holder) ||
    oldSignature?.length !== 64 ||
    nextSignature?.length !== 64 ||
    rest.length > 0
  )
    throw malformed(`malformed succession of keys ${JSON.stringify(line)}`);
  const isEnterprise = holder !== "bank" && holder !== "auditor";
  const hpkeKey = isEnterprise ? fromBase64(hpke) : undefined;
  if (isEnterprise ? hpkeKey?.length !== 32 : hpke !== "-")
    throw malformed(`the new key of ${holder} comes with no HPKE key of its own`);
  if (hpkeKey !== undefined) checkX25519Key(hpkeKey, holder);
  const keys = [parseVerifierKey(from), parseVerifierKey(to)] as const;
  for (const { publicKey } of keys) checkEd25519Key(publicKey);
  if (keys[0].name !== keys[1].name || from === to)
    throw malformed(`the next key of ${holder} is another key of the same name`);
  const succession: Succession = {
    holder,
    from,
    to,
    ...(hpkeKey === undefined ? {} : { hpkeKey }),
    signatures: [oldSignature, nextSignature],
  };
  const text = statement(consortium, succession);
  for (const [i, which] of (["old", "new"] as const).entries())
    if (!keys[i]!.verify(text, succession.signatures[i]!))
      throw new Refusal("signature_invalid", `the ${which} key of ${holder} did not sign its succession`);
  return succession;
}

/**
 * Checks that successions lead from key to key, each to one.
 * @throws Refusal note_malformed, with both where a key has two successors
 */
export function checkSuccessions(successions: readonly Succession[]): void {
  const followed = new Map<string, Succession>();
  const reached = new Map<string, string>();
  for (const succession of successions) {
    const { holder, from, to } = succession;
    const other = followed.get(from);
    if (other !== undefined) throw twoSuccessors(other, succession);
    if (followed.has(to) || [...reached.values()].includes(to))
      throw malformed(`${holder} comes back to a key that it had`);
    // An enterprise may have enrolled with other keys meanwhile; the names of bank and auditor lead to one key each.
    const isOne = holder === "bank" || holder === "auditor";
    if (isOne && reached.has(holder) && reached.get(holder) !== from)
      throw malformed(`the key of ${holder} does not follow the one before`);
    followed.set(from, succession);
    reached.set(holder, to);
  }
}

/** Both are signed by the key that they follow: whoever has them can show that it was given two successors. */
const twoSuccessors = (one: Succession, other: Succession): Refusal =>
  new Refusal(
    "roster_mismatch",
    `a key of ${one.holder} has two successors, and it signed both: "${successionLine(one)}" and "${successionLine(other)}"`,
    { hint: "tell the others and the auditor, with these two lines: they prove it" },
  );

/**
 * @param known - successions that were accepted before.
 * @returns those of a roster that come after them.
 * @throws Refusal roster_mismatch, where the roster forgets one, or tells another in its place
 */
export function successionsSince(
  known: readonly Succession[],
  successions: readonly Succession[],
): readonly Succession[] {
  for (const [i, before] of known.entries()) {
    const now = successions[i];
    if (now !== undefined && successionLine(now) === successionLine(before)) continue;
    const other = successions.find(({ from, to }) => from === before.from && to !== before.to);
    if (other !== undefined) throw twoSuccessors(before, other);
    throw new Refusal("roster_mismatch", `this roster forgets that the key of ${before.holder} changed`, {
      hint: "tell the auditor: a succession of keys is never taken back",
    });
  }
  return successions.slice(known.length);
}

/** @returns every key that bank or auditor had, the oldest first. @param pinned - where none ever changed */
export function keysOf(
  successions: readonly Succession[],
  holder: "bank" | "auditor",
  pinned: NoteVerifier,
): NoteVerifier[] {
  const own = successions.filter((succession) => succession.holder === holder);
  if (own.length === 0) return [pinned];
  return [own[0]!.from, ...own.map(({ to }) => to)].map(parseVerifierKey);
}

/**
 * @param pinned - any key that bank or auditor had.
 * @returns the one in force.
 * @throws Refusal signature_invalid, where no succession leads from the pinned key to it
 */
export function keyInForce(
  successions: readonly Succession[],
  holder: "bank" | "auditor",
  pinned: NoteVerifier,
): NoteVerifier {
  const keys = keysOf(successions, holder, pinned);
  if (keys.some(({ key }) => key === pinned.key)) return keys.at(-1)!;
  throw new Refusal("signature_invalid", `no succession leads from the ${holder}'s key that is pinned here`, {
    hint: "tell the auditor: the roster speaks of other keys than this one",
  });
}

/** @returns whether successions of an enterprise lead from one of its keys, by id, to another. */
export function leadsTo(
  successions: readonly Succession[],
  holder: string,
  keyIds: readonly string[],
  verifierKey: string,
): boolean {
  let key: string | undefined = verifierKey;
  while (key !== undefined) {
    const { keyId } = parseVerifierKey(key);
    if (keyIds.includes(keyId)) return true;
    const to: string = key;
    key = successions.find((succession) => succession.holder === holder && succession.to === to)?.from;
  }
  return false;
}

/** @returns the member with the keys that follow its own. */
export function succeeded<M extends { readonly id: string; readonly verifierKey: string }>(
  member: M & { readonly hpkeKey: Uint8Array },
  successions: readonly Succession[],
): M & { readonly hpkeKey: Uint8Array } {
  let now = member;
  for (const { holder, from, to, hpkeKey } of successions)
    if (holder === now.id && from === now.verifierKey && hpkeKey !== undefined)
      now = { ...now, verifierKey: to, hpkeKey };
  return now;
}

/**
 * @param policy - with keys that log and witnesses had at some time.
 * @returns the policy with those in force after some successions.
 */
export function followingPolicy(policy: LogPolicy, successions: readonly Succession[]): LogPolicy {
  const follow = (publicKey: Uint8Array): Uint8Array =>
    successions.reduce((key, { from, to }) => {
      const isIt = Buffer.from(parseVerifierKey(from).publicKey).equals(key);
      return isIt ? parseVerifierKey(to).publicKey : key;
    }, publicKey);
  const next = new Map<CosignatureVerifier, CosignatureVerifier>(
    policy.witnesses.map((witness) => [
      witness,
      // Successions are of Ed25519 keys.
      witness.algorithm === "Ed25519"
        ? cosignatureVerifier(witness.name, follow(witness.publicKey))
        : witness,
    ]),
  );
  const log = keysOf(successions, "bank", policy.log).at(-1)!;
  return policyWith(policy, log, next);
}

/** @returns one line of words for whoever signs or reads it. */
export const describeSuccession = ({ holder, from, to }: Succession): string =>
  `${holder} has a new key: ${fingerprint(to)} follows ${fingerprint(from)}`;
