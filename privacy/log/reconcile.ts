import { toHex } from "../../core/bytes.ts";
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseRoster } from "../roster.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { type Entry, type EntryOf, entryBytes } from "./entry.ts";
import { readExport } from "./export.ts";
import { appendLeaf, emptyRange, emptyRoot, leafHash, rangeRoot } from "./merkle.ts";
import { parseNote, parseVerifierKey } from "./note.ts";
import type { LogPolicy } from "./policy.ts";
import { allHold, type Check, verifyExport } from "./verify.ts";

/** The bytes of an export, from the start each time. */
export type ExportSource = () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Compares the bank's log with one enterprise's egress ledger: every submission on both sides, and every
 * ledger checkpoint that the bank logged a prefix of this ledger.
 *
 * A ledger is written before the bytes leave, so a submission cut off on its way stands in the ledger alone. It is
 * told apart by the bank's own word: the attempt's logged end does not count the enterprise among its survivors.
 *
 * @param policy - of the bank's log; the ledger is checked against the key that the roster gives its enterprise.
 * @throws Refusal not_found, if the ledger's origin is no member of the bank's last roster.
 */
export async function reconcile(
  bank: ExportSource,
  ledger: ExportSource,
  policy: LogPolicy,
): Promise<Check[]> {
  const { id, key } = await ledgerOwner(bank, ledger);
  const submitted: { roundId: Digest; digest: Digest; entry: number }[] = [];
  const reported: (EntryOf<"ledger.reported"> & { entry: number })[] = [];
  const endedWithout = new Set<Digest>();
  const bankChecks = await verifyExport(bank(), policy, (entry, index) => {
    if (entry.type === "round.submitted" && entry.enterprise === id)
      submitted.push({ ...entry, entry: index });
    if (entry.type === "ledger.reported" && entry.enterprise === id)
      reported.push({ ...entry, entry: index });
    if (entry.type === "round.aborted") endedWithout.add(entry.roundId);
    if (entry.type === "round.survivors" && !entry.survivors.includes(id)) endedWithout.add(entry.roundId);
  });

  const sent = new Map<string, { roundId: Digest; entry: number }>();
  const roots = [emptyRoot];
  let range = emptyRange;
  const ownPolicy: LogPolicy = { log: parseVerifierKey(key), witnesses: [], quorum: { kind: "none" } };
  const ledgerChecks = await verifyExport(ledger(), ownPolicy, (entry: Entry, index) => {
    range = appendLeaf(range, leafHash(entryBytes(entry))).range;
    roots.push(rangeRoot(range));
    if (entry.type === "egress.sent" && entry.submission !== undefined && entry.roundId !== undefined)
      sent.set(`${entry.roundId} ${entry.submission}`, { roundId: entry.roundId, entry: index });
  });

  const logged = new Set(submitted.map(({ roundId, digest }) => `${roundId} ${digest}`));
  const unsent = submitted.find(({ roundId, digest }) => !sent.has(`${roundId} ${digest}`));
  const notLogged = [...sent].filter(([submission]) => !logged.has(submission)).map(([, place]) => place);
  const unlogged = notLogged.find(({ roundId }) => !endedWithout.has(roundId));
  const cutOff = notLogged.length === 0 ? "" : `, ${notLogged.length} of them cut off on the way`;
  const foreign = reported.find(({ size, root }) => root !== toHexOrNothing(roots[size]));
  return [
    summary("the bank's log verifies", bankChecks),
    summary(`the ledger of ${id} verifies`, ledgerChecks),
    line(
      "every submission the bank logged is in the ledger",
      `${submitted.length} submissions`,
      unsent?.entry,
    ),
    line(
      "every submission in the ledger is in the bank's log",
      `${sent.size} submissions${cutOff}`,
      unlogged?.entry,
    ),
    line(
      "every checkpoint the bank logged is of this ledger",
      `${reported.length} checkpoints`,
      foreign?.entry,
    ),
  ];
}

const toHexOrNothing = (hash: Uint8Array | undefined): string => (hash === undefined ? "" : toHex(hash));

function line(check: string, detail: string, entry: number | undefined): Check {
  return entry === undefined ? { check, ok: true, detail } : { check, ok: false, detail: "not there", entry };
}

function summary(check: string, checks: readonly Check[]): Check {
  const failed = checks.filter(({ ok }) => !ok);
  const [first] = failed;
  if (first === undefined) return { check, ok: allHold(checks), detail: `${checks.length} checks` };
  const detail = `${failed.length} of ${checks.length} checks fail, first: ${first.check}: ${first.detail}`;
  return first.entry === undefined
    ? { check, ok: false, detail }
    : { check, ok: false, detail, entry: first.entry };
}

/** @returns the member of the bank's last roster that the ledger's checkpoint names as its origin. */
async function ledgerOwner(bank: ExportSource, ledger: ExportSource): Promise<{ id: string; key: string }> {
  let origin = "";
  for await (const record of (await readExport(ledger())).records) {
    if (record.type === "checkpoint") origin = parseCheckpoint(parseNote(record.note).text).origin;
    break;
  }
  let owner: { id: string; key: string } | undefined;
  for await (const record of (await readExport(bank())).records) {
    if (record.type !== "attachment" || record.attachment.kind !== "roster") continue;
    const { members } = parseRoster(parseNote(record.attachment.note).text);
    const member = members.find(({ verifierKey }) => parseVerifierKey(verifierKey).name === origin);
    if (member !== undefined) owner = { id: member.id, key: member.verifierKey };
  }
  if (owner === undefined)
    throw new Refusal("not_found", `no roster in the bank's export has a member with the key ${origin}`);
  return owner;
}
