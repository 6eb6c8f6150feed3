import { toHex } from "../../core/bytes.ts";
import type { Digest } from "../../core/canonical.ts";
import { shortDigest } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import { isLost, type LogRecovery, logRecoveries } from "../recovery.ts";
import { parseRoster, type RosterText } from "../roster.ts";
import { leadsTo } from "../succession.ts";
import type { StudyArithmetic } from "./arithmetic.ts";
import type { Entry, EntryOf } from "./entry.ts";
import { readExport } from "./export.ts";
import { GrowingTree } from "./merkle.ts";
import { parseNote, parseVerifierKey } from "./note.ts";
import type { LogPolicy } from "./policy.ts";
import { type Facts, type LogKey, openCheckpointOf } from "./state.ts";
import { parseCheckpoint } from "./tree-head.ts";
import { allHold, type Check, verifyExport } from "./verify.ts";

/** The bytes of an export, from the start each time. */
export type ExportSource = () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** What a departure of a round comes to, by its kind in the ledger. */
const outcomes: Readonly<Record<string, "agreed" | "unmasked">> = {
  // Without survivors in the bank's log there was nothing to agree to: a bank that hides an agreement hides a sum.
  "Rounds.Participate/agree": "agreed",
  "Rounds.Participate/unmask": "agreed",
  "Rounds.Participate/released": "unmasked",
  "Rounds.Participate/invalid": "unmasked",
};

/** Something an enterprise signed in a round. */
interface Said {
  readonly roundId: Digest;
  /** As its ledger names it. */
  readonly kind: string;
  /** Place in its log or ledger. */
  readonly entry: number;
}

const nameOf = ({ roundId, kind }: Said): string => `${roundId} ${kind}`;

/** The bank's side: what its log holds of one enterprise. */
class BankSide {
  readonly submitted: { roundId: Digest; digest: Digest; entry: number }[] = [];
  readonly reported: (EntryOf<"ledger.reported"> & { entry: number })[] = [];
  readonly said: Said[] = [];
  readonly endedWithout = new Set<Digest>();
  /** Score statements. */
  readonly scores: { readonly statement: string; readonly entry: number }[] = [];
  /** Reports of warnings. */
  readonly warnings: { readonly statement: string; readonly warnings: number; readonly entry: number }[] = [];
  /** That sign the log. */
  readonly keys: LogKey[] = [];
  /** Of the log. */
  readonly recoveries: LogRecovery[] = [];
  /** Place of the entry that says its ledger begins anew; 0 where it never did. */
  begun = 0;
  readonly #id: string;
  readonly #agreedOn = new Set<Digest>();
  /** How each attempt ended. */
  readonly #ends = new Map<Digest, Entry["type"]>();
  readonly #opened = new Map<Digest, Pick<EntryOf<"round.opened">, "study" | "round">>();

  constructor(id: string) {
    this.#id = id;
  }

