/** What enterprises and the auditor say about logs: cosignatures of the bank's, checkpoints of their own. */
import { toHex } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { openCheckpoint } from "../../privacy/log/checkpoint.ts";
import {
  type CosignatureVerifier,
  cosignatureTime,
  cosignatureVerifier,
} from "../../privacy/log/cosignature.ts";
import { hasMlDsa } from "../../privacy/log/ml-dsa.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { openSecondKey } from "../../privacy/log/second-key.ts";
import type { Checkpoint } from "../../privacy/log/tree-head.ts";
import type { Cosignature__Output } from "../../proto/generated/fedcredit/v1/Cosignature.ts";
import { clockToleranceMillis } from "../../proto/wire.ts";
import { currentRoster, keysInForce } from "../authority/membership.ts";
import { acceptRestored } from "../authority/recovery.ts";
import type { Bank } from "../bank.ts";
import { Batch } from "../store/batch.ts";
import { type Cosigning, cosigningOf, type NewEntry } from "../store/log.ts";
import { type Transaction, valuesOf } from "../store/sql.ts";

// golang.org/x/mod/sumdb/note reads 100; the auditor's two must find room however many enterprises came before.
const mostSignatures = 98;

/** What an enterprise says once a round: of its own log, and of the bank's. */
interface Report {
  readonly enterprise: string;
  readonly note: string;
  /** The enterprise's, that signed the note. */
  readonly verifierKey: string;
  readonly checkpoint: Checkpoint;
  readonly cosigning: Cosigning | undefined;
}

/** How long the first report of a round waits for the others: one commit for all, and nobody waits for it. */
const gatherSeconds = 0.05;

export class Witnesses {
  readonly #bank: Bank;
  readonly #reports: Batch<Report, true>;
  /** Attempts ended since the start: an enterprise reports once for each, and once more as it finds the coordinator. */
  #ended = 0;
  /** Reports logged since the start, by enterprise. */
  readonly #logged = new Map<string, number>();

