/** gRPC as this server speaks it: who calls, wide receive windows, refusals as status. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { PeerCertificate, SecureContextOptions } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { Refusal } from "../../core/reasons.ts";
import { endOf } from "../../privacy/certificate-life.ts";
import { flowControlWindow, statusOf } from "../../proto/wire.ts";
import { type Identity, identityOf, type KeyPair } from "../authority/ca.ts";
import type { Caller } from "../authority/certificates.ts";
import { isMember } from "../authority/membership.ts";
import { serialText } from "../authority/revocation.ts";
import type { Bank, Clock } from "../bank.ts";
import { Connections } from "./connections.ts";
import { quotas } from "./quotas.ts";
import type { Callers } from "./request.ts";
import { endSilentCalls } from "./silence.ts";

/**
 * TLS of a server. The client's certificate is asked for and verified, and a caller without a valid one is
 * refused by each method (`callerOf`), so that it gets a reason and not a broken connection.
 */
class WideCredentials extends grpc.ServerCredentials {
  constructor(server: KeyPair, authorityPem: string, clientCertificates: boolean) {
    const options = {
      requestCert: clientCertificates,
      rejectUnauthorized: false,
      settings: { initialWindowSize: flowControlWindow },
    };
    super(options, contextOf(server, authorityPem));
  }

  /** Connections from now on are met with this certificate; those under way stay. */
  replace(server: KeyPair, authorityPem: string): void {
    this.updateSecureContextOptions(contextOf(server, authorityPem));
  }

  _equals(other: grpc.ServerCredentials): boolean {
    return this === other;
  }
}

const contextOf = (server: KeyPair, authorityPem: string): SecureContextOptions => ({
  ca: authorityPem,
  // The root travels too: a node that enrols finds in it what its token's fingerprint names.
  cert: `${server.certificatePem}\n${authorityPem}`,
  key: server.privateKeyPem,
  minVersion: "TLSv1.3",
});

// What grpc-js would print on stderr reaches the operational log as a refusal.
grpc.setLogVerbosity(grpc.logVerbosity.NONE);

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Meets connections from now on with another certificate. */
  useCertificate(server: KeyPair, authorityPem: string): void;
  /** Ends calls under way after `graceMillis`, and the port. */
  close(graceMillis: number): Promise<void>;
  /** Ends calls under way and the port as they are. */
  kill(): void;
}

const noCertificate = (): Refusal =>
  new Refusal("certificate_invalid", "the client certificate is missing, expired or not of this consortium");

const tooEarly = (): Refusal =>
  new Refusal("clock_skew", "by the coordinator's clock the client certificate is not valid yet", {
    hint: "synchronise the clocks of this machine and the coordinator's",
  });

/** Refuses who shows no certificate before a byte of what it asks is decoded. */
const requireCertificate =
  (connections: Connections): grpc.ServerInterceptor =>
  (_, call) =>
    new grpc.ServerInterceptingCall(call, {
      start(next) {
        if (call.getAuthContext().sslPeerCertificate !== undefined) next();
        else
          next(
            new grpc.ServerListenerBuilder()
              .withOnReceiveMetadata(() =>
                call.sendStatus(statusOf(connections.isEarly(call.getPeer()) ? tooEarly() : noCertificate())),
              )
              .build(),
          );
      },
    });

const options = (
  clock: Clock,
  connections: Connections,
  clientCertificates: boolean,
): grpc.ServerOptions => ({
  "grpc.max_receive_message_length": 4 * 1024 * 1024,
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_concurrent_streams": quotas.callsPerConnection,
  "grpc.max_connection_idle_ms": quotas.idleSeconds * 1000,
  interceptors: [...(clientCertificates ? [requireCertificate(connections)] : []), endSilentCalls(clock)],
});

/**
 * @param address - host and port; port 0 takes a free one.
 * @throws Refusal port_taken, config_invalid
 */
