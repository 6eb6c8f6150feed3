import type { Forbidden } from "../policy.ts";

/** Why a study does not run under a policy: what it forbids, a table that it does not know, a budget that is spent. */
export type Bar =
  | Forbidden
  | { readonly what: "table"; readonly name: string }
  | { readonly what: "exactSums"; readonly perTable: number }
  | { readonly what: "epsilon"; readonly lifetime: number }
  | { readonly what: "cost"; readonly lifetime: number };
