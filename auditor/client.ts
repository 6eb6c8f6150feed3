/** The auditor's side of the wire: signs rosters, witnesses the log. Trusts the bank's key and nothing it says. */
import * as grpc from "@grpc/grpc-js";
import { Refusal, reasons } from "../core/reasons.ts";
import { openCheckpoint } from "../privacy/log/checkpoint.ts";
import { cosign, cosigner } from "../privacy/log/cosignature.ts";
import { type Hash, verifyConsistency } from "../privacy/log/merkle.ts";
import { addSignatures, type NoteVerifier, noteSigner, openNote } from "../privacy/log/note.ts";
import { parseRoster, type RosterText } from "../privacy/roster.ts";
import { channelOptions, Log, Membership, refusalOf, unary } from "../proto/wire.ts";

export interface AuditorOptions {
  /** host:port of the coordinator. */
  readonly address: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly authorityPem: string;
  /** Name and Ed25519 seed of the auditor's own key. */
  readonly key: { readonly name: string; readonly seed: Uint8Array };
  readonly bankKey: NoteVerifier;
}

/** The largest tree this auditor has seen. */
export interface SeenTree {
  readonly size: number;
  readonly root: Hash;
}

export class AuditorClient {
  readonly #options: AuditorOptions;
  readonly #membership: InstanceType<typeof Membership>;
  readonly #log: InstanceType<typeof Log>;

  constructor(options: AuditorOptions) {
    this.#options = options;
    const { address, authorityPem, privateKeyPem, certificatePem } = options;
    const [ca, key, certificate] = [authorityPem, privateKeyPem, certificatePem].map((pem) =>
      Buffer.from(pem),
    );
    const credentials = grpc.credentials.createSsl(ca!, key!, certificate!);
    const channel = { ...channelOptions, "grpc.use_local_subchannel_pool": 1 };
    this.#membership = new Membership(address, credentials, channel);
    this.#log = new Log(address, credentials, channel);
  }

  /**
   * @returns the roster that waits for this auditor's signature.
   * @throws Refusal not_found, signature_invalid, note_malformed and the transport's
   */
  async pendingRoster(): Promise<{ note: string; roster: RosterText }> {
    const { note } = await unary(this.#membership, this.#membership.getPendingRoster, {});
    return { note, roster: parseRoster(openNote(note, [this.#options.bankKey]).text) };
  }

  /** Signs exactly the note that was looked at. @returns the note with both signatures. @throws Refusal */
  async countersign(note: string): Promise<string> {
    const { bankKey, key } = this.#options;
    const { text } = openNote(note, [bankKey]);
    const { name, keyId, sign } = noteSigner(key.name, key.seed);
    const signed = addSignatures(note, [{ name, keyId, signature: sign(text) }]);
    return (await unary(this.#membership, this.#membership.countersignRoster, { note: signed })).note;
  }

  /**
   * Fetches the log's checkpoint, proves that it continues what was seen before, and cosigns it.
   * @param seen - undefined the first time.
   * @param nowMillis - Unix milliseconds; goes into the cosignature.
   * @returns what to remember, durably, as seen.
   * @throws Refusal log_forked, signature_invalid, note_malformed and the transport's
   */
  async witness(seen: SeenTree | undefined, nowMillis: number): Promise<SeenTree> {
    const { bankKey, key } = this.#options;
    const { note } = await unary(this.#log, this.#log.getCheckpoint, {});
    const { checkpoint, text } = openCheckpoint(note, bankKey);
    if (seen !== undefined) {
      if (checkpoint.size < seen.size)
        throw new Refusal("log_forked", `the log shrank from ${seen.size} to ${checkpoint.size} entries`);
      const proof = await this.#consistency(seen.size, checkpoint.size);
      if (!verifyConsistency(seen.size, checkpoint.size, proof, seen.root, checkpoint.root))
        throw new Refusal(
          "log_forked",
          `the log of ${checkpoint.size} entries does not continue that of ${seen.size}`,
        );
    }
    const line = cosign(text, cosigner(key.name, key.seed, Math.floor(nowMillis / 1000)));
    await unary(this.#log, this.#log.cosign, { size: checkpoint.size, line });
    return { size: checkpoint.size, root: checkpoint.root };
  }

  async #consistency(oldSize: number, newSize: number): Promise<Hash[]> {
    if (oldSize === 0 || oldSize === newSize) return [];
    try {
      const { hashes } = await unary(this.#log, this.#log.getConsistency, { oldSize, newSize });
      return hashes.map((hash) => new Uint8Array(hash as Buffer));
    } catch (error) {
      const refusal = refusalOf(error);
      if (reasons[refusal.reason].retry) throw refusal;
      const message = `the bank does not prove that its log of ${newSize} entries contains that of ${oldSize}`;
      throw new Refusal("log_forked", message, { cause: error });
    }
  }

  /** The log's export in pieces. */
  async *exportLog(): AsyncGenerator<Uint8Array> {
    const call = this.#log.export({});
    try {
      for await (const { data } of call) yield data as Buffer;
    } catch (error) {
      throw refusalOf(error);
    }
  }

  close(): void {
    this.#membership.close();
    this.#log.close();
  }
}
