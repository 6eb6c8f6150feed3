/** What the services' methods have in common: who may call, and how a request names things. */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Role } from "../authority/ca.ts";

/** Who may call a method. */
export interface Callers {
  readonly roles: readonly Role[];
  /** Whether an enterprise may that is not, or not any more, in the newest roster. */
  readonly outsiders: boolean;
}

export const only = (...roles: readonly Role[]): Callers => ({ roles, outsiders: false });
export const everyone = only("enterprise", "operator", "auditor");
/** Who has enrolled and waits to be admitted, too: it finds the coordinator, and nothing in it. */
export const anyone: Callers = { ...everyone, outsiders: true };
export const operator = only("operator");
export const auditor = only("auditor");
export const enterprise = only("enterprise");

/** @throws Refusal message_malformed */
export function digestText(bytes: Buffer): Digest {
  if (bytes.length !== 32) throw new Refusal("message_malformed", "a SHA-256 digest has 32 bytes");
  return bytes.toString("hex");
}
