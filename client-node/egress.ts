import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../privacy/canonical.ts";
import type { Identity } from "../privacy/identity.ts";
import { concatBytes } from "../privacy/log/bytes.ts";
import { signCheckpoint } from "../privacy/log/checkpoint.ts";
import { type Entry, entryBytes } from "../privacy/log/entry.ts";
import { appendLeaf, type CompactRange, emptyRange, leafHash, rangeRoot } from "../privacy/log/merkle.ts";
import { noteSigner } from "../privacy/log/note.ts";
import type { PartyRecord } from "../privacy/sum/party.ts";
import { joinAttempt, markReleased, releasedSums } from "./memory.ts";
import { transact } from "./store.ts";

/** One message about to leave the node. */
export interface Departure {
  /** host:port. */
  readonly destination: string;
  /** The call it is part of; a blob's chunks are one message. */
  readonly kind: string;
  readonly bytes: number;
  /** Of the message, as it is before TLS. */
  readonly digest: Digest;
  /** The attempt it belongs to, where it belongs to one. */
  readonly roundId?: Digest;
}

/** Name of an enterprise's ledger as a log: its checkpoints' origin. */
export const ledgerOrigin = (consortium: string, enterprise: string): string =>
  `${consortium}/ledger/${enterprise}`;

/**
 * The egress ledger: what this enterprise can show left it, whatever the bank's log says. Append-only, in the
 * privacy log's format; an entry is on disk before the message's first byte leaves.
 */
export class EgressLedger {
  readonly #db: DatabaseSync;
  readonly #origin: string;
  readonly #seed: Uint8Array;

  constructor(db: DatabaseSync, consortium: string, enterprise: string, identity: Identity) {
    this.#db = db;
    this.#origin = ledgerOrigin(consortium, enterprise);
    this.#seed = identity.signingSeed;
  }

  /** Records messages that are about to leave. @throws LedgerFailure */
  recordDepartures(departures: readonly Departure[], nowMillis: number): void {
    this.append(
      departures.map(({ destination, ...rest }) => ({
        type: "egress.sent",
        time: nowMillis,
        // An IPv6 host stands in brackets, which a log identifier has not.
        destination: destination.replace(/[[\]]/g, ""),
        ...rest,
      })),
    );
  }

  /**
   * Writes down what this node is about to do in a round; the messages themselves are recorded as they depart.
   * @param unit - of the consented manifest.
   * @throws Refusal round_replayed; LedgerFailure
   */
  recordStep(
    record: PartyRecord,
    { unit, nowMillis }: { unit: "record" | "subject"; nowMillis: number },
  ): void {
    const { header, roundId } = record;
    const { study } = header;
    const db = this.#db;
    switch (record.kind) {
      case "open":
        joinAttempt(db, header);
        break;
      case "submission": {
        const { bytes, digest } = record;
        const kind = "submission";
        this.append([
          {
            type: "egress.sent",
            time: nowMillis,
            destination: "coordinator",
            kind,
            bytes,
            digest,
            roundId,
            submission: digest,
          },
        ]);
        break;
      }
      case "release":
        transact(db, () => {
          markReleased(db, study, header.round, header.attempt);
          this.append([
            {
              type: "privacy.spent",
              time: nowMillis,
              roundId,
              study,
              mechanism: "none",
              unit,
              steps: 1,
              cumulativeSteps: releasedSums(db, study),
            },
          ]);
        });
        break;
    }
  }

  /** Appends all or none. @throws Refusal entry_invalid, and those of {@link recordDepartures} */
  append(entries: readonly Entry[]): void {
    const bodies = entries.map(entryBytes);
    transact(this.#db, () => {
      const insert = this.#db.prepare("INSERT INTO entry VALUES (?, ?)");
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
    const range = readHead(this.#db);
    return signCheckpoint(
      { origin: this.#origin, size: range.size, root: rangeRoot(range) },
      noteSigner(this.#origin, this.#seed),
    );
  }

  /** @returns entries from a position on, oldest first. */
  *entries(from = 0): Generator<Uint8Array> {
    for (const row of this.#db
      .prepare("SELECT body FROM entry WHERE position >= ? ORDER BY position")
      .iterate(from))
      yield row.body as Uint8Array;
  }
}

function readHead(db: DatabaseSync): CompactRange {
  const row = db.prepare("SELECT size, hashes FROM head").get();
  if (row === undefined) return emptyRange;
  const bytes = row.hashes as Uint8Array;
  const hashes = Array.from({ length: bytes.length / 32 }, (_, i) => bytes.slice(32 * i, 32 * i + 32));
  return { size: Number(row.size), hashes };
}

function writeHead(db: DatabaseSync, { size, hashes }: CompactRange): void {
  db.prepare(
    "INSERT INTO head VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET size = excluded.size, hashes = excluded.hashes",
  ).run(size, concatBytes(...hashes));
}
