import { equalBytes, toHex } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { describeRecovery, isLost, logRecoveries } from "../recovery.ts";
import { describeSuccession, followingPolicy } from "../succession.ts";
import type { StudyArithmetic } from "./arithmetic.ts";
import { modelsRecomputed } from "./document-rules.ts";
import { canonicalEntry, type Entry } from "./entry.ts";
import { type ExportRecord, readExport } from "./export.ts";
import { factsOf } from "./facts.ts";
import * as ledger from "./ledger-rules.ts";
import { type CompactRange, GrowingTree, leafHash, rangeRoot } from "./merkle.ts";
import * as models from "./model-rules.ts";
import { type LogPolicy, quorumReached } from "./policy.ts";
import type { Rule } from "./rules.ts";
import * as rules from "./rules.ts";
import * as scores from "./score-rules.ts";
import { costInWords } from "./spend.ts";
import {
  apply,
  attach,
  type Facts,
  type LogKey,
  type LogState,
  openCheckpointOf,
  startState,
} from "./state.ts";
import * as sums from "./sum-rules.ts";

/** One line of the auditor's report. */
export interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  /** It holds, and its detail is for people to judge: something was lost, or left out. */
  readonly finding?: true;
  /** Index of the first entry that fails it. */
  readonly entry?: number;
}

const keysCheck = "consortium created first, with the policy's keys";
const recoveriesCheck = "what was lost, as bank and auditor signed it";
const successionsCheck = "keys that follow others, signed by both";
const loggedCheck = "every change of a key in the log";
const shownCheck = "every checkpoint shown is of this log";
const certificatesCheck = "sum certificates as recorded";
const statesCheck = "model states recomputed from manifest and sums";
const spendCheck = "privacy spend adds up";
const modelsCheck = "published models recomputed from manifest and sums";

const logRules = (arithmetic: StudyArithmetic | undefined): Readonly<Record<string, Rule>> => ({
  "time never goes back": rules.timeNeverGoesBack,
  [keysCheck]: rules.consortiumFirst,
  "rosters signed by bank and auditor": rules.rosterSigned,
  [recoveriesCheck]: rules.recoveriesTold,
  [successionsCheck]: rules.keysFollow,
  [loggedCheck]: rules.rotationsLogged,
  "expelled members in no later roster": rules.expelledStayOut,
  "no revoked certificate renewed": rules.certificatesIssued,
  "key epochs dealt to the roster": rules.epochDealt,
  "key epochs signed by all their members": sums.epochSigned,
  "thresholds and degrees by the formula": sums.thresholdsByFormula,
  "complaints settled as their evidence shows": sums.complaintsSettled,
  "manifests as proposed": rules.manifestAsProposed,
  "no order after a study was stopped": rules.ordersOfStudies,
  "warnings are told by who signed for them": rules.warningsAreTheirOwn,
  "consents signed by the enterprises": rules.consentSigned,
  "policies count up": rules.policyCountsUp,
  "rounds as their headers say": rules.headerAsRecorded,
  "consent before every round": rules.consentBeforeRound,
  "key epoch before use": rules.keyBeforeUse,
  "rounds under their epoch's threshold and members": sums.roundsUnderEpoch,
  "each slot of an epoch serves one attempt": sums.slotsServeOnce,
  "minimum cohort kept, in organisations": rules.minCohortKept,
  "enterprises were shown this log": rules.checkpointOfThisLog,
  "rounds and attempts count up": rules.attemptsCountUp,
  "one sum a step": sums.oneSumAStep,
  "round steps in order": rules.roundStepsInOrder,
  "submissions signed by the enterprises": sums.submissionsSigned,
  "submissions match the survivors": rules.submissionsMatch,
  "unmasking signed by members of the epoch": sums.unmaskingSigned,
  "renunciations signed by members of the epoch": sums.renouncingSigned,
  "re-runs and splits as their evidence allows": sums.sequelsByEvidence,
  "at most one release a round": rules.oneRelease,
  "sums released by a quorum of survivors": rules.releasedByQuorum,
  [certificatesCheck]: sums.certificatesAsRecorded,
  "sum certificates signed by quorums": sums.certificatesSigned,
  "model states follow each other": rules.statesFollow,
  [statesCheck]: sums.statesRecomputed(arithmetic),
  "missing protection declared": rules.protectionDeclared,
  [spendCheck]: rules.spendAddsUp,
  "studies pruned after their retention": rules.prunedAfterRetention,
  "model lineage": rules.lineageComplete,
  "models used as approved": models.usedAsApproved,
  [modelsCheck]: modelsRecomputed(arithmetic),
  "score statements signed by the enterprises": scores.statementsSigned,
  "consent before every score statement": scores.consentBeforeScore,
  "cases raised, decided and overridden in order": scores.casesInOrder,
  "egress ledgers only grow": rules.ledgersGrow,
});

