/** Who is wrong when a member says that it cannot use a key or a share. */
import { z } from "zod";
import { canonicalBytes, type Digest, digestOf } from "../../../core/canonical.ts";
import { Refusal } from "../../../core/reasons.ts";
import { parsedBy } from "../../../core/schema.ts";
import type { Roster } from "../../roster.ts";
import { checkSecretKey } from "../encryption/bfv-format.ts";
import type { PartyId } from "../graph.ts";
import { type Channel, openWithEphemeral } from "./channel.ts";
import { checkEpochHeader, encodeEpochHeader, openingIdOf, parseEpochHeader } from "./header.ts";
import { bundleHashBytes, isBundleOf } from "./sharing.ts";
import {
  advertisedDigest,
  advertisementDigest,
  type EpochStatement,
  epochSignedBy,
  sealedKeyDigest,
  viewOf,
} from "./transcript.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const partyId = z.string().regex(/^[a-z0-9-]{1,63}$/);
const bytes = (most: number) => z.string().max(Math.ceil(most / 3) * 4);
const longestSealed = 65_536;
const signature = bytes(64);

/** What a complaint was about, and how the accused answered. Bytes are base64. */
const evidenceSchema = z.strictObject({
  format: z.literal("fedcredit/epoch-complaint/v1"),
  /** Canonical JSON of the epoch's header. */
  header: z.string().max(300_000),
  /** Digests of all advertisements, in the members' order. */
  advertisements: z.array(digest).max(4096),
  nonces: digest,
  accuser: z.strictObject({
    party: partyId,
    nonceCommitment: digest,
    maskKeys: digest,
    shareKey: z.string().regex(/^[0-9a-f]{64}$/),
    joinSignature: signature,
    complaintSignature: signature,
  }),
  accused: z.strictObject({
    party: partyId,
    /** The ephemeral secret it opened. */
    secret: bytes(32),
    answerSignature: signature,
  }),
  message: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("share"),
      ephemeral: bytes(32),
      ciphertext: bytes(longestSealed),
      hashes: bytes(bundleHashBytes),
      signature,
    }),
    z.strictObject({
      kind: z.literal("key"),
      ephemeral: bytes(32),
      ciphertext: bytes(longestSealed),
      commitment: digest,
      sealedDigests: z.array(digest).max(4096),
      signature,
    }),
  ]),
});

export type ComplaintEvidence = z.infer<typeof evidenceSchema>;

const longestEvidence = 1_200_000;

export const encodeEvidence = (evidence: ComplaintEvidence): Uint8Array => canonicalBytes(evidence);

/** @throws Refusal message_malformed */
export function parseEvidence(encoded: Uint8Array): ComplaintEvidence {
  const malformed = (cause?: unknown): Refusal =>
    new Refusal("message_malformed", "the evidence of a complaint is malformed", { cause });
  if (encoded.length > longestEvidence) throw malformed();
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(encoded).toString("utf8"));
  } catch (cause) {
    throw malformed(cause);
  }
  const parsed = parsedBy(evidenceSchema, value);
  if (!parsed.success) throw malformed(parsed.error);
  return parsed.data;
}

const fromText = (text: string): Uint8Array => Buffer.from(text, "base64");

/**
 * Settles a complaint from what both have signed: run alike by coordinator, members and auditor.
 * The accused is guilty unless the secret it opened gives, from the message it signed, what its signed hashes
 * or commitment say; then the accuser is, who could have opened the same.
 *
 * @returns who is guilty.
 * @throws Refusal message_malformed, roster_mismatch, threshold_mismatch, signature_invalid, digest_mismatch
 * where the evidence itself does not hold: then it shows nothing of anyone.
 */
export function settleComplaint(evidence: ComplaintEvidence, roster: Roster): PartyId {
  const { accuser, accused, message } = evidence;
  const header = parseEpochHeader(Buffer.from(evidence.header, "utf8"));
  checkEpochHeader(header, roster);
  const opening = openingIdOf(header);
  const brief = {
    nonceCommitment: accuser.nonceCommitment,
    maskKeys: accuser.maskKeys,
    shareKey: accuser.shareKey,
  };
  const place = header.members.indexOf(accuser.party);
  if (
    place === -1 ||
    evidence.advertisements.length !== header.members.length ||
    evidence.advertisements[place] !== advertisementDigest(accuser.party, brief)
  )
    throw new Refusal("digest_mismatch", "the accuser's share key is not among the advertised");
  const advertised = advertisedDigest(evidence.advertisements);
  const view = viewOf({ opening, advertised, nonces: evidence.nonces });
  const { kind } = message;
  const signed = (party: PartyId, statement: EpochStatement, text: string): void => {
    if (!epochSignedBy(roster, party, statement, fromText(text)))
      throw new Refusal("signature_invalid", `${party} has not signed its part of the evidence`);
  };
  signed(accuser.party, { purpose: "epoch-join", opening, brief }, accuser.joinSignature);
  const complaint = { purpose: "epoch-complaint", view, about: accused.party, kind } as const;
  signed(accuser.party, complaint, accuser.complaintSignature);
  const secret = fromText(accused.secret);
  const answer = { purpose: "epoch-answer", view, to: accuser.party, kind, secret } as const;
  signed(accused.party, answer, accused.answerSignature);
  const sealed = { ephemeral: fromText(message.ephemeral), ciphertext: fromText(message.ciphertext) };
  const channel: Channel = { view, kind, from: accused.party, to: accuser.party };
  const open = () => openWithEphemeral(secret, Buffer.from(accuser.shareKey, "hex"), channel, sealed);
  switch (message.kind) {
    case "share": {
      const hashes = fromText(message.hashes);
      const said = { purpose: "epoch-share", view, to: accuser.party, sealed, hashes } as const;
      signed(accused.party, said, message.signature);
      const bundle = open();
      const at = { view, sharer: accused.party, holder: accuser.party };
      return bundle !== undefined && isBundleOf(at, bundle, hashes) ? accuser.party : accused.party;
    }
    case "key": {
      const { commitment, sealedDigests } = message;
      signed(accused.party, { purpose: "epoch-dealt", view, commitment, sealedDigests }, message.signature);
      if (sealedDigests[place] !== sealedKeyDigest({ party: accuser.party, ...sealed }))
        throw new Refusal("digest_mismatch", "the sealed key is not the one that was dealt to the accuser");
      return isDealtKey(open(), commitment) ? accuser.party : accused.party;
    }
  }
}

/** @returns whether this is the key that was committed to, and a BFV key at all. */
export function isDealtKey(key: Uint8Array | undefined, commitment: Digest): key is Uint8Array {
  if (key === undefined || digestOf(key) !== commitment) return false;
  try {
    checkSecretKey(key);
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return false;
  }
}

/** Puts bytes into evidence. */
export const evidenceText = (part: Uint8Array): string => Buffer.from(part).toString("base64");

export const evidenceHeader = (header: Parameters<typeof encodeEpochHeader>[0]): string =>
  Buffer.from(encodeEpochHeader(header)).toString("utf8");
