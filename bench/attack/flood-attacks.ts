/** A member that takes more of the real coordinator than its share: connections, log entries, disk. */
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import type { NodeCredentials } from "../../client-node/federation/credentials.ts";
import { UploadAllowance } from "../../coordinator/rounds/upload-allowance.ts";
import { quotas } from "../../coordinator/service/quotas.ts";
import { splitAddress } from "../../core/address.ts";
import { digestOf } from "../../core/canonical.ts";
import { secureRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { signConsent } from "../../privacy/log/consent.ts";
import { noteSigner } from "../../privacy/log/note.ts";
import { seededBytes } from "../../privacy/sum/encryption/bfv-format.ts";
import { WireClient } from "../../proto/client.ts";
import { Blobs, coordinatorName, Health, Log, refusalOf, Studies } from "../../proto/wire.ts";
import { consortiumName, LocalBank } from "../../simulate/consortium.ts";
import { eventually } from "../cases/within.ts";
import { type Attack, counted } from "./attack.ts";
import { manifestOf } from "./stage.ts";

type Quotas = { -readonly [Name in keyof typeof quotas]: number };

interface Scene {
  readonly bank: LocalBank;
  readonly member: NodeCredentials;
  /** Another connection of the member, closed at the end. */
  readonly connect: () => WireClient;
  readonly cleanUp: AsyncDisposableStack;
}

/** Plays against a coordinator whose quotas are changed for as long. */
const onCoordinator =
  (
    change: (control: boolean) => Partial<Quotas>,
    script: (scene: Scene, control: boolean) => Promise<number>,
  ): Attack["play"] =>
  async (_, control) => {
    await using cleanUp = new AsyncDisposableStack();
    const before = { ...quotas };
    Object.assign(quotas, change(control));
    cleanUp.defer(() => void Object.assign(quotas, before));
    const bank = await LocalBank.start();
    cleanUp.defer(() => bank.stop());
    const member = (await bank.enrolAll(["party-0", "party-1", "party-2"])).get("party-0")!;
    const connect = (): WireClient => {
      const { ca, certificate, tlsKey } = member;
      const keys = { authorityPem: ca, certificatePem: certificate, privateKeyPem: tlsKey };
      const client = new WireClient(bank.coordinator.address, keys);
      cleanUp.defer(() => client.close());
      return client;
    };
    return await script({ bank, member, connect, cleanUp }, control);
  };

/** @returns whether it was let; another failure than one of these refusals is thrown. */
async function isLet(work: Promise<unknown>, ...refusals: readonly string[]): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    const { reason } = error instanceof Refusal ? error : refusalOf(error);
    if (!refusals.includes(reason)) throw error;
    return false;
  }
}

const connections = 8;
const consents = 5;
const forever = 1_000_000;

export const floodAttacks: readonly Attack[] = [
  {
    name: "connections that say nothing",
    ...counted("still open", 8),
    quick: false,
    play: onCoordinator(
      (control) => ({ silentSeconds: control ? forever : 1 }),
      async ({ bank, cleanUp }, control) => {
        const { host, port } = splitAddress(bank.coordinator.address);
        const sockets: Socket[] = [];
        for (let i = 0; i < connections; i++) {
          const socket = connect(port, host);
          cleanUp.defer(() => void socket.destroy());
          socket.on("error", () => {}).resume();
          await once(socket, "connect");
          sockets.push(socket);
        }
        const open = (): number => sockets.filter((socket) => !socket.closed).length;
        if (!control) await eventually(() => open() === 0);
        return open();
      },
    ),
  },
  {
    name: "connections of one certificate",
    ...counted("open beyond the quota", 8),
    quick: false,
    play: onCoordinator(
      (control) => ({ connectionsPerCertificate: control ? forever : connections }),
      async ({ bank, member, cleanUp }, control) => {
        const { address } = bank.coordinator;
        const { ca, certificate, tlsKey } = member;
        const sessions: ClientHttp2Session[] = [];
        for (let i = 0; i < 3 * connections; i++) {
          const tls = { ca, cert: certificate, key: tlsKey, servername: coordinatorName };
          const session = connectHttp2(`https://${address}`, tls);
          cleanUp.defer(() => void session.destroy());
          session.on("error", () => {});
          sessions.push(session);
          // Whose it is shows with its first call, whatever comes of it.
          const call = session.request({ ":method": "POST", ":path": Health.service.Check.path });
          call.on("error", () => {}).resume();
          const over = new Promise((resolve) => call.once("close", resolve));
          call.end();
          await over;
        }
        const open = (): number => sessions.filter((session) => !session.destroyed).length;
        if (!control) await eventually(() => open() <= connections);
        return Math.max(0, open() - connections);
      },
    ),
  },
  {
    name: "consents said anew and anew",
    ...counted("log entries beyond the quota", 8),
    quick: false,
    play: onCoordinator(
      (control) => ({ consentsPerHour: control ? forever : consents }),
      async ({ bank, member, connect }) => {
        const study = await bank.operator.propose(manifestOf("flood"));
        const client = connect();
        const logSize = async (): Promise<number> => {
          const { note } = await client.call(Log.service.GetCheckpoint, {});
          return Number(note.split("\n")[1]);
        };
        const { name, signingSeed } = member.identity;
        const before = await logSize();
        for (let i = 0; i < 4 * consents; i++) {
          const expires = Date.now() + 86_400_000 + i;
          const note = signConsent(
            { consortium: consortiumName, enterprise: member.enterprise, study, expires },
            noteSigner(name, signingSeed),
          );
          const said = { study: Buffer.from(study, "hex"), expiresMillis: expires, note };
          await isLet(client.call(Studies.service.Consent, said), "rate_limited");
        }
        return Math.max(0, (await logSize()) - before - consents);
      },
    ),
  },
  {
    name: "blobs that no round asked for",
    ...counted("stored", 8),
    quick: false,
    play: onCoordinator(
      () => ({}),
      async ({ connect, cleanUp }, control) => {
        const honest = UploadAllowance.prototype.take;
        if (control) {
          UploadAllowance.prototype.take = () => {};
          cleanUp.defer(() => {
            UploadAllowance.prototype.take = honest;
          });
        }
        const client = connect();
        let stored = 0;
        for (let i = 0; i < 8; i++) {
          const data = Buffer.from(secureRandom.bytes(seededBytes));
          const digest = Buffer.from(digestOf(data), "hex");
          const piece = { digest, size: data.length, offset: 0, data, roundId: Buffer.alloc(32, 1) };
          await isLet(client.upload(Blobs.service.Upload, [piece]), "message_unexpected");
          if ((await client.call(Blobs.service.Stat, { digest })).complete) stored++;
        }
        return stored;
      },
    ),
  },
];
