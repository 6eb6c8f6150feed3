/** Names of enterprises, consortia and studies, and how a person points at a study. */
import { z } from "zod";
import type { Digest } from "./canonical.ts";
import { Refusal } from "./reasons.ts";

/** 1 to 63 lowercase letters, digits and hyphens. No hyphen leads: on a command line it would be an option. */
export const idPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

export const idSchema = z.string().regex(idPattern, "lowercase letters, digits and hyphens, 63 at most");

/** Digits of a digest that a person has to give: one study in 2³² begins with them by chance. */
export const shortestPrefix = 8;

/** How a digest is shown where the whole would not be read: longer than what has to be given. */
export const shortDigest = (digest: Digest): string => digest.slice(0, 12);

/**
 * @param wanted - a study's name, or at least `shortestPrefix` digits of its digest.
 * @returns the one study meant.
 * @throws Refusal not_found, also where several are meant
 */
export function findStudy<Study extends { readonly study: Digest; readonly name: string }>(
  studies: readonly Study[],
  wanted: string,
): Study {
  const byName = studies.filter(({ name }) => name === wanted);
  const byDigest = (): Study[] =>
    wanted.length >= shortestPrefix ? studies.filter(({ study }) => study.startsWith(wanted)) : [];
  const found = byName.length > 0 ? byName : byDigest();
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw new Refusal("not_found", `no study "${wanted}"`, {
      hint: `give its name, or ${shortestPrefix} digits or more of its digest`,
    });
  throw new Refusal("not_found", `several studies are called "${wanted}"`, {
    hint: "name it by its digest",
  });
}
