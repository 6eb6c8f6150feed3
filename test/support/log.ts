import { toHex } from "../../core/bytes.ts";
import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import { seededRandom } from "../../core/random.ts";
import { generateIdentity, type Identity, publicIdentity } from "../../privacy/identity.ts";
import { type Checkpoint, formatCheckpoint, signCheckpoint } from "../../privacy/log/checkpoint.ts";
import { signConsent } from "../../privacy/log/consent.ts";
import { cosign, cosignatureVerifier, cosigner } from "../../privacy/log/cosignature.ts";
import { type Entry, submissionsDigest } from "../../privacy/log/entry.ts";
import { type ExportItem, type ExportKind, writeExport } from "../../privacy/log/export.ts";
import { appendLeaf, type CompactRange, emptyRange, leafHash, rangeRoot } from "../../privacy/log/merkle.ts";
import { noteSigner, parseVerifierKey, type Signer } from "../../privacy/log/note.ts";
import { formatPolicy, type LogPolicy, parsePolicy } from "../../privacy/log/policy.ts";
import { formatRoster, signRoster } from "../../privacy/roster.ts";
import {
  encodeHeader,
  encryptionName,
  type RoundHeader,
  roundIdOf,
  sumProtocol,
} from "../../privacy/sum/header.ts";

/** A bank, an auditor and four enterprises with fixed keys. */
export const consortium = "riverbank-sme";
const identityOf = (id: string): Identity => generateIdentity(`${consortium}/${id}`, seededRandom(id));
export const bank = identityOf("bank");
export const auditor = identityOf("auditor");
export const enterprises = ["cold-chain", "corner-shops", "lathe-works", "textile-mill"] as const;
export const identities = new Map(enterprises.map((id) => [id as string, identityOf(id)]));

const signerOf = (identity: Identity): Signer => noteSigner(identity.name, identity.signingSeed);
const keyOf = (identity: Identity): string => publicIdentity(identity).verifierKey;
const witnessOf = (identity: Identity) =>
  cosignatureVerifier(identity.name, parseVerifierKey(keyOf(identity)).publicKey);

export const policyText: string = formatPolicy(
  parseVerifierKey(keyOf(bank)),
  [auditor, ...identities.values()].map(witnessOf),
  2,
);
export const policy: LogPolicy = parsePolicy(policyText);

export const manifest = {
  consortium,
  name: "sme-default-90",
  purpose: "credit risk of existing borrowers",
  legalBasis: "contract",
  impactAssessment: "PIA-2026-014",
  retentionDays: 1095,
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
};
const studyOf = (proposed: typeof manifest): Digest => digestOf(canonicalBytes(proposed));
export const study: Digest = studyOf(manifest);

/** Appends whatever it is told, as a dishonest bank could, and signs it. */
export class LogBuilder {
  readonly items: ExportItem[] = [];
  readonly leaves: Uint8Array[] = [];
  range: CompactRange = emptyRange;
  readonly signer: Signer;

  constructor(identity: Identity = bank) {
    this.signer = signerOf(identity);
  }

  append(entry: object): number {
    return this.appendBytes(canonicalBytes(entry));
  }

  appendBytes(bytes: Uint8Array): number {
    this.items.push({ type: "entry", bytes });
    this.leaves.push(bytes);
    this.range = appendLeaf(this.range, leafHash(bytes)).range;
    return this.range.size - 1;
  }

  attach(item: ExportItem): void {
    this.items.push(item);
  }

  state(): Checkpoint {
    return { origin: this.signer.name, size: this.range.size, root: rangeRoot(this.range) };
  }

  checkpoint(): string {
    return signCheckpoint(this.state(), this.signer);
  }

  /** @returns the export under a checkpoint that the given identities cosigned. */
  async export(
    witnesses: readonly Identity[] = [auditor, identities.get("cold-chain")!],
    kind: ExportKind = "log",
  ): Promise<Uint8Array> {
    const text = formatCheckpoint(this.state());
    const lines = witnesses.map((w) => cosign(text, cosigner(w.name, w.signingSeed, 1_790_000_000)));
    return collect(writeExport(kind, this.checkpoint() + lines.join(""), this.items));
  }
}

export async function collect(lines: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const line of lines) parts.push(line);
  return new Uint8Array(Buffer.concat(parts));
}

/** Where a forger may step in. */
export interface Forgery {
  /** @returns what is appended instead of an honest entry; `nth` counts entries of its type from 0. */
  entry?: (entry: Entry, nth: number) => readonly object[];
  /** `nth` counts headers from 0. */
  header?: (header: RoundHeader, nth: number) => RoundHeader;
  rosterSigners?: readonly Identity[];
  /** Fields of another manifest, which the entries go by. */
  manifest?: Partial<typeof manifest>;
}

