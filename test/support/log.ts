import { toBase64, toHex } from "../../core/bytes.ts";
import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import { seededRandom, uniform } from "../../core/random.ts";
import type { EvaluateResult } from "../../models/algorithms/evaluate.ts";
import { StudyMemory } from "../../models/memory.ts";
import type { StudyManifest } from "../../models/study.ts";
import {
  advanceStudy,
  type StudyState,
  startStudy,
  studyContribute,
  studyLayout,
  studyResult,
} from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import { generateIdentity, type Identity, publicIdentity } from "../../privacy/identity.ts";
import { signCheckpoint } from "../../privacy/log/checkpoint.ts";
import { signConsent } from "../../privacy/log/consent.ts";
import { cosign, cosignatureVerifier, cosigner } from "../../privacy/log/cosignature.ts";
import {
  type Entry,
  type EntryOf,
  type EntryType,
  lineageDigest,
  submissionsDigest,
} from "../../privacy/log/entry.ts";
import { type EpochRecord, epochRecord } from "../../privacy/log/epoch-record.ts";
import { type ExportItem, type ExportKind, writeExport } from "../../privacy/log/export.ts";
import { appendLeaf, type CompactRange, emptyRange, leafHash, rangeRoot } from "../../privacy/log/merkle.ts";
import { noteSigner, parseVerifierKey, type Signer } from "../../privacy/log/note.ts";
import { formatPolicy, type LogPolicy, parsePolicy } from "../../privacy/log/policy.ts";
import { type ScoreStatement, signScoreStatement } from "../../privacy/log/score-statement.ts";
import type { ReleasedSum } from "../../privacy/log/state.ts";
import { type Checkpoint, formatCheckpoint } from "../../privacy/log/tree-head.ts";
import { openRoster, type Roster, signRoster } from "../../privacy/roster.ts";
import { certificateDigest, encodeCertificate, type SumCertificate } from "../../privacy/sum/certificate.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import type { CoordinatorEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import type { OpenEpoch } from "../../privacy/sum/epoch/secrets.ts";
import { foundEpoch } from "../../privacy/sum/epoch/simulation.ts";
import { encodeHeader, type RoundHeader, roundIdOf, sumProtocol } from "../../privacy/sum/header.ts";
import { dequantizeSum, planPacking, quantize, T, type VectorLayout } from "../../privacy/sum/layout.ts";
import type { Survivor } from "../../privacy/sum/messages.ts";
import { protectionOf } from "../../privacy/sum/protection.ts";
import { type Statement, signStatement, sumDigest, survivorsDigest } from "../../privacy/sum/statements.ts";
import { encodeSum } from "../../privacy/sum/sum-encoding.ts";
import { signStatement as signReport } from "../../privacy/warnings/report.ts";

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

/** Three algorithms of one sum each: the columns' ranges, a model, how well it scores. */
export const manifest: StudyManifest = {
  consortium,
  name: "sme-default-90",
  purpose: "credit risk of existing borrowers",
  legalBasis: "contract",
  impactAssessment: "PIA-2026-014",
  retentionDays: 1095,
  label: { column: "default", bad: ["1"], good: ["0"] },
  features: [{ name: "amount", kind: "numeric" }],
  maxRowsPerParty: 1000,
  holdout: { fraction: 0.25 },
  algorithms: [{ name: "range" }, { name: "naive-bayes" }, { name: "evaluate" }],
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 30 },
};
const studyOf = (proposed: StudyManifest): Digest => digestOf(canonicalBytes(proposed));
export const study: Digest = studyOf(manifest);

const members = [...identities].map(([id, identity]) => ({
  id,
  ...publicIdentity(identity),
  organisation: `${id} Ltd`,
}));
const rosterText = { consortium, version: 1, members };
const rosterNote = (signers: readonly Identity[]): string => signRoster(rosterText, signers.map(signerOf));
export const roster: Roster = openRoster(
  rosterNote([bank, auditor]),
  parseVerifierKey(keyOf(bank)),
  parseVerifierKey(keyOf(auditor)),
);

