/** What is stored of a study: its row and its consents. */
import type { Digest } from "../../core/canonical.ts";
import { shortDigest } from "../../core/ids.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import type { StudyPhase } from "../../core/study-phase.ts";
import type { Bank } from "../bank.ts";
import type { Sql, Transaction } from "../store/sql.ts";

/** A row of the table `study`. */
export interface StudyRow {
  readonly digest: Digest;
  readonly name: string;
  /** Canonical JSON. */
  readonly manifest: string;
  readonly phase: StudyPhase;
  /** Digest of the state before the next sum: what manifest and sums so far lead to. */
  readonly state: Digest | null;
  /** The one that runs now; none once the last has its result, and only the model is to be published. */
  readonly algorithm: string | null;
  readonly round: number;
  readonly attempt: number;
  readonly reason: Reason | null;
  readonly detail: string | null;
  /** Index of the log entry that proposed it; none of an earlier version. */
  readonly entry: number | null;
}

/** @throws Refusal not_found */
export async function studyRow(sql: Sql | Transaction, study: Digest): Promise<StudyRow> {
  const [row] = await sql<StudyRow>`
    SELECT digest, name, manifest, phase, state, algorithm, round, attempt, reason, detail, entry
    FROM study WHERE digest = ${study}`;
  if (row === undefined) throw new Refusal("not_found", `no study ${shortDigest(study)}`);
  return row;
}

/** @returns who has consented and whose consent has not run out, sorted. */
export async function consented(bank: Bank, study: Digest): Promise<string[]> {
  const rows = await bank.database.sql`
    SELECT enterprise FROM consent
    WHERE study = ${study} AND withdrawn_at IS NULL AND expires_at > ${new Date(bank.clock.now())}
    ORDER BY enterprise`;
  return rows.map(({ enterprise }) => enterprise as string);
}
