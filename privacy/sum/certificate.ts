/**
 * The sum certificate: all that convinces somebody who was away, or an auditor, of the one sum of a step. With the
 * state before it, the state after it follows. Whether the log holds it is for the caller to check: two
 * certificates of one step are a fork.
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { fromBase64 } from "../../core/bytes.ts";
import { canonicalBytes, type Digest, digestOf, isCanonical } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { countOrganisations, type Roster } from "../roster.ts";
import { checkEpochHeader, epochHeaderSchema, openingIdOf } from "./epoch/header.ts";
import type { SignedBy } from "./epoch/messages.ts";
import { epochGraph, type OpenEpoch } from "./epoch/secrets.ts";
import { epochDigestOf, isConfirmedByAll, viewOf } from "./epoch/transcript.ts";
import type { PartyId } from "./graph.ts";
import { roundHeaderSchema, roundIdOf } from "./header.ts";
import { dequantizeSum } from "./layout.ts";
import type { Survivor } from "./messages.ts";
import { leastSurvivors, packingOf } from "./noise-terms.ts";
import { releaseQuorum, type Statement, signedBy, sumDigest, survivorsDigest } from "./statements.ts";
import { decodeSum } from "./sum-encoding.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const signatures = z.array(z.strictObject({ party: z.string(), signature: z.base64() }));

export const certificateSchema = z.strictObject({
  format: z.literal("fedcredit/sum-certificate/v1"),
  header: roundHeaderSchema,
  epoch: z.strictObject({
    header: epochHeaderSchema,
    transcript: z.strictObject({
      opening: digest,
      advertised: digest,
      nonces: digest,
      dealer: z.string(),
      commitment: digest,
      sealed: digest,
    }),
  }),
  survivors: z.array(
    z.strictObject({
      party: z.string(),
      digest,
      commitment: digest,
      noiseCommitment: digest.optional().describe("to the seeds of noise that may be revealed"),
    }),
  ),
  agreed: signatures.describe("over the survivors"),
  unmasking: digest.describe("of the secrets that the aggregate was unmasked with"),
  aggregate: digest.describe("of the aggregate's chunk digests"),
  salt: digest.describe("of the sum's digest"),
  sum: z.base64().describe("the slots, 6 bytes each"),
  released: signatures.describe("over survivors, unmasking, aggregate and sum"),
});

export type SumCertificate = z.infer<typeof certificateSchema>;

/** @returns the survivors as members agreed on them. */
export const survivorsOf = ({ survivors }: Pick<SumCertificate, "survivors">): Survivor[] =>
  survivors.map(({ noiseCommitment = "", ...survivor }) => ({ ...survivor, noiseCommitment }));

/** @returns the bytes that travel, are stored and hashed: RFC 8785. */
export const encodeCertificate = (certificate: SumCertificate): Uint8Array => canonicalBytes(certificate);

export const certificateDigest = (certificate: SumCertificate): Digest =>
  digestOf(encodeCertificate(certificate));

/** @throws Refusal certificate_forged unless the bytes are the canonical form of a certificate. */
export function parseCertificate(bytes: Uint8Array): SumCertificate {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    const certificate = certificateSchema.parse(value);
    if (!isCanonical(bytes, value)) throw new TypeError("not canonical");
    return certificate;
  } catch (cause) {
    throw new Refusal("certificate_forged", "no sum certificate", { cause });
  }
}

/** What a certificate proves. */
export interface CertifiedSum {
  readonly roundId: Digest;
  /** Before the step. */
  readonly state: Digest;
  /** Shape [vectorLength(header.layout)]. */
  readonly values: Float64Array;
  readonly parties: number;
  readonly survivors: readonly PartyId[];
}

function ensure(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Refusal("certificate_forged", what);
}

/**
 * @param roster - that the header names.
 * @param confirmations - of all members of the epoch, sorted by party: of `OpenEpoch`, or the log.
 * @throws Refusal certificate_forged naming what fails
 */
export function verifyCertificate(
  certificate: SumCertificate,
  roster: Roster,
  confirmations: readonly SignedBy[],
): CertifiedSum {
  verifyEpoch(certificate, roster, confirmations);
  const { header, transcript } = certificate.epoch;
  return verifySum(certificate, roster, epochGraph(header, viewOf(transcript)));
}

/**
 * The same, for whoever has opened the epoch: its signatures are not looked at again.
 * @param epoch - of this roster.
 * @throws Refusal certificate_forged naming what fails
 */
export function verifyCertificateOf(
  certificate: SumCertificate,
  roster: Roster,
  epoch: OpenEpoch,
): CertifiedSum {
  const { header, transcript } = certificate.epoch;
  ensure(
    isDeepStrictEqual(header, epoch.header) && isDeepStrictEqual(transcript, epoch.transcript),
    "the epoch is another",
  );
  ensure(certificate.header.epoch === epoch.digest, "the header names another epoch");
  return verifySum(certificate, roster, epoch.neighbours);
}