/** An epoch that all members opened and signed: once a process, the same for every log. */
async function openedEpoch(): Promise<{ open: OpenEpoch; record: EpochRecord }> {
  const random = seededRandom("sample epoch");
  const parties = new Map([...identities].map(([id, identity]) => [id, { id, identity, roster, random }]));
  const bfv = await openBfv();
  try {
    const { open, transcript } = await foundEpoch({ roster, parties, maxColluding: 1, bfv });
    const said = <Type extends CoordinatorEpochMessage["type"]>(type: Type) =>
      transcript.map(({ message }) => message).find((message) => message.type === type) as Extract<
        CoordinatorEpochMessage,
        { readonly type: Type }
      >;
    const { joined } = said("epochJoined");
    const { nonces } = said("epochNonces");
    const dealt = said("epochShares").dealt!;
    return {
      open,
      record: epochRecord(open.header, { joined, nonces, dealt, confirmations: open.confirmations }),
    };
  } finally {
    await bfv.close();
  }
}
export const epoch = await openedEpoch();

/** Forty rows of one enterprise, ten of them held out. */
function tableOf(id: string): Table {
  const random = seededRandom(`table ${id}`);
  const bits = (share: number): number[] =>
    Array.from({ length: 40 }, () => (uniform(random) < share ? 1 : 0));
  const label = Uint8Array.from(bits(0.3));
  return {
    rows: 40,
    columns: new Map([
      ["amount", { kind: "numeric", values: Float64Array.from({ length: 40 }, () => uniform(random)) }],
    ]),
    label,
    outcome: label,
    subject: Int32Array.from({ length: 40 }, (_, row) => row),
    holdout: Uint8Array.from({ length: 40 }, (_, row) => (row % 4 === 0 ? 1 : 0)),
  };
}

/** A step of the honest study: the state before it, and what each enterprise adds. */
interface SampleStep {
  readonly state: StudyState;
  readonly vectors: ReadonlyMap<string, Float64Array>;
}

async function stepFrom(state: StudyState): Promise<SampleStep> {
  const vectors = new Map<string, Float64Array>();
  for (const id of enterprises) {
    const means = { random: seededRandom(id), memory: new StudyMemory() };
    vectors.set(id, await studyContribute(manifest, state, tableOf(id), means));
  }
  return { state, vectors };
}

/** @returns the slots of the sum as a certificate has them. */
function sumOf({ vectors }: SampleStep, layout: VectorLayout, cohort: number, survivors: readonly string[]) {
  const packing = planPacking(layout, cohort);
  const slots = new Float64Array(packing.slots);
  for (const id of survivors)
    for (const [i, slot] of quantize(vectors.get(id)!, packing).entries()) slots[i] = (slots[i]! + slot) % T;
  return { bytes: encodeSum(slots), values: dequantizeSum(slots, packing, survivors.length) };
}

const honestSurvivors = [enterprises, enterprises.slice(0, 3), enterprises];
/** The steps of the honest study, and the state after each. */
const steps: SampleStep[] = [];
const states: StudyState[] = [startStudy(manifest)];
for (const survivors of honestSurvivors) {
  const step = await stepFrom(states.at(-1)!);
  const { values } = sumOf(step, studyLayout(manifest, step.state), enterprises.length, survivors);
  steps.push(step);
  states.push(await advanceStudy(manifest, step.state, { values, parties: survivors.length }));
}
const finished = states.at(-1)!;
const stateDigest = (state: StudyState): Digest => digestOf(canonicalBytes(state));

/** Appends whatever it is told, as a dishonest bank could, and signs it. */
export class LogBuilder {
  readonly items: ExportItem[] = [];
  readonly leaves: Uint8Array[] = [];
  range: CompactRange = emptyRange;
  /** Of the checkpoint. */
  signer: Signer;

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
  /** Members sign whatever this makes of a header. `nth` counts headers from 0. */
  header?: (header: RoundHeader, nth: number) => RoundHeader;
  /** `nth` counts certificates from 0; entries name what this makes. */
  certificate?: (certificate: SumCertificate, nth: number) => SumCertificate;
  record?: (record: EpochRecord) => EpochRecord;
  model?: (document: Record<string, unknown>) => object;
  rosterSigners?: readonly Identity[];
  /** Fields of another manifest, which the entries go by. */
  manifest?: Partial<StudyManifest>;
  /** How many members renounce the attempt that fails. */
  renouncing?: number;
  /** Attachments of these kinds are left out. */
  without?: readonly ExportItem["type"][];
}

const signed = (roundId: Digest, party: string, statement: Statement): string =>
  toBase64(signStatement(roundId, party, statement, identities.get(party)!));

export const submissionOf = (roundId: Digest, enterprise: string): Digest => digestOf(roundId, enterprise);
const survivorOf = (roundId: Digest, party: string): Survivor => ({
  party,
  digest: submissionOf(roundId, party),
  commitment: digestOf("commitment", roundId, party),
  noiseCommitment: "",
});

