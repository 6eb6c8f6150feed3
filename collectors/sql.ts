import { createHash } from "node:crypto";
import { Refusal } from "../core/reasons.ts";
import type { Collector, CollectorContext } from "./collector.ts";
import { type RowMapping, rowMapping } from "./file/rows.ts";
import { readIso } from "./file/time.ts";
import type { Reading } from "./reading.ts";
import { unreadable } from "./runtime/event.ts";
import { InOrder } from "./runtime/in-order.ts";
import { readConfigured, readSecret } from "./runtime/secrets.ts";
import { type SeenRow, SeenRows } from "./runtime/seen-rows.ts";
import { type Link, type SuperviseLimits, supervise } from "./runtime/supervise.ts";
import type { SqlConfig } from "./sql/config.ts";
import type { SqlConnection, SqlLogin, SqlRow } from "./sql/connection.ts";
import { type Positions, positionsOf } from "./sql/position.ts";
import { openThread } from "./sql/thread.ts";

/** A result is not held open longer than this for a store that is behind: it keeps the database from tidying up. */
const patienceMillis = 30_000;

/** What is wrong with the configuration, and would be with every row. */
class Misfit extends Error {}

/**
 * Reads what is new in a database, again and again.
 *
 * Rows are asked for in the order of a column that grows, from a little before the last one stored: whoever took an
 * earlier number may commit later. Which rows of that stretch are stored is remembered, so none comes twice. How far
 * it is stored is remembered with each batch.
 */
export function sqlCollector(
  config: SqlConfig,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  let reader: RowReader;
  let login: SqlLogin;
  return supervise(
    config.name ?? `${config.server} ${config.host} ${config.database}`,
    context,
    {
      async prepare() {
        const { password, tls } = config;
        login = {
          config,
          password: await readSecret(password),
          ca: tls === "none" || tls.ca === undefined ? undefined : String(await readConfigured(tls.ca)),
        };
        reader ??= new RowReader(config);
      },
      run: (link) => reader.run(link, login),
    },
    limits,
  );
}

class RowReader {
  readonly #config: SqlConfig;
  readonly #mapping: RowMapping;
  readonly #positions: Positions;
  readonly #seen: SeenRows;
  readonly #key: readonly string[];
  readonly #receipts: InOrder<{ readonly rows: readonly SeenRow[]; readonly position: bigint }>;
  #failed: (error: unknown) => void = () => {};
  #ended = false;

