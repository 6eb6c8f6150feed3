/** Which database a data folder belongs to: an id made once, in the database, and kept in both. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { makeDirectory, readRefusal, writeWhole } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseYaml } from "../../core/yaml.ts";

const recordSchema = z.strictObject({
  id: z.uuid().describe("made once, in the database"),
  at: z.string().describe("embedded, or the server's address without a password, when it was last used"),
});

export type Belonging = z.infer<typeof recordSchema>;

const fileOf = (dataDir: string): string => join(dataDir, "database.json");

/** @returns undefined before the first start. @throws Refusal file_malformed, file_missing */
export function readBelonging(dataDir: string): Belonging | undefined {
  const file = fileOf(dataDir);
  if (!existsSync(file)) return undefined;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw readRefusal(file, cause);
  }
  return parseYaml(text, file, recordSchema);
}

/** @throws Refusal disk_full, file_missing */
export async function writeBelonging(dataDir: string, belonging: Belonging): Promise<void> {
  await makeDirectory(dataDir, 0o700);
  await writeWhole(fileOf(dataDir), `${JSON.stringify(belonging)}\n`);
}

/** An address as it may be shown and kept. */
export function shownAddress(database: string): string {
  if (!URL.canParse(database)) return database;
  const { host, pathname, searchParams } = new URL(database);
  const directory = searchParams.get("host");
  return `postgres://${directory ?? host}${pathname}`;
}

/** @returns the refusal of a database that the data folder does not belong to. */
export const foreignDatabase = (dataDir: string, known: Belonging, found: string): Refusal =>
  new Refusal("database_mismatch", `${dataDir} belongs to the database at ${known.at}, and ${found}`, {
    hint:
      known.at === "embedded"
        ? "start without DATABASE_URL and with `database: embedded`, or give this database a consortium and a data folder of its own"
        : `set DATABASE_URL, or \`database\`, to the one at ${known.at}`,
  });