/** The signatures are the members' own; what they decrypted is the sum of their vectors. */
export function certificateOf(
  header: RoundHeader,
  survivors: readonly string[],
  sum: Uint8Array,
): SumCertificate {
  const roundId = roundIdOf(header);
  const list = survivors.map((id) => survivorOf(roundId, id));
  const salt = digestOf("salt", roundId);
  const unmasking = digestOf("unmasking", roundId);
  const aggregate = digestOf("aggregate", roundId);
  const digest = sumDigest(Buffer.from(salt, "hex"), sum);
  const about = { survivors: survivorsDigest(list) };
  const by = (statement: Statement) =>
    survivors.map((party) => ({ party, signature: signed(roundId, party, statement) }));
  return {
    format: "fedcredit/sum-certificate/v1",
    header,
    epoch: { header: epoch.open.header, transcript: epoch.open.transcript },
    survivors: list.map(({ noiseCommitment: _, ...survivor }) => survivor),
    agreed: by({ purpose: "agree", ...about }),
    unmasking,
    aggregate,
    salt,
    sum: toBase64(sum),
    released: by({ purpose: "release", ...about, unmasking, aggregate, digest }),
  };
}

type Untimed<E> = E extends Entry ? Omit<E, "time"> : never;

/** An honest log: three released rounds, one attempt given up after agreement, one model; `forgery` says where it is not. */
export function sampleLog(forgery: Forgery = {}): LogBuilder {
  const proposed = { ...manifest, ...forgery.manifest };
  const study = studyOf(proposed);
  const log = new LogBuilder();
  const counts = new Map<string, number>();
  let time = 1_790_000_000_000;
  const append = (entry: Untimed<Entry>): void => {
    time += 1000;
    const nth = counts.get(entry.type) ?? 0;
    counts.set(entry.type, nth + 1);
    const honest = { ...entry, time } as Entry;
    for (const forged of forgery.entry?.(honest, nth) ?? [honest]) log.append(forged);
  };
  const attach = (item: ExportItem): void => {
    if (!forgery.without?.includes(item.type)) log.attach(item);
  };

  append({ type: "consortium.created", consortium, bank: keyOf(bank), auditor: keyOf(auditor) });
  attach({ type: "roster", note: rosterNote(forgery.rosterSigners ?? [bank, auditor]) });
  append({ type: "roster.changed", roster: roster.digest, version: 1, members: [...enterprises] });
  const record = canonicalBytes(forgery.record?.(epoch.record) ?? epoch.record);
  const { header: epochHeader, transcript } = epoch.open;
  attach({ type: "epoch", bytes: record });
  append({
    type: "key.epoch",
    epoch: epochHeader.epoch,
    digest: epoch.open.digest,
    roster: roster.digest,
    members: epochHeader.members,
    maxColluding: epochHeader.maxColluding,
    degree: epochHeader.degree,
    threshold: epochHeader.threshold,
    slots: epochHeader.slots,
    dealer: transcript.dealer,
    commitment: transcript.commitment,
    transcript: digestOf(record),
  });

  attach({ type: "manifest", bytes: canonicalBytes(proposed) });
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
  const open = (round: number, attempt: number): RoundHeader => {
    const state = states[round - 1]!;
    const { index, algorithm, step } = state;
    const honest: RoundHeader = {
      protocol: sumProtocol,
      consortium,
      study,
      round,
      attempt,
      algorithm: { index, name: algorithm!, step },
      state: stateDigest(state),
      roster: roster.digest,
      epoch: epoch.open.digest,
      slot: headers++,
      cohort: [...enterprises],
      minCohort: manifest.privacy.minCohort,
      threshold: epochHeader.threshold,
      layout: { blocks: [...studyLayout(manifest, state).blocks] },
      protection: protectionOf(undefined),
      unprotected: ["noise"],
      follows: null,
      checkpoint: log.checkpoint(),
      stepSeconds: 30,
    };
    const header = forgery.header?.(honest, honest.slot) ?? honest;
    attach({ type: "header", bytes: encodeHeader(header) });
    append({
      type: "round.opened",
      roundId: roundIdOf(header),
      study,
      round,
      attempt,
      algorithm: honest.algorithm.name,
      cohort: honest.cohort.length,
      unprotected: ["noise"],
    });
    return header;
  };
  const submit = (header: RoundHeader, ids: readonly string[]): void => {
    const roundId = roundIdOf(header);
    for (const enterprise of ids) {
      const { digest, commitment } = survivorOf(roundId, enterprise);
      append({
        type: "round.submitted",
        roundId,
        enterprise,
        digest,
        commitment,
        bytes: 32_962,
        layers: ["mask", "encryption"],
        signature: signed(roundId, enterprise, { purpose: "submit", digest, commitment }),
      });
    }
  };
  const agree = (header: RoundHeader, survivors: readonly string[]): void => {
    const roundId = roundIdOf(header);
    const submissions = survivors.map((id) => ({ enterprise: id, ...survivorOf(roundId, id) }));
    const digest = submissionsDigest(submissions);
    append({ type: "round.survivors", roundId, survivors: [...survivors], submissions: digest });
  };
  const released: ReleasedSum[] = [];
  const release = (header: RoundHeader): void => {
    const round = released.length;
    const [step, survivors] = [steps[round]!, honestSurvivors[round]!];
    const roundId = roundIdOf(header);
    agree(header, survivors);
    for (const enterprise of survivors) {
      const revealed = digestOf("revealed", roundId, enterprise);
      const signature = signed(roundId, enterprise, { purpose: "unmask", revealed });
      append({ type: "round.unmasked", roundId, enterprise, revealed, signature });
    }
    append({
      type: "privacy.spent",
      roundId,
      study,
      mechanism: "none",
      unit: "record",
      steps: 1,
      cumulativeSteps: round + 1,
    });
    const { bytes } = sumOf(step, studyLayout(manifest, step.state), enterprises.length, survivors);
    const honest = certificateOf(header, survivors, bytes);
    const certificate = forgery.certificate?.(honest, round) ?? honest;
    attach({ type: "certificate", bytes: encodeCertificate(certificate) });
    const state = stateDigest(states[round + 1]!);
    append({
      type: "round.released",
      roundId,
      certificate: certificateDigest(certificate),
      sum: sumDigest(Buffer.from(certificate.salt, "hex"), Buffer.from(certificate.sum, "base64")),
      signers: certificate.released.map(({ party }) => party),
      state,
    });
    released.push({
      roundId,
      algorithm: header.algorithm.name,
      survivors: survivors.length,
      certificate: certificateDigest(certificate),
      state,
    });
  };

  const first = open(1, 1);
  submit(first, enterprises);
  release(first);

  const failed = open(2, 1);
  submit(failed, enterprises.slice(0, 3));
  agree(failed, enterprises.slice(0, 3));
  const roundId = roundIdOf(failed);
  const renounced = enterprises
    .slice(0, forgery.renouncing ?? 3)
    .map((enterprise) => ({ enterprise, signature: signed(roundId, enterprise, { purpose: "renounce" }) }));
  append({ type: "round.aborted", roundId, reason: "party_gone", renounced });
  const second = open(2, 2);
  submit(second, enterprises);
  release(second);
  const third = open(3, 1);
  submit(third, enterprises);
  release(third);

  const ledger = sampleLedger("cold-chain", [first, failed, second, third].map(roundIdOf));
  const { size, root } = ledger.state();
  append({
    type: "ledger.reported",
    enterprise: "cold-chain",
    size,
    root: toHex(root),
    checkpoint: ledger.checkpoint(),
  });
  const results = studyResult(finished)!;
  const document = {
    format: "fedcredit/model/v1",
    consortium,
    study,
    name,
    purpose,
    legalBasis,
    algorithms: proposed.algorithms,
    results,
    lineage: {
      state: stateDigest(finished),
      rounds: released.map(({ survivors: parties, ...rest }) => ({ ...rest, parties })),
    },
    protection: {
      ...protectionOf(undefined),
      unprotected: proposed.unprotected,
      ...proposed.privacy,
      smallestCohort: Math.min(...released.map(({ survivors }) => survivors)),
    },
    publishedMillis: time,
  };
  const modelBytes = canonicalBytes(forgery.model?.(document) ?? document);
  const model = digestOf(modelBytes);
  attach({ type: "model", bytes: modelBytes });
  append({
    type: "model.published",
    model,
    study,
    rounds: 3,
    lineage: lineageDigest(released.map((sum) => sum.roundId)),
    smallestCohort: 3,
    unprotected: ["noise"],
  });
  const { n, auc, ks } = (results.evaluate as EvaluateResult).models["naive-bayes"]!;
  append({ type: "model.evaluated", model, study, algorithm: "naive-bayes", rows: n, metrics: { auc, ks } });

  const scorer = "lathe-works";
  const agreed = { consortium, enterprise: scorer, study, expires };
  const agreement = signConsent(agreed, signerOf(identities.get(scorer)!), "scores");
  append({ type: "score.consented", study, enterprise: scorer, expires, consent: agreement });
  append({
    ...{ type: "score.issued", enterprise: scorer, study, model, result: "naive-bayes", grade: "E" },
    statement: statementOf({ model, issued: time + 500 }),
  });
  const about = { case: 1, enterprise: scorer, cause: "grade" } as const;
  const cause = log.range.size - 1;
  append({ type: "case.raised", ...about, entry: cause, suggestion: "reduce", policy: digestOf("cases") });
  append({ type: "case.assigned", case: 1, to: "li", by: "maria" });
  append({ type: "case.commented", case: 1, comment: digestOf("salt", "called them"), by: "li" });
  append({ type: "case.decided", case: 1, decision: "hold", reason: "paid up since", by: "li" });
  append({ type: "study.withdrawn", study, enterprise: "cold-chain" });
  return log;
}

