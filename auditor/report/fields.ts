import { canonicalJson } from "../../core/canonical.ts";
import type { EntryOf } from "../../privacy/log/entry.ts";

type Run = Pick<EntryOf<"desensitization.ran">, "version" | "fields">;

/** @returns what runs did to fields: of each version of the policy every list of fields once, in the order of the runs. */
export const fieldsByPolicy = (runs: readonly Run[]): Run[] => [
  ...new Map(
    runs.map(({ version, fields }) => [canonicalJson([version, fields]), { version, fields }]),
  ).values(),
];
