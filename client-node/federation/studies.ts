import type { DatabaseSync } from "node:sqlite";
import { type Digest, digestOf } from "../../core/canonical.ts";
import { shortDigest } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Json } from "../../models/algorithm.ts";
import { parseManifest, type StudyManifest, tableOf } from "../../models/study.ts";
import { checkAlgorithms, studyEvents } from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import { signConsent } from "../../privacy/log/consent.ts";
import { noteSigner } from "../../privacy/log/note.ts";
import { refusalOf, Studies } from "../../proto/wire.ts";
import { decidedBy, requirePeople } from "../ledger/approvals.ts";
import { eventsToCome, type Forecast, forecastOf } from "../ledger/budget.ts";
import type { EgressLedger } from "../ledger/egress.ts";
import {
  anyConsent,
  rememberManifest,
  type StoredConsent,
  storeConsent,
  storedConsent,
} from "../ledger/records.ts";
import { requireAccounted } from "../ledger/recoveries.ts";
import { transact } from "../ledger/store.ts";
import { checkStudy, type Policy, whyRefused } from "../policy.ts";
import { requireFarFromSummed } from "../rows/summed-rows.ts";
import type { NodeCredentials } from "./credentials.ts";
import type { FederationEvent } from "./events.ts";
import { requireRemembered } from "./memory.ts";
import type { Transport } from "./transport.ts";

export interface StudyView {
  readonly study: Digest;
  readonly name: string;
  /** proposed, running, finished, failed or stopped. */
  readonly phase: string;
  readonly algorithm: string;
  readonly round: number;
  readonly attempt: number;
  /** Why it failed. */
  readonly reason: string;
  readonly consented: readonly string[];
  readonly manifest: StudyManifest;
  /** When this enterprise's consent ends, milliseconds since the epoch; absent without one. */
  readonly consentExpires?: number;
  /** Why policy.yaml as it stands lets no round of it run here, whatever was consented to; absent where it does. */
  readonly refusedBecause?: string;
}

/** What the enterprise's side of a study needs. */
export interface StudyDesk {
  readonly db: DatabaseSync;
  readonly ledger: EgressLedger;
  readonly transport: Transport;
  readonly credentials: NodeCredentials;
  /**
   * As it stands on disk now, for the study's table; the whole of it where no study is named.
   * @throws Refusal file_missing, file_malformed, config_invalid; policy_refuses, where it says nothing of the table
   */
  readonly policy: (manifest?: StudyManifest) => Policy;
  /** Read by this policy. @throws Refusal what is wrong with them */
  readonly rows: (manifest: StudyManifest, policy: Policy) => Promise<Table>;
  readonly now: () => number;
}

const bytesOf = (digest: Digest): Buffer => Buffer.from(digest, "hex");

/** @throws Refusal manifest_changed, if a manifest is not what its digest says; those of {@link openManifest}. */
export async function listStudies({
  db,
  transport,
  policy,
}: Pick<StudyDesk, "db" | "transport" | "policy">): Promise<StudyView[]> {
  const { studies } = await transport.call(Studies.service.List, {});
  return studies.map((status) => {
    const study = status.study.toString("hex");
    const { text, manifest } = openManifest(study, status.manifest?.canonicalJson ?? Buffer.alloc(0));
    rememberManifest(db, study, text);
    const consent = storedConsent(db, study);
    const refusedBecause = whyRefused(policy, manifest);
    return {
      study,
      name: status.name,
      phase: status.phase,
      algorithm: status.algorithm,
      round: status.round,
      attempt: status.attempt,
      reason: status.reason,
      consented: status.consented,
      manifest,
      ...(consent === undefined || consent.withdrawn ? {} : { consentExpires: consent.expiresMillis }),
      ...(refusedBecause === undefined ? {} : { refusedBecause }),
    };
  });
}

/** @throws Refusal manifest_changed, if the text is not that of the digest; message_malformed, parameters_invalid. */
export function openManifest(study: Digest, bytes: Uint8Array): { text: string; manifest: StudyManifest } {
  if (digestOf(bytes) !== study)
    throw new Refusal("manifest_changed", `the manifest shown is not that of study ${shortDigest(study)}`);
  return parseManifest(bytes);
}

const ceil = (epsilon: number): string => (Math.ceil(epsilon * 100) / 100).toFixed(2);

/** @returns what a study may still cost at most, of the table's budget; undefined where it runs without noise. */
export const studyCost = (
  { db, policy }: Pick<StudyDesk, "db" | "policy">,
  study: Digest,
  manifest: StudyManifest,
): Forecast | undefined =>
  manifest.privacy.noise === undefined
    ? undefined
    : forecastOf(
        db,
        tableOf(manifest),
        policy(manifest).maxEpsilon,
        eventsToCome(db, study, studyEvents(manifest)),
      );

/** @returns a forecast in words. */
export const costText = ({ spent, after, lifetime, delta }: Forecast): string =>
  `up to ε = ${ceil(after - spent)} of your ${lifetime} for this table, of which ${ceil(spent)} is spent (δ = ${delta})`;

/**
 * Agrees to a study for as long as the policy says: after the policy allowed it and the rows fit its schema.
 * @param by - names of who decided.
 * @throws Refusal policy_refuses, unprotected, algorithm_unknown; exact_sums_spent, budget_exhausted; the row source's
 *   own, the bank's own.
 */
