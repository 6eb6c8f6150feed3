/** A consortium's data dictionary: what the enterprises have agreed to call their columns, and what stands in them. */
import { isMissing, textOf } from "../../core/cell.ts";
import { columnAt, type Records } from "../../core/csv.ts";
import { Refusal, refuseAll } from "../../core/reasons.ts";
import type { FeatureSchema } from "../../models/table.ts";
import type { StudyColumns } from "./template.ts";

const kinds = ["numeric", "categorical", "label", "subject", "unused"] as const;
type Kind = (typeof kinds)[number];

const isKind = (text: string): text is Kind => (kinds as readonly string[]).includes(text);

/**
 * @param dictionary - a line a column of the enterprises' tables: `name`; `kind`, one of {@link kinds}; `levels` of a
 *   categorical column or of the label, with `|` between them; `description`, if there is one. Other columns are the
 *   consortium's own.
 * @throws Refusal column_unknown where name or kind is no column; cell_malformed naming every line that is wrong
 */
export function columnsOfDictionary(dictionary: Records): StudyColumns {
  const [nameAt, kindAt] = [columnAt(dictionary, "name"), columnAt(dictionary, "kind")];
  const levelsAt = dictionary.header.indexOf("levels");
  const descriptionAt = dictionary.header.indexOf("description");
  const features: FeatureSchema[] = [];
  const leftOut: { name: string; why: string }[] = [];
  const descriptions = new Map<string, string>();
  const faults: Refusal[] = [];
  const lines = new Map<string, number>();
  const found: Partial<Record<"label" | "subject", { name: string; levels: string[] }>> = {};

  dictionary.each((cells, line) => {
    const fault = (what: string): void => {
      faults.push(
        new Refusal("cell_malformed", `${dictionary.name}:${line}: ${what}`, {
          hint: `kind is one of ${kinds.join(", ")}; levels stand with | between them`,
        }),
      );
    };
    const text = (at: number): string => (at < 0 ? "" : textOf(cells[at]));
    const [name, kind, description] = [text(nameAt), text(kindAt), text(descriptionAt)];
    const levels = isMissing(text(levelsAt))
      ? []
      : text(levelsAt)
          .split("|")
          .map((level) => level.trim());
    if (name === "") return fault("no name");
    const before = lines.get(name);
    if (before !== undefined) return fault(`column "${name}" stands in line ${before} already`);
    lines.set(name, line);
    if (!isMissing(description)) descriptions.set(name, description);
    if (!isKind(kind)) return fault(`column "${name}": kind "${kind}"`);
    if (new Set(levels).size < levels.length || levels.includes(""))
      return fault(`column "${name}": a level is empty or named twice`);
    switch (kind) {
      case "numeric":
        features.push({ name, kind });
        return;
      case "categorical":
        if (levels.length === 0) return fault(`column "${name}" has no levels`);
        features.push({ name, kind, levels });
        return;
      case "label":
      case "subject":
        if (found[kind] !== undefined) return fault(`"${found[kind].name}" is the ${kind} already`);
        found[kind] = { name, levels };
        return;
      case "unused":
        leftOut.push({ name, why: "the dictionary says unused" });
    }
  });
  if (found.label === undefined)
    faults.push(new Refusal("column_unknown", `${dictionary.name}: no column is of kind label`));
  if (features.length === 0)
    faults.push(new Refusal("column_unknown", `${dictionary.name}: no column is numeric or categorical`));
  refuseAll(faults);
  const { label, subject } = found;
  return {
    label: label!.name,
    labelValues: label!.levels,
    ...(subject === undefined ? {} : { subject: subject.name }),
    features,
    leftOut,
    descriptions,
  };
}