  constructor(bank: Bank) {
    this.#bank = bank;
    const gather = (): Promise<void> =>
      new Promise((gathered) => void bank.clock.after(gatherSeconds, gathered));
    this.#reports = new Batch((reports) => this.#store(reports), gather);
    bank.events.on("ended", () => void this.#ended++);
  }

  /**
   * The auditor's cosignature, and the one by its ML-DSA-44 key where it has one and this machine knows the algorithm.
   * @returns the checkpoint with the cosignatures held. @throws Refusal clock_skew, and those of the log
   */
  async cosign({ size, line, mlDsa }: Cosignature__Output): Promise<string> {
    const { auditor } = keysInForce(this.#bank);
    const first = cosignatureVerifier(auditor.name, auditor.publicKey);
    const cosignings = [this.#cosigning(size, line, first, mostSignatures)];
    if (mlDsa !== null && hasMlDsa())
      cosignings.push(
        this.#cosigning(size, mlDsa.line, openSecondKey(mlDsa.key, auditor), mostSignatures + 1),
      );
    const note = await this.#bank.privacyLog.cosign(cosignings);
    // It has found that the log, as it was restored, grew out of what it saw before.
    await acceptRestored(this.#bank);
    return note;
  }

  /** @throws Refusal clock_skew, note_malformed, signature_invalid */
  #cosigning(size: number, line: string, witness: CosignatureVerifier, most: number): Cosigning {
    // — <name> <base64 of 4 bytes key id, 8 bytes time, signature>
    const signature = Buffer.from(line.trim().split(" ")[2] ?? "", "base64").subarray(4);
    const timeSeconds = signature.length > 8 ? cosignatureTime(signature) : undefined;
    if (
      timeSeconds !== undefined &&
      Math.abs(timeSeconds * 1000 - this.#bank.clock.now()) > clockToleranceMillis
    )
      throw new Refusal("clock_skew", "the cosignature's time is more than 5 minutes from the coordinator's");
    return cosigningOf(size, line, witness, most);
  }

  async #member(id: string) {
    const member = (await currentRoster(this.#bank))?.roster.byId.get(id);
    if (member === undefined) throw new Refusal("roster_mismatch", `${id} is not in the current roster`);
    return member;
  }

  /**
   * Puts the checkpoint of an enterprise's egress ledger into the log, and keeps its cosignature of the bank's. More
   * than one a round is checked and not put there: the next one covers it.
   * @throws Refusal roster_mismatch, signature_invalid, note_malformed, log_forked, clock_skew, not_found
   */
  async reportLedger(
    enterprise: string,
    note: string,
    cosignature: { readonly size: number; readonly line: string } | null,
  ): Promise<void> {
    const { verifierKey, identityKey } = await this.#member(enterprise);
    const { checkpoint } = openCheckpoint(note, parseVerifierKey(verifierKey));
    const witness = cosignatureVerifier(enterprise, identityKey);
    const cosigning =
      cosignature === null
        ? undefined
        : this.#cosigning(cosignature.size, cosignature.line, witness, mostSignatures - 1);
    await this.#reports.add({ enterprise, note, verifierKey, checkpoint, cosigning });
  }

  async #store(reports: readonly Report[]): Promise<(true | Error)[]> {
    return this.#bank.database.transaction(async (sql) => {
      await this.#bank.privacyLog.lock(sql);
      // A roster that came while they were gathered: what it does not hold the key of would not verify behind it.
      const members = (await currentRoster(this.#bank, sql))?.roster.byId;
      const last = await lastReports(sql, reports);
      const entries: NewEntry[] = [];
      const fresh: Report[] = [];
      const outcomes = reports.map((report): true | Error => {
        const { enterprise, note, verifierKey, checkpoint } = report;
        const outcome = isNews(last.get(enterprise), checkpoint);
        const logged = this.#logged.get(enterprise) ?? 0;
        const isInForce = members?.get(enterprise)?.verifierKey === verifierKey;
        if (outcome === true && isInForce && logged <= this.#ended) {
          const { size } = checkpoint;
          const root = toHex(checkpoint.root);
          this.#logged.set(enterprise, logged + 1);
          last.set(enterprise, { size, root });
          fresh.push(report);
          entries.push({ type: "ledger.reported", enterprise, size, root, checkpoint: note });
        }
        return outcome instanceof Refusal ? outcome : true;
      });
      await storeReports(sql, fresh);
      await this.#bank.privacyLog.append(sql, entries);
      const cosignings = reports.flatMap(({ cosigning }) => cosigning ?? []);
      const cosigned = await this.#bank.privacyLog.addCosignatures(sql, cosignings);
      return reports.map(({ cosigning }, i) => {
        const kept = cosigning === undefined ? true : cosigned[cosignings.indexOf(cosigning)];
        return outcomes[i] === true && kept instanceof Error ? kept : outcomes[i]!;
      });
    });
  }
}

interface LastReport {
  readonly size: number;
  readonly root: string;
}

async function lastReports(sql: Transaction, reports: readonly Report[]): Promise<Map<string, LastReport>> {
  const names = [...new Set(reports.map(({ enterprise }) => enterprise))];
  const rows = await sql`
    SELECT DISTINCT ON (enterprise) enterprise, size, root FROM ledger_checkpoint
    WHERE enterprise = ANY(${names}) ORDER BY enterprise, size DESC`;
  return new Map(rows.map(({ enterprise, size, root }) => [enterprise, { size, root }]));
}

/** @returns whether a report is news; the Refusal of one that does not continue the enterprise's last. */
function isNews(last: LastReport | undefined, { size, root }: Checkpoint): boolean | Refusal {
  if (last !== undefined && (last.size > size || (last.size === size && last.root !== toHex(root))))
    return new Refusal("log_forked", "the ledger does not continue the one reported before");
  return last?.size !== size;
}

async function storeReports(sql: Transaction, reports: readonly Report[]): Promise<void> {
  if (reports.length === 0) return;
  const rows = reports.map(({ enterprise, checkpoint: { size, root }, note }) => ({
    enterprise,
    size,
    root: toHex(root),
    note,
  }));
  await sql`INSERT INTO ledger_checkpoint ${valuesOf(rows)}`;
}
