import { DatabaseSync } from "node:sqlite";
import { type BatchColumns, decodeBatch } from "./batch-codec.ts";

export interface Series {
  readonly id: number;
  readonly device: string;
  readonly metric: string;
  readonly unit: string;
}

export interface SpooledBatch {
  readonly id: number;
  /** Undefined where the stored bytes are no batch. */
  readonly columns: BatchColumns | undefined;
}

/** What a cut reads of a spool, in the node's own process or beside it. */
export interface SpoolSource {
  /** Every series seen, by ascending id. */
  series(): readonly Series[];
  /** Uncut batches after id `after`, oldest first. */
  batches(after?: number): Iterable<SpooledBatch>;
}

/** Uncut batches after id `after`, oldest first. */
export function* batchesOf(db: DatabaseSync, after = 0): Generator<SpooledBatch> {
  const next = db.prepare("SELECT id, body FROM batch WHERE id > ? ORDER BY id LIMIT 1");
  for (let id = after; ; ) {
    const row = next.get(id);
    if (row === undefined) return;
    id = Number(row.id);
    let columns: BatchColumns | undefined;
    try {
      columns = decodeBatch(row.body as Uint8Array);
    } catch {
      columns = undefined;
    }
    yield { id, columns };
  }
}

/** A spool's file, read beside the process that writes it. */
export class SpoolReader implements SpoolSource {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** @throws {Error} where there is no such file. */
  static open(path: string): SpoolReader {
    return new SpoolReader(new DatabaseSync(path, { readOnly: true, timeout: 5000 }));
  }

  series(): Series[] {
    return this.#db
      .prepare("SELECT id, device, metric, unit FROM series ORDER BY id")
      .all()
      .map((row) => ({
        id: Number(row.id),
        device: String(row.device),
        metric: String(row.metric),
        unit: String(row.unit),
      }));
  }

  batches(after = 0): Generator<SpooledBatch> {
    return batchesOf(this.#db, after);
  }

  close(): void {
    this.#db.close();
  }
}
