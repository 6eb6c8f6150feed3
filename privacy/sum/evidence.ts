/** Why vectors that were unmasked once may be summed again: what the coordinator shows and every member checks. */
import { z } from "zod";
import { fromBase64, toBase64 } from "../../core/bytes.ts";
import { canonicalBytes, digestOf } from "../../core/canonical.ts";
import { seededRandom, shuffle } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { x25519Pair } from "../identity.ts";
import type { Roster } from "../roster.ts";
import type { ShareHashes } from "./epoch/secrets.ts";
import { combineSlot, hashIn, type SecretKind, shareHash } from "./epoch/sharing.ts";
import { epochSignedBy, viewOf } from "./epoch/transcript.ts";
import type { PartyId } from "./graph.ts";
import type { PartySignature } from "./messages.ts";
import type { SpentAttempt } from "./party/state.ts";
import { maskKeyOf } from "./round-masks.ts";
import {
  releaseQuorum,
  selfMaskCommitment,
  signedBy,
  submissionDigest,
  submitStatement,
  survivorsDigest,
  type UnmaskingSecrets,
  unmaskingDigest,
} from "./statements.ts";

const bytes = z.string().transform((text, issues): Uint8Array => {
  const read = fromBase64(text);
  if (read === undefined) issues.addIssue("not base64");
  return read ?? new Uint8Array();
});
const digest = z.string().regex(/^[0-9a-f]{64}$/);

const rerunSchema = z.strictObject({
  kind: z.literal("rerun"),
  sharers: z
    .array(
      z.strictObject({
        party: z.string(),
        secret: z.enum(["maskSecret", "selfMask"]),
        commitment: digest.nullable().describe("of the self-mask seed, where it submitted"),
        submission: z
          .strictObject({ digest, noiseCommitment: digest.optional(), signature: bytes })
          .nullable()
          .describe("what the sharer signed with the commitment"),
        shares: z.array(
          z.strictObject({
            holder: z.string(),
            share: bytes,
            ephemeral: bytes,
            ciphertext: bytes,
            hashes: bytes,
            signature: bytes,
          }),
        ),
      }),
    )
    .min(1),
});

const halfSchema = z.strictObject({
  kind: z.literal("half"),
  seeds: z.array(z.strictObject({ party: z.string(), seed: bytes })),
  secrets: z.array(z.strictObject({ party: z.string(), maskSecret: bytes })),
  noise: z
    .array(z.strictObject({ party: z.string(), seed: bytes }))
    .default([])
    .describe("of what was taken away"),
  chunks: z.array(digest).describe("of the aggregate"),
  invalid: z.array(z.strictObject({ party: z.string(), signature: bytes })),
});

/** What evidence is about. */
type Followed = Pick<SpentAttempt, "roundId" | "header" | "epoch" | "survivors">;

/** A sharer whose shares match their hashes and combine to another secret than the one it committed to. */
export interface WrongDeal {
  readonly party: PartyId;
  readonly kind: SecretKind;
  readonly shares: readonly { readonly holder: PartyId; readonly share: Uint8Array }[];
  /** Where it submitted. */
  readonly submission:
    | {
        readonly digest: string;
        readonly commitment: string;
        readonly noiseCommitment: string;
        readonly signature: Uint8Array;
      }
    | undefined;
}

/** @returns the evidence that some sharers dealt wrong secrets. */
export const rerunEvidence = (deals: readonly WrongDeal[], hashes: ShareHashes): Uint8Array =>
  canonicalBytes({
    kind: "rerun",
    sharers: deals.map(({ party, kind, shares, submission }) => ({
      party,
      secret: kind,
      commitment: submission?.commitment ?? null,
      submission: submission
        ? {
            digest: submission.digest,
            ...(submission.noiseCommitment === "" ? {} : { noiseCommitment: submission.noiseCommitment }),
            signature: toBase64(submission.signature),
          }
        : null,
      shares: shares.map(({ holder, share }) => {
        const message = hashes.messageOf(party, holder)!;
        return {
          holder,
          share: toBase64(share),
          ephemeral: toBase64(message.ephemeral),
          ciphertext: toBase64(message.ciphertext),
          hashes: toBase64(message.hashes),
          signature: toBase64(message.signature),
        };
      }),
    })),
  });

/** @returns the evidence that a sum was unmasked and found invalid by a quorum. */
export const halfEvidence = (
  { seeds, secrets, noise }: UnmaskingSecrets,
  chunks: readonly string[],
  invalid: readonly PartySignature[],
): Uint8Array =>
  canonicalBytes({
    kind: "half",
    seeds: seeds.map(({ party, seed }) => ({ party, seed: toBase64(seed) })),
    secrets: secrets.map(({ party, maskSecret }) => ({ party, maskSecret: toBase64(maskSecret) })),
    ...(noise.length === 0
      ? {}
      : { noise: noise.map(({ party, seed }) => ({ party, seed: toBase64(seed) })) }),
    chunks,
    invalid: invalid.map(({ party, signature }) => ({ party, signature: toBase64(signature) })),
  });

/**
 * Two halves of the survivors of an invalid sum, by a shuffle that nobody chose: its seed is the hash of all
 * their self-mask seeds, each of which was committed to before any was known.
 * @param seeds - of every survivor, sorted by party.
 * @returns undefined where a half would be smaller than `minCohort`.
 */