  take(entry: Entry, index: number, { certificate, recoveries = [], successions = [] }: Facts): void {
    const id = this.#id;
    const say = (kind: string, roundId: Digest): void => {
      this.said.push({ roundId, kind: `Rounds.Participate/${kind}`, entry: index });
    };
    switch (entry.type) {
      case "round.submitted":
        if (entry.enterprise !== id) return;
        this.submitted.push({ ...entry, entry: index });
        say("submit", entry.roundId);
        return;
      case "round.unmasked":
        if (entry.enterprise === id) say("unmask", entry.roundId);
        return;
      case "ledger.reported":
        if (entry.enterprise === id) this.reported.push({ ...entry, entry: index });
        return;
      case "round.opened":
        this.#opened.set(entry.roundId, { study: entry.study, round: entry.round });
        return;
      case "round.survivors":
        this.#agreedOn.add(entry.roundId);
        if (!entry.survivors.includes(id)) this.endedWithout.add(entry.roundId);
        return;
      case "round.released":
        this.#ends.set(entry.roundId, entry.type);
        if (certificate?.agreed.some(({ party }) => party === id)) say("agree", entry.roundId);
        if (certificate?.released.some(({ party }) => party === id)) say("released", entry.roundId);
        return;
      case "round.aborted":
        this.#ends.set(entry.roundId, entry.type);
        this.endedWithout.add(entry.roundId);
        if (entry.renounced?.some(({ enterprise }) => enterprise === id)) say("renounced", entry.roundId);
        return;
      case "round.split":
        this.#ends.set(entry.roundId, entry.type);
        if (entry.invalid.some(({ enterprise }) => enterprise === id)) say("invalid", entry.roundId);
        return;
      case "round.rerun":
      case "round.lost":
        this.#ends.set(entry.roundId, entry.type);
        return;
      case "roster.changed":
        this.recoveries.push(...logRecoveries(recoveries));
        for (const { holder, to } of successions)
          if (holder === "bank") this.keys.push({ from: index + 1, key: parseVerifierKey(to) });
        if (recoveries.some((one) => one.kind === "ledger" && one.enterprise === id)) this.begun = index;
        return;
      case "score.issued":
        if (entry.enterprise === id) this.scores.push({ statement: entry.statement, entry: index });
        return;
      case "warning.raised":
        if (entry.enterprise === id) this.warnings.push({ ...entry, entry: index });
        return;
      case "consortium.created":
        this.keys.push({ from: 0, key: parseVerifierKey(entry.bank) });
        return;
      case "member.expelled":
      case "certificate.issued":
      case "certificate.revoked":
      case "operator.removed":
      case "key.rotated":
      case "key.epoch":
      case "epoch.complaint":
      case "study.proposed":
      case "study.consented":
      case "study.withdrawn":
      case "study.ordered":
      case "study.pruned":
      case "policy.changed":
      case "desensitization.ran":
      case "data.committed":
      case "privacy.spent":
      case "model.published":
      case "model.evaluated":
      case "models.ruled":
      case "model.approved":
      case "model.standing":
      case "score.consented":
      case "score.withdrawn":
      case "case.raised":
      case "case.assigned":
      case "case.commented":
      case "case.decided":
      case "egress.sent":
      case "log.recovered":
        return;
    }
  }

  /** @returns the rounds of attempts, as a report names them: those of each study that follow each other as one. */
  roundsOf(attempts: readonly Digest[]): string {
    const spans: { study: Digest; from: number; to: number }[] = [];
    for (const roundId of attempts) {
      const opened = this.#opened.get(roundId);
      if (opened === undefined) continue;
      const { study, round } = opened;
      const last = spans.findLast((span) => span.study === study);
      if (last !== undefined && round - last.to <= 1) last.to = Math.max(last.to, round);
      else spans.push({ study, from: round, to: round });
    }
    const rounds = spans.map(
      ({ study, from, to }) =>
        `study ${shortDigest(study)} round${from === to ? ` ${from}` : `s ${from}–${to}`}`,
    );
    return rounds.join(", ") || "no round that the bank's log has";
  }

  /** @returns whether the log holds what a departure came to: the attempt's end, and that it went so far. */
  knows({ roundId, kind }: Said): boolean {
    const end = this.#ends.get(roundId);
    const wanted = outcomes[kind];
    if (end === undefined) return false;
    if (wanted === undefined) return true;
    return this.#agreedOn.has(roundId) && (wanted === "agreed" || end !== "round.aborted");
  }
}

/** The enterprise's side: what its ledger says left it. */
class LedgerSide {
  readonly sent = new Map<string, { roundId: Digest; entry: number }>();
  readonly said: Said[] = [];
  readonly shown: { note: string; entry: number }[] = [];
  /** Score statements that it made to the bank. */
  readonly scores = new Set<string>();
  /** Reports of warnings that it made to the bank → how many each held. */
  readonly warnings = new Map<string, number>();
  /** Digest of a policy → attempts whose submission's rows went by it, in their order. */
  readonly policies = new Map<Digest, Digest[]>();
  readonly tree = new GrowingTree();
  readonly #recovered: { kept: number; lost: number; entry: number }[] = [];

