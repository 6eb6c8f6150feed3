import { z } from "zod";
import { utf8Text } from "../../core/bytes.ts";
import { canonicalBytes, type Digest, digestOf, isCanonicalText } from "../../core/canonical.ts";
import { idSchema } from "../../core/ids.ts";
import { isReason, Refusal } from "../../core/reasons.ts";
import { parsedBy } from "../../core/schema.ts";
import { studyTerms, unprotectedSchema } from "../../core/study-terms.ts";
import { spendShape } from "./spend-shape.ts";
import { maxEntryLength } from "./tiles.ts";

/**
 * What a log records. Identifiers, digests and numbers only: never a raw value, and never the plain digest of
 * something that can be guessed. Every object is strict, so nothing else can slip in.
 */

const digest = z.string().regex(/^[0-9a-f]{64}$/, "a SHA-256 digest is 64 lowercase hexadecimal digits");
const party = idSchema;
const parties = z
  .array(party)
  .refine((ids) => ids.every((id, i) => i === 0 || ids[i - 1]! < id), "sorted, none twice");
const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, "an identifier");
const count = z.int().min(0);
const share = z.number().min(0).max(1);
const time = z.int().min(0).describe("when it was recorded, Unix milliseconds");
const note = z.string().min(1).max(8000);
const reason = z.string().refine(isReason, "not a reason of the closed list");
const signature = z.base64().length(88).describe("Ed25519, by its identity key");
const statements = z.array(z.strictObject({ enterprise: party, signature }));

const deciders = parties
  .optional()
  .describe("in an enterprise's ledger: who decided it on its page, where they have names");

const serial = z.string().regex(/^[0-9a-f]{1,40}$/);

const consortium = {
  "consortium.created": {
    consortium: party,
    bank: note.describe("verifier key of the bank: signs the log and the rosters"),
    auditor: note.describe("verifier key of the auditor: signs the rosters"),
  },
  "roster.changed": {
    roster: digest.describe("of the roster note's text"),
    version: z.int().min(1),
    members: parties,
  },
  "member.expelled": {
    enterprise: party,
    reason: z.string().min(1).max(500).optional().describe("in the bank's words"),
    roster: z.int().min(1).describe("version of the roster without it"),
  },
  "certificate.issued": {
    role: z
      .enum(["enterprise", "operator", "auditor", "authority"])
      .describe("authority: the one that signs the others, for the same key"),
    holder: party,
    serial,
    expires: z.int().min(0).describe("Unix milliseconds"),
    replaces: serial
      .optional()
      .describe("of the certificate that it was asked for with; none where by a token"),
  },
  "certificate.revoked": {
    enterprise: party.optional(),
    operator: party.optional().describe("whose key is another now"),
    serial,
  },
  "key.rotated": {
    holder: party.describe("bank, auditor or an enterprise"),
    from: note.describe("verifier key that it had"),
    to: note.describe("verifier key in force from here on: both signed it in the roster"),
    roster: digest.describe("that says so, signed by bank and auditor"),
  },
  "operator.removed": { operator: party, serials: z.array(serial) },
  "key.epoch": {
    epoch: z.int().min(1),
    digest: digest.describe("of the epoch, as all its members signed it"),
    roster: digest,
    members: parties,
    maxColluding: z.int().min(1),
    degree: z.int().min(1),
    threshold: z.int().min(2),
    slots: z.int().min(1),
    dealer: party,
    commitment: digest.describe("of the epoch's secret key"),
    transcript: digest.describe("of all that the members signed, attached"),
  },
  "epoch.complaint": {
    opening: digest.describe("of the epoch's header"),
    accuser: party,
    accused: party,
    kind: z.enum(["key", "share"]),
    guilty: party,
    evidence: digest.describe("of what both have signed, attached"),
  },
};

