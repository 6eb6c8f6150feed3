/** Key epochs as they are stored: numbers that only grow, what was signed, what sharers sealed. */
import { canonicalJson, type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { type EpochRecord, epochFields, openEpochRecord } from "../../privacy/log/epoch-record.ts";
import type { Roster } from "../../privacy/roster.ts";
import type { ComplaintEvidence } from "../../privacy/sum/epoch/complaints.ts";
import type { EpochHeader } from "../../privacy/sum/epoch/header.ts";
import type { SealedShares, ShareEpoch } from "../../privacy/sum/epoch/messages.ts";
import { type OpenEpoch, type ShareHashes, shareHashesOf } from "../../privacy/sum/epoch/secrets.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { PartyMessage } from "../../proto/generated/fedcredit/v1/PartyMessage.ts";
import { fromOneof, Rounds, toOneof } from "../../proto/wire.ts";
import type { Bank } from "../bank.ts";
import { attach } from "../store/attachments.ts";
import { type Transaction, valuesOf } from "../store/sql.ts";

const { requestSerialize, requestDeserialize } = Rounds.service.Participate;

/** Takes the next number, durably: two openings never have the same. */
export async function nextEpochNumber(bank: Bank): Promise<number> {
  return bank.database.transaction(async (sql) => {
    const [row] = await sql`
      INSERT INTO key_epoch (epoch) SELECT coalesce(max(epoch), 0) + 1 FROM key_epoch RETURNING epoch`;
    return row!.epoch as number;
  });
}

/** Stores and logs an epoch that all its members signed. What older ones sealed is not needed any more. */
export async function storeEpoch(
  bank: Bank,
  epoch: OpenEpoch,
  record: EpochRecord,
  shares: ReadonlyMap<PartyId, readonly SealedShares[]>,
): Promise<void> {
  const { header, digest, transcript } = epoch;
  const document = canonicalJson(record);
  const rows = [...shares].map(([sharer, sealed]) => {
    const message: ShareEpoch = { type: "shareEpoch", opening: transcript.opening, sealed, dealt: null };
    return { epoch: header.epoch, sharer, message: requestSerialize(toOneof<PartyMessage>(message)) };
  });
  await bank.database.transaction(async (sql) => {
    await sql`UPDATE key_epoch SET digest = ${digest}, record = ${document} WHERE epoch = ${header.epoch}`;
    await sql`DELETE FROM epoch_share WHERE epoch < ${header.epoch}`;
    for (const row of rows) await sql`INSERT INTO epoch_share ${valuesOf([row])}`;
    await bank.privacyLog.append(sql, [
      { type: "key.epoch", ...epochFields(epoch), transcript: digestOf(document) },
    ]);
  });
}

/** @throws Refusal epoch_mismatch where the epoch, or what its sharers sealed, is not stored. */
export async function loadEpoch(
  bank: Bank,
  digest: Digest,
  roster: Roster,
): Promise<{ epoch: OpenEpoch; hashes: ShareHashes }> {
  const { sql } = bank.database;
  const [row] = await sql`SELECT epoch, record FROM key_epoch WHERE digest = ${digest}`;
  const rows = row ? await sql`SELECT sharer, message FROM epoch_share WHERE epoch = ${row.epoch}` : [];
  if (row === undefined || rows.length === 0)
    throw new Refusal("epoch_mismatch", "the attempt's key epoch is not stored any more");
  const shares = new Map(
    rows.map(({ sharer, message }): [PartyId, readonly SealedShares[]] => [
      sharer,
      fromOneof<ShareEpoch>(requestDeserialize(message)).sealed,
    ]),
  );
  return { epoch: openEpochRecord(JSON.parse(row.record), roster), hashes: shareHashesOf(shares) };
}

/** @returns the members' signatures of an epoch. @throws Refusal not_found */
export async function confirmationsOf(
  bank: Bank,
  digest: Digest,
): Promise<{ party: PartyId; signature: Uint8Array }[]> {
  const [row] = await bank.database.sql`
    SELECT record::jsonb -> 'confirmations' AS confirmations FROM key_epoch WHERE digest = ${digest}`;
  if (row === undefined) throw new Refusal("not_found", `no key epoch ${digest}`);
  const { confirmations } = row as { confirmations: EpochRecord["confirmations"] };
  return confirmations.map(({ party, signature }) => ({
    party,
    signature: Buffer.from(signature, "base64"),
  }));
}

/** Counts a slot as taken, in the transaction that opens the attempt it serves. */
export const takeSlot = (sql: Transaction, epoch: number, slot: number): Promise<unknown> =>
  sql`UPDATE key_epoch SET slots_taken = ${slot + 1} WHERE epoch = ${epoch}`;

/** @returns who sits out what `scope` names. */
export async function leftOutOf(bank: Bank, scope: Digest): Promise<Set<PartyId>> {
  const rows = await bank.database.sql`SELECT enterprise FROM left_out WHERE scope = ${scope}`;
  return new Set(rows.map(({ enterprise }) => enterprise as PartyId));
}

export async function leaveOut(
  sql: Transaction,
  scope: Digest,
  parties: readonly PartyId[],
  reason: string,
): Promise<void> {
  for (const enterprise of parties)
    await sql`INSERT INTO left_out VALUES (${scope}, ${enterprise}, ${reason}) ON CONFLICT DO NOTHING`;
}

/** Stores who was named in an opening, with the evidence of a settled complaint in the log. */
export async function storeNamed(
  bank: Bank,
  header: EpochHeader,
  named: readonly { readonly party: PartyId; readonly reason: string }[],
  evidence: Uint8Array,
  opening: Digest,
): Promise<void> {
  await bank.database.transaction(async (sql) => {
    for (const { party, reason } of named) await leaveOut(sql, header.roster, [party], reason);
    if (evidence.length === 0) return;
    const document = Buffer.from(evidence).toString("utf8");
    const { accuser, accused, message } = JSON.parse(document) as ComplaintEvidence;
    await attach(sql, document);
    await bank.privacyLog.append(sql, [
      {
        type: "epoch.complaint",
        opening,
        accuser: accuser.party,
        accused: accused.party,
        kind: message.kind,
        guilty: named[0]!.party,
        evidence: digestOf(document),
      },
    ]);
  });
}