  take(entry: Entry, index: number): void {
    if (entry.type === "log.recovered")
      this.#recovered.push({ kept: entry.kept.size, lost: entry.lost.size, entry: index });
    if (entry.type === "score.issued") this.scores.add(entry.statement);
    if (entry.type === "warning.raised") this.warnings.set(entry.statement, entry.warnings);
    if (entry.type !== "egress.sent" || entry.roundId === undefined) return;
    const { roundId, kind, submission, checkpoint } = entry;
    this.said.push({ roundId, kind, entry: index });
    if (submission !== undefined) this.sent.set(`${roundId} ${submission}`, { roundId, entry: index });
    if (entry.policy !== undefined)
      this.policies.set(entry.policy, [...(this.policies.get(entry.policy) ?? []), roundId]);
    if (checkpoint !== undefined) this.shown.push({ note: checkpoint, entry: index });
  }

  /**
   * Whether a departure may be of rounds that the bank's log lost: it left before the recovery, and the log, as it was
   * shown then or next, had grown beyond what it kept.
   */
  isOfLost({ entry }: { readonly entry: number }, recoveries: readonly LogRecovery[]): boolean {
    const place = this.shown.findIndex((shown) => shown.entry >= entry);
    const [now, next] = place === -1 ? [] : this.shown.slice(place, place + 2).map(sizeOf);
    const isAt = this.shown[place]?.entry === entry;
    return this.#recovered.some((told) => {
      const isSigned = recoveries.some(
        ({ kept, lost }) => kept.size === told.kept && lost.size === told.lost,
      );
      if (!isSigned || entry >= told.entry) return false;
      const after = isAt ? next : now;
      return (isAt && now! >= told.kept) || after === undefined || after > told.kept;
    });
  }
}

const sizeOf = ({ note }: { readonly note: string }): number => parseCheckpoint(parseNote(note).text).size;

/**
 * Compares the bank's log with one enterprise's egress ledger: whatever the enterprise signed in a round on both
 * sides, every departure of a round with what came of it, every score statement and report of warnings, every ledger checkpoint that the bank logged a prefix of
 * this ledger, every checkpoint of the bank that the ledger holds a prefix of this log.
 *
 * A ledger is written before the bytes leave, so what was cut off on its way stands in the ledger alone. It is
 * told apart by the bank's own word: the attempt's logged end, which does not count the enterprise.
 *
 * @param policy - of the bank's log; the ledger is checked against the key that the roster gives its enterprise.
 * @param arithmetic - of studies, as for `verifyExport`.
 * @throws Refusal not_found, if the ledger's origin is no member of the bank's last roster.
 */
export async function reconcile(
  bank: ExportSource,
  ledger: ExportSource,
  policy: LogPolicy,
  arithmetic?: StudyArithmetic,
): Promise<Check[]> {
  const [compared] = await reconcileAll(bank, [ledger], policy, arithmetic);
  return compared!.checks;
}

/**
 * As {@link reconcile}, with the ledgers of several enterprises: the bank's log, the larger by far, is verified once.
 * @returns for each ledger, in their order, whose it is and what came of it.
 */
export async function reconcileAll(
  bank: ExportSource,
  ledgers: readonly ExportSource[],
  policy: LogPolicy,
  arithmetic?: StudyArithmetic,
): Promise<{ readonly id: string; readonly checks: Check[] }[]> {
  if (ledgers.length === 0) return [];
  const tree = new GrowingTree();
  const sides: { owner: LedgerOwner; ledger: ExportSource; theirs: BankSide }[] = [];
  const rosters = await rostersIn(bank);
  for (const ledger of ledgers) {
    const owner = await ledgerOwner(rosters, ledger);
    sides.push({ owner, ledger, theirs: new BankSide(owner.id) });
  }
  const bankChecks = await verifyExport(bank(), policy, {
    ...(arithmetic === undefined ? {} : { arithmetic }),
    tree,
    onEntry: (entry, index, facts) => {
      for (const { theirs } of sides) theirs.take(entry, index, facts);
    },
  });
  const compared: { id: string; checks: Check[] }[] = [];
  for (const { owner, ledger, theirs } of sides)
    compared.push({ id: owner.id, checks: await compare(owner, ledger, { theirs, tree, bankChecks }) });
  return compared;
}