export async function listen(
  address: { readonly host: string; readonly port: number },
  tls: { readonly server: KeyPair; readonly authorityPem: string; readonly clientCertificates: boolean },
  clock: Clock,
  register: (server: grpc.Server, hangUp: HangUp) => void,
): Promise<Listening> {
  const connections = new Connections(clock);
  const server = new grpc.Server(options(clock, connections, tls.clientCertificates));
  register(server, (peer) => connections.hangUp(peer));
  const credentials = new WideCredentials(tls.server, tls.authorityPem, tls.clientCertificates);
  const injector = server.createConnectionInjector(credentials);
  const door = createServer((socket) => {
    if (connections.admit(socket)) injector.injectConnection(socket);
  });
  const { host } = address;
  const port = await new Promise<number>((resolve, reject) => {
    door.once("error", (error) => reject(bindRefusal(`${host}:${address.port}`, error)));
    door.listen(address.port, host, () => resolve((door.address() as AddressInfo).port));
  });
  const unwatch = connections.watch();
  const end = (): void => {
    connections.close();
    unwatch();
  };
  return {
    host,
    port,
    useCertificate: (pair, authorityPem) => credentials.replace(pair, authorityPem),
    async close(graceMillis) {
      door.close();
      const timer = setTimeout(() => server.forceShutdown(), graceMillis);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(timer);
      end();
    },
    kill() {
      door.close();
      server.forceShutdown();
      end();
    },
  };
}

function bindRefusal(target: string, cause: NodeJS.ErrnoException): Refusal {
  if (cause.code === "EADDRINUSE") return new Refusal("port_taken", `${target} is in use`, { cause });
  return new Refusal("config_invalid", `${target} cannot be listened on: ${cause.code ?? cause.message}`, {
    cause,
  });
}

/** @throws Refusal certificate_invalid, role_denied, roster_mismatch */
export function callerOf(
  bank: Bank,
  call: grpc.ServerUnaryCall<unknown, unknown> | Call,
  callers: Callers,
): Caller {
  const certificate = call.getAuthContext().sslPeerCertificate;
  if (certificate === undefined) throw noCertificate();
  const caller = knownCaller(certificate, bank.config.consortium);
  // TLS looks once, when a connection begins.
  if (caller.expires <= bank.clock.now())
    throw new Refusal("certificate_invalid", `the certificate expired on ${certificate.valid_to}`);
  if (bank.revoked.has(serialText(certificate.serialNumber)))
    throw new Refusal("certificate_invalid", "the certificate was revoked", {
      hint:
        caller.role === "enterprise"
          ? "ask the bank for a new enrolment token"
          : `ask another operator of the bank to certify this ${caller.role} anew`,
    });
  if (!callers.roles.includes(caller.role))
    throw new Refusal("role_denied", `an ${caller.role} may not call ${call.getPath()}`);
  if (caller.role === "enterprise" && !callers.outsiders && !isMember(bank, caller.id))
    throw new Refusal("roster_mismatch", `${caller.id} is not in the current roster`, {
      hint: "wait until bank and auditor have admitted it",
    });
  if (caller.role === "enterprise" && !callers.outsiders && bank.restored.isAwaited)
    throw new Refusal(
      "unavailable",
      "the bank was restored from a backup, and the auditor has not looked at it yet",
      {
        hint: "wait: the node goes on by itself",
      },
    );
  return caller;
}

const known = new Map<string, Caller & { readonly expires: number }>();
const mostKnown = 10_000;

/** Reading a certificate costs more than most calls: each is read once. */
function knownCaller(
  { fingerprint256, raw }: PeerCertificate,
  consortium: string,
): Caller & { readonly expires: number } {
  const key = `${consortium} ${fingerprint256}`;
  let caller = known.get(key);
  if (caller === undefined) {
    caller = { ...identityOf(raw, consortium), certificate: raw, expires: endOf(raw) };
    if (known.size >= mostKnown) known.clear();
    known.set(key, caller);
  }
  return caller;
}

type Call = Pick<grpc.ServerUnaryCall<unknown, unknown>, "getAuthContext" | "getPath">;

interface Cut {
  /** Its reason is the refusal. */
  readonly signal: AbortSignal;
  /** Ends the watch. */
  done(): void;
}

/** Closes the connection of a peer, as a call's `getPeer` names it. */
export type HangUp = (peer: string) => void;

/** Every method is made by one of these, hence none is without a check of who calls. */
export class Methods {
  readonly #bank: Bank;
  readonly #hangUp: HangUp;

  constructor(bank: Bank, hangUp: HangUp) {
    this.#bank = bank;
    this.#hangUp = hangUp;
  }