const study = {
  "study.proposed": {
    study: digest.describe("of the manifest"),
    ...studyTerms,
    minCohort: z.int().min(2),
    unprotected: unprotectedSchema,
  },
  "study.consented": {
    study: digest,
    enterprise: party,
    expires: z.int().min(0).describe("Unix milliseconds"),
    consent: note.describe("consent signed by the enterprise's identity key"),
    by: deciders,
  },
  "study.withdrawn": { study: digest, enterprise: party },
  "study.ordered": {
    study: digest,
    order: z.enum(["paused", "retried", "stopped"]).describe("by an operator of the bank"),
  },
  "study.pruned": {
    study: digest.describe(
      "that ended, and whose retention is over: its sums and its model are kept no longer",
    ),
    sums: count.describe("released sums of it"),
    model: digest.optional(),
  },
};

const data = {
  "policy.changed": { enterprise: party, policy: digest, version: z.int().min(1), by: deciders },
  "desensitization.ran": {
    enterprise: party,
    policy: digest,
    version: z.int().min(1),
    fields: z.array(
      z.strictObject({
        field: z.string().min(1).max(200).describe("column, as the policy names it"),
        class: z.enum(["direct", "quasi", "sensitive", "operational"]),
        level: z.enum(["C1", "C2", "C3"]),
        operator: identifier,
      }),
    ),
    rowsIn: count,
    rowsOut: count,
    k: z.int().min(1).describe("smallest equivalence class reached"),
    l: z.int().min(1).describe("fewest distinct sensitive values in a class"),
    t: share.describe("largest distance of a class from the whole"),
    suppressionRate: share,
  },
  "data.committed": {
    enterprise: party,
    day: z.iso.date().describe("UTC, by the sources' clocks"),
    root: digest.describe("Merkle root over the day's segments, salted: privacy/log/commitment.ts"),
    segments: count,
    readings: count,
    delivered: share.optional().describe("cells that passed as delivered, of the period last checked"),
    completed: share.optional().describe("cells that passed after cleaning, verifying and completing"),
  },
};

const round = {
  "round.opened": {
    roundId: digest.describe("of the round header"),
    study: digest,
    round: z.int().min(1),
    attempt: z.int().min(1),
    algorithm: identifier,
    cohort: z.int().min(2).describe("number of enterprises; the header lists them"),
    unprotected: unprotectedSchema.describe("layers this round runs without"),
  },
  "round.submitted": {
    roundId: digest,
    enterprise: party,
    digest: digest.describe("of the submission"),
    commitment: digest.describe("to its self-mask seed"),
    noiseCommitment: digest.optional().describe("to the seeds of noise that it may have to reveal"),
    bytes: count.describe("of its ciphertexts, as they were uploaded"),
    layers: z.array(z.enum(["mask", "encryption", "noise"])).describe("what protects the submission"),
    signature: signature.describe("of the submission and the commitment"),
  },
  "round.survivors": {
    roundId: digest,
    survivors: parties,
    submissions: digest.describe("`submissionsDigest` of the survivors' submissions"),
  },
  "round.unmasked": {
    roundId: digest,
    enterprise: party,
    revealed: digest.describe("of the seed and the shares it revealed"),
    signature,
  },
  "round.released": {
    roundId: digest,
    certificate: digest.describe("of the sum certificate, attached"),
    sum: digest.describe("of the sum, salted"),
    signers: parties.describe("survivors that signed this digest of the sum"),
    state: digest.describe("of the model state after the server step"),
  },
  "round.aborted": {
    roundId: digest,
    reason,
    enterprise: party.optional().describe("who caused it"),
    renounced: statements.optional().describe("who will never unmask it: enough of them lift its lock"),
  },
  "round.rerun": {
    roundId: digest,
    without: parties.describe("whose shares do not match what it committed to"),
    evidence: digest.describe("of the shares that show it, attached"),
  },
  "round.split": {
    roundId: digest,
    halves: z.tuple([parties, parties]),
    evidence: digest.describe("of the seeds and signatures that the halves follow from, attached"),
    invalid: statements.describe("who found that it is no sum of valid vectors"),
  },
  "round.lost": { roundId: digest, reason },
  "privacy.spent": {
    roundId: digest,
    study: digest,
    ...spendShape,
    steps: z.int().min(1).describe("sums released by this event"),
    cumulativeSteps: z.int().min(1).describe("sums of the study released so far, this one included"),
    counted: digest
      .optional()
      .describe("attempt of the same step in whose entry the sum is counted: one of the two is released"),
  },
};