async function compare(
  { id, key }: LedgerOwner,
  ledger: ExportSource,
  {
    theirs,
    tree,
    bankChecks,
  }: { readonly theirs: BankSide; readonly tree: GrowingTree; readonly bankChecks: readonly Check[] },
): Promise<Check[]> {
  const own = new LedgerSide();
  const ownPolicy: LogPolicy = { log: parseVerifierKey(key), witnesses: [], quorum: { kind: "none" } };
  const ledgerChecks = await verifyExport(ledger(), ownPolicy, {
    tree: own.tree,
    onEntry: (entry, index) => own.take(entry, index),
  });

  const { begun, recoveries } = theirs;
  const isSince = ({ entry }: { readonly entry: number }): boolean => entry >= begun;
  const before =
    begun === 0 ? "" : `; of a ledger that was lost, signed by bank and auditor in entry ${begun}: `;
  const submitted = theirs.submitted.filter(isSince);
  const said = theirs.said.filter(isSince);
  const reported = theirs.reported.filter(isSince);
  const unsaid = (all: readonly unknown[], kept: readonly unknown[]): Finding =>
    all.length === kept.length ? {} : { said: `${before}${all.length - kept.length}`, finding: true };

  const isLostHere = (place: { readonly entry: number }): boolean => own.isOfLost(place, recoveries);
  const lostWith = (count: number): Finding =>
    count === 0
      ? {}
      : { said: `; lost with the bank's log, signed by bank and auditor: ${count}`, finding: true };

  const logged = new Set(theirs.submitted.map(({ roundId, digest }) => `${roundId} ${digest}`));
  const unsent = submitted.find(({ roundId, digest }) => !own.sent.has(`${roundId} ${digest}`));
  const notLogged = [...own.sent].filter(([submission]) => !logged.has(submission)).map(([, place]) => place);
  const notEnded = notLogged.filter(({ roundId }) => !theirs.endedWithout.has(roundId));
  const unlogged = notEnded.find((place) => !isLostHere(place));
  const cut = notLogged.length - notEnded.length;
  const cutOff = cut === 0 ? "" : `, ${cut} of them cut off on the way`;
  const left = new Set(own.said.map(nameOf));
  const invented = said.find((one) => !left.has(nameOf(one)));
  const unknown = own.said.filter((one) => !theirs.knows(one));
  const hidden = unknown.find((place) => !isLostHere(place));
  const foreignShown = own.shown.filter(({ note }) => !isPrefix(note, theirs.keys, tree));
  const unreached = foreignShown.find(({ note }) => !isOfLostLog(note, theirs.keys, recoveries));
  const foreign = reported.find(({ size, root }) => root !== toHexOrNothing(own.tree.rootAt(size)));
  const [ofLedger, ofLog] = [own.tree.range.size, tree.range.size];
  const lastReported = Math.max(0, ...reported.map(({ size }) => size));
  const lastShown = Math.max(0, ...own.shown.map(({ note }) => sizeShown(note, theirs.keys)));
  // Taken before the other side's last word: nothing is wrong, and nothing proven.
  const olderLedger =
    lastReported > ofLedger
      ? {
          otherwise: `not there: this ledger ends at ${ofLedger} entries, and the log knows of ${lastReported}: ask the enterprise for it anew`,
        }
      : {};
  const olderLog =
    lastShown > ofLog
      ? {
          otherwise: `not there: this log ends at ${ofLog} entries, and the enterprise was shown ${lastShown}: it is an older export, or cut; ask the bank for it anew`,
        }
      : {};
  const alone = own.said.filter(({ entry }) => entry >= lastReported).length;
  const scores = theirs.scores.filter(isSince);
  const claimed = scores.find(({ statement }) => !own.scores.has(statement));
  const received = new Set(theirs.scores.map(({ statement }) => statement));
  const notReceived = [...own.scores].filter((statement) => !received.has(statement)).length;
  const warned = theirs.warnings.filter(isSince);
  const taken = new Map<string, number>();
  // The bank takes what is new to it: of one report never more than it held, however often it is logged.
  const unwarned = warned.find(({ statement, warnings }) => {
    const all = (taken.get(statement) ?? 0) + warnings;
    taken.set(statement, all);
    return all > (own.warnings.get(statement) ?? 0);
  });
  const loggedReports = new Set(theirs.warnings.map(({ statement }) => statement));
  const notTaken = [...own.warnings.keys()].filter((statement) => !loggedReports.has(statement)).length;
  return [
    summary("the bank's log verifies", bankChecks),
    summary(`the ledger of ${id} verifies`, ledgerChecks),
    line(
      "every submission the bank logged is in the ledger",
      `${submitted.length} submissions`,
      unsent?.entry,
      { ...unsaid(theirs.submitted, submitted), ...olderLedger },
    ),
    line(
      "every submission in the ledger is in the bank's log",
      `${own.sent.size} submissions${cutOff}`,
      unlogged?.entry,
      { ...lostWith(notEnded.length), ...olderLog },
    ),
    line(
      "everything it signed in the bank's log left by the ledger",
      `${said.length} signatures`,
      invented?.entry,
      { ...unsaid(theirs.said, said), ...olderLedger },
    ),
    line(
      "every departure of a round has its outcome in the bank's log",
      `${own.said.length} departures`,
      hidden?.entry,
      { ...lostWith(unknown.length), ...olderLog },
    ),
    line(
      "every score statement the bank logged is in the ledger",
      `${scores.length} statements`,
      claimed?.entry,
      {
        ...(notReceived === 0
          ? {}
          : { said: `; ${notReceived} more in the ledger, which the bank did not take` }),
        ...olderLedger,
      },
    ),
    line(
      "every report of warnings the bank logged is in the ledger",
      `${warned.length} reports`,
      unwarned?.entry,
      { ...unsaid(theirs.warnings, warned), ...olderLedger },
    ),
    {
      check: "every report of warnings in the ledger is in the bank's log",
      ok: true,
      // A report that did not arrive, or told nothing new, leaves no entry, and nobody can tell it from one that was hidden.
      ...(notTaken === 0
        ? { detail: `${own.warnings.size} reports` }
        : {
            detail: `${own.warnings.size} reports, ${notTaken} of them not: they did not arrive, told nothing new, or were left out`,
            finding: true as const,
          }),
    },
    line(
      "every checkpoint the bank logged is of this ledger",
      `${reported.length} checkpoints`,
      foreign?.entry,
      {
        ...uncovered(alone, unsaid(theirs.reported, reported)),
        ...(foreign !== undefined && foreign.size > ofLedger ? olderLedger : {}),
      },
    ),
    line(
      "every checkpoint in the ledger is of the bank's log",
      `${own.shown.length} checkpoints`,
      unreached?.entry,
      {
        ...lostWith(foreignShown.length),
        ...(unreached !== undefined && sizeShown(unreached.note, theirs.keys) > ofLog ? olderLog : {}),
      },
    ),
    ...[...own.policies].map(([policy, attempts]) => ({
      check: `rows by policy ${shortDigest(policy)}`,
      ok: true,
      detail: theirs.roundsOf(attempts),
    })),
  ];
}

