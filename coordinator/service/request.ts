/** What the services' methods have in common: who may call, and how a request names things. */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Role } from "../authority/ca.ts";

export const everyone: readonly Role[] = ["enterprise", "operator", "auditor"];
export const operator: readonly Role[] = ["operator"];
export const auditor: readonly Role[] = ["auditor"];
export const enterprise: readonly Role[] = ["enterprise"];

/** @throws Refusal message_malformed */
export function digestText(bytes: Buffer): Digest {
  if (bytes.length !== 32) throw new Refusal("message_malformed", "a SHA-256 digest has 32 bytes");
  return bytes.toString("hex");
}
