/**
 * The heavy part of a study at an enterprise: its own statistic, and the step from a sum to the next state.
 * A node computes both in a thread of its own, so that collectors, alarms and the page never wait for it.
 */
import { Worker } from "node:worker_threads";
import type { Digest } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import type { SealedSum } from "../../models/algorithm.ts";
import { StudyMemory } from "../../models/memory.ts";
import type { StudyManifest } from "../../models/study.ts";
import { advanceStudy, type StudyState, studyContribute } from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import { type PackedTable, packTable } from "../rows/stored-columns.ts";

export interface Statistics {
  /** @returns shape [vectorLength(layout)] of the state's layout. @throws Refusal those of the algorithm */
  contribute(study: Digest, manifest: StudyManifest, state: StudyState, table: Table): Promise<Float64Array>;
  /** @throws Refusal where the sum has no result */
  advance(manifest: StudyManifest, state: StudyState, sum: SealedSum): Promise<StudyState>;
  close(): Promise<void>;
}

/** In the calling thread: what the thread itself runs, and what a simulation of many nodes in one process uses. */
export class DirectStatistics implements Statistics {
  readonly #random: Random;
  readonly #memories = new Map<Digest, StudyMemory>();

  constructor(random: Random) {
    this.#random = random;
  }

  async contribute(
    study: Digest,
    manifest: StudyManifest,
    state: StudyState,
    table: Table,
  ): Promise<Float64Array> {
    const memory = this.#memories.get(study) ?? new StudyMemory();
    this.#memories.set(study, memory);
    return studyContribute(manifest, state, table, { random: this.#random, memory });
  }

  advance(manifest: StudyManifest, state: StudyState, sum: SealedSum): Promise<StudyState> {
    return advanceStudy(manifest, state, sum);
  }

  async close(): Promise<void> {}
}

/** What the thread is asked. A table is sent once and named by its number from then on. */
export type StatisticsRequest = { readonly id: number } & (
  | { readonly work: "table"; readonly number: number; readonly table: PackedTable }
  | { readonly work: "forget"; readonly number: number }
  | {
      readonly work: "contribute";
      readonly study: Digest;
      readonly manifest: StudyManifest;
      readonly state: StudyState;
      readonly number: number;
    }
  | {
      readonly work: "advance";
      readonly manifest: StudyManifest;
      readonly state: StudyState;
      readonly sum: SealedSum;
    }
);

export type StatisticsReply = { readonly id: number } & (
  | { readonly done: Float64Array | StudyState | undefined }
  | { readonly refusal: { readonly reason: Reason; readonly message: string; readonly hint: string } }
  | { readonly defect: string }
);

/** Tables kept in the thread: those of studies that run at once. */
const mostTables = 4;

interface Pending {
  readonly resolve: (done: Float64Array | StudyState | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** A thread, begun with the first request; one that ends on its own fails what it was asked and is begun anew. */
export class StatisticsThread implements Statistics {
  readonly #file: URL;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  /** The tables that the thread holds, the oldest first. */
  readonly #tables = new Map<Table, number>();
  readonly #held = new Set<{ readonly table: Table }>();
  #last = 0;

  constructor(file = new URL("./statistics-worker.ts", import.meta.url)) {
    this.#file = file;
  }

  async contribute(
    study: Digest,
    manifest: StudyManifest,
    state: StudyState,
    table: Table,
  ): Promise<Float64Array> {
    // The thread reads columns that lie on disk from the file that this table keeps open.
    const held = { table };
    this.#held.add(held);
    try {
      const number = this.#tables.get(table) ?? (await this.#send(table));
      return (await this.#ask({ work: "contribute", study, manifest, state, number })) as Float64Array;
    } finally {
      this.#held.delete(held);
    }
  }

  async #send(table: Table): Promise<number> {
    for (const [old, number] of this.#tables) {
      if (this.#tables.size < mostTables) break;
      this.#tables.delete(old);
      await this.#ask({ work: "forget", number });
    }
    const number = ++this.#last;
    await this.#ask({ work: "table", number, table: packTable(table) });
    this.#tables.set(table, number);
    return number;
  }

  async advance(manifest: StudyManifest, state: StudyState, sum: SealedSum): Promise<StudyState> {
    return (await this.#ask({ work: "advance", manifest, state, sum })) as StudyState;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#end(new Refusal("unavailable", "the node ends"));
    await worker?.terminate();
  }

  #ask(
    request: StatisticsRequest extends infer Each ? (Each extends unknown ? Omit<Each, "id"> : never) : never,
  ): Promise<Float64Array | StudyState | undefined> {
    const worker = this.#worker ?? this.#begin();
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      // Who waits for an answer lives on for it.
      worker.ref();
      worker.postMessage({ ...request, id });
    });
  }

  #begin(): Worker {
    const worker = new Worker(this.#file);
    worker.on("message", (reply: StatisticsReply) => {
      const pending = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (this.#pending.size === 0) worker.unref();
      if ("done" in reply) pending?.resolve(reply.done);
      else if ("defect" in reply) pending?.reject(new Error(reply.defect));
      else {
        const { reason, message, hint } = reply.refusal;
        pending?.reject(new Refusal(reason, message, { hint }));
      }
    });
    worker.on("error", (cause) =>
      this.#end(new Refusal("internal", "the statistic's thread ended", { cause })),
    );
    worker.on("exit", () => {
      if (this.#worker === worker) this.#end(new Refusal("internal", "the statistic's thread ended"));
    });
    this.#worker = worker;
    return worker;
  }

  #end(error: Refusal): void {
    this.#worker = undefined;
    this.#tables.clear();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
