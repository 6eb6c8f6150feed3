import { equalBytes, toHex } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { type Entry, parseEntry } from "./entry.ts";
import { type ExportKind, type ExportRecord, readExport } from "./export.ts";
import * as ledger from "./ledger-rules.ts";
import { appendLeaf, type CompactRange, emptyRange, emptyRoot, leafHash, rangeRoot } from "./merkle.ts";
import { type LogPolicy, quorumReached } from "./policy.ts";
import type { Rule } from "./rules.ts";
import * as rules from "./rules.ts";
import { apply, attach, type LogState, startState } from "./state.ts";

/** One line of the auditor's report. */
export interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  /** Index of the first entry that fails it. */
  readonly entry?: number;
}

const logRules: Readonly<Record<string, Rule>> = {
  "time never goes back": rules.timeNeverGoesBack,
  "consortium created first, with the policy's keys": rules.consortiumFirst,
  "rosters signed by bank and auditor": rules.rosterSigned,
  "key epochs dealt to the roster": rules.epochDealt,
  "manifests as proposed": rules.manifestAsProposed,
  "consents signed by the enterprises": rules.consentSigned,
  "policies count up": rules.policyCountsUp,
  "rounds as their headers say": rules.headerAsRecorded,
  "consent before every round": rules.consentBeforeRound,
  "key epoch before use": rules.keyBeforeUse,
  "minimum cohort kept, in organisations": rules.minCohortKept,
  "enterprises were shown this log": rules.checkpointOfThisLog,
  "rounds and attempts count up": rules.attemptsCountUp,
  "round steps in order": rules.roundStepsInOrder,
  "submissions match the survivors": rules.submissionsMatch,
  "at most one release a round": rules.oneRelease,
  "sums released by a majority of survivors": rules.releasedByMajority,
  "model states follow each other": rules.statesFollow,
  "missing protection declared": rules.protectionDeclared,
  "privacy spend adds up": rules.spendAddsUp,
  "model lineage": rules.lineageComplete,
  "egress ledgers only grow": rules.ledgersGrow,
};

// No rule about time: a clock that is set back on an enterprise's machine is no forgery.
const ledgerRules: Readonly<Record<string, Rule>> = {
  "only a ledger's entries": ledger.onlyLedgerEntries,
  "privacy spend before its submission": ledger.spendBeforeSubmission,
  "privacy spend adds up": ledger.spendAddsUp,
};

const rulesOf: Readonly<Record<ExportKind, Readonly<Record<string, Rule>>>> = {
  log: logRules,
  ledger: ledgerRules,
};

/**
 * Verifies an export offline; needs no secret and no trust in who made it. Holds the state of studies and
 * open rounds in memory, not the entries.
 *
 * @param chunks - the file's bytes in pieces of any size.
 * @param onEntry - sees each valid entry, in order.
 * @returns every check, failed ones included; verified is what `allHold` says.
 */
export async function verifyExport(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  policy: LogPolicy,
  onEntry: (entry: Entry, index: number) => void = () => undefined,
): Promise<Check[]> {
  const report = new Report();
  const state = startState(emptyRoot);
  let range = emptyRange;
  let note = "";
  await report.whole("file complete and well-formed", async () => {
    const { kind, records } = await readExport(chunks);
    report.expect(["entries fit their schema", ...Object.keys(rulesOf[kind])]);
    for await (const record of records) {
      if (record.type === "checkpoint") note = record.note;
      else if (record.type === "attachment") attach(state, record.attachment);
      else range = takeEntry(record, range, kind, state, policy, report, onEntry);
    }
    return `${kind}, ${range.size} entries`;
  });
  report.fact("nothing beside what the entries name", () =>
    state.unused.size === 0 ? undefined : `${state.unused.size} documents that no entry names`,
  );
  verifyCheckpoint(note, range, policy, report);
  return report.checks();
}

export const allHold = (checks: readonly Check[]): boolean => checks.every(({ ok }) => ok);

function takeEntry(
  record: ExportRecord & { type: "entry" },
  range: CompactRange,
  kind: ExportKind,
  state: LogState,
  policy: LogPolicy,
  report: Report,
  onEntry: (entry: Entry, index: number) => void,
): CompactRange {
  const { index, bytes } = record;
  const grown = appendLeaf(range, leafHash(bytes)).range;
  let entry: Entry | undefined;
  report.entry("entries fit their schema", index, () => {
    entry = parseEntry(bytes);
    return undefined;
  });
  if (entry !== undefined) {
    const valid = entry;
    for (const [check, rule] of Object.entries(rulesOf[kind]))
      report.entry(check, index, () => rule(valid, state, policy), valid.type);
    apply(state, valid);
    onEntry(valid, index);
  }
  state.roots.push(rangeRoot(grown));
  return grown;
}

function verifyCheckpoint(note: string, range: CompactRange, policy: LogPolicy, report: Report): void {
  report.fact("checkpoint signed by the log", () => {
    const { checkpoint } = openCheckpoint(note, policy.log);
    return checkpoint.size === range.size
      ? undefined
      : `the checkpoint is of ${checkpoint.size} entries, the export has ${range.size}`;
  });
  report.fact("root recomputed from the entries", () => {
    const { root } = openCheckpoint(note, policy.log).checkpoint;
    return equalBytes(root, rangeRoot(range))
      ? undefined
      : `the entries have the root ${toHex(rangeRoot(range))}`;
  });
  report.fact("cosignatures valid", () => {
    openCheckpoint(note, policy.log, policy.witnesses);
    return undefined;
  });
  report.fact("witness quorum reached", () => {
    const { cosigned } = openCheckpoint(note, policy.log, policy.witnesses);
    return quorumReached(policy, cosigned)
      ? undefined
      : `cosigned by ${cosigned.map(({ witness }) => witness.name).join(", ") || "none"}`;
  });
}

/** Collects the first failure of each check. */
class Report {
  readonly #failures = new Map<string, { detail: string; entry?: number; count: number }>();
  readonly #details = new Map<string, string>();

  /** Names checks that hold unless something fails them. */
  expect(checks: readonly string[]): void {
    for (const check of checks) this.#details.set(check, "");
  }

  fact(check: string, test: () => string | undefined): void {
    this.expect([check]);
    this.#run(check, test);
  }

  entry(check: string, index: number, test: () => string | undefined, type = "entry"): void {
    this.#run(check, test, index, type);
  }

  /** A check of everything at once; what it returns is its detail. */
  async whole(check: string, run: () => Promise<string>): Promise<void> {
    this.expect([check]);
    try {
      this.#details.set(check, await run());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#fail(check, error.message);
    }
  }

  checks(): Check[] {
    return [...this.#details].map(([check, detail]) => {
      const failure = this.#failures.get(check);
      if (failure === undefined) return { check, ok: true, detail };
      const more = failure.count > 1 ? ` (and ${failure.count - 1} more)` : "";
      const line = { check, ok: false, detail: failure.detail + more };
      return failure.entry === undefined ? line : { ...line, entry: failure.entry };
    });
  }

  #run(check: string, test: () => string | undefined, entry?: number, type = ""): void {
    let detail: string | undefined;
    try {
      detail = test();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      detail = error.message;
    }
    if (detail !== undefined) this.#fail(check, type === "" ? detail : `${type}: ${detail}`, entry);
  }

  #fail(check: string, detail: string, entry?: number): void {
    const before = this.#failures.get(check);
    if (before) before.count++;
    else this.#failures.set(check, entry === undefined ? { detail, count: 1 } : { detail, entry, count: 1 });
  }
}
