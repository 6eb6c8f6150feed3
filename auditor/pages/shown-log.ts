/** A log as the pages show it: verified once, its entries at hand, each with its proof. */
import type { Digest } from "../../core/canonical.ts";
import { orUndefined, Refusal } from "../../core/reasons.ts";
import { canonicalEntry, type Entry } from "../../privacy/log/entry.ts";
import { type ExportRecord, readExport } from "../../privacy/log/export.ts";
import { GrowingTree, type Hash, inclusionProof, leafHash } from "../../privacy/log/merkle.ts";
import { parseNote } from "../../privacy/log/note.ts";
import type { LogPolicy } from "../../privacy/log/policy.ts";
import { formatReceipt } from "../../privacy/log/proof.ts";
import type { ExportSource } from "../../privacy/log/reconcile.ts";
import { spentEvent, unreleasedEvent } from "../../privacy/log/spend.ts";
import { parseCheckpoint } from "../../privacy/log/tree-head.ts";
import type { PrivacyEvent } from "../../privacy/noise/event.ts";
import { type RoundHeader, roundHeaderSchema } from "../../privacy/sum/header.ts";
import type { Report } from "../report/document.ts";
import { reportOf } from "../report/gather.ts";

/** An attempt of a study's round. */
export interface ShownRound {
  readonly study: Digest;
  readonly round: number;
  readonly attempt: number;
}

export interface ShownEntry {
  readonly index: number;
  readonly bytes: Uint8Array;
  /** Undefined where it does not fit its schema. */
  readonly entry: Entry | undefined;
  readonly study: Digest | undefined;
  readonly round: ShownRound | undefined;
  /** Enterprises that it names. */
  readonly enterprises: readonly string[];
}

/** One sum's cost to an enterprise. */
export interface Cost {
  readonly time: number;
  readonly study: Digest;
  readonly event: PrivacyEvent;
}

export interface LogFiles {
  readonly bank: ExportSource;
  readonly ledgers: readonly ExportSource[];
  readonly policy: LogPolicy;
  readonly policyText: string;
}

export class ShownLog {
  readonly files: LogFiles;
  readonly report: Report;
  readonly entries: readonly ShownEntry[];
  /** Enterprise → what its sums cost, in their order. */
  readonly costs: ReadonlyMap<string, readonly Cost[]>;
  /** Study → δ that its manifest counts by, where it has noise. */
  readonly deltas: ReadonlyMap<Digest, number>;
  /** The signed checkpoint, with its cosignatures. */
  readonly note: string;
  readonly #tree: GrowingTree;

  private constructor(files: LogFiles, report: Report, reading: Reading) {
    this.files = files;
    this.report = report;
    this.entries = reading.entries;
    this.costs = reading.costs;
    this.deltas = reading.deltas;
    this.note = reading.note;
    this.#tree = reading.tree;
  }

  /** @param made - Unix milliseconds. @throws Refusal file_malformed, not_found */
  static async open(files: LogFiles, made: number): Promise<ShownLog> {
    const report = await reportOf(files.bank, files.ledgers, files.policy, {}, made);
    const reading = new Reading();
    const { kind, records } = await readExport(files.bank());
    if (kind !== "log")
      throw new Refusal("file_malformed", "this is an enterprise's ledger, and no bank's log", {
        hint: "give the bank's export first, and ledgers with --ledger",
      });
    for await (const record of records) {
      if (record.type === "checkpoint") reading.note = record.note;
      else if (record.type === "entry") reading.take(record);
      else if (record.attachment.kind !== "roster")
        reading.attach(record.attachment.kind, record.attachment.digest, record.attachment.value);
    }
    return new ShownLog(files, report, reading);
  }

  /** Entries that the checkpoint is of: a receipt is of no other. */
  get signedSize(): number {
    return parseCheckpoint(parseNote(this.note).text).size;
  }

  nameOf(study: Digest): string {
    return this.report.account.studies.get(study)?.terms.name ?? study.slice(0, 12);
  }

