import type { DatabaseSync } from "node:sqlite";
import { concatBytes } from "../../core/bytes.ts";
import type { Digest } from "../../core/canonical.ts";
import type { Identity } from "../../privacy/identity.ts";
import { signCheckpoint } from "../../privacy/log/checkpoint.ts";
import { type Entry, entryBytes, parseEntry } from "../../privacy/log/entry.ts";
import { writeExport } from "../../privacy/log/export.ts";
import {
  appendLeaf,
  type CompactRange,
  emptyRange,
  type Hash,
  inclusionProof,
  leafHash,
  rangeRoot,
} from "../../privacy/log/merkle.ts";
import { noteSigner } from "../../privacy/log/note.ts";
import { spendOf } from "../../privacy/log/spend.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { PartyRecord } from "../../privacy/sum/party/party.ts";
import {
  bystanders,
  type Charged,
  type ChargedRows,
  charge,
  chargeBystander,
  isCharged,
  type SpendingOfStudy,
  spendingOverTime,
} from "./budget.ts";
import type { OutgoingKind } from "./outgoing.ts";
import { joinAttempt, markAttempt, policyVersion, submittedSums } from "./records.ts";
import { prepared, transact } from "./store.ts";

/** One message about to leave the node. */
export interface Departure {
  /** host:port. */
  readonly destination: string;
  /** A blob's chunks are one message. */
  readonly kind: OutgoingKind;
  readonly bytes: number;
  /** Of the message, as it is before TLS. */
  readonly digest: Digest;
  /** The attempt it belongs to, where it belongs to one. */
  readonly roundId?: Digest;
}

/** What a step is taken under. */
export interface StepTerms {
  /** host:port. */
  readonly destination: string;
  readonly nowMillis: number;
  /** In whose budget the sum is counted. */
  readonly charged: Charged;
  readonly enterprise: string;
  /** Digest of the policy in force. */
  readonly policy: Digest;
}

/** Sums of a study that this enterprise submitted to. */
export interface SpendOfStudy {
  readonly study: Digest;
  readonly mechanism: string;
  readonly unit: string;
  readonly sums: number;
  /** Milliseconds since the epoch. */
  readonly last: number;
}

/** Whose identity signs the ledger: the one of now, where another follows it. */
export interface LedgerSigner {
  readonly identity: Pick<Identity, "name" | "signingSeed">;
}

/**
 * The egress ledger: what this enterprise can show left it, whatever the bank's log says. Append-only, in the
 * privacy log's format; an entry is on disk before the message's first byte leaves. As a log its origin is the name
 * of the enterprise's identity key.
 */
export class EgressLedger {
  readonly #db: DatabaseSync;
  readonly #signer: LedgerSigner;
  /** Ciphertexts of submissions that are written down and have not left yet. */
  readonly #announced = new Set<Digest>();

  constructor(db: DatabaseSync, signer: LedgerSigner) {
    this.#db = db;
    this.#signer = signer;
  }

