/** The auditor's side of the wire: signs rosters, witnesses the log. Trusts the bank's key and nothing it says. */
import { openCheckpoint } from "../privacy/log/checkpoint.ts";
import { cosign, cosigner } from "../privacy/log/cosignature.ts";
import { type Entry, parseEntry } from "../privacy/log/entry.ts";
import { addSignatures, type NoteVerifier, noteSigner, openNote, parseNote } from "../privacy/log/note.ts";
import type { LogPolicy } from "../privacy/log/policy.ts";
import { formatReceipt, verifyReceipt } from "../privacy/log/proof.ts";
import { signSecondKey } from "../privacy/log/second-key.ts";
import type { SeenTree } from "../privacy/log/witness.ts";
import { followLog, type LogRecovery } from "../privacy/recovery.ts";
import { parseRoster, type RosterText } from "../privacy/roster.ts";
import { keyInForce } from "../privacy/succession.ts";
import { exportLog, WireClient } from "../proto/client.ts";
import { Log, Membership } from "../proto/wire.ts";
import type { MlDsaKey } from "./keys.ts";

export interface AuditorOptions {
  /** host:port of the coordinator. */
  readonly address: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly authorityPem: string;
}

/** The keys in force. */
export interface AuditorKeys {
  /** Name and Ed25519 seed of the auditor's own. */
  readonly key: { readonly name: string; readonly seed: Uint8Array };
  readonly bankKey: NoteVerifier;
  /** Cosigns beside the auditor's own. */
  readonly mlDsa?: MlDsaKey | undefined;
}

/** A tree that this auditor has cosigned. */
export interface Witnessed extends SeenTree {
  /** The checkpoint with the cosignatures held. */
  readonly note: string;
}

export class AuditorClient {
  #keys: AuditorKeys;
  readonly #wire: WireClient;

  constructor(options: AuditorOptions & AuditorKeys) {
    this.#keys = options;
    this.#wire = new WireClient(options.address, options);
  }

  /** Goes on with keys that follow those before. */
  use(keys: AuditorKeys): void {
    this.#keys = keys;
  }

  /** @returns the note of the roster in force, whoever signed it. @throws Refusal not_found and the transport's */
  async currentRoster(): Promise<string> {
    return (await this.#wire.call(Membership.service.GetRoster, {})).note;
  }

  /**
   * @returns the roster that waits for this auditor's signature, signed by the bank's key that follows the one in force
   *   by it.
   * @throws Refusal not_found, signature_invalid, note_malformed and the transport's
   */
  async pendingRoster(): Promise<{ note: string; roster: RosterText }> {
    const { note } = await this.#wire.call(Membership.service.GetPendingRoster, {});
    return { note, roster: parseRoster(openNote(note, [this.#bankKeyIn(note)]).text) };
  }

  #bankKeyIn(note: string): NoteVerifier {
    const { successions = [] } = parseRoster(parseNote(note).text);
    return keyInForce(successions, "bank", this.#keys.bankKey);
  }

  /** Makes the next key of this auditor wait for its own signature. @param line - a succession's. @throws Refusal */
  async proposeSuccession(line: string): Promise<void> {
    await this.#wire.call(Membership.service.ProposeSuccession, { line });
  }

  /**
   * Signs exactly the note that was looked at.
   * @param key - in force by that note. @returns the note with both signatures. @throws Refusal
   */
  async countersign(note: string, key = this.#keys.key): Promise<string> {
    const { text } = openNote(note, [this.#bankKeyIn(note)]);
    const { name, keyId, sign } = noteSigner(key.name, key.seed);
    const signed = addSignatures(note, [{ name, keyId, signature: sign(text) }]);
    return (await this.#wire.call(Membership.service.CountersignRoster, { note: signed })).note;
  }

  /**
   * Fetches the log's checkpoint, proves that it continues what was seen before, and cosigns it.
   * @param seen - undefined the first time.
   * @param nowMillis - Unix milliseconds; goes into the cosignature.
   * @param fresh - what this auditor signed as lost since it last looked: each excuses one fork.
   * @returns what to remember, durably, as seen; and the checkpoint with every cosignature held.
   * @throws Refusal log_forked, signature_invalid, note_malformed and the transport's
   */
  async witness(
    seen: SeenTree | undefined,
    nowMillis: number,
    fresh: readonly LogRecovery[] = [],
  ): Promise<Witnessed> {
    const { bankKey, key, mlDsa } = this.#keys;
    const { note } = await this.#wire.call(Log.service.GetCheckpoint, {});
    const { checkpoint, text } = openCheckpoint(note, bankKey);
    await followLog(seen, checkpoint, fresh, (oldSize, newSize) => this.#prove(oldSize, newSize));
    const seconds = Math.floor(nowMillis / 1000);
    const line = cosign(text, cosigner(key.name, key.seed, seconds));
    const second = mlDsa && {
      line: cosign(text, cosigner(key.name, mlDsa.seed, seconds, mlDsa.witness.algorithm)),
      key: signSecondKey(mlDsa.witness.key, noteSigner(key.name, key.seed)),
    };
    const cosigned = await this.#wire.call(Log.service.Cosign, {
      size: checkpoint.size,
      line,
      mlDsa: second ?? null,
    });
    return { size: checkpoint.size, root: checkpoint.root, note: cosigned.note };
  }

  /**
   * Proves one entry of a log that was witnessed.
   * @returns the text of a receipt, checked: whoever trusts the checkpoint's signatures needs nothing else.
   * @throws Refusal not_found beyond the log's end, log_invalid and the transport's
   */
  async receipt(index: number, { size, note }: Witnessed): Promise<string> {
    const { hashes, entry } = await this.#wire.call(Log.service.GetInclusion, { index, size });
    const receipt = formatReceipt({ index, proof: hashes, entry, checkpoint: note });
    verifyReceipt(receipt, this.#alone);
    return receipt;
  }

  /** Checks by the bank's signature alone: what this auditor cosigned it has checked itself. */
  get #alone(): LogPolicy {
    return { log: this.#keys.bankKey, witnesses: [], quorum: { kind: "none" } };
  }

  /**
   * The entries of a log that was witnessed, one after the other, each proven to be in it.
   * @param from - index of the first. @param end - behind the last, at most the size that was witnessed.
   * @throws Refusal log_invalid, entry_invalid and the transport's
   */
  async *entries(from: number, end: number, witnessed: Witnessed): AsyncGenerator<[number, Entry]> {
    for (let index = from; index < end; index++) {
      const { entry } = verifyReceipt(await this.receipt(index, witnessed), this.#alone);
      yield [index, parseEntry(entry)];
    }
  }

  async #prove(oldSize: number, newSize: number): Promise<Uint8Array[]> {
    return (await this.#wire.call(Log.service.GetConsistency, { oldSize, newSize })).hashes;
  }

  /** Asks for the next certificate with the one that is in force. @param csrPem - PKCS#10. @returns it and its authority's. */
  renew(csrPem: string): Promise<{ certificatePem: string; authorityPem: string }> {
    return this.#wire.call(Membership.service.RenewCertificate, { csrPem });
  }

  /** The log's export in pieces. */
  exportLog(): AsyncGenerator<Uint8Array> {
    return exportLog(this.#wire);
  }

  close(): void {
    this.#wire.close();
  }
}