  /** @returns the path from an entry to the signed root. @throws Refusal not_found, where the checkpoint does not reach it */
  async path(index: number): Promise<readonly Hash[]> {
    const size = this.signedSize;
    if (index >= size || this.#tree.rootAt(size) === undefined)
      throw new Refusal("not_found", `entry ${index} is not under the checkpoint of ${size} entries`);
    return inclusionProof(index, size, this.#tree.read);
  }

  /** @returns the text of a .tlog-proof file. @throws Refusal not_found */
  async receipt(index: number): Promise<string> {
    const entry = this.entries[index]!.bytes;
    return formatReceipt({ index, proof: await this.path(index), entry, checkpoint: this.note });
  }
}

/** What is gathered while the export is read. */
class Reading {
  note = "";
  readonly entries: ShownEntry[] = [];
  readonly tree = new GrowingTree();
  readonly costs = new Map<string, Cost[]>();
  readonly deltas = new Map<Digest, number>();
  readonly #rounds = new Map<Digest, ShownRound & { survivors: readonly string[]; isUnmasked: boolean }>();
  readonly #studyOfModel = new Map<Digest, Digest>();
  readonly #enterpriseOfCase = new Map<number, string>();
  readonly #units = new Map<Digest, PrivacyEvent["unit"]>();
  readonly #headers = new Map<Digest, RoundHeader>();

  attach(kind: string, digest: Digest, value: unknown): void {
    if (kind === "manifest") {
      const { privacy } = value as { privacy?: { unit?: unknown; noise?: { delta?: unknown } } };
      const delta = privacy?.noise?.delta;
      if (typeof delta === "number" && delta > 0 && delta < 1) this.deltas.set(digest, delta);
      this.#units.set(digest, privacy?.unit === "subject" ? "subject" : "record");
    }
    if (kind === "header") {
      const header = roundHeaderSchema.safeParse(value);
      if (header.success) this.#headers.set(digest, header.data);
    }
  }

  take({ index, bytes, value }: Extract<ExportRecord, { readonly type: "entry" }>): void {
    // It must not keep the file's pieces in memory.
    const own = bytes.slice();
    this.tree.append(leafHash(own));
    // What does not fit its schema is shown as it is: the page about verification says so.
    const entry = orUndefined(() => canonicalEntry(own, value));
    if (entry !== undefined) this.#note(entry);
    const round =
      entry !== undefined && "roundId" in entry ? this.#rounds.get(entry.roundId ?? "") : undefined;
    const ofCase =
      entry !== undefined && "case" in entry ? this.#enterpriseOfCase.get(entry.case) : undefined;
    const enterprises = entry === undefined ? [] : ofCase === undefined ? enterprisesIn(entry) : [ofCase];
    this.entries.push({
      index,
      bytes: own,
      entry,
      study: studyIn(entry, round, this.#studyOfModel),
      round,
      enterprises,
    });
  }

  #note(entry: Entry): void {
    if (entry.type === "case.raised" && entry.enterprise !== undefined)
      this.#enterpriseOfCase.set(entry.case, entry.enterprise);
    if (entry.type === "model.published") this.#studyOfModel.set(entry.model, entry.study);
    if (entry.type === "round.opened") {
      const { study, round, attempt } = entry;
      this.#rounds.set(entry.roundId, { study, round, attempt, survivors: [], isUnmasked: false });
    }
    if (!("roundId" in entry) || entry.roundId === undefined) return;
    const round = this.#rounds.get(entry.roundId);
    if (round === undefined) return;
    if (entry.type === "round.survivors") round.survivors = entry.survivors;
    if (entry.type === "round.unmasked") round.isUnmasked = true;
    const event = this.#eventOf(entry, round);
    if (event === undefined) return;
    // Who is in one half of an invalid sum's survivors is what the other leaves of it.
    const of = this.#headers.get(entry.roundId)?.follows?.of;
    const { survivors } = (of === undefined ? undefined : this.#rounds.get(of)) ?? round;
    const cost = { time: entry.time, study: round.study, event };
    for (const one of survivors) {
      const known = this.costs.get(one);
      if (known === undefined) this.costs.set(one, [cost]);
      else known.push(cost);
    }
  }

  #eventOf(
    entry: Entry,
    { study, isUnmasked }: { readonly study: Digest; readonly isUnmasked: boolean },
  ): PrivacyEvent | undefined {
    switch (entry.type) {
      case "privacy.spent":
        return spentEvent(entry);
      case "round.rerun":
      case "round.split":
      case "round.lost": {
        const header = this.#headers.get(entry.roundId);
        return isUnmasked && header ? unreleasedEvent(header, this.#units.get(study) ?? "record") : undefined;
      }
      default:
        return undefined;
    }
  }
}

const studyIn = (
  entry: Entry | undefined,
  round: ShownRound | undefined,
  ofModel: ReadonlyMap<Digest, Digest>,
): Digest | undefined => {
  if (entry === undefined) return undefined;
  if ("study" in entry) return entry.study;
  return "model" in entry && entry.model !== undefined ? ofModel.get(entry.model) : round?.study;
};

function enterprisesIn(entry: Entry): string[] {
  switch (entry.type) {
    case "certificate.issued":
      return entry.role === "enterprise" ? [entry.holder] : [];
    case "epoch.complaint":
      return [...new Set([entry.accuser, entry.accused])];
    case "roster.changed":
    case "key.epoch":
      return [...entry.members];
    case "key.rotated":
      return entry.holder === "bank" || entry.holder === "auditor" ? [] : [entry.holder];
    case "round.survivors":
      return [...entry.survivors];
    case "round.released":
      return [...entry.signers];
    case "round.rerun":
      return [...entry.without];
    case "round.split":
      return entry.halves.flat();
    default:
      return "enterprise" in entry && entry.enterprise !== undefined ? [entry.enterprise] : [];
  }
}