/** An honest log: two released rounds, one aborted attempt, one model; `forgery` says where it is not. */
export function sampleLog(forgery: Forgery = {}): LogBuilder {
  const proposed = { ...manifest, ...forgery.manifest };
  const study = studyOf(proposed);
  const log = new LogBuilder();
  const counts = new Map<string, number>();
  let time = 1_790_000_000_000;
  type Untimed<E> = E extends Entry ? Omit<E, "time"> : never;
  const append = (entry: Untimed<Entry>): void => {
    time += 1000;
    const nth = counts.get(entry.type) ?? 0;
    counts.set(entry.type, nth + 1);
    const honest = { ...entry, time } as Entry;
    for (const forged of forgery.entry?.(honest, nth) ?? [honest]) log.append(forged);
  };

  append({ type: "consortium.created", consortium, bank: keyOf(bank), auditor: keyOf(auditor) });
  const members = [...identities].map(([id, identity]) => ({
    id,
    ...publicIdentity(identity),
    organisation: `${id} Ltd`,
  }));
  const rosterText = { consortium, version: 1, members };
  const note = signRoster(rosterText, (forgery.rosterSigners ?? [bank, auditor]).map(signerOf));
  const roster = digestOf(formatRoster(rosterText));
  log.attach({ type: "roster", note });
  append({ type: "roster.changed", roster, version: 1, members: [...enterprises] });
  const commitment = digestOf("key of epoch 1");
  append({
    type: "key.epoch",
    epoch: 1,
    roster,
    dealer: "lathe-works",
    commitment,
    confirmed: [...enterprises],
  });

  log.attach({ type: "manifest", bytes: canonicalBytes(proposed) });
  const { name, purpose, legalBasis, impactAssessment, retentionDays } = manifest;
  append({
    type: "study.proposed",
    study,
    name,
    purpose,
    legalBasis,
    impactAssessment,
    retentionDays,
    minCohort: manifest.privacy.minCohort,
    unprotected: ["noise"],
  });
  const expires = 1_800_000_000_000;
  for (const [enterprise, identity] of identities) {
    const consent = signConsent({ consortium, enterprise, study, expires }, signerOf(identity));
    append({ type: "study.consented", study, enterprise, expires, consent });
  }

  let headers = 0;
  const open = (round: number, attempt: number, state: Digest, cohort: string[]): Digest => {
    const honest: RoundHeader = {
      protocol: sumProtocol,
      consortium,
      study,
      round,
      attempt,
      state,
      roster,
      cohort,
      algorithm: { index: 0, name: "logistic", step: round - 1 },
      minCohort: manifest.privacy.minCohort,
      threshold: 3,
      keyEpoch: { epoch: 1, commitment },
      layout: { blocks: [{ name: "gradient", length: 24, bound: 1000, step: 2 ** -40 }] },
      protection: { masks: true, encryption: encryptionName, noise: "none" },
      unprotected: ["noise"],
      checkpoint: log.checkpoint(),
      stepSeconds: 30,
    };
    const header = forgery.header?.(honest, headers++) ?? honest;
    log.attach({ type: "header", bytes: encodeHeader(header) });
    const roundId = roundIdOf(header);
    append({
      type: "round.opened",
      roundId,
      study,
      round,
      attempt,
      algorithm: "logistic",
      cohort: cohort.length,
      unprotected: ["noise"],
    });
    return roundId;
  };
  const submit = (roundId: Digest, ids: readonly string[]): void => {
    for (const enterprise of ids)
      append({
        type: "round.submitted",
        roundId,
        enterprise,
        digest: submissionOf(roundId, enterprise),
        bytes: 32_962,
        layers: ["mask", "encryption"],
      });
  };
  const release = (roundId: Digest, survivors: string[], cumulativeSteps: number, state: Digest): void => {
    const submissions = survivors.map((enterprise) => ({
      enterprise,
      digest: submissionOf(roundId, enterprise),
    }));
    append({ type: "round.survivors", roundId, survivors, submissions: submissionsDigest(submissions) });
    append({
      type: "privacy.spent",
      roundId,
      study,
      mechanism: "none",
      unit: "record",
      steps: 1,
      cumulativeSteps,
    });
    append({ type: "round.released", roundId, sum: digestOf(`sum ${roundId}`), signers: survivors, state });
  };

  const states = ["start", "one", "two"].map((text) => digestOf(text)) as [Digest, Digest, Digest];
  const first = open(1, 1, states[0], [...enterprises]);
  submit(first, enterprises);
  release(first, [...enterprises], 1, states[1]);

  const failed = open(2, 1, states[1], [...enterprises]);
  submit(failed, enterprises.slice(0, 2));
  append({ type: "round.aborted", roundId: failed, reason: "too_few_survivors" });
  const second = open(2, 2, states[1], [...enterprises]);
  submit(second, enterprises);
  release(second, enterprises.slice(0, 3), 2, states[2]);

  const ledger = sampleLedger("cold-chain", [first, failed, second]);
  const { size, root } = ledger.state();
  append({
    type: "ledger.reported",
    enterprise: "cold-chain",
    size,
    root: toHex(root),
    checkpoint: ledger.checkpoint(),
  });
  const model = digestOf("model");
  append({
    type: "model.published",
    model,
    study,
    rounds: [first, second],
    smallestCohort: 3,
    unprotected: ["noise"],
  });
  append({
    type: "model.evaluated",
    ...{ model, study, algorithm: "logistic", rows: 6000, metrics: { auc: 0.77, ks: 0.41 } },
  });
  append({ type: "study.withdrawn", study, enterprise: "cold-chain" });
  return log;
}

export const submissionOf = (roundId: Digest, enterprise: string): Digest => digestOf(roundId, enterprise);

/** The egress ledger of an enterprise that submitted to these attempts. */
export function sampleLedger(enterprise: string, roundIds: readonly Digest[]): LogBuilder {
  const ledger = new LogBuilder(identities.get(enterprise)!);
  let time = 1_790_000_000_000;
  for (const [i, roundId] of roundIds.entries()) {
    const step = { roundId, study, mechanism: "none", unit: "record", steps: 1, cumulativeSteps: i + 1 };
    ledger.append({ type: "privacy.spent", time: ++time, ...step });
    ledger.append({
      type: "egress.sent",
      time: ++time,
      destination: "bank",
      kind: "submit",
      bytes: 200,
      digest: digestOf(`message ${i}`),
      roundId,
      submission: submissionOf(roundId, enterprise),
    });
  }
  return ledger;
}