export async function consentTo(
  desk: StudyDesk,
  study: Digest,
  by: readonly string[] = [],
): Promise<{ expiresMillis: number }> {
  const { credentials, db, ledger, transport } = desk;
  const status = await transport.call(Studies.service.Get, { study: bytesOf(study) });
  const { text, manifest } = openManifest(study, status.manifest?.canonicalJson ?? Buffer.alloc(0));
  if (manifest.consortium !== credentials.consortium)
    throw new Refusal("policy_refuses", `the study is of consortium ${manifest.consortium}`);
  checkAlgorithms(manifest);
  const policy = desk.policy(manifest);
  checkStudy(policy, manifest);
  requirePeople(by, policy.people ?? 1);
  await requireRemembered(desk, study);
  requireAccounted(db, manifest.privacy.noise === undefined ? "exact_sums_spent" : "budget_exhausted");
  const rows = await desk.rows(manifest, policy);
  if (manifest.privacy.noise === undefined) requireFarFromSummed(db, tableOf(manifest), rows, policy.minRows);
  const cost = studyCost(desk, study, manifest);
  if (cost !== undefined && cost.after > cost.lifetime)
    throw new Refusal(
      "budget_exhausted",
      `study ${manifest.name} may cost up to ε = ${ceil(cost.after - cost.spent)} over what was spent, ε = ${ceil(cost.spent)} of ${cost.lifetime}`,
      { hint: "ask the bank for more noise or fewer sums, or raise maxEpsilon.lifetime in policy.yaml" },
    );
  const expiresMillis = desk.now() + Math.floor(policy.consentDays * 86_400_000);
  const { enterprise } = credentials;
  const decided = { study, expiresMillis };
  transact(db, () => {
    storeConsent(db, { ...decided, manifest: text, withdrawn: false });
    const consent = { study, enterprise, expires: expiresMillis, consent: consentNote(credentials, decided) };
    ledger.append([{ type: "study.consented", time: desk.now(), ...consent, ...decidedBy(by) }]);
  });
  await sendConsent(desk, decided);
  return { expiresMillis };
}

type Decided = Pick<StoredConsent, "study" | "expiresMillis">;

/** Signed anew it is the same note, as long as the key is. */
const consentNote = (
  { consortium, enterprise, identity }: NodeCredentials,
  { study, expiresMillis }: Decided,
): string =>
  signConsent(
    { consortium, enterprise, study, expires: expiresMillis },
    noteSigner(identity.name, identity.signingSeed),
  );

async function sendConsent(
  { credentials, transport }: Pick<StudyDesk, "credentials" | "transport">,
  decided: Decided,
): Promise<void> {
  const { study, expiresMillis } = decided;
  const note = consentNote(credentials, decided);
  await transport.call(Studies.service.Consent, { study: bytesOf(study), expiresMillis, note });
}

/** The node stops taking part at once, whether or not the bank can be told. @throws Refusal */
export async function withdrawFrom(
  { credentials, db, ledger, now, transport }: StudyDesk,
  study: Digest,
): Promise<void> {
  const consent = storedConsent(db, study);
  if (consent !== undefined && !consent.withdrawn)
    transact(db, () => {
      storeConsent(db, { ...consent, withdrawn: true });
      ledger.append([{ type: "study.withdrawn", time: now(), study, enterprise: credentials.enterprise }]);
    });
  await transport.call(Studies.service.Withdraw, { study: bytesOf(study) });
}

const goingOn: ReadonlySet<string> = new Set(["proposed", "running", "paused"]);

/**
 * Tells the bank what this enterprise decided and the bank does not know: it restored a backup of before, or was away
 * when it was told. The consent is the one that was signed and written down then. Never throws.
 */
export async function repeatDecisions(
  desk: Pick<StudyDesk, "credentials" | "db" | "now" | "policy" | "transport">,
  emit: (event: FederationEvent) => void,
): Promise<void> {
  const { credentials, db, now, transport } = desk;
  if (!anyConsent(db, now())) return;
  try {
    for (const { study, name, phase, consented } of await listStudies(desk)) {
      const decided = storedConsent(db, study);
      if (decided === undefined || decided.expiresMillis <= now() || !goingOn.has(phase)) continue;
      if (consented.includes(credentials.enterprise) !== decided.withdrawn) continue;
      if (decided.withdrawn) await transport.call(Studies.service.Withdraw, { study: bytesOf(study) });
      else await sendConsent(desk, decided);
      emit({ type: "decision", study, name, decision: decided.withdrawn ? "withdrawal" : "consent" });
    }
  } catch (error) {
    const { reason, message } = refusalOf(error);
    emit({ type: "decision", reason, message });
  }
}

/** @returns a finished study's model. @throws Refusal digest_mismatch, not_found and the bank's own. */
export async function fetchModel(
  { transport }: Pick<StudyDesk, "transport">,
  study: Digest,
): Promise<{ digest: Digest; text: string; model: Json }> {
  const reply = await transport.call(Studies.service.GetModel, { study: bytesOf(study) });
  const digest = reply.digest.toString("hex");
  const text = reply.canonicalJson.toString("utf8");
  if (digestOf(text) !== digest)
    throw new Refusal("digest_mismatch", "the model does not have the digest the bank states");
  return { digest, text, model: JSON.parse(text) as Json };
}
