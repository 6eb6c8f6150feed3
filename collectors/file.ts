import { type Dirent, lstatSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "../core/reasons.ts";
import type { Collector, CollectorContext } from "./collector.ts";
import type { FileConfig } from "./file/config.ts";
import { nameFilter, type RowMapping, rowMapping } from "./file/rows.ts";
import { hashFile, SeenFiles } from "./file/seen.ts";
import { readTable } from "./file/tables.ts";
import type { Reading } from "./reading.ts";
import { unreadable } from "./runtime/event.ts";
import { InOrder } from "./runtime/in-order.ts";
import { type Link, type SuperviseLimits, supervise } from "./runtime/supervise.ts";

/**
 * What tells one state of a file from another without reading it; undefined where there is no file, or none of content.
 * What stood there as a file may be a link by now, to what nobody put here.
 */
function stampAt(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isFile() && stats.size > 0 ? `${stats.size} ${stats.mtimeMs} ${stats.ino}` : undefined;
}

/** A file of the folder, between looks. */
interface Found {
  stamp: string;
  /** `Timer.elapsed` when the stamp was first seen. */
  since: number;
  /** Nothing to do until the stamp changes. */
  handled: boolean;
  /** Parcels handed on and not yet stored. */
  open: number;
}

/**
 * Reads the files that are put into a folder, by name, each content once.
 *
 * A file is read when it has stood still for a while, so that half of one is never taken for the whole; half-written
 * files that are renamed when complete are the surest. How far it is stored is remembered with each batch.
 */
export function fileCollector(
  config: FileConfig,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  let watch: FolderWatch;
  return supervise(
    config.name ?? config.folder,
    context,
    {
      async prepare() {
        watch = new FolderWatch(config, new SeenFiles(config.state));
      },
      run: (link) => watch.run(link),
    },
    limits,
  );
}

class FolderWatch {
  readonly #config: FileConfig;
  readonly #seen: SeenFiles;
  readonly #mapping: RowMapping;
  readonly #takes: (name: string) => boolean;
  readonly #found = new Map<string, Found>();
  #open = 0;
  #ended = false;

  constructor(config: FileConfig, seen: SeenFiles) {
    this.#config = config;
    this.#seen = seen;
    this.#mapping = rowMapping(config);
    this.#takes = nameFilter(config.files);
  }

  async run(link: Link): Promise<void> {
    while (!link.signal.aborted) {
      const names = await this.#list();
      link.connected();
      for (const name of names) {
        if (link.signal.aborted) break;
        await this.#look(link, name);
      }
      await link.timer.wait(this.#config.every, link.signal);
    }
    this.#ended = true;
    this.#closeWhenDone();
  }

  /** @throws {Refusal} file_missing if the folder cannot be listed. */
  async #list(): Promise<string[]> {
    const { folder } = this.#config;
    let entries: Dirent[];
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch (cause) {
      throw new Refusal("file_missing", `cannot list ${folder}`, { cause });
    }
    const names = entries
      .filter((entry) => entry.isFile() && this.#takes(entry.name))
      .map(({ name }) => name);
    const present = new Set(names);
    for (const [name, { open }] of this.#found)
      if (!present.has(name) && open === 0) this.#found.delete(name);
    return names.sort();
  }

  async #look(link: Link, name: string): Promise<void> {
    const path = join(this.#config.folder, name);
    const stamp = stampAt(path);
    if (stamp === undefined) return;
    const now = link.timer.elapsed();
    let file = this.#found.get(name);
    if (file === undefined) {
      file = { stamp, since: now, handled: false, open: 0 };
      this.#found.set(name, file);
    } else if (file.stamp !== stamp) {
      file.stamp = stamp;
      file.since = now;
      file.handled = false;
    }
    // What a longer content of this name repeats is only known when the shorter one is stored.
    if (file.handled || file.open > 0 || now - file.since < this.#config.settle) return;
    // Nor is that another name's content, until it is stored.
    while (this.#open > 0 && !link.signal.aborted) await link.timer.wait(10, link.signal);
    if (link.signal.aborted || stampAt(path) !== stamp) return;
    file.handled = true;
    try {
      await this.#read(link, name, path, file);
    } catch (error) {
      link.failed(new Error(`${name}: ${(error as Error).message}`, { cause: error }));
    }
    const after = stampAt(path);
    if (after !== undefined && after !== stamp) file.handled = false;
  }

  async #read(link: Link, name: string, path: string, file: Found): Promise<void> {
    const shorter = this.#config.format === "parquet" ? [] : this.#seen.shorter(name, lstatSync(path).size);
    const { hash, bytes, prefixes } = await hashFile(
      path,
      shorter.map((one) => one.bytes),
    );
    const known = this.#seen.get(hash);
    if (known?.done) return;
    const grown = shorter.filter((one) => prefixes.get(one.bytes) === one.hash).map((one) => one.line);
    const start = Math.max(known?.line ?? 0, ...grown);
    const receipts = new InOrder<{ line: number; done: boolean }>((marks) => {
      const { line, done } = marks.at(-1)!;
      try {
        this.#seen.put({ hash, name, bytes, line, done });
      } catch (error) {
        // Stored but not remembered: the rows come once more after a restart, which the spool tells apart.
        link.failed(error);
      }
    });

    const hand = async (readings: readonly Reading[], line: number, done: boolean): Promise<void> => {
      const stored = receipts.expect({ line, done });
      file.open++;
      this.#open++;
      await link.emit(readings, () => {
        stored();
        file.open--;
        this.#open--;
        this.#closeWhenDone();
      });
    };

    let readings: Reading[] = [];
    let rows = 0;
    let line = start;
    for await (const item of readTable(path, this.#config, this.#mapping.needed)) {
      if (link.signal.aborted) return;
      if (item.line <= start) continue;
      if ("fault" in item) {
        link.failed(new Error(`${name}:${item.line}: ${item.fault}`));
        readings.push(this.#unreadable(link, name, item.line, "", item.fault));
        continue;
      }
      line = item.line;
      const mapped = this.#mapping.map(item.row, link.now(), `${name}:${item.line}`);
      for (const column of mapped.faults)
        link.failed(new Error(`${name}:${item.line}: column ${column} cannot be read`));
      readings.push(...mapped.readings);
      // A row of which nothing could be made is set aside whole.
      if (mapped.readings.length === 0 && mapped.faults.length > 0)
        readings.push(
          this.#unreadable(link, name, item.line, JSON.stringify(item.row), mapped.faults.join(", ")),
        );
      if (++rows < this.#config.batch) continue;
      await hand(readings, line, false);
      readings = [];
      rows = 0;
    }
    if (!link.signal.aborted) await hand(readings, line, true);
  }

  #unreadable(link: Link, name: string, line: number, text: string, why: string): Reading {
    return unreadable(name, `line ${line}`, text, why, link.now());
  }

  /** Receipts may come after the end of `run`. */
  #closeWhenDone(): void {
    if (this.#ended && this.#open === 0) this.#seen.close();
  }
}
