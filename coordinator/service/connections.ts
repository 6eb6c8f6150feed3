import { channel } from "node:diagnostics_channel";
import { constants, type Http2Session, type ServerHttp2Stream } from "node:http2";
import { isIPv6, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { flowControlWindow } from "../../proto/wire.ts";
import type { Clock } from "../bank.ts";
import { quotas } from "./quotas.ts";

interface Connection {
  readonly socket: Socket;
  /** Whom it counts for: an address, or a certificate once one was shown. */
  holder: string;
  /** Calls off the end of a connection that says nothing. */
  callOff: () => void;
  heard: boolean;
  /** Its certificate is of the consortium and begins later, by this machine's clock. */
  early: boolean;
}

/** The connections of one port: how many, and whether they say anything. */
export class Connections {
  readonly #clock: Clock;
  /** By remote address and port. */
  readonly #open = new Map<string, Connection>();
  readonly #held = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns whether the connection is let in; one that is not has been closed. */
  admit(socket: Socket): boolean {
    const key = keyOf(socket);
    const holder = `address ${networkOf(socket.remoteAddress ?? "")}`;
    if (this.#count(holder) >= quotas.connectionsPerAddress) {
      socket.destroy();
      return false;
    }
    const callOff = this.#clock.after(quotas.silentSeconds, () => socket.destroy());
    const connection: Connection = { socket, holder, callOff, heard: false, early: false };
    this.#open.set(key, connection);
    this.#hold(holder, 1);
    // Whoever takes the connection up hears of its errors too; before that, nobody would.
    socket.on("error", () => {});
    socket.once("close", () => {
      connection.callOff();
      this.#open.delete(key);
      this.#hold(connection.holder, -1);
    });
    return true;
  }

  /** Watches for first calls, of this port's connections only. @returns what ends that. */
  watch(): () => void {
    const streams = channel("http2.server.stream.created");
    const listen = (message: unknown): void => {
      const { session } = (message as { stream: ServerHttp2Stream }).stream;
      const connection = session && this.#open.get(keyOf(session.socket));
      if (!session || connection === undefined || connection.heard) return;
      connection.heard = true;
      connection.callOff();
      widen(session);
      this.#attribute(session, connection);
    };
    streams.subscribe(listen);
    return () => void streams.unsubscribe(listen);
  }

  /** Whether a peer's certificate begins later. @param peer - address:port, as gRPC names it. */
  isEarly(peer: string): boolean {
    return [...this.#open.values()].some(({ socket, early }) => early && peerOf(socket) === peer);
  }

  /** Ends a peer's connection. @param peer - address:port, as gRPC names it. */
  hangUp(peer: string): void {
    // Node aborts where a session is destroyed while it reads.
    for (const { socket } of this.#open.values())
      if (peerOf(socket) === peer) setImmediate(() => socket.destroy());
  }

  /** Ends what is still open. */
  close(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  #attribute(session: Http2Session, connection: Connection): void {
    const tls = session.socket as TLSSocket;
    // A string, whatever its type says.
    connection.early = String(tls.authorizationError) === "CERT_NOT_YET_VALID";
    if (!tls.authorized) return;
    const holder = `certificate ${tls.getPeerCertificate().fingerprint256}`;
    this.#hold(connection.holder, -1);
    connection.holder = holder;
    this.#hold(holder, 1);
    // Node aborts where a session is destroyed while it reads.
    if (this.#count(holder) > quotas.connectionsPerCertificate)
      setImmediate(() => session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM));
  }

  #count(holder: string): number {
    return this.#held.get(holder) ?? 0;
  }

  #hold(holder: string, change: 1 | -1): void {
    const count = this.#count(holder) + change;
    if (count === 0) this.#held.delete(holder);
    else this.#held.set(holder, count);
  }
}

/**
 * grpc-js lets a server widen a stream's window but not its connection's, which then is the limit: the connection
 * gets what was announced for its streams.
 */
function widen(session: Http2Session): void {
  if ((session.state.localWindowSize ?? 0) < flowControlWindow) session.setLocalWindowSize(flowControlWindow);
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress}:${remotePort}`;

const keyOf = ({
  remoteAddress,
  remotePort,
  localPort,
}: Pick<Socket, "remoteAddress" | "remotePort" | "localPort">) =>
  `${remoteAddress} ${remotePort} ${localPort}`;

/** Who has one IPv6 address has a network of 2^64. */
function networkOf(address: string): string {
  if (!isIPv6(address) || address.startsWith("::ffff:")) return address;
  const [head = "", tail] = address.split("%")[0]!.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = new Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}
