import { z } from "zod";
import { toHex } from "../../core/bytes.ts";
import { canonicalBytes, type Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parsedBy } from "../../core/schema.ts";
import { appendLeaf, emptyRange, leafHash, rangeRoot } from "./merkle.ts";

/**
 * What an enterprise commits to of a day's readings: the root over its segments, one leaf a file. Who is shown a
 * segment later can tell that it is the one of that day, whole and unchanged. The salt keeps small files from being
 * guessed by their digest.
 */

const digest = z.string().regex(/^[0-9a-f]{64}$/, "a SHA-256 digest is 64 lowercase hexadecimal digits");
const day = z.iso.date().describe("UTC, by the sources' clocks");

/** The file that shows what a day's commitment stands on; it holds digests and no reading. */
const disclosureSchema = z.strictObject({
  enterprise: z.string().min(1),
  day,
  salt: digest.describe("drawn for this day's commitment"),
  segments: z
    .array(z.strictObject({ path: z.string().min(1).max(500), digest: digest.describe("of the file") }))
    .min(1)
    .max(100_000)
    .describe("sorted by path"),
});
export type Disclosure = z.infer<typeof disclosureSchema>;

/** @throws Refusal file_malformed */
export function parseDisclosure(text: string): Disclosure {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = parsedBy(disclosureSchema, value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal("file_malformed", `disclosure: ${issue?.path.join(".") || "file"}: ${issue?.message}`);
}

/** @returns the Merkle root (RFC 6962 §2.1) over canonical JSON of `{ salt, path, digest }`, in the order of paths. */
export function commitmentRoot({ salt, segments }: Pick<Disclosure, "salt" | "segments">): Digest {
  let range = emptyRange;
  const sorted = [...segments].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, digest: file } of sorted)
    range = appendLeaf(range, leafHash(canonicalBytes({ salt, path, digest: file }))).range;
  return toHex(rangeRoot(range));
}
