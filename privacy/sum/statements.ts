/** What each signature of a round says, and the digests that signatures cover. Both machines use these alone. */
import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import type { Reason } from "../../core/reasons.ts";
import { type Identity, signFor } from "../identity.ts";
import { isSignedBy, type Roster } from "../roster.ts";
import type { PartyId } from "./graph.ts";
import type { Aggregate, Survivor, Unmask } from "./messages.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export type Statement =
  | {
      readonly purpose: "submit";
      /** Of `submissionDigest`. */
      readonly digest: Digest;
      readonly commitment: Digest;
      /** Commitment to the seeds of noise that may be revealed; absent where none is. */
      readonly noiseCommitment?: Digest;
    }
  | {
      readonly purpose: "agree";
      /** Of `survivorsDigest`. */
      readonly survivors: Digest;
    }
  | {
      readonly purpose: "unmask";
      /** Of `revealedDigest`. */
      readonly revealed: Digest;
    }
  | {
      readonly purpose: "release";
      readonly survivors: Digest;
      /** Of `unmaskingDigest`. */
      readonly unmasking: Digest;
      /** Of `submissionDigest`, of the aggregate's chunks. */
      readonly aggregate: Digest;
      /** Of `sumDigest`. */
      readonly digest: Digest;
    }
  | {
      readonly purpose: "invalid";
      readonly survivors: Digest;
      readonly unmasking: Digest;
      readonly aggregate: Digest;
    }
  /** "I have not unmasked this and never will." */
  | { readonly purpose: "renounce" }
  | {
      readonly purpose: "refuse";
      readonly reason: Reason;
      readonly accused: PartyId;
      readonly detail: string;
    };

/** roundId, signer and content, as canonical JSON; the purpose is part of what `signFor` signs. */
const payload = (roundId: Digest, party: PartyId, { purpose: _, ...content }: Statement): Uint8Array =>
  canonicalBytes({ roundId, party, ...content });

export const signStatement = (
  roundId: Digest,
  party: PartyId,
  statement: Statement,
  identity: Identity,
): Uint8Array => signFor(statement.purpose, identity, payload(roundId, party, statement));

/** @returns whether the signature is by the roster's key of this party. */
export function signedBy(
  roster: Roster,
  roundId: Digest,
  party: PartyId,
  statement: Statement,
  signature: Uint8Array,
): boolean {
  return isSignedBy(roster, party, statement.purpose, payload(roundId, party, statement), signature);
}

/** What a party says with its submission. */
export const submitStatement = ({
  digest,
  commitment,
  noiseCommitment,
}: Pick<Survivor, "digest" | "commitment" | "noiseCommitment">): Extract<
  Statement,
  { readonly purpose: "submit" }
> => ({
  purpose: "submit",
  digest,
  commitment,
  ...(noiseCommitment === "" ? {} : { noiseCommitment }),
});

/** @returns SHA-256 of the concatenated raw chunk digests: the digest of a submission, or of an aggregate. */
export const submissionDigest = (chunks: readonly Digest[]): Digest =>
  digestOf(Buffer.from(chunks.join(""), "hex"));

/** @returns the digest of a survivor list, every ciphertext's digest and all commitments included. */
export const survivorsDigest = (survivors: readonly Survivor[]): Digest =>
  digestOf(
    canonicalBytes(
      survivors.map(({ party, digest, commitment, noiseCommitment }) => [
        party,
        digest,
        commitment,
        ...(noiseCommitment === "" ? [] : [noiseCommitment]),
      ]),
    ),
  );

/** The seed is uniform, so that its hash hides it. */
export const selfMaskCommitment = (roundId: Digest, seed: Uint8Array): Digest =>
  digestOf("fedcredit/v2/self-mask\0", Buffer.from(roundId, "hex"), seed);

/** @returns the digest of what one party revealed. */
export const revealedDigest = ({
  selfMaskSeed,
  selfMask,
  maskSecret,
  noise,
}: Pick<Unmask, "selfMaskSeed" | "selfMask" | "maskSecret" | "noise">): Digest =>
  digestOf(
    canonicalBytes({
      selfMaskSeed: hex(selfMaskSeed),
      selfMask: selfMask.map(({ party, share }) => [party, hex(share)]),
      maskSecret: maskSecret.map(({ party, share }) => [party, hex(share)]),
      ...(noise.length === 0 ? {} : { noise: hex(noise) }),
    }),
  );

/**
 * The secrets that an aggregate was unmasked with: each is what its owner committed to, so that one set exists. Of noise
 * that was not needed the seeds may be missing of who fell silent before it revealed its own: that noise stays.
 */
export type UnmaskingSecrets = Pick<Aggregate, "seeds" | "secrets" | "noise">;

export const unmaskingDigest = ({ seeds, secrets, noise }: UnmaskingSecrets): Digest =>
  digestOf(
    canonicalBytes({
      seeds: seeds.map(({ party, seed }) => [party, hex(seed)]),
      secrets: secrets.map(({ party, maskSecret }) => [party, hex(maskSecret)]),
      ...(noise.length === 0 ? {} : { noise: noise.map(({ party, seed }) => [party, hex(seed)]) }),
    }),
  );

/** @returns 32 bytes that the survivors and the bank know: who sees digests alone cannot try sums against them. */
export const sumSalt = (roundId: Digest, { seeds }: Pick<UnmaskingSecrets, "seeds">): Uint8Array =>
  Buffer.from(
    digestOf("fedcredit/v2/sum-salt\0", Buffer.from(roundId, "hex"), ...seeds.map(({ seed }) => seed)),
    "hex",
  );

/** @param sum - as `encodeSum` gives it. */
export const sumDigest = (salt: Uint8Array, sum: Uint8Array): Digest =>
  digestOf("fedcredit/v2/sum\0", salt, sum);

/** @returns how many of `survivors` must sign a release, with `maxColluding` of the epoch colluding. */
export const releaseQuorum = (survivors: number, maxColluding: number): number =>
  Math.max(maxColluding + 1, Math.floor(survivors / 2) + 1);
