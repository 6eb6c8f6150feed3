/** The operator's side of the wire: what the bank's people do from a command line or a script. */
import { reachableAddress, splitAddress } from "../core/address.ts";
import { canonicalBytes, type Digest, digestOf } from "../core/canonical.ts";
import { findStudy } from "../core/ids.ts";
import { Refusal } from "../core/reasons.ts";
import type { Json } from "../models/algorithm.ts";
import { endOf, followsAuthority, isRenewalDue } from "../privacy/certificate-life.ts";
import { certificateRequest } from "../privacy/certificate-request.ts";
import { exportLog, takeBackup, WireClient } from "../proto/client.ts";
import type { Case__Output } from "../proto/generated/fedcredit/v1/Case.ts";
import type { CaseOrder } from "../proto/generated/fedcredit/v1/CaseOrder.ts";
import type { Enterprise__Output } from "../proto/generated/fedcredit/v1/Enterprise.ts";
import type { ListModelsResponse__Output } from "../proto/generated/fedcredit/v1/ListModelsResponse.ts";
import type { Operator__Output } from "../proto/generated/fedcredit/v1/Operator.ts";
import type { PruneResponse__Output } from "../proto/generated/fedcredit/v1/PruneResponse.ts";
import type { StudyCheck__Output } from "../proto/generated/fedcredit/v1/StudyCheck.ts";
import type { StudyFault__Output } from "../proto/generated/fedcredit/v1/StudyFault.ts";
import type { StudyMember__Output } from "../proto/generated/fedcredit/v1/StudyMember.ts";
import type { StudyStatus__Output } from "../proto/generated/fedcredit/v1/StudyStatus.ts";
import type { TakenStatement__Output } from "../proto/generated/fedcredit/v1/TakenStatement.ts";
import type { ToldWarning__Output } from "../proto/generated/fedcredit/v1/ToldWarning.ts";
import type { User__Output } from "../proto/generated/fedcredit/v1/User.ts";
import { Log, Membership, Registry, Scores, Studies, Warnings } from "../proto/wire.ts";
import {
  openOperator,
  operatorsNextKey,
  replaceAuthorityCertificate,
  replaceOperatorCertificate,
} from "./authority/keys.ts";
import type { CoordinatorConfig } from "./config.ts";
import type { BackupHeader } from "./store/backup.ts";

export interface StudyView {
  readonly study: Digest;
  readonly name: string;
  /** proposed, running, paused, finished, failed or stopped. */
  readonly phase: string;
  readonly consented: readonly string[];
  readonly round: number;
  readonly attempt: number;
  readonly algorithm: string;
  readonly reason: string;
  readonly detail: string;
}

/** Where a study stands, and on whom it waits. */
export interface StudyInspectionView extends StudyView {
  readonly members: readonly StudyMember__Output[];
  /** Organisations that consented and are connected. */
  readonly cohort: number;
  /** Organisations without which nothing is summed. */
  readonly leastCohort: number;
  /** How the last attempt without a sum ended. */
  readonly lastFault?: StudyFault__Output;
  readonly sums: number;
  readonly mostSums: number;
  /** At the pace so far; 0 where none is known yet. */
  readonly mostSecondsLeft: number;
}

/** What proposing a study would say, and what it would cost. */
export interface StudyCheckView extends Omit<StudyCheck__Output, "study"> {
  readonly study: Digest;
}

