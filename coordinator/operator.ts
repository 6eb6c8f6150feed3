/** The operator's side of the wire: what the bank's people do from a command line or a script. */
import * as grpc from "@grpc/grpc-js";
import { canonicalBytes, type Digest, digestOf } from "../core/canonical.ts";
import { findStudy } from "../core/ids.ts";
import { Refusal } from "../core/reasons.ts";
import type { Json } from "../models/algorithm.ts";
import type { StudyStatus__Output } from "../proto/generated/fedcredit/v1/StudyStatus.ts";
import {
  channelOptions,
  Health,
  Log,
  Membership,
  protocolVersion,
  refusalOf,
  Studies,
  unary,
} from "../proto/wire.ts";
import { openOperator } from "./authority/keys.ts";
import type { CoordinatorConfig } from "./config.ts";

export interface StudyView {
  readonly study: Digest;
  readonly name: string;
  /** proposed, running, finished, failed or stopped. */
  readonly phase: string;
  readonly consented: readonly string[];
  readonly round: number;
  readonly attempt: number;
  readonly algorithm: string;
  readonly reason: string;
  readonly detail: string;
}

const bytesOf = (digest: Digest): Buffer => Buffer.from(digest, "hex");

const viewOf = (status: StudyStatus__Output): StudyView => ({
  study: status.study.toString("hex"),
  name: status.name,
  phase: status.phase,
  consented: status.consented,
  round: status.round,
  attempt: status.attempt,
  algorithm: status.algorithm,
  reason: status.reason,
  detail: status.detail,
});

/** A connection with the operator's certificate. Every method throws the coordinator's Refusal. */
export class Operator {
  readonly #membership: InstanceType<typeof Membership>;
  readonly #studies: InstanceType<typeof Studies>;
  readonly #log: InstanceType<typeof Log>;
  readonly #health: InstanceType<typeof Health>;

  private constructor(address: string, credentials: grpc.ChannelCredentials) {
    const options = { ...channelOptions, "grpc.use_local_subchannel_pool": 1 };
    this.#membership = new Membership(address, credentials, options);
    this.#studies = new Studies(address, credentials, options);
    this.#log = new Log(address, credentials, options);
    this.#health = new Health(address, credentials, options);
  }

  /**
   * @param address - host:port; the config's `listen` unless told otherwise.
   * @throws Refusal file_missing
   */
  static async connect(config: CoordinatorConfig, address: string = config.listen): Promise<Operator> {
    const { certificatePem, privateKeyPem, authorityPem } = await openOperator(config);
    const [ca, key, certificate] = [authorityPem, privateKeyPem, certificatePem].map((pem) =>
      Buffer.from(pem),
    );
    return new Operator(address, grpc.credentials.createSsl(ca!, key!, certificate!));
  }

  /** Waits until the coordinator answers. */
  health(): Promise<{ softwareVersion: string; timeMillis: number; draining: boolean }> {
    return unary(this.#health, this.#health.check, { protocolVersion });
  }

  /** @returns the token as it is handed over: secret and authority's fingerprint. */
  async createToken(enterprise: string, organisation: string, validSeconds = 86_400): Promise<string> {
    const request = { enterprise, organisation, validSeconds };
    return (await unary(this.#membership, this.#membership.createToken, request)).token;
  }

  /** @param enterprises - none admits everyone enrolled. @returns the roster note the auditor has to sign. */
  async admit(enterprises: readonly string[] = []): Promise<string> {
    return (await unary(this.#membership, this.#membership.admit, { enterprises: [...enterprises] })).note;
  }

  async roster(): Promise<string> {
    return (await unary(this.#membership, this.#membership.getRoster, {})).note;
  }

  /** @param manifest - as `manifestSchema` of models/study.ts reads it. @returns the study's digest. */
  async propose(manifest: unknown): Promise<Digest> {
    const bytes = canonicalBytes(manifest);
    await unary(this.#studies, this.#studies.propose, { canonicalJson: Buffer.from(bytes) });
    return digestOf(bytes);
  }

  async start(study: Digest): Promise<StudyView> {
    return viewOf(await unary(this.#studies, this.#studies.start, { study: bytesOf(study) }));
  }

  async stop(study: Digest): Promise<StudyView> {
    return viewOf(await unary(this.#studies, this.#studies.stop, { study: bytesOf(study) }));
  }

  async studies(): Promise<StudyView[]> {
    return (await unary(this.#studies, this.#studies.list, {})).studies.map(viewOf);
  }

  async study(study: Digest): Promise<StudyView> {
    return viewOf(await unary(this.#studies, this.#studies.get, { study: bytesOf(study) }));
  }

  /** @param wanted - a study's name or the beginning of its digest. @throws Refusal not_found */
  async find(wanted: string): Promise<StudyView> {
    return findStudy(await this.studies(), wanted);
  }

  /** A view whenever the study changes, until it has ended. */
  async *follow(study: Digest): AsyncGenerator<StudyView> {
    const call = this.#studies.follow({ study: bytesOf(study) });
    try {
      for await (const status of call) yield viewOf(status as StudyStatus__Output);
    } catch (error) {
      throw refusalOf(error);
    } finally {
      call.cancel();
    }
  }

  /** @returns a finished study's model document, its digest checked. @throws Refusal digest_mismatch */
  async model(study: Digest): Promise<{ digest: Digest; model: Json }> {
    const reply = await unary(this.#studies, this.#studies.getModel, { study: bytesOf(study) });
    const digest = reply.digest.toString("hex");
    if (digestOf(reply.canonicalJson) !== digest)
      throw new Refusal("digest_mismatch", "the model does not have the digest the coordinator states");
    return { digest, model: JSON.parse(reply.canonicalJson.toString("utf8")) as Json };
  }

  async checkpoint(): Promise<string> {
    return (await unary(this.#log, this.#log.getCheckpoint, {})).note;
  }

  /** The privacy log's export in pieces. */
  async *exportLog(): AsyncGenerator<Uint8Array> {
    const call = this.#log.export({});
    try {
      for await (const { data } of call) yield data as Buffer;
    } catch (error) {
      throw refusalOf(error);
    }
  }

  close(): void {
    for (const client of [this.#membership, this.#studies, this.#log, this.#health]) client.close();
  }
}
