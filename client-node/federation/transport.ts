import { setTimeout as delay } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { type Digest, digestOf } from "../../core/canonical.ts";
import { type Random, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { CoordinatorMessage, PartyMessage } from "../../privacy/sum/messages.ts";
import {
  Blobs,
  channelOptions,
  chunkBytes,
  deadlineIn,
  fromOneof,
  Health,
  protocolVersion,
  Rounds,
  refusalOf,
  toOneof,
} from "../../proto/wire.ts";
import type { Departure } from "../ledger/egress.ts";
import { type OutgoingKind, outgoingKind } from "../ledger/outgoing.ts";
import type { NodeCredentials } from "./credentials.ts";

const callSeconds = 30;
/** Longest an upload may rest without the coordinator answering, seconds. */
const transferSeconds = 120;
const uploadTries = 5;
/** More than this and timestamps of consents, cosignatures and certificates mean different things to the two sides. */
const clockToleranceMillis = 5 * 60_000;

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

/** What of a service's method definition a call needs. */
interface Method<Request, Reply> {
  readonly path: string;
  requestSerialize(request: Request): Buffer;
  responseDeserialize(bytes: Buffer): Reply;
}

/** The two ends of the participation stream. */
export interface Participation extends AsyncIterable<CoordinatorMessage> {
  /** @throws Refusal by `beforeSend`: then nothing was sent. */
  send(message: PartyMessage): void;
  /** Says no more; the coordinator then ends the stream. */
  end(): void;
  /** Ends the stream at once. */
  cancel(): void;
}

/**
 * The node's one way out: mutual TLS to the pinned authority, and every message through `beforeSend`.
 */
export class Transport {
  readonly #client: grpc.Client;
  readonly #options: TransportOptions;
  #up = 0;
  #down = 0;

  constructor(options: TransportOptions) {
    this.#options = options;
    const { ca, tlsKey, certificate } = options.credentials;
    this.#client = new grpc.Client(
      options.address,
      grpc.credentials.createSsl(Buffer.from(ca), Buffer.from(tlsKey), Buffer.from(certificate)),
      {
        ...channelOptions,
        "grpc.initial_reconnect_backoff_ms": 200,
        "grpc.max_reconnect_backoff_ms": 10_000,
        // A process may hold many nodes: none may share another's connection, hence certificate.
        "grpc.use_local_subchannel_pool": 1,
      },
    );
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
  async call<Request, Reply>(
    method: Method<Request, Reply>,
    request: NoInfer<Request>,
    seconds = callSeconds,
  ): Promise<Reply> {
    const bytes = method.requestSerialize(request);
    this.#depart([bytes], outgoingKind(nameOf(method)));
    return new Promise((resolve, reject) => {
      const deadline = deadlineIn(seconds);
      this.#client.makeUnaryRequest(
        method.path,
        asIs,
        this.#counting(method.responseDeserialize),
        bytes,
        new grpc.Metadata(),
        { deadline },
        (error, reply) => (error ? reject(refusalOf(error)) : resolve(reply as Reply)),
      );
    });
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
    const call = this.#client.makeBidiStreamRequest(
      method.path,
      asIs,
      this.#counting(method.responseDeserialize),
      new grpc.Metadata(),
    );
    // The iteration below reports errors; one that comes while nobody iterates must not end the process.
    call.on("error", () => {});
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
          for await (const message of call) yield fromOneof<CoordinatorMessage>(message);
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
    this.#depart(blobs, "Blobs.Upload", roundId);
    await inTurns(blobs, (blob) => this.#uploadOne(blob));
  }

  async #uploadOne(content: Uint8Array): Promise<void> {
    const blob = { digest: Buffer.from(digestOf(content), "hex"), size: content.length };
    for (let tries = 1; ; tries++) {
      try {
        const held = tries === 1 ? { committed: 0 } : await this.call(Blobs.service.Stat, blob);
        const status = await this.#uploadFrom(content, blob, Number(held.committed));
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

  #uploadFrom(
    content: Uint8Array,
    blob: { digest: Buffer; size: number },
    offset: number,
  ): Promise<{ committed: number; complete: boolean }> {
    const method = Blobs.service.Upload;
    return new Promise((resolve, reject) => {
      const deadline = deadlineIn(transferSeconds);
      const call = this.#client.makeClientStreamRequest(
        method.path,
        method.requestSerialize,
        this.#counting(method.responseDeserialize),
        new grpc.Metadata(),
        { deadline },
        (error, status) =>
          error
            ? reject(refusalOf(error))
            : resolve({ committed: Number(status?.committed), complete: status?.complete === true }),
      );
      // Errors come through the callback; a stream without this listener would end the process instead.
      call.on("error", () => {});
      let at = offset;
      const pump = (): void => {
        for (let first = at === offset; first || at < content.length; first = false) {
          const data = content.subarray(at, at + chunkBytes);
          const more = call.write({ ...(first ? blob : {}), offset: at, data });
          at += data.length;
          if (!more && at < content.length) {
            call.once("drain", pump);
            return;
          }
        }
        call.end();
      };
      pump();
    });
  }

  /**
   * Downloads blobs, several at a time.
   * @returns their contents, in order.
   * @throws Refusal digest_mismatch, if bytes do not have their digest; those of {@link call}.
   */
  async download(digests: readonly Digest[]): Promise<Uint8Array[]> {
    const requests = digests.map((digest) =>
      Blobs.service.Download.requestSerialize({ digest: Buffer.from(digest, "hex"), offset: 0 }),
    );
    this.#depart(requests, "Blobs.Download");
    return inTurns(digests, (digest, i) => this.#downloadOne(digest, requests[i]!));
  }

  async #downloadOne(digest: Digest, request: Buffer): Promise<Uint8Array> {
    const method = Blobs.service.Download;
    const call = this.#client.makeServerStreamRequest(
      method.path,
      asIs,
      this.#counting(method.responseDeserialize),
      request,
      new grpc.Metadata(),
      { deadline: deadlineIn(transferSeconds) },
    );
    const chunks: Buffer[] = [];
    try {
      for await (const { data } of call) chunks.push(data as Buffer);
    } catch (error) {
      throw refusalOf(error);
    }
    const content = new Uint8Array(Buffer.concat(chunks));
    if (digestOf(content) !== digest)
      throw new Refusal("digest_mismatch", `the download does not have the digest ${digest.slice(0, 12)}…`);
    return content;
  }

  close(): void {
    this.#client.close();
  }

  #depart(messages: readonly Uint8Array[], kind: OutgoingKind, roundId?: Digest): void {
    this.#options.beforeSend(
      messages.map((message) => ({
        destination: this.#options.address,
        kind,
        bytes: message.length,
        digest: digestOf(message),
        ...(roundId === undefined ? {} : { roundId }),
      })),
    );
    for (const message of messages) this.#up += message.length;
  }

  #counting<Reply>(deserialize: (bytes: Buffer) => Reply): (bytes: Buffer) => Reply {
    return (bytes) => {
      this.#down += bytes.length;
      return deserialize(bytes);
    };
  }
}

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

const asIs = (bytes: Buffer): Buffer => bytes;
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
