/**
 * One sum a step: what this node signed, unmasked and renounced, durable before it is said.
 *
 * A step of a study is locked to the round whose survivor list the node signed, and spent once it has unmasked
 * it. A lock is lifted when enough members have promised never to unmask that round; nothing lifts a spent step.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { differsByGroups, type GroupLimits } from "../../privacy/sum/cohort-change.ts";
import { everyTable, requireAccounted } from "./recoveries.ts";
import { prepared, transact } from "./store.ts";

/** A sum this node is about to agree to. */
export interface Step {
  readonly roundId: Digest;
  readonly study: Digest;
  readonly round: number;
  /** Digest of the state the sum is computed on. */
  readonly state: Digest;
  /** Name of the rows it is computed from. */
  readonly table: string;
  /** Sorted. */
  readonly survivors: readonly string[];
  /** Organisations of the survivors, each once. */
  readonly organisations: readonly string[];
  /** Absent where the study deals its members to none. */
  readonly groups?: GroupLimits;
  /** Without noise. */
  readonly exact: boolean;
  /** The spent round of the same step that this one is run again for, if it is. */
  readonly follows: Digest | undefined;
  /** Who may lift the lock: this node and its neighbours. */
  readonly among: readonly string[];
  /** How many of these it takes. */
  readonly threshold: number;
}

/** What the policy says of sums without noise. */
export interface ExactSums {
  /** Exact sums that may be released over one table. */
  readonly perTable: number;
  /** What happens where a survivor list differs from an earlier one of the table. */
  readonly cohortChange: "refuse" | "accept";
}

interface StoredStep {
  readonly roundId: Digest;
  readonly study: Digest;
  readonly round: number;
  readonly state: Digest;
  readonly survivors: readonly string[];
  readonly organisations: readonly string[];
  readonly phase: "locked" | "spent" | "lifted";
}

const stored = (row: Record<string, unknown>): StoredStep => ({
  roundId: String(row.round_id),
  study: String(row.study),
  round: Number(row.round),
  state: String(row.state),
  survivors: JSON.parse(String(row.survivors)) as string[],
  organisations: JSON.parse(String(row.organisations)) as string[],
  phase: String(row.phase) as StoredStep["phase"],
});

/** The round that a step is locked to, or spent for, and who may lift a lock. */
export interface StepHolder {
  readonly roundId: Digest;
  readonly phase: "locked" | "spent";
  readonly among: readonly string[];
  readonly threshold: number;
}

/** @returns undefined while the step is free. */
export function stepHolder(db: DatabaseSync, study: Digest, round: number): StepHolder | undefined {
  const row = prepared(
    db,
    `SELECT round_id, phase, among, threshold FROM step WHERE study = ? AND round = ? AND phase <> 'lifted'
     ORDER BY rowid DESC LIMIT 1`,
  ).get(study, round);
  if (row === undefined) return undefined;
  return {
    roundId: String(row.round_id),
    phase: String(row.phase) as StepHolder["phase"],
    among: JSON.parse(String(row.among)) as string[],
    threshold: Number(row.threshold),
  };
}

/** @returns whether this node has unmasked a round. */
export const isSpent = (db: DatabaseSync, roundId: Digest): boolean =>
  prepared(db, "SELECT 1 FROM step WHERE round_id = ? AND phase = 'spent'").get(roundId) !== undefined;

/** @returns the survivor lists of the exact sums over a table that were agreed to. */
export const exactSurvivors = (db: DatabaseSync, table: string): (readonly string[])[] =>
  prepared(db, "SELECT survivors FROM step WHERE rows_table IN (?, ?) AND phase <> 'lifted' AND exact = 1")
    .all(table, everyTable)
    .map((row) => JSON.parse(String(row.survivors)) as string[]);

/**
 * Locks a step to a round, before its survivor list is signed.
 * @throws Refusal step_locked, step_spent; exact_sums_spent, cohort_changed by the policy.
 */
export function lockStep(db: DatabaseSync, step: Step, policy: ExactSums): void {
  transact(db, () => {
    if (isRenounced(db, step.roundId))
      throw new Refusal("step_locked", "this node promised never to unmask this round");
    const holder = stepHolder(db, step.study, step.round);
    if (holder?.roundId === step.roundId) return;
    if (holder !== undefined && holder.roundId !== step.follows && !isOtherHalf(db, step, holder))
      throw new Refusal(
        holder.phase === "spent" ? "step_spent" : "step_locked",
        `round ${step.round} is ${holder.phase === "spent" ? "summed" : "agreed on"} under another attempt`,
      );
    if (step.exact) requireExactSumAllowed(db, step, policy);
    prepared(db, "INSERT INTO step VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'locked')").run(
      step.roundId,
      step.study,
      step.round,
      step.state,
      step.table,
      JSON.stringify(step.survivors),
      JSON.stringify(step.organisations),
      step.exact ? 1 : 0,
      step.follows ?? null,
      JSON.stringify(step.among),
      step.threshold,
    );
  });
}

/** The survivors of an invalid sum are split once, and each half is summed once: nobody is in both. */
function isOtherHalf(db: DatabaseSync, { follows, survivors }: Step, holder: StepHolder): boolean {
  if (follows === undefined || holder.phase !== "spent") return false;
  const halves = prepared(
    db,
    "SELECT round_id, survivors FROM step WHERE follows = ? AND phase <> 'lifted'",
  ).all(follows);
  const summed = new Set(halves.flatMap((row) => JSON.parse(String(row.survivors)) as string[]));
  return (
    halves.some((row) => row.round_id === holder.roundId) && !survivors.some((party) => summed.has(party))
  );
}