const model = {
  "model.published": {
    model: digest,
    study: digest,
    rounds: z.int().min(1).describe("released sums that it stands on"),
    lineage: digest.describe("`lineageDigest` of their roundIds"),
    smallestCohort: z.int().min(2).describe("fewest survivors in any of them"),
    unprotected: unprotectedSchema,
  },
  "model.evaluated": {
    model: digest,
    study: digest,
    algorithm: identifier.describe("whose scores were evaluated"),
    rows: count.describe("rows scored, of all enterprises"),
    metrics: z.record(identifier, z.number()).describe("as the model document states them"),
  },
  "models.ruled": {
    approvals: count.describe(
      "different people of the bank that have to approve a model before it becomes champion or challenger, from here on; 0 before the first such entry",
    ),
  },
  "model.approved": {
    model: digest,
    result: party.describe("name of the result that scores, in the model document"),
    reason: z.string().min(1).max(500).describe("in the bank's words"),
    by: party.describe("who of the bank approves that it is used"),
  },
  "model.standing": {
    model: digest,
    result: party.describe("name of the result that scores, in the model document"),
    standing: z.enum(["champion", "challenger", "retired"]).describe("how the bank uses it from now on"),
    reason: z.string().min(1).max(500).describe("in the bank's words"),
    by: party.describe("who of the bank decided"),
  },
};

/** What a bank does about an enterprise's limit. */
export const limitSteps = ["increase", "hold", "review", "reduce"] as const;
export type LimitStep = (typeof limitSteps)[number];

const number = z.int().min(1);
const bankWords = z.string().min(1).max(500).describe("in the bank's words");

const credit = {
  "score.consented": {
    study: digest.describe("whose model scores"),
    enterprise: party,
    expires: z.int().min(0).describe("Unix milliseconds"),
    consent: note.describe("consent signed by the enterprise's identity key"),
    by: deciders,
  },
  "score.withdrawn": { study: digest, enterprise: party },
  "score.issued": {
    enterprise: party,
    study: digest,
    model: digest,
    result: party.describe("name of the result that scored, in the model document"),
    grade: z.string().min(1).max(8),
    statement: note.describe("what the enterprise says of itself, signed by its identity key"),
  },
  "case.raised": {
    case: number.describe("of the bank's cases, counted from 1; one that is open already is raised anew"),
    enterprise: party.optional().describe("whose grade or warning it is; a shift is of a model"),
    model: digest.optional().describe("whose scores or columns have shifted"),
    cause: z.enum(["grade", "warning", "shift"]),
    entry: count.describe("entry of this log that it was raised by"),
    suggestion: z.enum(limitSteps).describe("by the bank's policy of cases"),
    policy: digest.describe("of that policy"),
  },
  "case.assigned": { case: number, to: party, by: party },
  "case.commented": {
    case: number,
    comment: digest.describe("of a salt and the text, which the bank keeps"),
    by: party,
  },
  "case.decided": {
    case: number,
    decision: z.enum(limitSteps),
    reason: bankWords.optional().describe("in the bank's words; there where it is not what was suggested"),
    by: party,
  },
};

const warning = {
  "warning.raised": {
    enterprise: party,
    warnings: z.int().min(1).describe("of the report: in a ledger all, in the bank's log those new to it"),
    terms: digest.describe("of the bank's terms that it consented to"),
    report: digest.describe("of the report, salted: the log holds nothing of what it says"),
    statement: note.describe("which report under which terms, signed by the enterprise's identity key"),
  },
};

const tree = z.strictObject({ size: count, root: digest });

const ledger = {
  "ledger.reported": {
    enterprise: party,
    size: count,
    root: digest,
    checkpoint: note.describe("checkpoint of the enterprise's egress ledger, signed by its identity key"),
  },
  "egress.sent": {
    destination: identifier,
    kind: identifier,
    bytes: count,
    digest: digest.describe("of the message"),
    roundId: digest.optional(),
    submission: digest.optional().describe("digest the bank logs as round.submitted"),
    checkpoint: z.string().max(8000).optional().describe("of the bank's log, as the round's header names it"),
    policy: digest.optional().describe("of the enterprise's policy that a submission's rows went by"),
  },
  "log.recovered": {
    roster: digest.describe("that says what the bank's log lost, signed by bank and auditor"),
    kept: tree.describe("the last tree of the bank's log that is in both"),
    lost: tree.describe("the largest that was shown of the log that was lost"),
    seen: tree.optional().describe("what this enterprise had been shown before"),
  },
};

