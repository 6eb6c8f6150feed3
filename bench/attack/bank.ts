/**
 * A bank that says what it likes: a gRPC server of its own, with the consortium's authority and the bank's keys, that
 * drives enterprises with messages of its own making. It has no secret of an honest enterprise, nor the auditor's key
 * once the roster is signed. One file: a server whose every method lies is read as a whole.
 */
import "reflect-metadata";
import * as grpc from "@grpc/grpc-js";
import type { NodeCredentials } from "../../client-node/federation/credentials.ts";
import { createSecrets } from "../../client-node/federation/enrol.ts";
import { Authority, createAuthority, identityOf } from "../../coordinator/authority/ca.ts";
import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import { secureRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { StudyManifest } from "../../models/study.ts";
import { certificateRequest } from "../../privacy/certificate-request.ts";
import { publicIdentity } from "../../privacy/identity.ts";
import {
  newSignerKey,
  noteSigner,
  parseSignerKey,
  parseVerifierKey,
  type Signer,
} from "../../privacy/log/note.ts";
import { openRoster, type Roster, signRoster } from "../../privacy/roster.ts";
import {
  beginEpoch,
  type EpochCoordinatorEvent,
  type EpochCoordinatorState,
  epochCoordinatorStep,
} from "../../privacy/sum/epoch/coordinator.ts";
import { type EpochHeader, proposeEpoch } from "../../privacy/sum/epoch/header.ts";
import type { CoordinatorEpochMessage, PartyEpochMessage } from "../../privacy/sum/epoch/messages.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import type { CoordinatorRoundMessage, Hello, PartyRoundMessage } from "../../privacy/sum/messages.ts";
import type { Consortium, SimulatedNode } from "../../privacy/sum/simulation.ts";
import type { CoordinatorMessage as WireDown } from "../../proto/generated/fedcredit/v1/CoordinatorMessage.ts";
import type { PartyMessage__Output as WireUp } from "../../proto/generated/fedcredit/v1/PartyMessage.ts";
import type { UploadChunk__Output } from "../../proto/generated/fedcredit/v1/UploadChunk.ts";
import {
  Blobs,
  channelOptions,
  chunkBytes,
  coordinatorName,
  fromOneof,
  Health,
  Log,
  Membership,
  protocolVersion,
  Rounds,
  Studies,
  statusOf,
  toOneof,
} from "../../proto/wire.ts";
import { ForgedLog } from "./log.ts";
import type { Reply, Said } from "./said.ts";

export const consortiumName = "riverbank";

/** How long a party may think about an instruction, milliseconds. */
const patienceMillis = 20_000;

type Stream = grpc.ServerDuplexStream<WireUp, WireDown>;

/** A party that hears the bank without a network. */
export interface InThisProcess {
  tell(message: CoordinatorRoundMessage): void;
  tellEpoch(message: CoordinatorEpochMessage): void;
}

export interface EpochTampering {
  readonly onWayDown?: (to: PartyId, message: CoordinatorEpochMessage) => readonly CoordinatorEpochMessage[];
  readonly onWayUp?: (from: PartyId, message: PartyEpochMessage) => readonly PartyEpochMessage[];
}

export class EvilBank implements AsyncDisposable {
  readonly credentials: ReadonlyMap<PartyId, NodeCredentials>;
  readonly signers: { readonly bank: Signer; readonly auditor: Signer };
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly manifests = new Map<Digest, StudyManifest>();
  log: ForgedLog;
  /** What GetCertificates shows. */
  certificates: readonly object[] = [];
  /** What GetRoster shows. */
  rosterNote: string;
  consortium: Consortium;
  address = "";
  readonly #authority: Authority;
  readonly #local = new Map<PartyId, InThisProcess>();
  readonly #streams = new Map<PartyId, Stream>();
  readonly #arrivals = new Map<PartyId, () => void>();
  readonly #waiting = new Map<PartyId, { roundId: Digest; take: (message: PartyRoundMessage) => void }>();
  #server: grpc.Server | undefined;
  /** Told what parties say of key epochs. */
  onEpoch: ((from: PartyId, message: PartyEpochMessage) => void) | undefined;

  private constructor(
    authority: Authority,
    credentials: ReadonlyMap<PartyId, NodeCredentials>,
    signers: EvilBank["signers"],
    roster: Roster,
    rosterNote: string,
  ) {
    this.#authority = authority;
    this.credentials = credentials;
    this.signers = signers;
    this.rosterNote = rosterNote;
    this.log = new ForgedLog(signers.bank);
    this.log.append("consortium.created");
    const nodes = new Map<PartyId, SimulatedNode>(
      [...credentials.keys()].map((id) => [
        id,
        { state: { phase: "idle" }, seen: new Set(), steps: new Map() },
      ]),
    );
    const parties = new Map(
      [...credentials].map(([id, { identity }]) => [id, { id, identity, roster, random: secureRandom }]),
    );
    // no epoch yet: `openEpoch` puts one there
    const epoch = undefined as unknown as Consortium["epoch"];
    this.consortium = {
      name: consortiumName,
      roster,
      parties,
      nodes,
      maxColluding: 1,
      number: 0,
      epoch,
      slots: { next: 0 },
    };
  }

  /** Enrols enterprises honestly: bank and auditor sign the roster, one organisation each. */
  static async found(ids: readonly PartyId[]): Promise<EvilBank> {
    const now = Date.now();
    const keys = await createAuthority(consortiumName, now, secureRandom);
    const authority = await Authority.open(consortiumName, keys, secureRandom);
    const [bank, auditor] = ["bank", "auditor"].map((role) =>
      newSignerKey(`${consortiumName}/${role}`, secureRandom),
    ) as [ReturnType<typeof newSignerKey>, ReturnType<typeof newSignerKey>];
    const credentials = new Map<PartyId, NodeCredentials>();
    for (const id of ids) {
      const secrets = await createSecrets(consortiumName, id, secureRandom);
      const request = await certificateRequest(secrets.tlsKey, id);
      credentials.set(id, {
        ...secrets,
        enterprise: id,
        consortium: consortiumName,
        certificate: await authority.signRequest(request, { role: "enterprise", id }, now),
        ca: authority.certificatePem,
        bankKey: bank.send,
        auditorKey: auditor.send,
      });
    }
    const [bankSigner, auditorSigner] = [bank, auditor].map(({ keep }) => {
      const { name, seed } = parseSignerKey(keep);
      return noteSigner(name, seed);
    }) as [Signer, Signer];
    const note = signRoster(
      {
        consortium: consortiumName,
        version: 1,
        members: [...credentials].map(([id, { identity }]) => ({
          id,
          organisation: `${id} Ltd`,
          ...publicIdentity(identity),
        })),
      },
      [bankSigner, auditorSigner],
    );
    const roster = openRoster(note, parseVerifierKey(bank.send), parseVerifierKey(auditor.send));
    const made = new EvilBank(
      authority,
      credentials,
      { bank: bankSigner, auditor: auditorSigner },
      roster,
      note,
    );
    await made.#listen();
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server?.forceShutdown();
  }

  /** A party in the attacker's own process. */
  adopt(id: PartyId, party: InThisProcess): void {
    this.#local.set(id, party);
  }

  propose(manifest: StudyManifest): Digest {
    const study = digestOf(canonicalBytes(manifest));
    this.manifests.set(study, manifest);
    return study;
  }

  /** Forgets a node's stream: `connected` waits for the next. */
  forget(party: PartyId): void {
    this.#streams.delete(party);
  }

  /** Resolves when a node's stream stands. */
  async connected(party: PartyId): Promise<void> {
    if (this.#streams.has(party) || this.#local.has(party)) return;
    await new Promise<void>((resolve) => this.#arrivals.set(party, resolve));
  }

  say(to: PartyId, message: CoordinatorRoundMessage | CoordinatorEpochMessage): void {
    const local = this.#local.get(to);
    if (local === undefined) this.#streams.get(to)?.write(toOneof<WireDown>(message));
    else if (isOfEpoch(message)) local.tellEpoch(message);
    else local.tell(message);
  }

  /** Gives an instruction. @returns what the party says of that round next. */
  async ask(to: PartyId, message: CoordinatorRoundMessage, millis = patienceMillis): Promise<Reply> {
    const roundId = message.type === "open" ? digestOf(message.header) : message.roundId;
    const reply = new Promise<Reply>((resolve) => {
      const timer = setTimeout(() => resolve({ type: "silence" }), millis);
      this.#waiting.set(to, {
        roundId,
        take: (said) => {
          clearTimeout(timer);
          resolve(said);
        },
      });
    });
    this.say(to, message);
    return reply;
  }

  hear(from: PartyId, message: Said): void {
    if (!("roundId" in message)) {
      this.onEpoch?.(from, message);
      return;
    }
    const waiting = this.#waiting.get(from);
    if (waiting?.roundId !== message.roundId) return;
    this.#waiting.delete(from);
    waiting.take(message);
  }

  /** Opens a key epoch of some members. @returns undefined, or the reason why it did not open. */
  async openEpoch(
    members: readonly PartyId[],
    maxColluding: number,
    { onWayDown, onWayUp }: EpochTampering = {},
    change: (header: EpochHeader) => EpochHeader = (header) => header,
  ): Promise<string | undefined> {
    const { roster, number } = this.consortium;
    await Promise.all(members.map((id) => this.connected(id)));
    const epoch = number + 1;
    const header = change(proposeEpoch(roster, { epoch, members, maxColluding, stepSeconds: 10 }));
    this.consortium = { ...this.consortium, number: epoch };
    const { promise, resolve } = Promise.withResolvers<EpochCoordinatorState>();
    let state: EpochCoordinatorState;
    let timer: NodeJS.Timeout | undefined;
    const enter = (step: ReturnType<typeof epochCoordinatorStep>): void => {
      state = step.state;
      for (const effect of step.effects)
        if (effect.type === "send")
          for (const said of onWayDown?.(effect.to, effect.message) ?? [effect.message])
            this.say(effect.to, said);
        else if (effect.type === "wait") {
          clearTimeout(timer);
          const { wait } = effect;
          timer = setTimeout(() => feed({ type: "deadline", wait }), effect.seconds * 1000);
        }
      if (state.phase === "ready" || state.phase === "failed") {
        clearTimeout(timer);
        resolve(state);
      }
    };
    const feed = (event: EpochCoordinatorEvent): void =>
      enter(epochCoordinatorStep(state, event, { roster }));
    this.onEpoch = (from, message) => {
      for (const said of onWayUp?.(from, message) ?? [message])
        feed({ type: "message", from, message: said });
    };
    enter(beginEpoch(header));
    const end = await promise;
    if (end.phase !== "ready")
      return end.phase === "failed" ? `${end.failure.reason} ${end.failure.detail}` : end.phase;
    const { epoch: open, hashes } = end;
    this.consortium = {
      ...this.consortium,
      maxColluding,
      epoch: { open, hashes, secrets: new Map(), transcript: [] },
      slots: { next: 0 },
    };
    await new Promise((settled) => setTimeout(settled, 50));
    return undefined;
  }

  async #listen(): Promise<void> {
    const { certificatePem, privateKeyPem } = await this.#authority.issueServer(
      [coordinatorName],
      Date.now(),
    );
    const server = new grpc.Server(channelOptions);
    this.#register(server);
    const ca = Buffer.from(this.#authority.certificatePem);
    const chain = Buffer.from(`${certificatePem}\n${this.#authority.certificatePem}`);
    const pair = { private_key: Buffer.from(privateKeyPem), cert_chain: chain };
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createSsl(ca, [pair], true), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    this.#server = server;
    this.address = `127.0.0.1:${port}`;
  }

  #register(server: grpc.Server): void {
    const status = (study: Buffer) => {
      const manifest = this.manifests.get(study.toString("hex"));
      if (manifest === undefined) throw new Refusal("not_found", "no such study");
      const manifestBytes = { canonicalJson: Buffer.from(canonicalBytes(manifest)) };
      return { study, name: manifest.name, phase: "running", consented: [], manifest: manifestBytes };
    };
    server.addService(Health.service, {
      Check: unary(() => ({
        protocolVersion,
        softwareVersion: "0",
        timeMillis: Date.now(),
        draining: false,
      })),
    });
    server.addService(Membership.service, { GetRoster: unary(() => ({ note: this.rosterNote })) });
    server.addService(Studies.service, {
      Get: unary(({ study }) => status(study)),
      Consent: unary(({ study }) => status(study)),
      GetCertificates: (call: grpc.ServerWritableStream<unknown, unknown>) => {
        for (const certificate of this.certificates) call.write(certificate);
        call.end();
      },
    });
    server.addService(Blobs.service, {
      Upload: (call: grpc.ServerReadableStream<UploadChunk__Output, unknown>, answer: Answer) => {
        const chunks: Buffer[] = [];
        call.on("data", ({ data }: UploadChunk__Output) => chunks.push(data));
        call.on("end", () => {
          const blob = new Uint8Array(Buffer.concat(chunks));
          this.blobs.set(digestOf(blob), blob);
          answer(null, { committed: blob.length, complete: true });
        });
      },
      Fetch: (call: grpc.ServerWritableStream<{ digests: Buffer[] }, unknown>) => {
        for (const digest of call.request.digests) {
          const blob = Buffer.from(this.blobs.get(digest.toString("hex")) ?? []);
          for (let at = 0; at === 0 || at < blob.length; at += chunkBytes)
            call.write({ data: blob.subarray(at, at + chunkBytes), last: at + chunkBytes >= blob.length });
        }
        call.end();
      },
    });
    server.addService(Log.service, {
      GetCheckpoint: unary(async () => ({ note: await this.log.checkpoint() })),
      GetConsistency: unary(async ({ oldSize, newSize }) => ({
        hashes: (await this.log.consistency(Number(oldSize), Number(newSize))).map((hash) =>
          Buffer.from(hash),
        ),
      })),
      GetInclusion: unary(async ({ index, size }) => ({
        hashes: (await this.log.inclusion(Number(index), Number(size))).map((hash) => Buffer.from(hash)),
        entry: Buffer.from(this.log.entries[Number(index)]!),
      })),
      Cosign: unary(() => ({ note: "" })),
      ReportLedger: unary(() => ({ note: "" })),
    });
    server.addService(Rounds.service, { Participate: (call: Stream) => this.#participate(call) });
  }

  #participate(stream: Stream): void {
    const der = stream.getAuthContext().sslPeerCertificate!.raw;
    const { id } = identityOf(der, consortiumName);
    stream.on("data", (wire: WireUp) => {
      const message = fromOneof<Hello | Said>(wire);
      if (message.type !== "hello") return this.hear(id, message);
      this.#streams.set(id, stream);
      this.#arrivals.get(id)?.();
    });
    stream.on("end", () => stream.end());
    stream.on("error", () => {});
    stream.on("cancelled", () => {});
  }
}

const epochTypes: ReadonlySet<string> = new Set([
  "openEpoch",
  "epochJoined",
  "epochNonces",
  "epochShares",
  "accuse",
  "epochReady",
  "epochFailed",
]);

const isOfEpoch = (
  message: CoordinatorRoundMessage | CoordinatorEpochMessage,
): message is CoordinatorEpochMessage => epochTypes.has(message.type);

type Answer = (error: grpc.ServiceError | null, reply?: unknown) => void;

/** A method of one request and one reply; the wire's shapes are checked by the node that reads them. */
const unary =
  // biome-ignore lint/suspicious/noExplicitAny: any request of any service
    (reply: (request: any) => unknown) =>
    (call: { readonly request: unknown }, answer: Answer): void => {
      Promise.resolve()
        .then(() => reply(call.request))
        .then(
          (message) => answer(null, message),
          (error: unknown) => answer(statusOf(error)),
        );
    };