export function halvesOf(
  seeds: UnmaskingSecrets["seeds"],
  minCohort: number,
): readonly [PartyId[], PartyId[]] | undefined {
  const half = Math.floor(seeds.length / 2);
  if (half < minCohort) return undefined;
  const seed = digestOf("fedcredit/v2/halves\0", ...seeds.map((entry) => entry.seed));
  const order = shuffle(
    seeds.map(({ party }) => party),
    seededRandom(`fedcredit/halves ${seed}`),
  );
  return [order.slice(0, seeds.length - half).sort(), order.slice(seeds.length - half).sort()];
}

const refuse = (why: string): Refusal => new Refusal("evidence_invalid", why);

function parse<Schema extends z.ZodType>(schema: Schema, evidence: Uint8Array): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(evidence).toString("utf8")));
  } catch (cause) {
    throw new Refusal("evidence_invalid", "not evidence of this kind", { cause });
  }
}

/**
 * @param of - the attempt whose vectors are to be summed again, as this member knows it.
 * @returns the cohorts that the evidence allows.
 * @throws Refusal evidence_invalid
 */
export async function judgeEvidence(
  kind: "rerun" | "half",
  of: Followed,
  evidence: Uint8Array,
  roster: Roster,
): Promise<readonly (readonly PartyId[])[]> {
  switch (kind) {
    case "rerun":
      return [await judgeRerun(of, parse(rerunSchema, evidence), roster)];
    case "half":
      return judgeHalf(of, parse(halfSchema, evidence), roster);
  }
}

async function judgeRerun(
  of: Followed,
  { sharers }: z.infer<typeof rerunSchema>,
  roster: Roster,
): Promise<readonly PartyId[]> {
  const named = new Set<PartyId>();
  for (const sharer of sharers) {
    await judgeSharer(of, sharer, roster);
    named.add(sharer.party);
  }
  return of.survivors.map(({ party }) => party).filter((party) => !named.has(party));
}

async function judgeSharer(
  { roundId, header, epoch }: Followed,
  { party, secret, commitment, submission, shares }: z.infer<typeof rerunSchema>["sharers"][number],
  roster: Roster,
): Promise<void> {
  const view = viewOf(epoch.transcript);
  const neighbours = new Set(epoch.neighbours.get(party));
  for (const { holder, share, ephemeral, ciphertext, hashes, signature } of shares) {
    const said = {
      purpose: "epoch-share",
      view,
      to: holder,
      sealed: { ephemeral, ciphertext },
      hashes,
    } as const;
    const expected = shareHash({ view, sharer: party, holder }, header.slot, secret, share);
    if (
      !neighbours.has(holder) ||
      !epochSignedBy(roster, party, said, signature) ||
      Buffer.compare(hashIn(hashes, header.slot, secret), expected) !== 0
    )
      throw refuse(`${party} has not signed the share of ${holder}`);
  }
  if (new Set(shares.map(({ holder }) => holder)).size < header.threshold)
    throw refuse(`not enough shares of ${party}`);
  const rebuilt = await combineSlot(
    shares.map(({ share }) => share),
    header.threshold,
  ).catch((error: unknown) => {
    // it gave two holders one coordinate
    if (error instanceof Refusal) return undefined;
    throw error;
  });
  switch (secret) {
    case "maskSecret":
      if (rebuilt && Buffer.compare(x25519Pair(rebuilt).publicKey, maskKeyOf(epoch, header, party)) === 0)
        throw refuse(`${party} shared the mask secret of its key`);
      return;
    case "selfMask": {
      // its own signature: a commitment that only the coordinator names proves nothing
      const statement = submitStatement({
        digest: submission?.digest ?? "",
        commitment: commitment ?? "",
        noiseCommitment: submission?.noiseCommitment ?? "",
      });
      if (submission === null || !signedBy(roster, roundId, party, statement, submission.signature))
        throw refuse(`${party} has not signed this commitment`);
      if (rebuilt && selfMaskCommitment(roundId, rebuilt) === commitment)
        throw refuse(`${party} shared the seed it committed to`);
      return;
    }
  }
}

function judgeHalf(
  { roundId, header, epoch, survivors }: Followed,
  { seeds, secrets, noise, chunks, invalid }: z.infer<typeof halfSchema>,
  roster: Roster,
): readonly (readonly PartyId[])[] {
  const areTheirs =
    seeds.length === survivors.length &&
    survivors.every(
      ({ party, commitment }, i) =>
        seeds[i]!.party === party && selfMaskCommitment(roundId, seeds[i]!.seed) === commitment,
    );
  if (!areTheirs) throw refuse("not the seeds that the survivors committed to");
  const statement = {
    purpose: "invalid",
    survivors: survivorsDigest(survivors),
    unmasking: unmaskingDigest({ seeds, secrets, noise }),
    aggregate: submissionDigest(chunks),
  } as const;
  const survived = new Set(survivors.map(({ party }) => party));
  const signers = new Set(
    invalid
      .filter(
        ({ party, signature }) =>
          survived.has(party) && signedBy(roster, roundId, party, statement, signature),
      )
      .map(({ party }) => party),
  );
  const quorum = releaseQuorum(survivors.length, epoch.header.maxColluding);
  if (signers.size < quorum) throw refuse(`${signers.size} of ${quorum} say that the sum is invalid`);
  const halves = halvesOf(seeds, header.minCohort);
  if (halves === undefined) throw refuse("too few survivors to split");
  return halves;
}