function requireExactSumAllowed(db: DatabaseSync, step: Step, { perTable, cohortChange }: ExactSums): void {
  requireAccounted(db, "exact_sums_spent");
  if (exactSumsOf(db, step.table) >= perTable)
    throw new Refusal(
      "exact_sums_spent",
      `${perTable} exact sums over the table ${step.table} were released: its policy allows no more`,
    );
  if (cohortChange === "accept") return;
  // What a step is summed again for was no sum of valid vectors, and was not released.
  const rows = prepared(
    db,
    `SELECT * FROM step WHERE rows_table IN (?, ?) AND phase <> 'lifted' AND exact = 1
       AND NOT (study = ? AND round = ?)`,
  ).all(step.table, everyTable, step.study, step.round);
  for (const earlier of rows.map(stored)) {
    const changed = difference(earlier.organisations, step.organisations);
    if (changed > 0 && !(step.groups && differsByGroups(step.survivors, earlier.survivors, step.groups)))
      throw new Refusal(
        "cohort_changed",
        `the survivors differ by ${changed} from those of round ${earlier.round} of study ${earlier.study.slice(0, 12)}: subtracting the two would show them`,
      );
  }
}

/** @returns how many organisations are in one list and not in the other. */
function difference(a: readonly string[], b: readonly string[]): number {
  const [first, second] = [new Set(a), new Set(b)];
  return a.filter((one) => !second.has(one)).length + b.filter((one) => !first.has(one)).length;
}

/** @returns how many sums without noise over a table were agreed to; one whose lock was lifted does not count. */
export const exactSumsOf = (db: DatabaseSync, table: string): number =>
  Number(
    prepared(
      db,
      "SELECT count(*) AS sums FROM step WHERE rows_table IN (?, ?) AND phase <> 'lifted' AND exact = 1",
    ).get(table, everyTable)?.sums,
  );

/**
 * Marks a step as spent, before anything that unmasks it is said.
 * @throws Refusal step_locked, where the round was renounced or is not the one the step is locked to.
 */
export function spendStep(db: DatabaseSync, roundId: Digest): void {
  transact(db, () => {
    if (isRenounced(db, roundId))
      throw new Refusal("step_locked", "this node promised never to unmask this round");
    const spent = prepared(
      db,
      "UPDATE step SET phase = 'spent' WHERE round_id = ? AND phase IN ('locked', 'spent')",
    ).run(roundId);
    if (spent.changes === 0) throw new Refusal("step_locked", "the step is not locked to this round");
  });
}

const isRenounced = (db: DatabaseSync, roundId: Digest): boolean =>
  prepared(db, "SELECT 1 FROM renounced WHERE round_id = ?").get(roundId) !== undefined;

/** Promises never to unmask a round, before the promise is said. @throws Refusal step_spent */
export function renounceRound(db: DatabaseSync, roundId: Digest): void {
  transact(db, () => {
    const row = prepared(db, "SELECT phase FROM step WHERE round_id = ?").get(roundId);
    if (row?.phase === "spent") throw new Refusal("step_spent", "this node has unmasked this round");
    prepared(db, "INSERT OR IGNORE INTO renounced VALUES (?)").run(roundId);
  });
}

/** Frees a step whose round enough members have renounced. @throws Refusal step_spent */
export function liftLock(db: DatabaseSync, roundId: Digest): void {
  transact(db, () => {
    const row = prepared(db, "SELECT phase FROM step WHERE round_id = ?").get(roundId);
    if (row?.phase === "spent")
      throw new Refusal("step_spent", "this node has unmasked the round that is said to be renounced");
    prepared(db, "UPDATE step SET phase = 'lifted' WHERE round_id = ?").run(roundId);
  });
}

/**
 * Binds a slot of a key epoch to the first round opened with it.
 * @throws Refusal slot_spent, where it is bound to another round, or a higher slot is bound already.
 */
export function bindSlot(db: DatabaseSync, epoch: Digest, slot: number, roundId: Digest): void {
  transact(db, () => {
    const bound = prepared(db, "SELECT round_id FROM slot WHERE epoch = ? AND slot = ?").get(epoch, slot);
    if (bound?.round_id === roundId) return;
    const highest = prepared(db, "SELECT max(slot) AS slot FROM slot WHERE epoch = ?").get(epoch);
    if (highest?.slot !== null && Number(highest?.slot) >= slot)
      throw new Refusal("slot_spent", `slot ${slot} of the key epoch serves another round, or is erased`);
    prepared(db, "INSERT INTO slot VALUES (?, ?, ?)").run(epoch, slot, roundId);
  });
}

/** Charges an exact sum that only the bank's log remembers to every table; one that is remembered stays as it is. */
export function chargeForgotten(
  db: DatabaseSync,
  step: Pick<Step, "roundId" | "study" | "round" | "state" | "survivors" | "organisations" | "follows">,
): void {
  const { roundId, study, round, state, survivors, organisations, follows } = step;
  prepared(db, "INSERT OR IGNORE INTO step VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, '[]', 0, 'spent')").run(
    roundId,
    study,
    round,
    state,
    everyTable,
    JSON.stringify(survivors),
    JSON.stringify(organisations),
    follows ?? null,
  );
}