  /**
   * Records messages that are about to leave. The ciphertexts of a submission are in its own entry already.
   * @throws LedgerFailure
   */
  recordDepartures(departures: readonly Departure[], nowMillis: number): void {
    const unrecorded = departures.filter(({ digest }) => !this.#announced.delete(digest));
    if (unrecorded.length === 0) return;
    this.append(
      unrecorded.map(({ destination, ...rest }) => ({
        type: "egress.sent",
        time: nowMillis,
        destination: logName(destination),
        ...rest,
      })),
    );
  }

  /**
   * Writes down what this node is about to do in a round: the spend before the submission it is for. The messages
   * themselves are recorded as they depart.
   * @param charged - in whose budget the sum is counted; the unit is of the consented manifest.
   * @param enterprise, policy - whose policy of which digest the submission's rows went by.
   * @throws Refusal round_replayed, budget_exhausted; LedgerFailure
   */
  recordStep(
    record: PartyRecord,
    { destination, nowMillis: time, charged, enterprise, policy }: StepTerms,
  ): void {
    const { header, roundId } = record;
    const { study } = header;
    const db = this.#db;
    switch (record.kind) {
      case "open":
        joinAttempt(db, roundId, header);
        break;
      case "submission":
        transact(db, () => {
          markAttempt(db, roundId, "submitted");
          const cumulativeSteps = submittedSums(db, study) + bystanders(db, study);
          const counted = charge(db, roundId, header, charged, time);
          const spend = {
            study,
            ...spendOf(header, charged.unit),
            steps: 1,
            cumulativeSteps,
            ...(counted === undefined ? {} : { counted }),
          };
          const { bytes, digest } = record;
          const kind: OutgoingKind = "submission";
          const sent = { destination: logName(destination), kind, bytes, digest };
          const { version, changed } = policyVersion(db, policy);
          this.append([
            ...(changed ? [{ type: "policy.changed", time, enterprise, policy, version } as const] : []),
            { type: "privacy.spent", time, roundId, ...spend },
            {
              type: "egress.sent",
              time,
              roundId,
              ...sent,
              submission: digest,
              checkpoint: header.checkpoint,
              policy,
            },
          ]);
        });
        for (const chunk of record.chunks) this.#announced.add(chunk);
        break;
      case "release":
        transact(db, () => markAttempt(db, roundId, "released"));
        break;
      case "invalid":
      case "altered":
        break;
    }
  }

  /**
   * Writes down what the sum of the other half of a cohort says of this enterprise's rows, where both halves were in a
   * sum before: in whose noise it shares.
   * @throws LedgerFailure
   */
  recordBystander(roundId: Digest, header: RoundHeader, rows: ChargedRows, time: number): void {
    const db = this.#db;
    transact(db, () => {
      if (isCharged(db, roundId)) return;
      chargeBystander(db, roundId, header, rows, time);
      const { study } = header;
      const cumulativeSteps = submittedSums(db, study) + bystanders(db, study);
      const spend = spendOf(header, rows.unit);
      this.append([{ type: "privacy.spent", time, roundId, study, ...spend, steps: 1, cumulativeSteps }]);
    });
  }

  /** Appends all or none. @throws Refusal entry_invalid, and those of {@link recordDepartures} */
  append(entries: readonly Entry[]): void {
    const bodies = entries.map(entryBytes);
    transact(this.#db, () => {
      const insert = prepared(this.#db, "INSERT INTO entry VALUES (?, ?)");
      let range = readHead(this.#db);
      for (const body of bodies) {
        insert.run(range.size, body);
        range = appendLeaf(range, leafHash(body)).range;
      }
      writeHead(this.#db, range);
    });
  }

  /** @returns the ledger's state as a checkpoint signed by the enterprise. */
  checkpoint(): string {
    return this.#sign(readHead(this.#db));
  }

  #sign(range: CompactRange): string {
    const { name, signingSeed } = this.#signer.identity;
    return signCheckpoint(
      { origin: name, size: range.size, root: rangeRoot(range) },
      noteSigner(name, signingSeed),
    );
  }

  get size(): number {
    return ledgerSize(this.#db);
  }

  /** @returns recorded entries at positions from `from` (inclusive) to `until` (exclusive), the latest first. */
  entries(from: number, until: number): { position: number; entry: Entry }[] {
    return this.#db
      .prepare("SELECT position, body FROM entry WHERE position >= ? AND position < ? ORDER BY position DESC")
      .all(from, until)
      .map((row) => ({ position: Number(row.position), entry: parseEntry(row.body as Uint8Array) }));
  }

  /** @returns messages and bytes that left, by destination and kind. */
  totals(): { destination: string; kind: string; messages: number; bytes: number }[] {
    return this.#db
      .prepare(
        `SELECT e ->> 'destination' AS destination, e ->> 'kind' AS kind, count(*) AS messages,
           sum(e ->> 'bytes') AS bytes
         FROM (SELECT CAST(body AS TEXT) AS e FROM entry) WHERE e ->> 'type' = 'egress.sent'
         GROUP BY 1, 2 ORDER BY 4 DESC`,
      )
      .all()
      .map((row) => ({
        destination: String(row.destination),
        kind: String(row.kind),
        messages: Number(row.messages),
        bytes: Number(row.bytes),
      }));
  }

  /** @returns what studies have cost, the latest first. */
  spends(): SpendOfStudy[] {
    return this.#db
      .prepare(
        `SELECT e ->> 'study' AS study, e ->> 'mechanism' AS mechanism, e ->> 'unit' AS unit,
           sum(e ->> 'steps') AS sums, max(e ->> 'time') AS last
         FROM (SELECT CAST(body AS TEXT) AS e FROM entry) WHERE e ->> 'type' = 'privacy.spent'
         GROUP BY 1, 2, 3 ORDER BY 5 DESC`,
      )
      .all()
      .map((row) => ({
        study: String(row.study),
        mechanism: String(row.mechanism),
        unit: String(row.unit),
        sums: Number(row.sums),
        last: Number(row.last),
      }));
  }

  /** @returns how a table's ε grew, study after study. */
  spendingOverTime(table: string, delta: number): SpendingOfStudy[] {
    return spendingOverTime(this.#db, table, delta);
  }

  /** @returns what shows that an entry is in the ledger that the checkpoint commits to. */
  async prove(position: number): Promise<{ leaf: Hash; path: Hash[]; checkpoint: string }> {
    const range = readHead(this.#db);
    const select = this.#db.prepare("SELECT body FROM entry WHERE position = ?");
    const leafAt = (index: number): Hash => leafHash(select.get(index)!.body as Uint8Array);
    const subtree = (level: number, index: number): Hash => {
      let part = emptyRange;
      for (let leaf = index * 2 ** level; leaf < (index + 1) * 2 ** level; leaf++)
        part = appendLeaf(part, leafAt(leaf)).range;
      return rangeRoot(part);
    };
    const path = await inclusionProof(position, range.size, subtree);
    return { leaf: leafAt(position), path, checkpoint: this.#sign(range) };
  }

  /** @returns the file that `audit reconcile` reads, a line at a time. */
  export(): AsyncGenerator<Uint8Array> {
    const range = readHead(this.#db);
    return writeExport("ledger", this.#sign(range), this.#items(range.size));
  }

  *#items(size: number): Generator<{ type: "entry"; bytes: Uint8Array }> {
    const select = this.#db.prepare("SELECT body FROM entry WHERE position < ? ORDER BY position");
    for (const row of select.iterate(size)) yield { type: "entry", bytes: row.body as Uint8Array };
  }
}

/** A log's identifiers have no brackets, in which an IPv6 host stands. */
const logName = (destination: string): string => destination.replace(/^\[(.*)\]/, "ip6:$1");

/** @returns how many entries the ledger in a store has. */
export const ledgerSize = (db: DatabaseSync): number => readHead(db).size;

function readHead(db: DatabaseSync): CompactRange {
  const row = prepared(db, "SELECT size, hashes FROM head").get();
  if (row === undefined) return emptyRange;
  const bytes = row.hashes as Uint8Array;
  const hashes = Array.from({ length: bytes.length / 32 }, (_, i) => bytes.slice(32 * i, 32 * i + 32));
  return { size: Number(row.size), hashes };
}

function writeHead(db: DatabaseSync, { size, hashes }: CompactRange): void {
  prepared(
    db,
    "INSERT INTO head VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET size = excluded.size, hashes = excluded.hashes",
  ).run(size, concatBytes(...hashes));
}