  constructor(config: SqlConfig) {
    this.#config = config;
    this.#key = [config.key].flat();
    this.#mapping = rowMapping({
      ...config,
      document: [...this.#key],
      decimal: ".",
      time: { ...config.time, zone: config.time.zone ?? "UTC" },
    });
    this.#positions = positionsOf(config);
    const { server, host, port, database, query, cursor } = config;
    const source = JSON.stringify([server, host, port, database, query, cursor.column, cursor.as, this.#key]);
    this.#seen = new SeenRows(config.state, createHash("sha256").update(source).digest("hex"));
    this.#receipts = new InOrder((marks) => {
      const { position } = marks.at(-1)!;
      try {
        this.#seen.store(
          marks.flatMap(({ rows }) => rows),
          position,
          position - this.#positions.overlap,
        );
      } catch (error) {
        // Stored but not remembered: the rows come once more, which the spool tells apart.
        this.#failed(error);
      }
      this.#closeWhenDone();
    });
  }

  async run(link: Link, login: SqlLogin): Promise<void> {
    this.#failed = link.failed;
    let connection: SqlConnection | undefined;
    try {
      while (!link.signal.aborted) {
        // What is under way is not remembered yet, and would come again.
        while (this.#receipts.open > 0 && !link.signal.aborted) await link.timer.wait(5, link.signal);
        if (link.signal.aborted) break;
        connection ??= await openThread(login, link.signal);
        link.connected();
        if (await this.#poll(link, connection)) await link.timer.wait(this.#config.every, link.signal);
        else connection = undefined;
      }
    } catch (error) {
      if (!link.signal.aborted) throw error;
    } finally {
      await connection?.close();
      if (link.signal.aborted) {
        this.#ended = true;
        this.#closeWhenDone();
      }
    }
  }

  /** @returns false where it was broken off, and with it the connection, because the store was behind. */
  async #poll(link: Link, connection: SqlConnection): Promise<boolean> {
    const { query, cursor } = this.#config;
    const column = `pulled.${quoted(this.#config)}`;
    const stored = this.#seen.position;
    const from =
      stored === undefined
        ? `${column} IS NOT NULL`
        : `${column} >= ${this.#positions.literal(stored - this.#positions.overlap)}`;
    const limit = this.#positions.limit(link.now());
    let position = stored;
    let found = 0;
    for await (const rows of connection.rows(
      `SELECT * FROM (${query}) AS pulled WHERE ${from} ORDER BY ${column}`,
    )) {
      if (link.signal.aborted) return true;
      found += rows.length;
      const fresh: SeenRow[] = [];
      const readings: Reading[] = [];
      for (const row of rows) {
        const digest = this.#digest(row);
        const at = this.#positions.of(row[cursor.column]);
        if (
          at !== undefined &&
          (limit === undefined || at <= limit) &&
          (position === undefined || at > position)
        )
          position = at;
        if (this.#seen.has(digest)) continue;
        fresh.push({ digest, position: at ?? position ?? 0n });
        readings.push(...this.#readingsOf(link, row, digest));
      }
      if (fresh.length === 0) continue;
      const handed = link.emit(
        readings,
        this.#receipts.expect({ rows: fresh, position: position ?? limit ?? fresh[0]!.position }),
      );
      if (await inTime(link, handed)) continue;
      await connection.close();
      await handed;
      return false;
    }
    if (found === 0 && stored !== undefined) await this.#lookBack(link, connection, stored);
    return true;
  }

  /** Where nothing is left of the stretch that was stored last, the numbers may have begun anew. */
  async #lookBack(link: Link, connection: SqlConnection, stored: bigint): Promise<void> {
    const { query, cursor } = this.#config;
    const column = `pulled.${quoted(this.#config)}`;
    for await (const rows of connection.rows(`SELECT max(${column}) AS highest FROM (${query}) AS pulled`)) {
      const highest = this.#positions.of(rows[0]?.highest);
      if (highest !== undefined && highest < stored - this.#positions.overlap)
        link.failed(
          new Error(
            `${cursor.column} went back: the highest is now below what was stored. If the table was made anew, name another state file`,
          ),
        );
    }
  }

  #readingsOf(link: Link, row: SqlRow, digest: Uint8Array): Reading[] {
    const { time } = this.#config;
    const at = readIso(String(row[time.column] ?? "").trim());
    if (time.as === "iso" && time.zone === undefined && at !== undefined && at.offsetMillis === undefined)
      throw new Misfit(`the times of ${time.column} name no zone: set time.zone`);
    const place = Buffer.from(digest).toString("hex");
    const received = link.now();
    const mapped = this.#mapping.map(row, received, place);
    for (const column of mapped.faults) link.failed(new Error(`column ${column} of a row cannot be read`));
    if (mapped.readings.length > 0 || mapped.faults.length === 0) return mapped.readings;
    const known = this.#key.map((column) => `${column} ${row[column] ?? ""}`).join(", ");
    const shown = JSON.stringify(Object.fromEntries(this.#columns().map((column) => [column, row[column]])));
    return [
      unreadable(
        this.#config.name ?? this.#config.database,
        known,
        shown,
        mapped.faults.join(", "),
        received,
      ),
    ];
  }

  #columns(): string[] {
    return [...new Set([this.#config.cursor.column, ...this.#mapping.needed])];
  }

  /** Of all that is read of it: a row that was changed is another. @throws {Refusal} where a column is missing. */
  #digest(row: SqlRow): Uint8Array {
    const cells = this.#columns().map((column) => {
      if (Object.hasOwn(row, column)) return row[column];
      const known = Object.keys(row).slice(0, 20).join(", ");
      throw new Refusal("file_malformed", `the query has no column ${column}; it has ${known}`);
    });
    return createHash("sha256").update(JSON.stringify(cells)).digest().subarray(0, 16);
  }

  /** Receipts may come after the end of `run`. */
  #closeWhenDone(): void {
    if (this.#ended && this.#receipts.open === 0) this.#seen.close();
  }
}

async function inTime(link: Link, handed: Promise<void>): Promise<boolean> {
  const settled = new AbortController();
  const late = link.timer.wait(patienceMillis, settled.signal).then(() => false);
  const first = await Promise.race([handed.then(() => true), late]);
  settled.abort();
  return first;
}

const quoted = ({ server, cursor: { column } }: SqlConfig): string =>
  server === "postgresql" ? `"${column.replaceAll('"', '""')}"` : `\`${column.replaceAll("`", "``")}\``;