  #refuse(error: unknown, path: string): grpc.ServiceError {
    this.#bank.meters.refusals.inc({ reason: error instanceof Refusal ? error.reason : "internal" });
    if (!(error instanceof Refusal)) this.#bank.log.error({ err: error, path }, "call failed");
    else this.#bank.log.debug({ path, reason: error.reason, detail: error.message }, "call refused");
    return statusOf(error);
  }

  /** A call by anyone: enrolment only. */
  open<Request, Reply>(work: (request: Request) => Promise<Reply>): grpc.handleUnaryCall<Request, Reply> {
    return (call, answer) => {
      work(call.request).then(
        (reply) => answer(null, reply),
        (error: unknown) => answer(this.#refuse(error, call.getPath())),
      );
    };
  }

  unary<Request, Reply>(
    callers: Callers,
    work: (request: Request, caller: Caller) => Promise<Reply>,
  ): grpc.handleUnaryCall<Request, Reply> {
    return (call, answer) => {
      Promise.resolve()
        .then(() => work(call.request, callerOf(this.#bank, call, callers)))
        .then(
          (reply) => answer(null, reply),
          (error: unknown) => answer(this.#refuse(error, call.getPath())),
        );
    };
  }

  /** Watches for the moment at which a caller may not call any more, or the coordinator shuts down. */
  #cut(caller: Identity): Cut {
    const { closing, events } = this.#bank;
    const cut = new AbortController();
    const onRevoked = ({ role, id }: Identity): void => {
      if (caller.role === role && caller.id === id)
        cut.abort(new Refusal("certificate_invalid", "the certificate was revoked"));
    };
    const onRoster = (): void => {
      if (caller.role === "enterprise" && !isMember(this.#bank, caller.id))
        cut.abort(new Refusal("roster_mismatch", "this enterprise is not in the roster any more"));
    };
    const onClosing = (): void => cut.abort(new Refusal("unavailable", "the coordinator shuts down"));
    events.on("revoked", onRevoked);
    events.on("roster", onRoster);
    closing.addEventListener("abort", onClosing);
    if (closing.aborted) onClosing();
    const done = (): void => {
      events.off("revoked", onRevoked);
      events.off("roster", onRoster);
      closing.removeEventListener("abort", onClosing);
    };
    return { signal: cut.signal, done };
  }

  /** @throws Refusal deadline, when nothing was read for so long; the connection is closed too. */
  async #read(
    call: grpc.ServerWritableStream<unknown, unknown>,
    event: "drain" | "finish",
    signal: AbortSignal,
  ): Promise<void> {
    const unread = new AbortController();
    const { unreadSeconds } = quotas;
    const callOff = this.#bank.clock.after(unreadSeconds, () => unread.abort());
    try {
      await once(call, event, { signal: AbortSignal.any([signal, unread.signal]) });
    } catch (error) {
      if (!unread.signal.aborted) throw error;
      // A status would wait behind what is not read.
      this.#hangUp(call.getPeer());
      throw new Refusal("deadline", `nothing was read for ${unreadSeconds} s`);
    } finally {
      callOff();
    }
  }

  download<Request, Item>(
    callers: Callers,
    work: (request: Request, signal: AbortSignal, caller: Identity) => AsyncIterable<Item>,
  ): grpc.handleServerStreamingCall<Request, Item> {
    return async (call) => {
      const cancelled = new AbortController();
      call.once("cancelled", () => cancelled.abort());
      let cut: Cut | undefined;
      try {
        const caller = callerOf(this.#bank, call, callers);
        cut = this.#cut(caller);
        const signal = AbortSignal.any([cancelled.signal, cut.signal]);
        for await (const item of work(call.request, signal, caller)) {
          signal.throwIfAborted();
          if (!call.write(item)) await this.#read(call, "drain", signal);
        }
        signal.throwIfAborted();
        call.end();
        await this.#read(call, "finish", signal);
      } catch (error) {
        if (cancelled.signal.aborted) return;
        call.emit("error", this.#refuse(cut?.signal.aborted ? cut.signal.reason : error, call.getPath()));
      } finally {
        cut?.done();
      }
    };
  }

  upload<Item, Reply>(
    callers: Callers,
    work: (items: AsyncIterable<Item>, caller: Identity) => Promise<Reply>,
  ): grpc.handleClientStreamingCall<Item, Reply> {
    return async (call, answer) => {
      let cut: Cut | undefined;
      try {
        const caller = callerOf(this.#bank, call, callers);
        cut = this.#cut(caller);
        cut.signal.addEventListener("abort", () => call.destroy());
        answer(null, await work(call, caller));
      } catch (error) {
        answer(this.#refuse(cut?.signal.aborted ? cut.signal.reason : error, call.getPath()));
      } finally {
        cut?.done();
      }
    };
  }

  duplex<In, Out>(
    callers: Callers,
    serve: (caller: Identity, call: grpc.ServerDuplexStream<In, Out>) => void,
  ): grpc.handleBidiStreamingCall<In, Out> {
    return (call) => {
      try {
        serve(callerOf(this.#bank, call, callers), call);
      } catch (error) {
        call.emit("error", this.#refuse(error, call.getPath()));
      }
    };
  }
}
