import mqtt, { type IClientOptions, type IConnackPacket, type IPublishPacket, type MqttClient } from "mqtt";
import { readConfigured, readSecret } from "../runtime/secrets.ts";
import { Refused } from "../runtime/supervise.ts";
import type { MqttConfig } from "./config.ts";

/** What a connection to a broker needs to be told. */
export type BrokerLogin = Pick<
  MqttConfig,
  "protocol" | "clientId" | "identity" | "tls" | "sessionExpiry" | "keepAlive" | "timeout" | "inFlight"
>;

/** Larger messages are not read: a broker passes on what any device sends, up to 256 MB. */
export const mostPayloadBytes = 4 * 2 ** 20;

/** @throws {Refusal} file_missing or config_invalid if a secret or a certificate cannot be read. */
export async function clientOptions(config: BrokerLogin): Promise<IClientOptions> {
  const { identity, tls } = config;
  const v5 = config.protocol === "5";
  return {
    protocolVersion: v5 ? 5 : 4,
    clientId: config.clientId,
    // Without a session to keep there is nothing to take over.
    clean: config.sessionExpiry === 0,
    keepalive: Math.ceil(config.keepAlive / 1000),
    connectTimeout: config.timeout,
    // The supervisor reconnects: one place for backoff.
    reconnectPeriod: 0,
    resubscribe: false,
    ...(v5
      ? {
          properties: {
            sessionExpiryInterval: Math.round(config.sessionExpiry / 1000),
            receiveMaximum: config.inFlight,
            maximumPacketSize: 2 * mostPayloadBytes,
          },
        }
      : {}),
    ...(identity === "anonymous"
      ? {}
      : { username: identity.user, password: await readSecret(identity.password) }),
    ...(tls?.ca === undefined ? {} : { ca: await readConfigured(tls.ca) }),
    ...(tls?.certificate === undefined ? {} : { cert: await readConfigured(tls.certificate) }),
    ...(tls?.key === undefined ? {} : { key: await readConfigured(tls.key) }),
    rejectUnauthorized: true,
  };
}

/**
 * CONNACK codes that say no to who is asking: user or password, not authorized, banned.
 * @see MQTT 3.1.1, table 3.1; MQTT 5.0, section 3.2.2.2
 */
const refusals: readonly unknown[] = [4, 5, 134, 135, 138];

const refusedOr = (error: Error): Error =>
  "code" in error && refusals.includes(error.code)
    ? new Refused(`the broker refuses this user (${error.message})`, error)
    : error;

/** Longest wait for each step of a polite end. */
const farewellMillis = 2_000;

/** Made once: an error per message, with its stack, would cost more than reading the message. */
const withheld = new Error("acknowledged when stored");

/** One connection to the broker, whose PUBACKs are ours to send. */
export class MqttSession {
  readonly client: MqttClient;
  /** Rejects when the connection ends; never resolves. */
  readonly lost: Promise<never>;
  #acknowledged: number[] = [];

  /** @param onMessage - called for every message; those of QoS 1 are acknowledged by `acknowledge` alone. */
  constructor(url: string, options: IClientOptions, onMessage: (packet: IPublishPacket) => void) {
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.lost = promise;
    this.client = mqtt.connect(url, options);
    // The client sends a PUBACK when this hook reports success, one message at a time. Reporting failure
    // leaves the PUBACK to us and the client free to go on with the next message.
    this.client.handleMessage = (packet, done) => {
      onMessage(packet);
      done(packet.qos === 0 ? undefined : withheld);
    };
    this.client.on("error", (error) => reject(refusedOr(error)));
    this.client.on("disconnect", ({ reasonCode }) => reject(new Error(`broker ended: reason ${reasonCode}`)));
    this.client.on("close", () => reject(new Error("connection lost")));
  }

  /** @returns whether the broker kept our session. */
  async connected(): Promise<boolean> {
    const connack = new Promise<IConnackPacket>((resolve) => this.client.once("connect", resolve));
    return (await Promise.race([connack, this.lost])).sessionPresent;
  }

  /**
   * Sends PUBACKs, those of one turn in one write.
   *
   * ```
   * 0x40 | remaining length = 2 | packet identifier u16      (no reason code: success)
   * ```
   * @see MQTT 5.0, section 3.4
   */
  acknowledge(messageId: number): void {
    if (this.#acknowledged.push(messageId) === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const packets = Buffer.alloc(4 * this.#acknowledged.length);
    for (const [i, messageId] of this.#acknowledged.entries()) {
      packets.writeUInt16BE(0x4002, 4 * i);
      packets.writeUInt16BE(messageId, 4 * i + 2);
    }
    this.#acknowledged = [];
    if (this.client.connected) this.client.stream.write(packets);
  }

  /**
   * Whether the broker has handled everything sent so far: it answers a ping in its turn. A socket that is closed
   * with unread messages is reset, and a reset loses the last PUBACKs on their way.
   */
  #heard(): Promise<boolean> {
    return new Promise((resolve) => {
      const timeout = setTimeout(() => settle(false), farewellMillis);
      const onPacket = ({ cmd }: { cmd?: string }) => {
        if (cmd === "pingresp") settle(true);
      };
      const settle = (heard: boolean) => {
        clearTimeout(timeout);
        this.client.off("packetreceive", onPacket);
        resolve(heard);
      };
      this.client.on("packetreceive", onPacket);
      this.client.once("close", () => settle(false));
      this.client.sendPing();
    });
  }

  /** Says goodbye where the broker still listens, and destroys the socket. */
  async close(): Promise<void> {
    this.#flush();
    const polite = this.client.connected && (await this.#heard());
    await new Promise<void>((resolve) => {
      const timeout = setTimeout(finish, farewellMillis);
      function finish() {
        clearTimeout(timeout);
        resolve();
      }
      this.client.end(!polite, finish);
    });
    this.client.stream.destroy();
  }
}