function verifySum(
  certificate: SumCertificate,
  roster: Roster,
  graph: OpenEpoch["neighbours"],
): CertifiedSum {
  const { header, survivors } = certificate;
  const roundId = roundIdOf(header);
  ensure(header.roster === roster.digest && header.consortium === roster.consortium, "another roster");
  verifyHeader(certificate);
  verifySurvivors(certificate, roster);
  verifyAgreement(certificate, roundId, roster, graph);
  const { values, digest: ofSum } = readSum(certificate);
  verifyRelease(certificate, roundId, ofSum, roster);
  const ids = survivors.map(({ party }) => party);
  return { roundId, state: header.state, values, parties: ids.length, survivors: ids };
}

function verifyEpoch(
  { header, epoch }: SumCertificate,
  roster: Roster,
  confirmations: readonly SignedBy[],
): void {
  const { header: of, transcript } = epoch;
  ensure(epochDigestOf(transcript) === header.epoch, "the header names another epoch");
  ensure(openingIdOf(of) === transcript.opening, "the epoch is not of its header");
  try {
    checkEpochHeader(of, roster);
  } catch (cause) {
    throw new Refusal(
      "certificate_forged",
      "the epoch's header is not of this roster, or T not the formula's",
      {
        cause,
      },
    );
  }
  ensure(
    isConfirmedByAll(header.epoch, of.members, confirmations, roster),
    "not all members signed the epoch",
  );
}

/** What a round takes from its epoch. */
function verifyHeader({ header, epoch: { header: of } }: SumCertificate): void {
  ensure(header.threshold === of.threshold, "T is not the epoch's");
  ensure(header.slot < of.slots, "the epoch has no such slot");
  ensure(header.minCohort >= of.maxColluding + 2, "minCohort is below maxColluding + 2");
  const members = new Set(of.members);
  ensure(
    header.cohort.every((party) => members.has(party)),
    "the cohort is not of the epoch",
  );
}

function verifySurvivors({ header, survivors }: SumCertificate, roster: Roster): void {
  const ids = survivors.map(({ party }) => party);
  const cohort = new Set(header.cohort);
  ensure(
    ids.every((party, i) => cohort.has(party) && (i === 0 || ids[i - 1]! < party)),
    "the survivors are not of the cohort",
  );
  ensure(countOrganisations(roster, ids) >= header.minCohort, "fewer organisations than minCohort");
  ensure(ids.length >= leastSurvivors(header), "fewer survivors than the noise is for");
  ensure(
    header.follows === null || isDeepStrictEqual(ids, header.cohort),
    "vectors were summed again with drop-outs",
  );
}

/** @returns who signed, each once. */
function signersOf(
  said: SumCertificate["agreed"],
  among: ReadonlySet<PartyId>,
  roundId: Digest,
  statement: Statement,
  roster: Roster,
): ReadonlySet<PartyId> {
  return new Set(
    said
      .filter(
        ({ party, signature }) =>
          among.has(party) &&
          signedBy(roster, roundId, party, statement, fromBase64(signature) ?? new Uint8Array()),
      )
      .map(({ party }) => party),
  );
}

/** Whoever released has seen T signatures of its closed neighbourhood before it unmasked. */
function verifyAgreement(
  { header, epoch, survivors, agreed, released }: SumCertificate,
  roundId: Digest,
  roster: Roster,
  graph: OpenEpoch["neighbours"],
): void {
  const statement = { purpose: "agree", survivors: survivorsDigest(survivorsOf({ survivors })) } as const;
  const members = new Set(epoch.header.members);
  const signers = signersOf(agreed, members, roundId, statement, roster);
  ensure(signers.size >= header.threshold, `${signers.size} of T = ${header.threshold} agreed`);
  ensure(signers.size === agreed.length, "not all who are named have agreed");
  for (const { party } of released) {
    const around = [party, ...(graph.get(party) ?? [])].filter((id) => signers.has(id)).length;
    ensure(around >= header.threshold, `${around} of T = ${header.threshold} agreed around ${party}`);
  }
}

function readSum({ header, survivors, salt, sum }: SumCertificate): {
  readonly values: Float64Array;
  readonly digest: Digest;
} {
  const packing = packingOf(header);
  const bytes = fromBase64(sum) ?? new Uint8Array();
  try {
    const values = dequantizeSum(decodeSum(bytes, packing.slots), packing, survivors.length);
    return { values, digest: sumDigest(Buffer.from(salt, "hex"), bytes) };
  } catch (cause) {
    throw new Refusal("certificate_forged", "the sum is none of so many vectors", { cause });
  }
}

function verifyRelease(
  { epoch, survivors, unmasking, aggregate, released }: SumCertificate,
  roundId: Digest,
  ofSum: Digest,
  roster: Roster,
): void {
  const statement = {
    purpose: "release",
    survivors: survivorsDigest(survivorsOf({ survivors })),
    unmasking,
    aggregate,
    digest: ofSum,
  } as const;
  const among = new Set(survivors.map(({ party }) => party));
  const { size } = signersOf(released, among, roundId, statement, roster);
  const quorum = releaseQuorum(survivors.length, epoch.header.maxColluding);
  ensure(size >= quorum, `${size} of ${quorum} survivors signed the sum`);
  ensure(size === released.length, "not all who are named have signed the sum");
}
