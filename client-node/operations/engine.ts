import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBType,
  INTEGER,
  UINTEGER,
  UTINYINT,
  VARCHAR,
} from "@duckdb/node-api";

export interface EngineOptions {
  /** Worker threads; all cores where absent. */
  readonly threads?: number;
  /** Where larger-than-memory work spills; kept in memory where absent. */
  readonly spillFolder?: string;
  /** Bytes beyond which it spills; four fifths of the machine's where absent. */
  readonly memoryBytes?: number;
}

type TypedColumn = Float64Array | BigInt64Array | Int32Array | Uint32Array | Uint8Array;
export type EngineColumn = TypedColumn | readonly (string | null)[];
export type EngineValue = number | string | boolean | null;
export type EngineRow = Record<string, EngineValue>;

const chunkRows = 2048;
const valueTypes: Record<string, DuckDBType> = { BIGINT, BOOLEAN, DOUBLE, VARCHAR };

/**
 * The analytical engine: an in-memory DuckDB whose tables are rebuilt from segments at any time, so it is
 * never the only copy of anything.
 */
export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(options: EngineOptions = {}): Promise<Engine> {
    const instance = await DuckDBInstance.create(":memory:", {
      ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
      ...(options.spillFolder === undefined ? {} : { temp_directory: options.spillFolder }),
      ...(options.memoryBytes === undefined ? {} : { memory_limit: `${options.memoryBytes}B` }),
    });
    return new Engine(instance, await instance.connect());
  }

  async run(sql: string): Promise<void> {
    await this.#connection.run(sql);
  }

  /** Builds `table` from one SELECT. */
  async build(table: string, select: string): Promise<void> {
    await this.#connection.run(`CREATE OR REPLACE TABLE ${table} AS ${select}`);
  }

  /** @returns rows with plain numbers: integers beyond 2^53 lose precision, and none of ours are. */
  async rows(sql: string): Promise<EngineRow[]> {
    const reader = await this.#connection.runAndReadAll(sql);
    return reader.getRowObjectsJS().map((row) => {
      const plain: EngineRow = {};
      for (const [name, value] of Object.entries(row)) {
        plain[name] = typeof value === "bigint" ? Number(value) : (value as EngineValue);
      }
      return plain;
    });
  }

  /** Appends columns of one length to a table whose columns are in this order and of these types. */
  async append(table: string, columns: readonly EngineColumn[]): Promise<void> {
    const count = columns[0]?.length ?? 0;
    if (count === 0) return;
    const types = columns.map(typeOf);
    const appender = await this.#connection.createAppender(table);
    try {
      for (let from = 0; from < count; from += chunkRows) {
        const rows = Math.min(chunkRows, count - from);
        const chunk = DuckDBDataChunk.create(types, rows);
        for (let i = 0; i < columns.length; i++) {
          const column = columns[i]!;
          if (Array.isArray(column)) chunk.setColumnValues(i, column.slice(from, from + rows));
          else copyInto(chunk, i, (column as TypedColumn).subarray(from, from + rows));
        }
        appender.appendDataChunk(chunk);
      }
      appender.flushSync();
    } finally {
      appender.closeSync();
    }
  }

  /** As {@link append}, for short columns that may hold nulls, with their SQL types. */
  async appendValues(
    table: string,
    types: readonly string[],
    columns: readonly (readonly (string | number | bigint | boolean | null)[])[],
  ): Promise<void> {
    const count = columns[0]?.length ?? 0;
    const appender = await this.#connection.createAppender(table);
    try {
      for (let from = 0; from < count; from += chunkRows) {
        const rows = Math.min(chunkRows, count - from);
        const chunk = DuckDBDataChunk.create(
          types.map((type) => valueTypes[type]!),
          rows,
        );
        columns.forEach((column, i) => {
          chunk.setColumnValues(i, column.slice(from, from + rows));
        });
        appender.appendDataChunk(chunk);
      }
      appender.flushSync();
    } finally {
      appender.closeSync();
    }
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}

function typeOf(column: EngineColumn): DuckDBType {
  if (column instanceof Float64Array) return DOUBLE;
  if (column instanceof BigInt64Array) return BIGINT;
  if (column instanceof Int32Array) return INTEGER;
  if (column instanceof Uint32Array) return UINTEGER;
  if (column instanceof Uint8Array) return UTINYINT;
  return VARCHAR;
}

/** Every typed column is free of nulls, so the vector's memory is the array's memory. */
function copyInto(chunk: DuckDBDataChunk, index: number, values: TypedColumn): void {
  const vector = chunk.getColumnVector(index) as unknown as { items: TypedColumn; flush(): void };
  (vector.items as Float64Array).set(values as Float64Array);
  vector.flush();
}

/** @returns text as an SQL literal. */
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
