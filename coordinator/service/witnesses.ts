/** What enterprises and the auditor say about logs: cosignatures of the bank's, checkpoints of their own. */
import { toHex } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { type Checkpoint, openCheckpoint } from "../../privacy/log/checkpoint.ts";
import {
  type CosignatureVerifier,
  cosignatureTime,
  cosignatureVerifier,
} from "../../privacy/log/cosignature.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { clockToleranceMillis } from "../../proto/wire.ts";
import type { Identity } from "../authority/ca.ts";
import { currentRoster } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import { Batch } from "../store/batch.ts";
import type { Transaction } from "../store/database.ts";
import type { NewEntry } from "../store/log.ts";

// golang.org/x/mod/sumdb/note reads no more; the auditor's must find room however many enterprises came before.
const mostSignatures = 99;

interface Report {
  readonly enterprise: string;
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

export class Witnesses {
  readonly #bank: Bank;
  readonly #reports: Batch<Report, true>;
  /** Attempts ended since the start: an enterprise reports once for each, and once more as it finds the coordinator. */
  #ended = 0;
  /** Reports logged since the start, by enterprise. */
  readonly #logged = new Map<string, number>();

  constructor(bank: Bank) {
    this.#bank = bank;
    this.#reports = new Batch((reports) => this.#store(reports));
    bank.events.on("ended", () => void this.#ended++);
  }

  /** @returns the checkpoint with the cosignatures held. @throws Refusal clock_skew, and those of the log */
  async cosign(caller: Identity, size: number, line: string): Promise<string> {
    // — <name> <base64 of 4 bytes key id, 8 bytes time, signature>
    const signature = Buffer.from(line.trim().split(" ")[2] ?? "", "base64").subarray(4);
    const timeSeconds = signature.length > 8 ? cosignatureTime(signature) : undefined;
    if (
      timeSeconds !== undefined &&
      Math.abs(timeSeconds * 1000 - this.#bank.clock.now()) > clockToleranceMillis
    )
      throw new Refusal("clock_skew", "the cosignature's time is more than 5 minutes from the coordinator's");
    const most = caller.role === "auditor" ? mostSignatures : mostSignatures - 1;
    return this.#bank.privacyLog.cosign(size, line, await this.#witness(caller), most);
  }

  /** @returns how a caller's cosignatures verify: under its id, with the key the roster (or the config) names. */
  async #witness({ role, id }: Identity): Promise<CosignatureVerifier> {
    const { auditorKey } = this.#bank;
    if (role === "auditor") return cosignatureVerifier(auditorKey.name, auditorKey.publicKey);
    return cosignatureVerifier(id, (await this.#member(id)).identityKey);
  }

  async #member(id: string) {
    const member = (await currentRoster(this.#bank))?.roster.byId.get(id);
    if (member === undefined) throw new Refusal("roster_mismatch", `${id} is not in the current roster`);
    return member;
  }

  /**
   * Puts the checkpoint of an enterprise's egress ledger into the log. More than one a round is checked and not kept:
   * the next one covers it.
   * @throws Refusal roster_mismatch, signature_invalid, note_malformed, log_forked
   */
  async reportLedger(enterprise: string, note: string): Promise<void> {
    const { verifierKey } = await this.#member(enterprise);
    const { checkpoint } = openCheckpoint(note, parseVerifierKey(verifierKey));
    await this.#reports.add({ enterprise, note, checkpoint });
  }

  async #store(reports: readonly Report[]): Promise<(true | Error)[]> {
    return this.#bank.database.transaction(async (sql) => {
      const outcomes: (true | Error)[] = [];
      const entries: NewEntry[] = [];
      for (const report of reports) {
        const { enterprise, note, checkpoint } = report;
        const outcome = await isNews(sql, report);
        outcomes.push(outcome instanceof Refusal ? outcome : true);
        const logged = this.#logged.get(enterprise) ?? 0;
        if (outcome !== true || logged > this.#ended) continue;
        this.#logged.set(enterprise, logged + 1);
        await storeReport(sql, report);
        const root = toHex(checkpoint.root);
        entries.push({ type: "ledger.reported", enterprise, size: checkpoint.size, root, checkpoint: note });
      }
      await this.#bank.privacyLog.append(sql, entries);
      return outcomes;
    });
  }
}

/** @returns whether the report is news; the Refusal of one that does not continue the enterprise's last. */
async function isNews(sql: Transaction, { enterprise, checkpoint }: Report): Promise<boolean | Refusal> {
  const { size } = checkpoint;
  const [last] = await sql`
    SELECT size, root FROM ledger_checkpoint WHERE enterprise = ${enterprise} ORDER BY size DESC LIMIT 1`;
  if (
    last !== undefined &&
    (last.size > size || (last.size === size && last.root !== toHex(checkpoint.root)))
  )
    return new Refusal("log_forked", "the ledger does not continue the one reported before");
  return last?.size !== size;
}

async function storeReport(sql: Transaction, { enterprise, note, checkpoint }: Report): Promise<void> {
  await sql`
    INSERT INTO ledger_checkpoint VALUES (${enterprise}, ${checkpoint.size}, ${toHex(checkpoint.root)}, ${note})`;
}
