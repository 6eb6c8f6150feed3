import { setTimeout as delay } from "node:timers/promises";
import { type Digest, digestOf } from "../../core/canonical.ts";
import { shortDigest } from "../../core/ids.ts";
import { type Random, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { CoordinatorEpochMessage, PartyEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import type { CoordinatorMessage, PartyMessage } from "../../privacy/sum/messages.ts";
import { type Method, WireClient } from "../../proto/client.ts";
import type { SumCertificate__Output } from "../../proto/generated/fedcredit/v1/SumCertificate.ts";
import type { UploadChunk } from "../../proto/generated/fedcredit/v1/UploadChunk.ts";
import {
  Blobs,
  chunkBytes,
  clockToleranceMillis,
  fromOneof,
  Health,
  protocolVersion,
  Rounds,
  refusalOf,
  Studies,
  toOneof,
} from "../../proto/wire.ts";
import type { Departure } from "../ledger/egress.ts";
import { type OutgoingKind, outgoingKind } from "../ledger/outgoing.ts";
import type { NodeCredentials } from "./credentials.ts";

const uploadTries = 5;

export interface TransportOptions {
  /** host:port of the coordinator. */
  readonly address: string;
  readonly credentials: Pick<NodeCredentials, "tlsKey" | "certificate" | "ca">;
  /** Called before any byte of these messages leaves; if it throws, they stay. */
  readonly beforeSend: (departures: readonly Departure[]) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: Random;
}

export type WirePartyMessage = PartyMessage | PartyEpochMessage;
export type WireCoordinatorMessage = CoordinatorMessage | CoordinatorEpochMessage;

/** The two ends of the participation stream. */
export interface Participation extends AsyncIterable<WireCoordinatorMessage> {
  /** @throws Refusal by `beforeSend`: then nothing was sent. */
  send(message: WirePartyMessage): void;
  /** Says no more; the coordinator then ends the stream. */
  end(): void;
  /** Ends the stream at once. */
  cancel(): void;
}

/**
 * The node's one way out: mutual TLS to the pinned authority, and every message through `beforeSend`.
 */
export class Transport {
  #wire: WireClient;
  /** Of earlier certificates: calls and streams may be under way on them. Idle ones disconnect by themselves. */
  readonly #retired: WireClient[] = [];
  readonly #options: TransportOptions;
  #up = 0;
  #down = 0;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#wire = this.#connect(options.credentials.certificate);
  }

  #connect(certificatePem: string): WireClient {
    const { address, credentials } = this.#options;
    const { ca: authorityPem, tlsKey: privateKeyPem } = credentials;
    return new WireClient(address, { authorityPem, certificatePem, privateKeyPem }, (bytes) => {
      this.#down += bytes;
    });
  }

  /** Calls from now on show this certificate; a stream under way stays on its connection until it ends. */
  useCertificate(certificatePem: string): void {
    this.#retired.push(this.#wire);
    this.#wire = this.#connect(certificatePem);
  }

  get address(): string {
    return this.#options.address;
  }

  /** Message bytes sent and received so far, before TLS. */
  get bytes(): { up: number; down: number } {
    return { up: this.#up, down: this.#down };
  }

  /**
   * One unary call, e.g. `call(Studies.service.Get, { study })`.
   * @throws Refusal the peer's, unavailable, deadline, certificate_invalid, or by `beforeSend`.
   * @throws {RangeError} for a call that is not declared among what leaves a node.
   */
  async call<Request, Reply>(method: Method<Request, Reply>, request: NoInfer<Request>): Promise<Reply> {
    const bytes = method.requestSerialize(request);
    this.#depart([bytes], outgoingKind(nameOf(method)));
    return this.#wire.send(method, bytes);
  }

  /** @throws Refusal clock_skew, protocol_version, and those of {@link call}. */
  async checkHealth(): Promise<void> {
    const health = await this.call(Health.service.Check, { protocolVersion });
    if (health.protocolVersion !== protocolVersion)
      throw new Refusal(
        "protocol_version",
        `the coordinator speaks version ${health.protocolVersion} of the protocol, this node ${protocolVersion}`,
      );
    const skew = this.#options.now() - Number(health.timeMillis);
    if (Math.abs(skew) > clockToleranceMillis)
      throw new Refusal(
        "clock_skew",
        `this machine's clock is ${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? "ahead of" : "behind"} the coordinator's`,
      );
  }

  /** Opens the participation stream. Iterating throws the Refusal that ended it. */
  participate(): Participation {
    const method = Rounds.service.Participate;
    const call = this.#wire.duplex(method);
    return {
      send: (message) => {
        const bytes = method.requestSerialize(toOneof(message));
        const roundId = "roundId" in message ? message.roundId : undefined;
        this.#depart([bytes], `Rounds.Participate/${message.type}`, roundId);
        call.write(bytes);
      },
      end: () => call.end(),
      cancel: () => call.cancel(),
      async *[Symbol.asyncIterator]() {
        try {
          for await (const message of call) yield fromOneof<WireCoordinatorMessage>(message);
        } catch (error) {
          throw refusalOf(error);
        }
      },
    };
  }

  /**
   * Uploads blobs, several at a time; after a broken connection each resumes where the coordinator's copy ends.
   * @throws Refusal the peer's, or unavailable after several tries.
   */
  async upload(blobs: readonly Uint8Array[], roundId: Digest): Promise<void> {
    const digests = this.#depart(blobs, "Blobs.Upload", roundId);
    await inTurns(blobs, (blob, i) => this.#uploadOne(blob, digests[i]!, roundId));
  }

  async #uploadOne(content: Uint8Array, digest: Digest, roundId: Digest): Promise<void> {
    const blob = { digest: Buffer.from(digest, "hex"), size: content.length };
    for (let tries = 1; ; tries++) {
      try {
        const held = tries === 1 ? { committed: 0 } : await this.call(Blobs.service.Stat, blob);
        const status = await this.#wire.upload(
          Blobs.service.Upload,
          chunksOf(content, { ...blob, roundId: Buffer.from(roundId, "hex") }, Number(held.committed)),
        );
        if (status.complete) return;
        throw new Refusal(
          "upload_offset",
          `the coordinator holds ${status.committed} of ${content.length} bytes`,
        );
      } catch (error) {
        const refusal = refusalOf(error);
        if (tries === uploadTries || !resumable.has(refusal.reason)) throw refusal;
        await delay(backoffMillis(tries, uniform(this.#options.random)));
      }
    }
  }

  /**
   * Downloads blobs with one call.
   * @returns their contents by digest.
   * @throws Refusal digest_mismatch, if bytes do not have their digest, come twice or do not end; those of {@link call}.
   */
  async downloadAll(digests: readonly Digest[], roundId: Digest): Promise<ReadonlyMap<Digest, Uint8Array>> {
    const method = Blobs.service.Fetch;
    const wanted = new Set(digests);
    const blobs = new Map<Digest, Uint8Array>();
    if (wanted.size === 0) return blobs;
    const request = method.requestSerialize({
      digests: [...wanted].map((digest) => Buffer.from(digest, "hex")),
    });
    this.#depart([request], "Blobs.Fetch", roundId);
    let chunks: Buffer[] = [];
    let size = 0;
    for await (const { data, last } of this.#wire.download(method, request)) {
      chunks.push(data);
      size += data.length;
      if (size > mostBlobBytes || chunks.length > mostPieces)
        throw new Refusal(
          "digest_mismatch",
          `a download goes on beyond ${mostBlobBytes} bytes, or ${mostPieces} pieces`,
        );
      if (!last) continue;
      const { buffer, byteOffset } = chunks.length === 1 ? data : Buffer.concat(chunks);
      const content = new Uint8Array(buffer, byteOffset, size);
      const digest = digestOf(content);
      if (!wanted.has(digest))
        throw new Refusal(
          "digest_mismatch",
          `a download has the digest ${shortDigest(digest)}, not asked for`,
        );
      blobs.set(digest, content);
      wanted.delete(digest);
      chunks = [];
      size = 0;
    }
    const [missing] = wanted;
    if (missing !== undefined)
      throw new Refusal("not_found", `the blob ${shortDigest(missing)} did not come`);
    return blobs;
  }

  /** The certificates of a study's sums, as they come. @throws those of {@link call} */
  certificates(study: Digest, after: number): AsyncIterable<SumCertificate__Output> {
    const method = Studies.service.GetCertificates;
    const request = method.requestSerialize({ study: Buffer.from(study, "hex"), after });
    this.#depart([request], outgoingKind(nameOf(method)));
    return this.#wire.download(method, request);
  }

  close(): void {
    for (const wire of [this.#wire, ...this.#retired]) wire.close();
  }

  /** @returns the messages' digests. */
  #depart(messages: readonly Uint8Array[], kind: OutgoingKind, roundId?: Digest): Digest[] {
    const digests = messages.map((message) => digestOf(message));
    this.#options.beforeSend(
      messages.map((message, i) => ({
        destination: this.#options.address,
        kind,
        bytes: message.length,
        digest: digests[i]!,
        ...(roundId === undefined ? {} : { roundId }),
      })),
    );
    for (const message of messages) this.#up += message.length;
    return digests;
  }
}

/** A blob from an offset on, in pieces; at least one, and the first says what blob it is. */
function* chunksOf(
  content: Uint8Array,
  blob: { readonly digest: Buffer; readonly size: number; readonly roundId: Buffer },
  offset: number,
): Generator<UploadChunk> {
  yield { ...blob, offset, data: content.subarray(offset, offset + chunkBytes) };
  for (let at = offset + chunkBytes; at < content.length; at += chunkBytes)
    yield { offset: at, data: content.subarray(at, at + chunkBytes) };
}

/** What is downloaded are ciphertexts of 66 kB: whoever sends more wants to fill this node's memory. */
const mostBlobBytes = 2 ** 20;
/** Pieces of one blob: what is empty, or a byte, takes memory, too. */
const mostPieces = 64;

const transfersAtOnce = 8;

/** Maps with a few calls under way at a time. The first failure is thrown; the rest is not begun. */
async function inTurns<Item, Out>(
  items: readonly Item[],
  run: (item: Item, index: number) => Promise<Out>,
): Promise<Out[]> {
  const out = new Array<Out>(items.length);
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        out[index] = await run(items[index]!, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(transfersAtOnce, items.length) }, worker));
  return out;
}

const resumable = new Set(["unavailable", "deadline", "upload_offset"]);

/** `/fedcredit.v1.Studies/Get` → `Studies.Get`. */
const nameOf = ({ path }: { readonly path: string }): string => path.replace(/^.*\./, "").replace("/", ".");

/**
 * Exponential from 200 ms to 10 s, of which the upper half is random, so that nodes do not return in step.
 * @param attempt - from 1. @param random - uniform in [0, 1).
 */
export function backoffMillis(attempt: number, random: number): number {
  const ceiling = Math.min(10_000, 200 * 2 ** (attempt - 1));
  return ceiling * (0.5 + random / 2);
}