/** What the lathe works say of themselves in the sample log. @param by - who signs */
export function statementOf(
  of: Partial<ScoreStatement> & Pick<ScoreStatement, "model" | "issued">,
  by = "lathe-works",
): string {
  const usual = {
    ...{ consortium, enterprise: "lathe-works", study, result: "naive-bayes" },
    ...{ from: "2026-08-01", until: "2026-09-01", probability: 0.1234, grade: "E" },
    ...{ reasons: ["income"], scored: 1, passed: 0.92 },
  };
  return signScoreStatement({ ...usual, ...of }, signerOf(identities.get(by)!));
}

/** What an enterprise told of its warnings, as the bank logs it; with parts that are not what it signed. */
export function warningEntry(
  time: number,
  forged: {
    readonly enterprise?: string;
    readonly signer?: string;
    readonly report?: string;
    readonly terms?: string;
    readonly consortium?: string;
    readonly warnings?: number;
    readonly signedReport?: Digest;
  } = {},
): EntryOf<"warning.raised"> {
  const { signer = "cold-chain", enterprise = "cold-chain", consortium: of = consortium } = forged;
  const signed = {
    consortium: of,
    enterprise: "cold-chain",
    terms: digestOf("terms"),
    report: forged.signedReport ?? digestOf("r"),
  };
  const { name, signingSeed } = identities.get(signer)!;
  return {
    type: "warning.raised",
    time,
    enterprise,
    warnings: forged.warnings ?? 1,
    terms: forged.terms ?? signed.terms,
    report: forged.report ?? signed.report,
    statement: signReport(signed, noteSigner(name, signingSeed)),
  };
}