const shapes = { ...consortium, ...study, ...data, ...round, ...model, ...credit, ...warning, ...ledger };

type Shapes = typeof shapes;
export type EntryType = keyof Shapes;
type Fields<T extends EntryType> = z.infer<z.ZodObject<Shapes[T], z.core.$strict>>;
export type EntryOf<T extends EntryType> = T extends EntryType
  ? { type: T; time: number } & Fields<T>
  : never;
export type Entry = EntryOf<EntryType>;

const schemas = new Map<string, z.ZodType>(
  Object.entries(shapes).map(([type, fields]) => [
    type,
    z.strictObject({ type: z.literal(type), time, ...fields }),
  ]),
);

/** @returns SHA-256 over one line `enterprise digest commitment` for each survivor, with its commitment to noise where it made one, the lines sorted. */
export const submissionsDigest = (
  submissions: readonly {
    readonly enterprise: string;
    readonly digest: Digest;
    readonly commitment: Digest;
    readonly noiseCommitment?: Digest;
  }[],
): Digest =>
  digestOf(
    submissions
      .map(
        ({ enterprise, digest, commitment, noiseCommitment }) =>
          `${[enterprise, digest, commitment, noiseCommitment].join(" ").trimEnd()}\n`,
      )
      .sort()
      .join(""),
  );

/** @returns SHA-256 over one line a roundId, in the order of the sums. */
export const lineageDigest = (roundIds: Iterable<Digest>): Digest =>
  digestOf([...roundIds].map((roundId) => `${roundId}\n`).join(""));

/** @throws Refusal entry_invalid, naming the field. */
export function checkEntry(value: unknown): Entry {
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : "";
  if (typeof type !== "string") throw new Refusal("entry_invalid", "an entry's type is a text");
  const schema = schemas.get(type);
  if (schema === undefined) throw new Refusal("entry_invalid", `no entry type "${type}"`);
  const parsed = parsedBy(schema, value);
  if (parsed.success) return parsed.data as Entry;
  const [issue] = parsed.error.issues;
  throw new Refusal("entry_invalid", `${type}: ${issue?.path.join(".") || "entry"}: ${issue?.message}`);
}

/**
 * @returns the leaf: canonical JSON, UTF-8, at most 65,535 bytes.
 * @throws Refusal entry_invalid, where the entry does not fit its schema or is too long.
 */
export function entryBytes(entry: Entry): Uint8Array {
  const checked = checkEntry(entry);
  let bytes: Uint8Array;
  try {
    bytes = canonicalBytes(checked);
  } catch (cause) {
    throw new Refusal("entry_invalid", `${entry.type}: no canonical form`, { cause });
  }
  ofEntryLength(entry, bytes);
  return bytes;
}

/** @throws Refusal entry_invalid, unless the bytes are the canonical form of a valid entry. */
export function parseEntry(bytes: Uint8Array): Entry {
  const text = utf8Text(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch (cause) {
    throw new Refusal("entry_invalid", "the entry is not JSON", { cause });
  }
  const entry = checkEntry(value);
  if (!isCanonicalText(text ?? "", entry)) throw new Refusal("entry_invalid", `${entry.type}: not canonical`);
  return ofEntryLength(entry, bytes);
}

/**
 * As {@link parseEntry}, of a text that was parsed and found canonical already.
 * @param bytes - the text. @param value - what it was parsed to.
 */
export const canonicalEntry = (bytes: Uint8Array, value: unknown): Entry =>
  ofEntryLength(checkEntry(value), bytes);

function ofEntryLength(entry: Entry, { length }: Uint8Array): Entry {
  if (length <= maxEntryLength) return entry;
  throw new Refusal("entry_invalid", `${entry.type}: ${length} bytes, at most ${maxEntryLength}`);
}
