import { parse, TomlError } from "smol-toml";
import { Refusal } from "../core/reasons.ts";
import type { CollectorInput } from "./config.ts";
import { importModbus } from "./telegraf/modbus.ts";
import { importOpcua } from "./telegraf/opcua.ts";
import { type ImportNotes, Section } from "./telegraf/section.ts";

export interface TelegrafImport {
  /** Entries for `collectors:` in node.yaml. */
  readonly collectors: CollectorInput[];
  /** What a person must still look at, one sentence each. */
  readonly notes: string[];
}

/**
 * Turns the `inputs.modbus` and `inputs.opcua` sections of a Telegraf configuration into ours; of what it
 * leaves behind in an input it tells. No secret is copied.
 *
 * @param toml - the text of telegraf.conf.
 * @param unitOf - UCUM code of a metric, where the catalogue knows it.
 * @throws {Refusal} file_malformed if the text is not TOML or a value has another type than Telegraf's.
 * @see Telegraf 1.32, plugins/inputs/modbus and plugins/inputs/opcua
 */
export function importTelegraf(
  toml: string,
  unitOf: (metric: string) => string | undefined = () => undefined,
): TelegrafImport {
  let file: Section;
  try {
    file = new Section(parse(toml), "");
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new Refusal("file_malformed", `line ${error.line}: ${error.message.split("\n")[0]}`);
  }
  const found: string[] = [];
  const notes: ImportNotes = { note: (sentence) => found.push(sentence), unitOf };
  const interval = file.section("agent")?.text("interval") ?? "10s";
  const inputs = file.section("inputs");
  const modbus = (inputs?.sections("modbus") ?? []).flatMap((section) => {
    const entry = importModbus(section, interval, notes);
    return taken(section, entry, notes).map((one) => ({ modbus: one }));
  });
  const opcua = (inputs?.sections("opcua") ?? []).flatMap((section) => {
    const entry = importOpcua(section, interval, notes);
    return taken(section, entry, notes).map((one) => ({ opcua: one }));
  });
  for (const key of inputs?.keys() ?? [])
    if (key !== "modbus" && key !== "opcua") notes.note(`inputs.${key} is not read and is left out`);
  for (const tag of file.section("global_tags")?.keys() ?? [])
    notes.note(`global_tags.${tag} says the same of every device and is left out`);
  for (const stage of ["processors", "aggregators"])
    for (const key of file.section(stage)?.keys() ?? [])
      notes.note(
        `${stage}.${key} changes what was read, and is left out: look at its metrics' names and values`,
      );
  return { collectors: [...modbus, ...opcua], notes: found };
}

/** A section that is left out has said why as a whole; of any other, each setting left behind is told. */
function taken<Entry>(section: Section, entry: Entry | undefined, notes: ImportNotes): Entry[] {
  if (entry === undefined) return [];
  for (const place of section.unasked()) notes.note(`${place} has no counterpart here and is left out`);
  return [entry];
}
