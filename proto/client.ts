/** The client's side of every connection to a coordinator: mutual TLS, refusals instead of statuses. */
import * as grpc from "@grpc/grpc-js";
import { channelOptions, Log, refusalOf } from "./wire.ts";

/** What TLS needs of a caller. Without certificate and key only the server is authenticated: enrolment. */
export interface TlsKeys {
  /** The consortium's authority: the only root. */
  readonly authorityPem: string;
  readonly certificatePem?: string;
  /** PKCS#8, secret. */
  readonly privateKeyPem?: string;
}

/** What of a service's method definition a call needs, e.g. `Studies.service.Get`. */
export interface Method<Request, Reply> {
  readonly path: string;
  requestSerialize(request: Request): Buffer;
  responseDeserialize(bytes: Buffer): Reply;
}

const callSeconds = 30;
/** Longest a transfer may take, seconds. */
const transferSeconds = 120;

const asIs = (bytes: Buffer): Buffer => bytes;

// gRPC compares a deadline with this machine's clock, whatever clock the caller goes by.
const inSeconds = (seconds: number): number => Date.now() + seconds * 1000;

const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));

export class WireClient {
  readonly address: string;
  readonly #client: grpc.Client;
  readonly #onReceived: (bytes: number) => void;

  /**
   * @param address - host:port of the coordinator.
   * @param onReceived - told of each message that comes, in bytes.
   */
  constructor(address: string, keys: TlsKeys, onReceived: (bytes: number) => void = () => {}) {
    this.address = address;
    this.#onReceived = onReceived;
    const { authorityPem, certificatePem, privateKeyPem } = keys;
    this.#client = new grpc.Client(
      address,
      grpc.credentials.createSsl(Buffer.from(authorityPem), pem(privateKeyPem), pem(certificatePem)),
      {
        ...channelOptions,
        "grpc.initial_reconnect_backoff_ms": 200,
        "grpc.max_reconnect_backoff_ms": 10_000,
        // A process may hold many callers: none may share another's connection, hence certificate.
        "grpc.use_local_subchannel_pool": 1,
      },
    );
  }

  /**
   * One unary call, e.g. `call(Studies.service.Get, { study })`.
   * @throws Refusal the peer's, unavailable, deadline, certificate_invalid
   */
  call<Request, Reply>(method: Method<Request, Reply>, request: NoInfer<Request>): Promise<Reply> {
    return this.send(method, method.requestSerialize(request));
  }

  /** A unary call of a request in bytes, for who accounts for each of them. @throws Refusal as {@link call} */
  send<Reply>(method: Method<never, Reply>, bytes: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method.path,
        asIs,
        this.#counting(method),
        bytes,
        new grpc.Metadata(),
        { deadline: inSeconds(callSeconds) },
        (error, reply) => (error ? reject(refusalOf(error)) : resolve(reply as Reply)),
      );
    });
  }

  /**
   * What a server streams, item by item.
   * @param seconds - longest it may take; without, it ends when the server says so.
   * @throws Refusal as {@link call}
   */
  async *receive<Reply>(
    method: Method<never, Reply>,
    bytes: Buffer,
    seconds?: number,
  ): AsyncGenerator<Reply> {
    const options = seconds === undefined ? {} : { deadline: inSeconds(seconds) };
    const call = this.#client.makeServerStreamRequest(
      method.path,
      asIs,
      this.#counting(method),
      bytes,
      new grpc.Metadata(),
      options,
    );
    // The iteration reports errors; one that comes after it was left must not end the process.
    call.on("error", () => {});
    try {
      for await (const reply of call) yield reply as Reply;
    } catch (error) {
      throw refusalOf(error);
    } finally {
      call.cancel();
    }
  }

  /** A server's stream whose pieces are all there within two minutes. @throws Refusal as {@link call} */
  download<Reply>(method: Method<never, Reply>, bytes: Buffer): AsyncGenerator<Reply> {
    return this.receive(method, bytes, transferSeconds);
  }

  /** Streams items, no faster than they are taken. @returns the server's answer. @throws Refusal as {@link call} */
  upload<Request, Reply>(method: Method<Request, Reply>, items: Iterable<NoInfer<Request>>): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeClientStreamRequest(
        method.path,
        method.requestSerialize,
        this.#counting(method),
        new grpc.Metadata(),
        { deadline: inSeconds(transferSeconds) },
        (error, reply) => (error ? reject(refusalOf(error)) : resolve(reply as Reply)),
      );
      // Errors come through the callback; a stream without this listener would end the process instead.
      call.on("error", () => {});
      const rest = items[Symbol.iterator]();
      const pump = (): void => {
        for (let item = rest.next(); !item.done; item = rest.next())
          if (!call.write(item.value)) {
            call.once("drain", pump);
            return;
          }
        call.end();
      };
      pump();
    });
  }

  /** A stream both ways, of requests in bytes. Iterating it throws gRPC's own errors: see `refusalOf`. */
  duplex<Reply>(method: Method<never, Reply>): grpc.ClientDuplexStream<Buffer, Reply> {
    const call = this.#client.makeBidiStreamRequest(
      method.path,
      asIs,
      this.#counting(method),
      new grpc.Metadata(),
    );
    // The iteration reports errors; one that comes while nobody iterates must not end the process.
    call.on("error", () => {});
    return call;
  }

  close(): void {
    this.#client.close();
  }

  #counting<Reply>({ responseDeserialize }: Method<never, Reply>): (bytes: Buffer) => Reply {
    return (bytes) => {
      this.#onReceived(bytes.length);
      return responseDeserialize(bytes);
    };
  }
}

/** The privacy log's export in pieces. @throws Refusal */
export async function* exportLog(wire: WireClient, withoutSums = false): AsyncGenerator<Uint8Array> {
  const method = Log.service.Export;
  for await (const { data } of wire.receive(method, method.requestSerialize({ withoutSums }))) yield data;
}

/** A backup of the coordinator in pieces. @throws Refusal */
export async function* takeBackup(wire: WireClient): AsyncGenerator<Uint8Array> {
  const method = Log.service.Backup;
  for await (const { data } of wire.receive(method, method.requestSerialize({}))) yield data;
}
