/**
 * Which policy was written on the page last, and how many people it asks for. Once that was two, no other policy is in
 * force before two have approved it, whoever edits the file.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { prepared, transact } from "./store.ts";

export interface ApprovedPolicy {
  readonly digest: Digest;
  /** People that it asks for. */
  readonly people: number;
}

export function storeApproved(db: DatabaseSync, { digest, people }: ApprovedPolicy): void {
  transact(db, () => prepared(db, "INSERT INTO approved (digest, people) VALUES (?, ?)").run(digest, people));
}

/** @returns the policy that was written on the page last. */
export function lastApproved(db: DatabaseSync): ApprovedPolicy | undefined {
  const row = prepared(db, "SELECT digest, people FROM approved ORDER BY position DESC LIMIT 1").get();
  return row === undefined ? undefined : { digest: String(row.digest), people: Number(row.people) };
}

/** @throws Refusal policy_refuses, where two people have to approve a policy and have not */
export function requireApproved(db: DatabaseSync, { digest, people }: ApprovedPolicy): void {
  const last = lastApproved(db);
  if (Math.max(people, last?.people ?? 1) < 2 || last?.digest === digest) return;
  throw new Refusal("policy_refuses", "policy.yaml as it stands was not approved by two people", {
    hint: "let two people write it on the page, each signed in by a name, or put back what they approved",
  });
}

/** @param by - names of who decided. @throws Refusal policy_refuses, where they are too few */
export function requirePeople(by: readonly string[], people: number): void {
  if (new Set(by).size >= people || people < 2) return;
  throw new Refusal("policy_refuses", "policy.yaml asks for two people, and two have not decided this", {
    hint: "let two people decide on the page, each signed in by a name: fedcredit node password --name NAME",
  });
}

/** Names as an entry has them: sorted, none twice; nothing where nobody has one. */
export const decidedBy = (by: readonly string[]): { by?: string[] } =>
  by.length === 0 ? {} : { by: [...new Set(by)].sort() };
