import { readRecords } from "../../core/table-file.ts";

/** What scikit-learn reaches on the pooled rows. */
export interface Baseline {
  readonly set: string;
  readonly model: string;
  readonly auc: number;
}

/** @throws Refusal file_missing, file_malformed */
export async function readBaselines(file: string): Promise<Baseline[]> {
  const records = await readRecords(file);
  const at = (column: string) => records.header.indexOf(column);
  const found: Baseline[] = [];
  records.each((cells) => {
    const text = (column: string) => String(cells[at(column)]);
    found.push({ set: text("set"), model: text("model"), auc: Number(text("auc")) });
  });
  return found;
}