/** How long a token works where nobody says otherwise. */
export const tokenSeconds = 86_400;

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
  readonly #config: CoordinatorConfig;
  readonly #address: string;
  #wire: WireClient;

  private constructor(config: CoordinatorConfig, address: string, wire: WireClient) {
    this.#config = config;
    this.#address = address;
    this.#wire = wire;
  }

  /**
   * @param address - host:port; the config's `address`, or `listen` on this machine, unless told otherwise.
   * @throws Refusal file_missing
   */
  static async connect(
    config: CoordinatorConfig,
    address: string = config.address ?? reachableAddress(splitAddress(config.listen)),
  ): Promise<Operator> {
    return new Operator(config, address, new WireClient(address, await openOperator(config)));
  }

  /**
   * Asks for the operator's next certificate in the last third of its life, and goes on with it.
   * @param now - Unix milliseconds. @returns when the new one ends, Unix milliseconds; undefined where none was due
   */
  async renewIfDue(now: number): Promise<number | undefined> {
    const { certificatePem, privateKeyPem } = await openOperator(this.#config);
    if (!isRenewalDue(certificatePem, now)) return undefined;
    return this.#recertify(privateKeyPem, false);
  }

  /**
   * Goes on with another key; certificates of the one before are revoked. A process that is killed meanwhile has either,
   * and may do it again.
   * @returns when its certificate ends, Unix milliseconds, and the serial numbers that count no more
   */
  async rotateKey(): Promise<{ expires: number; revoked: string[] }> {
    const expires = await this.#recertify(await operatorsNextKey(this.#config), true);
    const { serials } = await this.#wire.call(Membership.service.RetireCertificates, {});
    return { expires, revoked: serials };
  }

  async #recertify(keyPem: string, rotate: boolean): Promise<number> {
    const csrPem = await certificateRequest(keyPem, "operator");
    const next = await this.#wire.call(Membership.service.RenewCertificate, { csrPem, rotate });
    const { authorityPem } = await openOperator(this.#config);
    // The bank's own folder has it already.
    if (followsAuthority(authorityPem, next.authorityPem))
      await replaceAuthorityCertificate(this.#config, next.authorityPem);
    await replaceOperatorCertificate(this.#config, next.certificatePem);
    this.#wire.close();
    this.#wire = new WireClient(this.#address, await openOperator(this.#config));
    return endOf(next.certificatePem);
  }

  /** @returns the roster that the bank's next key signs, for the auditor to sign. */
  async rotateBankKey(): Promise<string> {
    return (await this.#wire.call(Membership.service.RotateBankKey, {})).note;
  }

  /** @returns when the authority's next certificate ends, Unix milliseconds. */
  async renewAuthority(): Promise<number> {
    return Number((await this.#wire.call(Membership.service.RenewAuthority, {})).expiresMillis);
  }

  /** @param csrPem - PKCS#10. @returns the certificate of one more operator. */
  async addOperator(operator: string, csrPem: string): Promise<string> {
    return (await this.#wire.call(Membership.service.AddOperator, { operator, csrPem })).certificatePem;
  }

  /** @returns serial numbers of the certificates that count no more. */
  async removeOperator(operator: string): Promise<string[]> {
    return (await this.#wire.call(Membership.service.RemoveOperator, { operator })).serials;
  }

  async operators(): Promise<Operator__Output[]> {
    return (await this.#wire.call(Membership.service.ListOperators, {})).operators;
  }

  /** @returns the otpauth:// address that the user's authenticator reads. */
  async addUser(user: string, role: string, password: string): Promise<string> {
    return (await this.#wire.call(Membership.service.AddUser, { user, role, password })).address;
  }

  async removeUser(user: string): Promise<void> {
    await this.#wire.call(Membership.service.RemoveUser, { user });
  }

  async changeRole(user: string, role: string): Promise<void> {
    await this.#wire.call(Membership.service.ChangeRole, { user, role });
  }

  async users(): Promise<User__Output[]> {
    return (await this.#wire.call(Membership.service.ListUsers, {})).users;
  }

  /** @returns the token as it is handed over: secret and authority's fingerprint. */
  async createToken(enterprise: string, organisation: string, validSeconds = tokenSeconds): Promise<string> {
    const request = { enterprise, organisation, validSeconds };
    return (await this.#wire.call(Membership.service.CreateToken, request)).token;
  }

  /** @param enterprises - none admits everyone enrolled. @returns the roster note the auditor has to sign. */
  async admit(enterprises: readonly string[] = []): Promise<string> {
    return (await this.#wire.call(Membership.service.Admit, { enterprises: [...enterprises] })).note;
  }

  /**
   * Says what the log lost that was shown before.
   * @param roster - the newest note the auditor signed; empty for the current one. @param kept - 0: as it was restored.
   * @returns the roster note the auditor has to sign.
   */
  async recover(checkpoints: readonly string[], roster: string, kept: number): Promise<string> {
    const request = { checkpoints: [...checkpoints], roster, kept };
    return (await this.#wire.call(Membership.service.Recover, request)).note;
  }

  /** @returns the roster note the auditor has to sign, without it; empty where it was in none. */
  async remove(enterprise: string, reason = ""): Promise<string> {
    return (await this.#wire.call(Membership.service.Remove, { enterprise, reason })).note;
  }

  /** @returns serial numbers of the certificates that count no more. */
  async revoke(enterprise: string): Promise<string[]> {
    return (await this.#wire.call(Membership.service.Revoke, { enterprise })).serials;
  }

  async enterprises(): Promise<Enterprise__Output[]> {
    return (await this.#wire.call(Membership.service.ListEnterprises, {})).enterprises;
  }

  /** @returns the roster in force, with both signatures. @throws Refusal not_found before the first */
  async roster(): Promise<string> {
    return (await this.#wire.call(Membership.service.GetRoster, {})).note;
  }

  /** @param manifest - as `manifestSchema` of models/study.ts reads it. @returns the study's digest. */
  async propose(manifest: unknown): Promise<Digest> {
    const bytes = canonicalBytes(manifest);
    // A gate may have been filled in.
    const { study } = await this.#wire.call(Studies.service.Propose, { canonicalJson: Buffer.from(bytes) });
    return study.toString("hex");
  }

  async start(study: Digest): Promise<StudyView> {
    return viewOf(await this.#wire.call(Studies.service.Start, { study: bytesOf(study) }));
  }

  /** @returns everything that is wrong with a manifest, and its costs. Nothing is stored. */
  async check(manifest: unknown): Promise<StudyCheckView> {
    const canonicalJson = Buffer.from(canonicalBytes(manifest));
    const { study, ...found } = await this.#wire.call(Studies.service.Check, { canonicalJson });
    return { study: study.toString("hex"), ...found };
  }

  /** Finishes the attempt under way and opens no other. */
  async pause(study: Digest): Promise<StudyView> {
    return viewOf(await this.#wire.call(Studies.service.Pause, { study: bytesOf(study) }));
  }

  /** Goes on with a paused or failed study from its last state. */
  async retry(study: Digest): Promise<StudyView> {
    return viewOf(await this.#wire.call(Studies.service.Retry, { study: bytesOf(study) }));
  }

  async inspect(study: Digest): Promise<StudyInspectionView> {
    const { status, lastFault, ...rest } = await this.#wire.call(Studies.service.Inspect, {
      study: bytesOf(study),
    });
    return { ...viewOf(status!), ...rest, ...(lastFault === null ? {} : { lastFault }) };
  }

  async stop(study: Digest): Promise<StudyView> {
    return viewOf(await this.#wire.call(Studies.service.Stop, { study: bytesOf(study) }));
  }

  /** Removes what is kept no longer, as the coordinator does by itself once a day. @throws Refusal unavailable */
  async prune(): Promise<PruneResponse__Output> {
    return this.#wire.call(Studies.service.Prune, {});
  }

  async studies(): Promise<StudyView[]> {
    return (await this.#wire.call(Studies.service.List, {})).studies.map(viewOf);
  }

  async study(study: Digest): Promise<StudyView> {
    return viewOf(await this.#wire.call(Studies.service.Get, { study: bytesOf(study) }));
  }

  /** @param wanted - a study's name or the beginning of its digest. @throws Refusal not_found */
  async find(wanted: string): Promise<StudyView> {
    return findStudy(await this.studies(), wanted);
  }

  async models(): Promise<ListModelsResponse__Output> {
    return this.#wire.call(Registry.service.List, {});
  }

  /**
   * @param of.order - approve, promote, challenge, retire or roll-back. @param of.result - empty: the only one
   * @throws Refusal approval_missing, already_exists, not_found, parameters_invalid
   */
  async orderModel({
    study,
    ...order
  }: {
    readonly study: Digest;
    readonly result: string;
    readonly order: string;
    readonly reason: string;
  }): Promise<ListModelsResponse__Output> {
    return this.#wire.call(Registry.service.Order, { study: bytesOf(study), ...order });
  }

  /** A view whenever the study changes, until it has ended. */
  async *follow(study: Digest): AsyncGenerator<StudyView> {
    const method = Studies.service.Follow;
    const request = method.requestSerialize({ study: bytesOf(study) });
    for await (const status of this.#wire.receive(method, request)) yield viewOf(status);
  }

  /**
   * @returns a finished study's model document, its digest checked, and the one text that has this digest.
   * @throws Refusal not_found, digest_mismatch
   */
  async model(study: Digest): Promise<{ digest: Digest; model: Json; text: string }> {
    const reply = await this.#wire.call(Studies.service.GetModel, { study: bytesOf(study) });
    const digest = reply.digest.toString("hex");
    if (digestOf(reply.canonicalJson) !== digest)
      throw new Refusal("digest_mismatch", "the model does not have the digest the coordinator states");
    const text = reply.canonicalJson.toString("utf8");
    return { digest, model: JSON.parse(text) as Json, text };
  }

  /** What enterprises said of themselves, the newest first. @param enterprise - whose; everybody's where empty */
  async statements(enterprise = ""): Promise<TakenStatement__Output[]> {
    return (await this.#wire.call(Scores.service.ListStatements, { enterprise })).statements;
  }

  /** Open ones first. */
  async cases(): Promise<Case__Output[]> {
    return (await this.#wire.call(Scores.service.ListCases, {})).cases;
  }

  async case(number: number): Promise<Case__Output> {
    return this.#wire.call(Scores.service.GetCase, { number });
  }

  /** Assigns, comments or decides. */
  async orderCase(number: number, order: Omit<CaseOrder, "number" | "order">): Promise<Case__Output> {
    return this.#wire.call(Scores.service.OrderCase, { number, ...order });
  }

  /** @returns what enterprises told of their warnings, the latest first. @param since - first day, YYYY-MM-DD */
  async warnings({
    enterprise = "",
    since = "",
    limit,
  }: {
    readonly enterprise?: string | undefined;
    readonly since?: string | undefined;
    readonly limit: number;
  }): Promise<ToldWarning__Output[]> {
    return (await this.#wire.call(Warnings.service.List, { enterprise, since, limit })).warnings;
  }

  async checkpoint(): Promise<string> {
    return (await this.#wire.call(Log.service.GetCheckpoint, {})).note;
  }

  /** The privacy log's export in pieces. @param withoutSums - leaves sum certificates and models out. */
  exportLog(withoutSums = false): AsyncGenerator<Uint8Array> {
    return exportLog(this.#wire, withoutSums);
  }

  /** The whole database as of one moment, in pieces: what `coordinator/store/backup.ts` reads. */
  backup(): AsyncGenerator<Uint8Array> {
    return takeBackup(this.#wire);
  }

  /** Says that a backup was read back. */
  async backedUp({ size, time }: Pick<BackupHeader, "size" | "time">): Promise<void> {
    await this.#wire.call(Log.service.BackedUp, { size, timeMillis: time });
  }

  close(): void {
    this.#wire.close();
  }
}