/** What an enterprise says in an attempt that comes to its sum, and in one that is given up after agreement. */
const saidIn = (nth: number): string[] =>
  ["submit", "agree", ...(nth === 1 ? ["renounced"] : ["unmask", "released"])].map(
    (type) => `Rounds.Participate/${type}`,
  );

/** The egress ledger of an enterprise that took part in these attempts; the second is given up. */
export function sampleLedger(
  enterprise: string,
  roundIds: readonly Digest[],
  saidOf: (nth: number) => readonly string[] = saidIn,
): LogBuilder {
  const ledger = new LogBuilder(identities.get(enterprise)!);
  let time = 1_790_000_000_000;
  const depart = (kind: string, roundId: Digest, submission?: Digest): void => {
    ledger.append({
      type: "egress.sent",
      time: ++time,
      destination: "bank",
      kind,
      bytes: 200,
      digest: digestOf(`message ${time}`),
      roundId,
      ...(submission === undefined ? {} : { submission }),
    });
  };
  for (const [i, roundId] of roundIds.entries()) {
    const step = { roundId, study, mechanism: "none", unit: "record", steps: 1, cumulativeSteps: i + 1 };
    ledger.append({ type: "privacy.spent", time: ++time, ...step });
    depart("submission", roundId, submissionOf(roundId, enterprise));
    for (const kind of saidOf(i)) depart(kind, roundId);
  }
  return ledger;
}

const honestTypes = sampleLog().leaves.map(
  (leaf) => (JSON.parse(Buffer.from(leaf).toString()) as Entry).type,
);

/** @returns where the honest log has the nth entry of a type. */
export const placeOf = (type: EntryType, nth = 0): number =>
  honestTypes.flatMap((other, place) => (other === type ? [place] : []))[nth]!;