/** What of a check that holds is for people to judge. */
interface Finding {
  readonly said?: string;
  /** Where the check fails. */
  readonly otherwise?: string;
  readonly finding?: true;
}

/** What no checkpoint in the bank's log covers, the enterprise could have written in its ledger afterwards. */
const uncovered = (departures: number, finding: Finding): Finding =>
  departures === 0
    ? finding
    : {
        said: `${finding.said ?? ""}; ${departures} departures of rounds after the last of them stand on the enterprise's word alone`,
        finding: true,
      };

/** @returns how many entries of the log a checkpoint shows; 0 where the log's keys did not sign it. */
function sizeShown(note: string, keys: readonly LogKey[]): number {
  try {
    return openCheckpointOf(note, keys).checkpoint.size;
  } catch (error) {
    if (error instanceof Refusal) return 0;
    throw error;
  }
}

/** @returns whether a checkpoint may be of what bank and auditor say the log lost. */
function isOfLostLog(note: string, keys: readonly LogKey[], recoveries: readonly LogRecovery[]): boolean {
  try {
    const { checkpoint } = openCheckpointOf(note, keys);
    return recoveries.some((recovery) => isLost(recovery, checkpoint));
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** @returns whether a checkpoint is of this log, and the log reaches it. */
function isPrefix(note: string, keys: readonly LogKey[], tree: GrowingTree): boolean {
  try {
    const { size, root } = openCheckpointOf(note, keys).checkpoint;
    return toHexOrNothing(tree.rootAt(size)) === toHex(root);
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

const toHexOrNothing = (hash: Uint8Array | undefined): string => (hash === undefined ? "" : toHex(hash));

function line(
  check: string,
  detail: string,
  entry: number | undefined,
  { said = "", otherwise = "not there", finding }: Finding = {},
): Check {
  if (entry !== undefined) return { check, ok: false, detail: otherwise, entry };
  return { check, ok: true, detail: detail + said, ...(finding ? { finding } : {}) };
}

function summary(check: string, checks: readonly Check[]): Check {
  const failed = checks.filter(({ ok }) => !ok);
  const [first] = failed;
  if (first === undefined) {
    const found = checks.find(({ finding }) => finding);
    const detail = `${checks.length} checks${found === undefined ? "" : `; ${found.check}: ${found.detail}`}`;
    return { check, ok: allHold(checks), detail, ...(found === undefined ? {} : { finding: true }) };
  }
  const detail = `${failed.length} of ${checks.length} checks fail, first: ${first.check}: ${first.detail}`;
  return first.entry === undefined
    ? { check, ok: false, detail }
    : { check, ok: false, detail, entry: first.entry };
}

interface LedgerOwner {
  readonly id: string;
  /** Verifier key. */
  readonly key: string;
}

/** @returns every roster in the bank's export, in their order. */
async function rostersIn(bank: ExportSource): Promise<RosterText[]> {
  const rosters: RosterText[] = [];
  for await (const record of (await readExport(bank())).records)
    if (record.type === "attachment" && record.attachment.kind === "roster")
      rosters.push(parseRoster(parseNote(record.attachment.note).text));
  return rosters;
}

/**
 * @returns the member of the bank's last roster that the ledger's checkpoint names as its origin.
 * @throws Refusal not_found
 */
async function ledgerOwner(rosters: readonly RosterText[], ledger: ExportSource): Promise<LedgerOwner> {
  let origin = "";
  let signed: readonly string[] = [];
  for await (const record of (await readExport(ledger())).records) {
    if (record.type === "checkpoint") {
      const { text, signatures } = parseNote(record.note);
      origin = parseCheckpoint(text).origin;
      signed = signatures.map(({ keyId }) => keyId);
    }
    break;
  }
  let owner: LedgerOwner | undefined;
  for (const { members, successions = [] } of rosters) {
    const member = members.find(({ verifierKey }) => parseVerifierKey(verifierKey).name === origin);
    if (member === undefined) continue;
    const { id, verifierKey } = member;
    // A ledger that was exported before its key changed is signed by the one that the roster's follows.
    const earlier = successions.find(
      ({ holder, from }) => holder === id && signed.includes(parseVerifierKey(from).keyId),
    );
    const isEarlier = earlier !== undefined && leadsTo(successions, id, signed, verifierKey);
    owner = { id, key: isEarlier ? earlier.from : verifierKey };
  }
  if (owner === undefined)
    throw new Refusal("not_found", `no roster in the bank's export has a member with the key ${origin}`);
  return owner;
}