// No rule about time: a clock that is set back on an enterprise's machine is no forgery.
const ledgerRules: Readonly<Record<string, Rule>> = {
  "only a ledger's entries": ledger.onlyLedgerEntries,
  "privacy spend before its submission": ledger.spendBeforeSubmission,
  "policies count up": rules.policyCountsUp,
  "submissions under the policy recorded last": ledger.submissionUnderPolicy,
  "privacy spend adds up": ledger.spendAddsUp,
};

/** What a verification may be given besides the export. */
export interface VerifyOptions {
  /** Without it, states and models are not recomputed, and the report says so. */
  readonly arithmetic?: StudyArithmetic;
  /** Checkpoints of this log that were shown elsewhere, signed notes: the log must reach and contain them. */
  readonly shown?: readonly string[];
  /** An empty one, which afterwards holds all entries of the export. */
  readonly tree?: GrowingTree;
  /** Sees each valid entry, in order. */
  readonly onEntry?: (entry: Entry, index: number, facts: Facts) => void;
}

/**
 * Verifies an export offline; needs no secret and no trust in who made it. Holds the state of studies and
 * open rounds in memory, not the entries.
 *
 * @param chunks - the file's bytes in pieces of any size.
 * @returns every check, failed ones included; verified is what `allHold` says.
 */
export async function verifyExport(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  policy: LogPolicy,
  { arithmetic, shown = [], tree = new GrowingTree(), onEntry = () => undefined }: VerifyOptions = {},
): Promise<Check[]> {
  const report = new Report();
  const state = startState(tree);
  let note = "";
  await report.whole("file complete and well-formed", async () => {
    const { kind, records } = await readExport(chunks);
    const checks = Object.entries(kind === "log" ? logRules(arithmetic) : ledgerRules);
    report.expect(["entries fit their schema", ...checks.map(([check]) => check)]);
    for await (const record of records) {
      if (record.type === "checkpoint") note = record.note;
      else if (record.type === "attachment") attach(state, record.attachment);
      else {
        const entry = parsed(record, report);
        if (entry !== undefined) {
          const facts = factsOf(entry, state, arithmetic);
          // Of most entries there is nothing to wait for, and a log has very many.
          state.facts = facts instanceof Promise ? await facts : facts;
          for (const [check, rule] of checks)
            report.entry(check, record.index, () => rule(entry, state, policy), entry.type);
          apply(state, entry);
          onEntry(entry, record.index, state.facts);
        }
        tree.append(leafHash(record.bytes));
      }
    }
    if (kind === "log") {
      report.entry(keysCheck, 0, () => rules.keysOfPolicy(state, policy), "consortium.created");
      report.entry(loggedCheck, Math.max(0, tree.range.size - 1), () => rules.unlogged(state));
      const { successions = [] } = state.roster ?? {};
      if (successions.length > 0)
        report.finding(successionsCheck, successions.map(describeSuccession).join("; "));
      if (state.recovered.length > 0) report.finding(recoveriesCheck, lostIn(state));
      for (const { kind, entry, detail, type } of sums.unevenlyCarried(state))
        report.entry(kind === "certificate" ? certificatesCheck : modelsCheck, entry, () => detail, type);
      const unchecked = sums.notRecomputed(arithmetic, state);
      if (unchecked !== undefined) report.remark([statesCheck, modelsCheck], unchecked);
      const cost = costInWords(state);
      if (cost !== "") report.remark([spendCheck], cost);
    }
    return `${kind}, ${tree.range.size} entries`;
  });
  report.fact("nothing beside what the entries name", () =>
    state.unused.size === 0 ? undefined : `${state.unused.size} documents that no entry names`,
  );
  const keys = rules.logKeys(state, policy);
  verifyCheckpoint(
    note,
    tree.range,
    { keys, policy: followingPolicy(policy, state.roster?.successions ?? []) },
    report,
  );
  if (shown.length > 0) {
    const lost: string[] = [];
    report.fact(shownCheck, () =>
      unreached(shown, { keys, witnesses: policy.witnesses }, state, (size) => lost.push(String(size))),
    );
    if (lost.length > 0)
      report.finding(shownCheck, `of what was lost: checkpoints of ${lost.join(", ")} entries`);
  }
  return report.checks();
}

