import { readFileSync } from "node:fs";
import type { Engine } from "./engine.ts";

/** @returns the file's one SELECT; it is also what other engines run. */
export const selectOf = (file: URL): string => readFileSync(file, "utf8");

/** Builds a table named like the file. */
export async function buildTable(engine: Engine, folder: URL, name: string): Promise<void> {
  await engine.build(name, selectOf(new URL(`${name}.sql`, folder)));
}

/** Defines a view named like the file: nothing is stored, the next table reads through it. */
export async function defineView(engine: Engine, folder: URL, name: string): Promise<void> {
  await engine.run(`CREATE OR REPLACE VIEW ${name} AS ${selectOf(new URL(`${name}.sql`, folder))}`);
}
