/**
 * Where a champion decides for a study's purpose, what is to follow it is held against it: the study's gate is on unless
 * its manifest says `gate: none`, which enterprises then consent to.
 */
import { isDeepStrictEqual } from "node:util";
import { canonicalBytes, type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { PriorResults } from "../../models/algorithm.ts";
import { entryOf } from "../../models/results.ts";
import { parseManifest, type StudyManifest } from "../../models/study.ts";
import { manifestFaults } from "../../models/study-loop.ts";
import type { Bank } from "../bank.ts";
import { standings } from "./standing.ts";

/** By how much a model's AUC may be below the champion's on an enterprise's rows, beside one standard error. */
const usualWithin = 0.005;

/** What a model document says that a gate needs. */
interface Published {
  readonly algorithms: StudyManifest["algorithms"];
  readonly results: PriorResults;
}

interface Gated {
  readonly manifest: StudyManifest;
  /** What was decided for the bank, in words; absent where there was nothing to decide. */
  readonly note?: string;
}

/**
 * @returns the manifest with the gate that its purpose's champion gives it.
 * @throws Refusal parameters_invalid where the study leaves no room for one
 */
export async function gatedByDefault(bank: Pick<Bank, "database">, manifest: StudyManifest): Promise<Gated> {
  // What is wrong with the manifest otherwise is said by its own checks.
  if (manifest.gate !== undefined || manifestFaults(manifest).length > 0) return { manifest };
  const learned = manifest.algorithms.map(entryOf).findLast(({ algorithm, params }) => {
    const { maxSteps } = algorithm.configure(params);
    return algorithm.isModel && maxSteps > 0;
  });
  const { sql } = bank.database;
  const champion = (await standings(sql, manifest.purpose)).find(({ standing }) => standing === "champion");
  if (learned === undefined || champion === undefined) return { manifest };
  const [row] = await sql`SELECT document FROM model WHERE digest = ${champion.model}`;
  const made = row && modelIn(JSON.parse(row.document as string) as Published, champion.result);
  if (made === undefined || !made.features.every((one) => manifest.features.some(sameAs(one))))
    return {
      manifest,
      note: `gate: none, for the champion ${champion.result} reads other columns than the study's`,
    };
  const { algorithm, result } = made;
  const gated: StudyManifest = {
    ...manifest,
    gate: { model: learned.as, champion: { algorithm, result }, within: usualWithin },
  };
  const [fault] = manifestFaults(gated);
  if (fault !== undefined)
    throw new Refusal("parameters_invalid", `${fault.message}, and a champion decides for this purpose`, {
      hint: `${fault.hint}; or say gate: none`,
    });
  return {
    manifest: gated,
    note: `gate: enterprises hold ${learned.as} against the champion ${champion.result}, within ${usualWithin}`,
  };
}

/**
 * @param bytes - of a manifest as somebody wrote it.
 * @returns the study that they propose, its gate filled in: the digest is of the whole.
 * @throws Refusal message_malformed, parameters_invalid
 */
export async function proposedBy(
  bank: Pick<Bank, "database">,
  bytes: Uint8Array,
): Promise<Gated & { readonly study: Digest }> {
  const gated = await gatedByDefault(bank, parseManifest(bytes).manifest);
  return { ...gated, study: digestOf(canonicalBytes(gated.manifest)) };
}

/** @returns a published model as a gate names it; undefined where transforms stand before it. */
function modelIn({ algorithms, results }: Published, wanted: string) {
  const entries = algorithms.map(entryOf);
  const entry = entries.find(({ as }) => as === wanted);
  const result = results[wanted];
  if (entry === undefined || result === undefined) return undefined;
  if (entries.some(({ algorithm }) => algorithm.isTransform)) return undefined;
  const { features = [] } = entry.algorithm.model(result) ?? {};
  return { algorithm: entry.algorithm.name, result, features };
}

const sameAs =
  (one: { readonly name: string }) =>
  (other: StudyManifest["features"][number]): boolean =>
    isDeepStrictEqual({ levels: undefined, ...one }, { levels: undefined, ...other });