export const allHold = (checks: readonly Check[]): boolean => checks.every(({ ok }) => ok);

function parsed(
  { index, bytes, value }: ExportRecord & { type: "entry" },
  report: Report,
): Entry | undefined {
  let entry: Entry | undefined;
  report.entry("entries fit their schema", index, () => {
    entry = canonicalEntry(bytes, value);
    return undefined;
  });
  return entry;
}

/** @returns what the log's recoveries say was lost, in words. */
const lostIn = ({ recovered }: LogState): string =>
  recovered.map(({ recovery, entry }) => `${describeRecovery(recovery)} (entry ${entry})`).join("; ");

/**
 * @param onLost - told of a checkpoint that may be of what a recovery says was lost.
 * @returns which of some checkpoints of the log is none of its prefixes; a log that was cut is found so.
 */
function unreached(
  notes: readonly string[],
  { keys, witnesses }: Pick<LogPolicy, "witnesses"> & { readonly keys: readonly LogKey[] },
  { recovered, tree }: LogState,
  onLost: (size: number) => void,
) {
  const recoveries = logRecoveries(recovered.map(({ recovery }) => recovery));
  for (const note of notes) {
    const { checkpoint } = openCheckpointOf(note, keys, witnesses);
    const { size, root } = checkpoint;
    const known = tree.rootAt(size);
    if (known !== undefined && equalBytes(known, root)) continue;
    if (recoveries.some((recovery) => isLost(recovery, checkpoint))) onLost(size);
    else if (known === undefined)
      return `a checkpoint of ${size} entries was shown, the log has ${tree.range.size}`;
    else return `a log of ${size} entries with another root was shown`;
  }
  return undefined;
}

function verifyCheckpoint(
  note: string,
  range: CompactRange,
  { keys, policy }: { readonly keys: readonly LogKey[]; readonly policy: LogPolicy },
  report: Report,
): void {
  report.fact("checkpoint signed by the log", () => {
    const { checkpoint } = openCheckpointOf(note, keys);
    return checkpoint.size === range.size
      ? undefined
      : `the checkpoint is of ${checkpoint.size} entries, the export has ${range.size}`;
  });
  report.fact("root recomputed from the entries", () => {
    const { root } = openCheckpointOf(note, keys).checkpoint;
    return equalBytes(root, rangeRoot(range))
      ? undefined
      : `the entries have the root ${toHex(rangeRoot(range))}`;
  });
  report.fact("cosignatures valid", () => {
    openCheckpointOf(note, keys, policy.witnesses);
    return undefined;
  });
  report.fact("witness quorum reached", () => {
    const { cosigned } = openCheckpointOf(note, keys, policy.witnesses);
    return quorumReached(policy, cosigned)
      ? undefined
      : `cosigned by ${cosigned.map(({ witness }) => witness.name).join(", ") || "none"}`;
  });
}

/** Collects the first failure of each check. */
class Report {
  readonly #failures = new Map<string, { detail: string; entry?: number; count: number }>();
  readonly #details = new Map<string, string>();
  readonly #findings = new Set<string>();

  /** Names checks that hold unless something fails them. */
  expect(checks: readonly string[]): void {
    for (const check of checks) this.#details.set(check, "");
  }

  /** Something for people to judge, in a check that holds. */
  finding(check: string, detail: string): void {
    this.#details.set(check, detail);
    this.#findings.add(check);
  }

  /** Says something of checks that hold. */
  remark(checks: readonly string[], detail: string): void {
    for (const check of checks) this.#details.set(check, detail);
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
      if (failure === undefined)
        return { check, ok: true, detail, ...(this.#findings.has(check) ? { finding: true } : {}) };
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
