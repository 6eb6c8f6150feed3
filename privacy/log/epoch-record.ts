/** All that the members of a key epoch signed, in one document: what the log's `key.epoch` names as its transcript. */
import { z } from "zod";
import { fromBase64, toBase64 } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { parsedBy } from "../../core/schema.ts";
import type { Roster } from "../roster.ts";
import { checkAdvertisement, checkNonce } from "../sum/epoch/advertisement.ts";
import { checkEpochHeader, type EpochHeader, epochHeaderSchema, openingIdOf } from "../sum/epoch/header.ts";
import type { EpochJoined, EpochNonces, EpochReady, EpochShares } from "../sum/epoch/messages.ts";
import { type OpenEpoch, openEpochOf } from "../sum/epoch/secrets.ts";
import {
  advertisedDigest,
  advertisementDigest,
  briefOf,
  dealerOf,
  epochDigestOf,
  epochSignedBy,
  isConfirmedByAll,
  noncesDigest,
  sealedKeysDigest,
  viewOf,
} from "../sum/epoch/transcript.ts";

/** @returns what a `key.epoch` entry repeats of the epoch that its members signed. */
export const epochFields = ({ header, digest, transcript }: OpenEpoch) => ({
  epoch: header.epoch,
  digest,
  roster: header.roster,
  members: header.members,
  maxColluding: header.maxColluding,
  degree: header.degree,
  threshold: header.threshold,
  slots: header.slots,
  dealer: transcript.dealer,
  commitment: transcript.commitment,
});

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const party = z.string().regex(/^[a-z0-9-]{1,63}$/);
const bytes = (most: number) =>
  z
    .string()
    .max(Math.ceil(most / 3) * 4)
    .transform((text, issues): Uint8Array => {
      const read = fromBase64(text);
      if (read === undefined) issues.addIssue("not base64");
      return read ?? new Uint8Array();
    });
const members = 4096;

const recordSchema = z.strictObject({
  format: z.literal("fedcredit/key-epoch/v1"),
  header: epochHeaderSchema,
  joined: z
    .array(
      z.strictObject({
        party,
        nonceCommitment: digest,
        maskKeys: bytes(64 * 32),
        shareKey: bytes(32),
        signature: bytes(64),
      }),
    )
    .max(members),
  nonces: z.array(z.strictObject({ party, nonce: bytes(32) })).max(members),
  dealt: z.strictObject({
    commitment: digest,
    sealedDigests: z.array(digest).max(members),
    signature: bytes(64),
  }),
  confirmations: z.array(z.strictObject({ party, signature: bytes(64) })).max(members),
});

/** Input of the schema: canonical JSON has no other form. */
export type EpochRecord = z.input<typeof recordSchema>;

/** @returns the record of what was said in an opening that led to an epoch. */
export const epochRecord = (
  header: EpochHeader,
  said: {
    readonly joined: EpochJoined["joined"];
    readonly nonces: EpochNonces["nonces"];
    readonly dealt: Omit<NonNullable<EpochShares["dealt"]>, "sealed" | "dealer">;
    readonly confirmations: EpochReady["confirmations"];
  },
): EpochRecord => ({
  format: "fedcredit/key-epoch/v1",
  header: { ...header },
  joined: said.joined.map(({ party, nonceCommitment, maskKeys, shareKey, signature }) => ({
    party,
    nonceCommitment,
    maskKeys: toBase64(maskKeys),
    shareKey: toBase64(shareKey),
    signature: toBase64(signature),
  })),
  nonces: said.nonces.map(({ party, nonce }) => ({ party, nonce: toBase64(nonce) })),
  dealt: {
    commitment: said.dealt.commitment,
    sealedDigests: [...said.dealt.sealedDigests],
    signature: toBase64(said.dealt.signature),
  },
  confirmations: said.confirmations.map(({ party, signature }) => ({
    party,
    signature: toBase64(signature),
  })),
});

/**
 * Opens a record: header, keys, nonces and deal are signed by whom they are of, the digest by all members.
 * @throws Refusal message_malformed, roster_mismatch, threshold_mismatch, signature_invalid, nonce_mismatch,
 *   key_low_order
 */
export function openEpochRecord(value: unknown, roster: Roster): OpenEpoch {
  const parsed = parsedBy(recordSchema, value);
  if (!parsed.success) throw new Refusal("message_malformed", "not the record of a key epoch");
  const { header, joined, nonces, dealt, confirmations } = parsed.data;
  checkEpochHeader(header, roster);
  const ofMembers = (list: readonly { readonly party: string }[]): boolean =>
    list.length === header.members.length && list.every((one, i) => one.party === header.members[i]);
  if (!ofMembers(joined) || !ofMembers(nonces))
    throw new Refusal("message_malformed", "not one advertisement and one nonce a member");
  const opening = openingIdOf(header);
  const keys = new Set<string>();
  for (const [i, one] of joined.entries()) {
    checkAdvertisement(one, opening, roster, keys);
    checkNonce(opening, one, nonces[i]!.nonce);
  }
  const said = {
    opening,
    advertised: advertisedDigest(joined.map((one) => advertisementDigest(one.party, briefOf(one)))),
    nonces: noncesDigest(new Map(nonces.map((one) => [one.party, one.nonce]))),
  };
  const { commitment, sealedDigests, signature } = dealt;
  const dealer = dealerOf(header.members, said.nonces);
  const deal = { purpose: "epoch-dealt", view: viewOf(said), commitment, sealedDigests } as const;
  if (sealedDigests.length !== header.members.length || !epochSignedBy(roster, dealer, deal, signature))
    throw new Refusal("signature_invalid", "the dealer has not signed its key");
  const transcript = { ...said, dealer, commitment, sealed: sealedKeysDigest(sealedDigests) };
  if (!isConfirmedByAll(epochDigestOf(transcript), header.members, confirmations, roster))
    throw new Refusal("signature_invalid", "not every member has signed the epoch");
  return openEpochOf(header, transcript, confirmations, joined);
}
